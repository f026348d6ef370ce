/**
 * What a terminal must not get from data: control bytes, C1 controls and bidirectional overrides are shown instead of
 * obeyed. Tab and newline stay. Nothing is escaped on a pipe: this is only for people's eyes, not reversible.
 *
 * | found                                              | shown    |
 * |----------------------------------------------------|----------|
 * | U+0000–U+001F but tab and newline, U+007F          | `\x1b`   |
 * | carriage return                                    | `\r`     |
 * | U+0080–U+009F (UTF-8 `c2 80`–`c2 9f`)              | `\u009b` |
 * | bidi: U+061C U+200E U+200F U+202A–E U+2066–9       | `\u202e` |
 * | bytes that are no UTF-8 (a lone `9b` is a CSI, too) | `\x9b`  |
 */
import { OutputBuffer } from './output-buffer.js';
import { codePointAt, utf8SequenceLength } from './utf8.js';

const HEX = '0123456789abcdef';

/** Whether a character is a C1 or bidi control. */
export function isHiddenControl(codePoint: number): boolean {
  if (codePoint < 0x80) return false;
  if (codePoint <= 0x9f) return true;
  if (codePoint === 0x061c || codePoint === 0x200e || codePoint === 0x200f) return true;
  return (codePoint >= 0x202a && codePoint <= 0x202e) || (codePoint >= 0x2066 && codePoint <= 0x2069);
}

function isControlByte(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x09 && byte !== 0x0a) || byte === 0x7f;
}

const scratch = new OutputBuffer(4096);

/** Escapes what stands in `out` from `from` on. Cheap when there is nothing to escape. */
export function escapeTail(out: OutputBuffer, from: number): void {
  const { buffer, length } = out;
  let clean = from;
  while (clean < length && buffer[clean]! < 0x7f && !isControlByte(buffer[clean]!)) clean++;
  if (clean === length) return;
  scratch.clear();
  scratch.writeBytes(buffer, clean, length);
  out.length = clean;
  writeEscaped(scratch.buffer, 0, scratch.length, out);
}

/** Writes bytes with everything unsafe escaped. `source` must not be `out`'s own buffer. */
export function writeEscaped(source: Uint8Array, start: number, end: number, out: OutputBuffer): void {
  let runFrom = start;
  let i = start;
  while (i < end) {
    const byte = source[i]!;
    if (byte < 0x80) {
      if (!isControlByte(byte)) {
        i++;
        continue;
      }
      out.writeBytes(source, runFrom, i);
      if (byte === 0x0d) out.writeAscii('\\r');
      else writeHexEscape(byte, out);
      runFrom = ++i;
      continue;
    }
    const size = utf8SequenceLength(source, i, end);
    if (size === 0) {
      out.writeBytes(source, runFrom, i);
      writeHexEscape(byte, out);
      runFrom = ++i;
      continue;
    }
    const codePoint = codePointAt(source, i, size);
    if (isHiddenControl(codePoint)) {
      out.writeBytes(source, runFrom, i);
      out.writeAscii(`\\u${hexOf(codePoint, 4)}`);
      runFrom = i + size;
    }
    i += size;
  }
  out.writeBytes(source, runFrom, end);
}

function writeHexEscape(byte: number, out: OutputBuffer): void {
  out.writeAscii('\\x');
  out.writeAscii(HEX[byte >>> 4]! + HEX[byte & 15]!);
}

function hexOf(n: number, digits: number): string {
  return n.toString(16).padStart(digits, '0');
}
