/**
 * Cuts csv (RFC 4180) into rows and fields, as bytes. Libraries decode their input as text, which changes every byte
 * that is not UTF-8, and their fields no longer tell null (nothing) from empty (`""`).
 *
 * ```
 * k,"a ""b"",⏎c",,""⏎          k    a "b",⏎c    null    empty
 * ```
 *
 * A quote opens a field only at its start, elsewhere it is a byte like any other. Rows end with LF or CRLF.
 */
import { type RowScanner, RowSyntaxError } from './row-scanner.js';

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;

/** `closed`: behind a quote that ends the field, or is the first of two. `return`: behind that, and a CR. */
type State = 'start' | 'plain' | 'quoted' | 'closed' | 'return';

export class CsvRows implements RowScanner {
  fieldCount = 0;
  #state: State = 'start';
  /** Bytes of the row that were looked at. */
  #seen = 0;
  #openedAt = 0;
  /** By field, from the start of the row, without the quotes around it. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** Whether it stood in quotes. */
  readonly #quoted: boolean[] = [];

  scan(bytes: Buffer, start: number, length: number, isLast: boolean): number {
    for (let at = this.#seen; start + at < length; at++) {
      if (this.#step(bytes[start + at]!, at, bytes, start)) return start + at + 1;
    }
    this.#seen = length - start;
    if (!isLast) return -1;
    if (this.#state === 'quoted') throw new RowSyntaxError('this quote is never closed', start + this.#openedAt);
    if (this.#state === 'start') this.#begin(this.#seen);
    const isClosed = this.#state === 'closed' || this.#state === 'return';
    this.#end(isClosed ? this.#ends[this.fieldCount]! : this.#seen);
    return length;
  }

  field(bytes: Buffer, start: number, index: number): Buffer | null {
    const field = bytes.subarray(start + this.#starts[index]!, start + this.#ends[index]!);
    if (!this.#quoted[index]!) return field.length === 0 ? null : field;
    return field.includes(QUOTE) ? withoutDoubled(field) : field;
  }

  reset(): void {
    this.fieldCount = 0;
    this.#state = 'start';
    this.#seen = 0;
  }

  /** Whether this byte ends the row. */
  #step(byte: number, at: number, bytes: Buffer, start: number): boolean {
    switch (this.#state) {
      case 'start':
        this.#begin(at);
        if (byte === QUOTE) {
          this.#quoted[this.fieldCount] = true;
          this.#starts[this.fieldCount] = at + 1;
          this.#openedAt = at;
          this.#state = 'quoted';
          return false;
        }
        this.#state = 'plain';
        return this.#stepPlain(byte, at, bytes, start);
      case 'plain':
        return this.#stepPlain(byte, at, bytes, start);
      case 'quoted':
        if (byte === QUOTE) {
          this.#ends[this.fieldCount] = at;
          this.#state = 'closed';
        }
        return false;
      case 'closed':
        if (byte === QUOTE) this.#state = 'quoted';
        else if (byte === CR) this.#state = 'return';
        else return this.#stepClosed(byte, at, start);
        return false;
      case 'return':
        if (byte !== LF) throw new RowSyntaxError('a carriage return behind a closing quote', start + at - 1);
        return this.#stepClosed(byte, at, start);
    }
  }

  #stepPlain(byte: number, at: number, bytes: Buffer, start: number): boolean {
    if (byte !== COMMA && byte !== LF) return false;
    const isCrLf = byte === LF && at > this.#starts[this.fieldCount]! && bytes[start + at - 1] === CR;
    this.#end(isCrLf ? at - 1 : at);
    return byte === LF;
  }

  #stepClosed(byte: number, at: number, start: number): boolean {
    if (byte !== COMMA && byte !== LF) {
      throw new RowSyntaxError('behind a closing quote there is neither a comma nor the end of the line', start + at);
    }
    this.#end(this.#ends[this.fieldCount]!);
    return byte === LF;
  }

  #begin(at: number): void {
    this.#starts[this.fieldCount] = at;
    this.#quoted[this.fieldCount] = false;
  }

  #end(at: number): void {
    this.#ends[this.fieldCount] = at;
    this.fieldCount++;
    this.#state = 'start';
  }
}

function withoutDoubled(field: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(field.length);
  let length = 0;
  for (let i = 0; i < field.length; i++) {
    decoded[length++] = field[i]!;
    if (field[i] === QUOTE) i++;
  }
  return decoded.subarray(0, length);
}
