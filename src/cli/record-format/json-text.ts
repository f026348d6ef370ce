/**
 * Bytes as a JSON string, in one pass: copied as they are checked, escaped where they must be, given up at the first
 * byte that is not UTF-8.
 */
import type { OutputBuffer } from './output-buffer.js';
import { isHiddenControl } from './terminal-escape.js';
import { codePointAt, utf8SequenceLength } from './utf8.js';

/** 0: stands for itself. 1–0x7e: the letter of a short escape. The others: `\u00XX`, DEL, beyond ASCII. */
const CARE = new Uint8Array(256);
const UNICODE_ESCAPE = 0xfd;
const DELETE = 0xfe;
const BEYOND_ASCII = 0xff;
CARE.fill(UNICODE_ESCAPE, 0, 0x20);
CARE.fill(BEYOND_ASCII, 0x80);
CARE[0x7f] = DELETE;
for (const [byte, letter] of [
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x22, '"'],
  [0x5c, '\\'],
] as const) {
  CARE[byte] = letter.charCodeAt(0);
}

const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1');
/** So many bytes of input at a time are given room for the longest escapes. */
const STRETCH_BYTES = 8 * 1024;
export const LONGEST_ESCAPE = 6;

let viewed: Uint8Array | undefined;
let view: DataView = new DataView(new ArrayBuffer(0));

/** One view serves all records of a batch. */
function viewOf(source: Uint8Array): DataView {
  if (source !== viewed) {
    viewed = source;
    view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }
  return view;
}

/**
 * Whether any of the four bytes is below 0x20, `"`, `\`, DEL or above. The usual trick: subtracting from each byte at
 * once sets its top bit when it borrows; a false alarm behind a true one does no harm.
 */
function needsCare(word: number): boolean {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  return (
    ((word | (word - 0x20202020) | (quote - 0x01010101) | (backslash - 0x01010101) | (word + 0x01010101)) &
      0x80808080) !==
    0
  );
}

/**
 * Writes the range as a JSON string with its quotes. When it is not UTF-8 nothing is written and the answer is false.
 * `forTerminal` writes DEL, C1 and bidi controls as `\uXXXX`, too.
 */
export function writeJsonString(
  source: Uint8Array,
  start: number,
  end: number,
  out: OutputBuffer,
  forTerminal: boolean,
): boolean {
  const mark = out.length;
  out.writeByte(0x22);
  let from = start;
  while (from < end) {
    // A sequence of UTF-8 must not be cut: a stretch ends before one that may go on.
    let to = Math.min(end, from + STRETCH_BYTES);
    if (to < end) for (let back = 0; back < 3 && (source[to]! & 0xc0) === 0x80; back++) to--;
    out.reserve((to - from) * LONGEST_ESCAPE + LONGEST_ESCAPE);
    const length = encodeJsonText(source, from, to, out.buffer, out.words, out.length, forTerminal);
    if (length < 0) {
      out.length = mark;
      return false;
    }
    out.length = length;
    from = to;
  }
  out.writeByte(0x22);
  return true;
}

/**
 * What stands between the quotes, written to `buffer` (of which `target` is the view) from `length` on. The caller has
 * made room for {@link LONGEST_ESCAPE} bytes for each. Returns the position behind it, or -1 when the range is not
 * UTF-8.
 */
export function encodeJsonText(
  source: Uint8Array,
  start: number,
  end: number,
  buffer: Uint8Array,
  target: DataView,
  length: number,
  forTerminal: boolean,
): number {
  const words = viewOf(source);
  const lastWord = end - 4;
  let i = start;
  while (i < end) {
    while (i <= lastWord) {
      const word = words.getInt32(i, true);
      if (needsCare(word)) break;
      target.setInt32(length, word, true);
      length += 4;
      i += 4;
    }
    // Byte by byte through the word that needs care, or the last ones.
    for (let left = 4; left > 0 && i < end; left--) {
      const byte = source[i]!;
      const care = CARE[byte]!;
      if (care === 0 || (care === DELETE && !forTerminal)) {
        buffer[length++] = byte;
        i++;
      } else if (care < UNICODE_ESCAPE) {
        buffer[length] = 0x5c;
        buffer[length + 1] = care;
        length += 2;
        i++;
      } else if (care !== BEYOND_ASCII) {
        length = writeUnicodeEscape(byte, buffer, length);
        i++;
      } else {
        const size = utf8SequenceLength(source, i, end);
        if (size === 0) return -1;
        if (forTerminal && isHiddenControl(codePointAt(source, i, size))) {
          length = writeUnicodeEscape(codePointAt(source, i, size), buffer, length);
          i += size;
        } else {
          for (const next = i + size; i < next; i++) buffer[length++] = source[i]!;
        }
      }
    }
  }
  return length;
}

function writeUnicodeEscape(codeUnit: number, buffer: Uint8Array, length: number): number {
  buffer[length] = 0x5c;
  buffer[length + 1] = 0x75;
  for (let digit = 0; digit < 4; digit++) {
    buffer[length + 2 + digit] = HEX_DIGITS[(codeUnit >>> (12 - 4 * digit)) & 15]!;
  }
  return length + 6;
}

/** The same for text; lone surrogates become U+FFFD. */
export function writeJsonText(text: string, out: OutputBuffer, forTerminal: boolean): void {
  const bytes = Buffer.from(text, 'utf8');
  writeJsonString(bytes, 0, bytes.length, out, forTerminal);
}
