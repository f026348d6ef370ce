/**
 * A growing byte buffer that is filled, handed to the output, cleared and filled again. Nothing on the everyday path
 * allocates: short runs are copied by a loop, long ones by `set`.
 */
const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const BASE64_DIGITS = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
/** `00` to `99` */
const DIGIT_PAIRS = Buffer.from(Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0')).join(''), 'latin1');
/** Below this many bytes a loop is faster than making a view for `set`. */
const LOOP_BYTES = 24;
/** Below this many bytes four at a time are faster than a view. */
const WORDS_BYTES = 512;
/** One huge record must not hold its memory for the rest of the run. */
const RETAINED_BYTES = 4 * 1024 * 1024;

/** Bytes that are written again and again, kept as 32-bit words so that writing them is a handful of stores. */
export class Constant {
  readonly length: number;
  readonly words: Int32Array;

  constructor(bytes: Uint8Array | string) {
    const source = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
    const padded = new Uint8Array((source.length + 3) & ~3);
    padded.set(source);
    const view = new DataView(padded.buffer);
    this.length = source.length;
    this.words = Int32Array.from({ length: padded.length / 4 }, (_, i) => view.getInt32(i * 4, true));
  }
}

/** Bytes, and the same memory for reading four of them at once: a cursor. */
export interface WordSource {
  readonly buffer: Uint8Array;
  readonly words: DataView;
}

export class OutputBuffer {
  /** Valid up to `length`. Replaced when it grows: never hold on to it across a write. */
  buffer: Buffer;
  /** The same memory, for writing four bytes at once. */
  words: DataView;
  length = 0;
  #initial: Buffer;
  /** What `clear` keeps. */
  #retainedBytes = RETAINED_BYTES;

  constructor(initialBytes = 64 * 1024) {
    this.#initial = Buffer.allocUnsafeSlow(initialBytes);
    this.buffer = this.#initial;
    this.words = wordsOf(this.buffer);
  }

  /** Goes on in this memory, and comes back to it whenever it is cleared. */
  adopt(memory: Buffer): void {
    this.#initial = memory;
    this.#retainedBytes = memory.length;
    if (this.length > memory.length) return;
    this.buffer.copy(memory, 0, 0, this.length);
    this.#replace(memory);
  }

  /** The bytes written so far, not copied: valid until the next write. */
  view(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
    if (this.buffer.length > this.#retainedBytes) this.#replace(this.#initial);
  }

  /** Makes room for `bytes` more behind `length`. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(grown, 0, 0, this.length);
    this.#replace(grown);
  }

  writeByte(byte: number): void {
    if (this.length === this.buffer.length) this.reserve(1);
    this.buffer[this.length++] = byte;
  }

  writeBytes(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (this.length + count > this.buffer.length) this.reserve(count);
    const buffer = this.buffer;
    let length = this.length;
    if (count <= LOOP_BYTES) {
      while (start < end) buffer[length++] = source[start++]!;
    } else {
      buffer.set(source.subarray(start, end), length);
      length += count;
    }
    this.length = length;
  }

  /** As {@link writeBytes}, where views of single records would cost more than the copies. */
  writeRange(source: WordSource, start: number, end: number): void {
    const count = end - start;
    if (count < 4 || count > WORDS_BYTES) {
      this.writeBytes(source.buffer, start, end);
      return;
    }
    if (this.length + count > this.buffer.length) this.reserve(count);
    const from = source.words;
    const to = this.words;
    const last = end - 4;
    let position = this.length;
    for (let i = start; i < last; i += 4) {
      to.setInt32(position, from.getInt32(i, true), true);
      position += 4;
    }
    // The last word begins within the one before, unless the count is a multiple of four.
    this.length += count;
    to.setInt32(this.length - 4, from.getInt32(last, true), true);
  }

  writeConstant(constant: Constant): void {
    const { length, words } = constant;
    // The last word may reach three bytes too far; what follows overwrites them.
    if (this.length + length + 3 > this.buffer.length) this.reserve(length + 3);
    const target = this.words;
    let position = this.length;
    for (let i = 0; i < words.length; i++) {
      target.setInt32(position, words[i]!, true);
      position += 4;
    }
    this.length += length;
  }

  /** Text known to be ASCII. */
  writeAscii(text: string): void {
    const count = text.length;
    if (this.length + count > this.buffer.length) this.reserve(count);
    if (count > LOOP_BYTES) {
      this.length += this.buffer.write(text, this.length, 'latin1');
      return;
    }
    const buffer = this.buffer;
    let length = this.length;
    for (let i = 0; i < count; i++) buffer[length++] = text.charCodeAt(i);
    this.length = length;
  }

  /** Any text, as UTF-8. */
  writeText(text: string): void {
    this.reserve(text.length * 3);
    this.length += this.buffer.write(text, this.length, 'utf8');
  }

  /** An integer up to ±(2^53 - 1), in decimal. */
  writeNumber(n: number): void {
    if (this.length + 17 > this.buffer.length) this.reserve(17);
    if (n < 0) {
      this.buffer[this.length++] = 0x2d;
      n = -n;
    }
    if (n < 1_000_000_000) {
      this.#writeDigits(n, digitsOf(n));
      return;
    }
    const high = Math.floor(n / 1_000_000_000);
    this.#writeDigits(high, digitsOf(high));
    this.#writeDigits(n - high * 1_000_000_000, 9);
  }

  /** A number from 0 to 999 999 999 with leading zeros. */
  writePadded(n: number, digits: number): void {
    if (this.length + digits > this.buffer.length) this.reserve(digits);
    this.#writeDigits(n, digits);
  }

  writeHex(source: Uint8Array, start: number, end: number): void {
    this.reserve((end - start) * 2);
    const buffer = this.buffer;
    let length = this.length;
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      buffer[length++] = HEX_DIGITS[byte >>> 4]!;
      buffer[length++] = HEX_DIGITS[byte & 15]!;
    }
    this.length = length;
  }

  /** RFC 4648 base64, padded unless told otherwise. */
  writeBase64(source: Uint8Array, start: number, end: number, padded = true): void {
    this.reserve(Math.ceil((end - start) / 3) * 4);
    const buffer = this.buffer;
    let length = this.length;
    let i = start;
    for (; i + 3 <= end; i += 3) {
      const bits = (source[i]! << 16) | (source[i + 1]! << 8) | source[i + 2]!;
      buffer[length++] = BASE64_DIGITS[bits >>> 18]!;
      buffer[length++] = BASE64_DIGITS[(bits >>> 12) & 63]!;
      buffer[length++] = BASE64_DIGITS[(bits >>> 6) & 63]!;
      buffer[length++] = BASE64_DIGITS[bits & 63]!;
    }
    if (i < end) {
      const two = i + 1 < end;
      const bits = (source[i]! << 16) | (two ? source[i + 1]! << 8 : 0);
      buffer[length++] = BASE64_DIGITS[bits >>> 18]!;
      buffer[length++] = BASE64_DIGITS[(bits >>> 12) & 63]!;
      if (two) buffer[length++] = BASE64_DIGITS[(bits >>> 6) & 63]!;
      for (let padding = two ? 1 : 2; padded && padding > 0; padding--) buffer[length++] = 0x3d;
    }
    this.length = length;
  }

  #replace(buffer: Buffer): void {
    this.buffer = buffer;
    this.words = wordsOf(buffer);
  }

  #writeDigits(n: number, digits: number): void {
    const buffer = this.buffer;
    const start = this.length;
    let i = start + digits;
    this.length = i;
    while (i - start >= 2) {
      const quotient = (n / 100) | 0;
      const pair = (n - quotient * 100) << 1;
      buffer[--i] = DIGIT_PAIRS[pair + 1]!;
      buffer[--i] = DIGIT_PAIRS[pair]!;
      n = quotient;
    }
    if (i > start) buffer[start] = 0x30 + (n % 10);
  }
}

function wordsOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

/** Decimal digits of a number below 10^9. */
function digitsOf(n: number): number {
  if (n < 1_000) return n < 10 ? 1 : n < 100 ? 2 : 3;
  if (n < 1_000_000) return n < 10_000 ? 4 : n < 100_000 ? 5 : 6;
  return n < 10_000_000 ? 7 : n < 100_000_000 ? 8 : 9;
}
