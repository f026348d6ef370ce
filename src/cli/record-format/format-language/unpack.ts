/**
 * `{unpack[SPEC]}`: binary fields of a key or value as text, after Python's struct.
 *
 * `<` `>` endianness from here on (default little) · `b B` 8 · `h H` 16 · `i I` 32 · `q Q` 64 bits, capital unsigned ·
 * `c` `.` one byte as it is · `s` the rest · `x` nothing · `$` must be at the end. What does not fit is said inline:
 * `%!(have 1 bytes, need 4)`, `%!c(no bytes available)`, `%!$(not end-of-input)`.
 *
 * On input a SPEC of one number packs it again; of several, nothing would say where one ends.
 */
import type { OutputBuffer } from '../output-buffer.js';
import type { TextDecoder } from './input-steps.js';
import { formatError } from './layout.js';

export type TextWriter = (source: Uint8Array, start: number, end: number, out: OutputBuffer) => void;

interface Field {
  readonly letter: string;
  /** Bytes of a number; 0 for the other letters. */
  readonly bytes: number;
  readonly signed: boolean;
  readonly little: boolean;
}

const NUMBER_BYTES: Readonly<Record<string, number>> = { b: 1, h: 2, i: 4, q: 8 };

export function compileUnpack(format: string, index: number, spec: string): TextWriter {
  const fields = parseUnpack(format, index, spec);
  return (source, start, end, out) => {
    let position = start;
    for (const field of fields) position = writeField(field, source, position, end, out);
  };
}

/** KLOG_USAGE for a SPEC of anything but one number. */
export function compilePack(format: string, index: number, spec: string): TextDecoder {
  const [field, ...others] = parseUnpack(format, index, spec).filter(({ letter }) => letter !== '$');
  if (field === undefined || field.bytes === 0 || others.length > 0) {
    throw formatError(format, index, 'unpack can be read back for a single number', 'For example unpack[>I].');
  }
  return { name: `the number of unpack[${spec}]`, decode: (bytes) => packed(field, bytes.toString('latin1')) };
}

function packed({ bytes, signed, little }: Field, text: string): Buffer | undefined {
  if (!/^-?\d{1,20}$/.test(text)) return undefined;
  const n = BigInt(text);
  const bits = BigInt.asUintN(bytes * 8, n);
  if (n !== (signed ? BigInt.asIntN(bytes * 8, bits) : bits)) return undefined;
  const big = Buffer.from(bits.toString(16).padStart(bytes * 2, '0'), 'hex');
  return little ? big.reverse() : big;
}

function parseUnpack(format: string, index: number, spec: string): Field[] {
  const fields: Field[] = [];
  let little = true;
  let ended = false;
  for (const letter of spec) {
    if (ended) throw formatError(format, index, `nothing may follow s or $ in unpack, but ${letter} does`);
    if (letter === 'x' || letter === ' ') continue;
    if (letter === '<' || letter === '>') {
      little = letter === '<';
      continue;
    }
    const bytes = NUMBER_BYTES[letter.toLowerCase()] ?? 0;
    if (bytes === 0 && !'c.s$'.includes(letter)) {
      throw formatError(format, index, `unpack does not know ${letter}`, 'It knows x < > b B h H i I q Q c . s and $.');
    }
    ended = letter === 's' || letter === '$';
    fields.push({ letter, bytes, signed: letter === letter.toLowerCase(), little });
  }
  return fields;
}

/** Returns the position behind the field. */
function writeField(field: Field, source: Uint8Array, position: number, end: number, out: OutputBuffer): number {
  const have = end - position;
  if (field.bytes > 0) {
    if (have < field.bytes) {
      out.writeAscii(`%!(have ${have} bytes, need ${field.bytes})`);
      return end;
    }
    writeInteger(field, source, position, out);
    return position + field.bytes;
  }
  if (field.letter === '$') {
    if (have > 0) out.writeAscii('%!$(not end-of-input)');
    return end;
  }
  if (field.letter === 's') {
    out.writeBytes(source, position, end);
    return end;
  }
  if (have < 1) {
    out.writeAscii('%!c(no bytes available)');
    return end;
  }
  out.writeByte(source[position]!);
  return position + 1;
}

function writeInteger(field: Field, source: Uint8Array, position: number, out: OutputBuffer): void {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const { bytes, signed, little } = field;
  if (bytes === 8) {
    const big = signed ? view.getBigInt64(position, little) : view.getBigUint64(position, little);
    out.writeAscii(big.toString());
  } else if (bytes === 4) {
    out.writeNumber(signed ? view.getInt32(position, little) : view.getUint32(position, little));
  } else if (bytes === 2) {
    out.writeNumber(signed ? view.getInt16(position, little) : view.getUint16(position, little));
  } else {
    out.writeNumber(signed ? view.getInt8(position) : view.getUint8(position));
  }
}
