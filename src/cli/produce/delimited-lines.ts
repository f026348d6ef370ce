/**
 * Cuts the input into lines. Almost every line lies within one chunk and is handed on where it is; only what is left at
 * the end of a chunk is copied, to wait for the rest of its line:
 *
 * ```
 * chunk 1    alpha⏎ beta⏎ gam            "gam" is carried
 * chunk 2    ma⏎ delta⏎                  the carried bytes and "ma" are one line
 * ```
 *
 * A delimiter of several bytes may itself be cut by the end of a chunk.
 */
import { kernelHasDone } from '../kernel-work.js';
import { ByteCarry } from './byte-carry.js';

export interface LineSink {
  /** One line without its delimiter, valid during the call. False: no room for more, await {@link ready} first. */
  line(bytes: Buffer, start: number, end: number): boolean;
  /** Takes many lines in one call, where that can be done. The one behind them is for {@link line}. */
  readonly appender?: LineAppenderNow | undefined;
  /** Bytes of a line that has become longer than `limit`, see {@link DelimitedLines.maxLineBytes}. */
  tooLongPart(bytes: Buffer, start: number, end: number, limit: number): void;
  /** The end of such a line. Throws, or passes it over. */
  tooLong(length: number, limit: number): void;
  ready(): Promise<void>;
}

/** Of `RecordWriter.lineAppender`, for the lines of now. */
export interface LineAppenderNow {
  append(bytes: Buffer, start: number, end: number): number;
  readonly position: number;
}

/** With less of the chunk left many lines are not worth the call. */
const MANY_LINES_BYTES = 8 * 1024;
/** So many lines are handed on one by one before many are tried (again); twice as many each time that it took few. */
const FIRST_PATIENCE = 1;
const MOST_PATIENCE = 1024;
const FEW_LINES = 16;

/** Below this `indexOf` costs more than looking at the bytes. */
const SHORT_LINE_BYTES = 16;

export class DelimitedLines {
  /** A longer line is not held. Looked at when a chunk has ended within a line. */
  maxLineBytes = Number.POSITIVE_INFINITY;
  /** The sink had no room for more after the last line. */
  isFull = false;
  /** Of the line handed out last, from 1. */
  lineNumber = 0;
  /** After an error, or when full: where that line began, from 0 in the whole input. */
  lineOffset = 0;

  readonly #sink: LineSink;
  readonly #delimiter: Buffer;
  /** The delimiter as `indexOf` takes it: one byte is a number. */
  readonly #needle: number | Buffer;
  readonly #carry = new ByteCarry();
  /** Bytes of the line under way that were not kept: it is too long. */
  #droppedBytes = 0;
  /** Where the line under way began, from 0 in the whole input. */
  #carriedFrom = 0;
  /** Bytes of the chunks before the current one. */
  #chunkOffset = 0;
  #lastLength = 0;
  /** Lines before many are tried again. */
  #oneByOne = FIRST_PATIENCE;
  #patience = FIRST_PATIENCE;

  /** The delimiter has at least one byte. */
  constructor(delimiter: Uint8Array, sink: LineSink) {
    this.#sink = sink;
    this.#delimiter = Buffer.from(delimiter);
    this.#needle = delimiter.length === 1 ? delimiter[0]! : this.#delimiter;
  }

  /** Bytes of a line whose end has not come yet. */
  get unfinishedBytes(): number {
    return this.#carry.length + this.#droppedBytes;
  }

  /** Hands out the lines of the chunk from `position` on; answers where it stopped: at the end, or full. */
  scan(chunk: Buffer, position: number): number {
    this.isFull = false;
    let start = position;
    if (this.unfinishedBytes > 0) {
      start = this.#finishLine(chunk);
      if (this.isFull) return this.#stop(chunk, start);
      if (this.unfinishedBytes > 0) return this.#stop(chunk, chunk.length);
    }
    const sink = this.#sink;
    const delimiterLength = this.#delimiter.length;
    try {
      for (;;) {
        if (sink.appender !== undefined) start = this.#appendMany(sink.appender, chunk, start);
        const end = this.#find(chunk, start);
        if (end < 0) break;
        this.lineNumber++;
        this.#lastLength = end - start;
        if (!sink.line(chunk, start, end)) {
          this.isFull = true;
          this.lineOffset = this.#chunkOffset + start;
          return this.#stop(chunk, end + delimiterLength);
        }
        start = end + delimiterLength;
      }
    } catch (error) {
      this.lineOffset = this.#chunkOffset + start;
      throw error;
    }
    if (start < chunk.length) {
      this.#carriedFrom = this.#chunkOffset + start;
      this.#keep(chunk, start, chunk.length);
    }
    return this.#stop(chunk, chunk.length);
  }

  /** The input is over: the last line does without its delimiter. */
  end(): void {
    this.isFull = false;
    if (this.unfinishedBytes > 0) this.#emitCarried();
  }

  /** Answers where the lines that were taken end. */
  #appendMany(appender: LineAppenderNow, chunk: Buffer, start: number): number {
    let position = start;
    while (this.#oneByOne === 0 && chunk.length - position >= MANY_LINES_BYTES) {
      const lines = appender.append(chunk, position, chunk.length);
      this.lineNumber += lines;
      if (lines > 0) {
        kernelHasDone(appender.position - position);
        position = appender.position;
      }
      if (lines < FEW_LINES) {
        this.#oneByOne = this.#patience;
        this.#patience = Math.min(2 * this.#patience, MOST_PATIENCE);
      } else {
        this.#patience = FIRST_PATIENCE;
      }
    }
    if (this.#oneByOne > 0) this.#oneByOne--;
    return position;
  }

  #stop(chunk: Buffer, position: number): number {
    if (position === chunk.length) this.#chunkOffset += chunk.length;
    return position;
  }

  #find(chunk: Buffer, start: number): number {
    const needle = this.#needle;
    if (typeof needle !== 'number') return chunk.indexOf(needle, start);
    let from = start;
    if (this.#lastLength < SHORT_LINE_BYTES) {
      const stop = Math.min(start + SHORT_LINE_BYTES, chunk.length);
      for (; from < stop; from++) if (chunk[from] === needle) return from;
    }
    return chunk.indexOf(needle, from);
  }

  /** Looks for the end of the carried line; answers how much of the chunk belongs to it, the delimiter included. */
  #finishLine(chunk: Buffer): number {
    const carry = this.#carry;
    const delimiter = this.#delimiter;
    const carried = carry.length;
    if (delimiter.length > 1 && carried > 0) {
      // The delimiter may have begun in the bytes before this chunk.
      const tail = Math.min(delimiter.length - 1, chunk.length);
      carry.append(chunk, 0, tail);
      const from = Math.max(0, carried - delimiter.length + 1);
      const at = carry.bytes.subarray(0, carry.length).indexOf(delimiter, from);
      if (at >= 0) {
        carry.length = at;
        this.#emitCarried();
        return at + delimiter.length - carried;
      }
      carry.length = carried;
    }
    const end = chunk.indexOf(this.#needle, 0);
    if (end < 0) {
      this.#keep(chunk, 0, chunk.length);
      return chunk.length;
    }
    this.#keep(chunk, 0, end);
    this.#emitCarried();
    return end + delimiter.length;
  }

  /** Keeps bytes of a line for later; of one that is too long, no more than the beginning of a delimiter. */
  #keep(chunk: Buffer, start: number, end: number): void {
    const carry = this.#carry;
    carry.append(chunk, start, end);
    if (this.#droppedBytes === 0 && carry.length <= this.maxLineBytes) return;
    const dropped = Math.max(0, carry.length - this.#delimiter.length + 1);
    try {
      this.#sink.tooLongPart(carry.bytes, 0, dropped, this.maxLineBytes);
    } catch (error) {
      // The line has no end yet, but it is the one that is refused.
      this.lineNumber++;
      this.lineOffset = this.#carriedFrom;
      throw error;
    }
    this.#droppedBytes += dropped;
    const rest = Buffer.from(carry.bytes.subarray(dropped, carry.length));
    carry.clear();
    carry.append(rest, 0, rest.length);
  }

  #emitCarried(): void {
    const carry = this.#carry;
    this.lineNumber++;
    this.lineOffset = this.#carriedFrom;
    if (this.#droppedBytes > 0) {
      const length = carry.length + this.#droppedBytes;
      this.#sink.tooLongPart(carry.bytes, 0, carry.length, this.maxLineBytes);
      this.#sink.tooLong(length, this.maxLineBytes);
    } else if (!this.#sink.line(carry.bytes, 0, carry.length)) {
      this.isFull = true;
    }
    this.#droppedBytes = 0;
    carry.clear();
  }
}
