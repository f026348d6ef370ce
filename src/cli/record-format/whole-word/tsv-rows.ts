/**
 * Cuts tsv into rows and fields, as bytes: lines (LF or CRLF), tabs between fields, `\t \n \r \0 \\ \xNN` within them,
 * and `\N` alone for null.
 */
import { unescapeBytes } from '../format-language/text-decoding.js';
import { type RowScanner, RowSyntaxError } from './row-scanner.js';

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const BACKSLASH = 0x5c;

export class TsvRows implements RowScanner {
  fieldCount = 0;
  /** Bytes of the row that were looked at. */
  #seen = 0;
  /** Behind each field, from the start of the row. */
  readonly #ends: number[] = [];

  scan(bytes: Buffer, start: number, length: number, isLast: boolean): number {
    const newline = bytes.subarray(start + this.#seen, length).indexOf(LF);
    this.#seen = newline < 0 ? length - start : this.#seen + newline;
    if (newline < 0 && !isLast) return -1;
    const end = newline < 0 || bytes[start + this.#seen - 1] !== CR || this.#seen === 0 ? this.#seen : this.#seen - 1;
    for (let at = 0; at < end; at++) if (bytes[start + at] === TAB) this.#ends[this.fieldCount++] = at;
    this.#ends[this.fieldCount++] = end;
    return start + this.#seen + (newline < 0 ? 0 : 1);
  }

  field(bytes: Buffer, start: number, index: number): Buffer | null {
    const from = start + (index === 0 ? 0 : this.#ends[index - 1]! + 1);
    const field = bytes.subarray(from, start + this.#ends[index]!);
    if (!field.includes(BACKSLASH)) return field;
    if (field.length === 2 && field[1] === 0x4e) return null;
    const decoded = unescapeBytes(field);
    if (typeof decoded !== 'number') return decoded;
    throw new RowSyntaxError('a backslash that begins no escape (\\t \\n \\r \\0 \\\\ \\xNN)', from + decoded);
  }

  reset(): void {
    this.fieldCount = 0;
    this.#seen = 0;
  }
}
