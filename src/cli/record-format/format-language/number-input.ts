/** Reads the numbers of a layout: as digits up to what is none, or of a fixed width. */
import type { InputBuffer } from '../input-buffer.js';
import { quoted } from './input-literal.js';
import type { NumberInput } from './input-steps.js';
import { hexDigit, type NumberReader } from './numbers.js';

/** More decimal digits than any exact number has. */
const MAX_DIGITS = 17;
const MAX_HEX_DIGITS = 16;

/** Undefined: more bytes are needed. `verb` names the number in errors. */
export function readNumber(input: InputBuffer, layout: NumberInput, signed: boolean, verb: string): number | undefined {
  switch (layout.as) {
    case 'fixed':
      return layout.value;
    case 'digits':
      return readDigits(input, signed, verb);
    case 'hexDigits':
      return readHexDigits(input, signed, verb);
    case 'bool':
      return readBool(input, verb);
    case 'bytes':
      return readWidth(input, layout.reader, signed, verb);
  }
}

function readDigits(input: InputBuffer, signed: boolean, verb: string): number | undefined {
  const { bytes, position, length } = input;
  let end = position;
  if (signed && bytes[end] === 0x2d && end < length) end++;
  while (end < length && bytes[end]! >= 0x30 && bytes[end]! <= 0x39 && end - position <= MAX_DIGITS) end++;
  if (end === length && !input.ended && end - position <= MAX_DIGITS) return undefined;
  const digits = bytes.toString('latin1', position, end);
  const n = /\d/.test(digits) ? Number(digits) : Number.NaN;
  if (Number.isNaN(n)) throw noNumber(input, end, verb);
  return exact(input, n, end, verb);
}

/** As printed: of a negative number the 64 bits of its two's complement. */
function readHexDigits(input: InputBuffer, signed: boolean, verb: string): number | undefined {
  const { bytes, position, length } = input;
  let end = position;
  while (end < length && hexDigit(bytes[end]!) >= 0 && end - position <= MAX_HEX_DIGITS) end++;
  if (end === length && !input.ended && end - position <= MAX_HEX_DIGITS) return undefined;
  if (end === position) throw noNumber(input, end, verb);
  const bits = BigInt(`0x${bytes.toString('latin1', position, end)}`);
  const isTooLong = end - position > MAX_HEX_DIGITS;
  return exact(input, isTooLong ? Number.NaN : Number(signed ? BigInt.asIntN(64, bits) : bits), end, verb);
}

function exact(input: InputBuffer, n: number, end: number, verb: string): number {
  if (!Number.isSafeInteger(n)) throw input.error(`${verb} is beyond 2^53 - 1`);
  input.position = end;
  return n;
}

function noNumber(input: InputBuffer, at: number, verb: string): Error {
  const found = at >= input.length ? 'the end of the input' : quoted(input.bytes.subarray(at, at + 1));
  return input.error(`${verb} should be a number, found ${found}`);
}

function readBool(input: InputBuffer, verb: string): number | undefined {
  const text = input.bytes.toString('latin1', input.position, Math.min(input.length, input.position + 5));
  for (const word of ['true', 'false']) {
    if (text.startsWith(word)) {
      input.position += word.length;
      return word === 'true' ? 1 : 0;
    }
  }
  if (!input.ended && ('true'.startsWith(text) || 'false'.startsWith(text))) return undefined;
  throw input.error(`${verb} should be true or false, found ${text === '' ? 'the end' : quoted(Buffer.from(text))}`);
}

function readWidth(input: InputBuffer, reader: NumberReader, signed: boolean, verb: string): number | undefined {
  const width = reader.bytes;
  if (input.length - input.position < width) {
    if (!input.ended) return undefined;
    throw input.error(`the input ends in ${verb}, which has ${width} bytes`);
  }
  const n = reader.read(input.bytes, input.position, signed);
  if (Number.isNaN(n)) throw input.error(`${verb} should be ${width} hex digits`);
  return exact(input, n, input.position + width, verb);
}
