/**
 * The part of the input that no record has taken yet, and where it stands in the whole: bytes before
 * `start` are gone, `position` is how far the record under way has been read.
 */
import { KlogError } from '../../errors.js';
import type { RecordOrigin } from './input-record.js';

export class InputBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  /** Where the record under way begins. */
  start = 0;
  position = 0;
  length = 0;
  ended = false;
  /** Records taken so far. */
  records = 0;
  /** Of the byte at `start`, from 0 in the whole input. */
  #inputOffset = 0;
  #line = 1;
  /** The record taken last. */
  #takenFrom = 0;
  #takenLine = 1;
  #takenOffset = 0;

  push(chunk: Uint8Array): void {
    if (this.start > 0 && (this.start === this.length || this.length + chunk.length > this.bytes.length)) {
      this.bytes.copyWithin(0, this.start, this.length);
      this.position -= this.start;
      this.length -= this.start;
      this.start = 0;
    }
    const needed = this.length + chunk.length;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    this.bytes.set(chunk, this.length);
    this.length = needed;
  }

  /**
   * The record under way is complete: the next one begins at `position`. `lines`: newlines in it, where that is known.
   */
  take(lines = countNewlines(this.bytes, this.start, this.position)): void {
    this.#takenFrom = this.start;
    this.#takenLine = this.#line;
    this.#takenOffset = this.#inputOffset;
    this.#moveTo(this.position, lines);
    this.records++;
  }

  /** Of the record taken last, until more is pushed. */
  origin(): RecordOrigin {
    const bytes = this.bytes.subarray(this.#takenFrom, this.start);
    return { bytes, line: this.#takenLine, byte: this.#takenOffset };
  }

  /** Gives up bytes without a record. */
  dropTo(position: number): void {
    this.#moveTo(position, countNewlines(this.bytes, this.start, position));
    this.position = position;
  }

  #moveTo(position: number, lines: number): void {
    this.#line += lines;
    this.#inputOffset += position - this.start;
    this.start = position;
  }

  /** KLOG_BAD_INPUT: what is wrong, at which record (from 1), line (from 1) and byte (from 0) of the input. */
  error(reason: string, at = this.position, options: { cause?: unknown; hint?: string | undefined } = {}): KlogError {
    const line = this.#line + countNewlines(this.bytes, this.start, Math.min(at, this.length));
    const byte = this.#inputOffset + at - this.start;
    return new KlogError('KLOG_BAD_INPUT', `Record ${this.records + 1} (line ${line}, byte ${byte}): ${reason}`, {
      ...options,
      line,
      position: byte,
    });
  }
}

function countNewlines(bytes: Uint8Array, from: number, to: number): number {
  // Not beyond `to`: in binary input the next newline may be far.
  const range = bytes.subarray(from, to);
  let count = 0;
  for (let i = range.indexOf(0x0a); i >= 0; i = range.indexOf(0x0a, i + 1)) count++;
  return count;
}
