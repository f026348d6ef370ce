/**
 * From batch to batch through a `.log`, also behind damage. Memory is the window of the scanner.
 *
 * Damage does not end the walk: what cannot be a batch of this log is a piece of its own, passed over if its length is
 * that of a batch and something that looks like a batch, or nothing, lies behind it; or if the batch that follows by
 * its offset is found without the length; or any whole batch that can still come in this log.
 */
import { nextBatch } from '../../format/batch-walk.js';
import { readInt32, readInt64 } from '../../format/int64.js';
import {
  BATCH_LENGTH_AT,
  HEADER_SIZE_UP_TO_MAGIC,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAGIC_V2,
  RECORD_BATCH_OVERHEAD,
  RecordBatch,
} from '../../format/record-batch.js';
import { BatchScanner, SEQUENTIAL_WINDOW_BYTES } from '../../storage/batch-scanner.js';
import { trackBatch } from '../../storage/control-batches.js';
import { findNextBatch } from '../../storage/damage-search.js';
import type { OpenFile } from '../../storage/file-system.js';
import type { AbortedTransaction } from '../../storage/transaction-index.js';
import type { TransactionTracker } from '../../storage/transaction-tracker.js';
import { type BatchFields, readBatchFields, unreadableBatch } from './batch-fields.js';
import { findBatch } from './find-batch.js';

const WRONG_CRC = 'the CRC does not match';

export interface SegmentWalkOptions {
  /** Position of a batch. Default 0. */
  readonly from?: number;
  /** No batch may begin below. Default 0. */
  readonly minOffset?: number;
  /** No batch may end at or beyond. Default: any. */
  readonly maxOffset?: number;
}

export class SegmentWalk {
  readonly #log: OpenFile;
  readonly #end: number;
  readonly #maxOffset: number;
  readonly #scanner: BatchScanner;
  #fields: BatchFields | undefined;

  /** Of the current piece: why it is no batch of this log; undefined: it is one. */
  problem: string | undefined;

  /** @param end bytes of the file that are looked at */
  constructor(log: OpenFile, end: number, options: SegmentWalkOptions = {}) {
    const { from = 0, minOffset = 0, maxOffset = Number.MAX_SAFE_INTEGER } = options;
    this.#log = log;
    this.#end = end;
    this.#maxOffset = maxOffset;
    this.#scanner = new BatchScanner(log, end, { from, windowBytes: SEQUENTIAL_WINDOW_BYTES, minOffset });
  }

  /** The header of the current piece, as far as it can be known. */
  get fields(): BatchFields {
    if (this.#fields === undefined) throw new TypeError('the walk has not begun');
    return this.#fields;
  }

  /** No batch that comes may begin below. */
  get nextOffset(): number {
    return this.#scanner.nextOffset;
  }

  /** Where the walk ended. */
  get position(): number {
    return this.#scanner.position;
  }

  /** Why it ended: at the limit; in a batch that is not whole; or at what is no batch, with none behind it. */
  get stop(): 'end' | 'partial' | 'corrupt' | undefined {
    return this.#scanner.stop;
  }

  /** What is wrong where it ended; empty unless `stop` is corrupt. */
  get stopProblem(): string {
    return this.#scanner.problem;
  }

  /** Steps to the next batch or damaged piece. False: there is none. */
  async next(): Promise<boolean> {
    const expected = this.#scanner.nextOffset;
    return (await this.#scanner.next()) ? this.#takeBatch(expected) : this.#takeDamaged();
  }

  /** All of the current batch. */
  readBatch(): Promise<Buffer> {
    return this.#scanner.readBatch();
  }

  /** Takes note of the current batch, a good one. Returns what the transaction index must have of it. */
  track(tracker: TransactionTracker): Promise<AbortedTransaction | undefined> {
    return trackBatch(tracker, this.#scanner);
  }

  /** What the scanner took for a batch. */
  async #takeBatch(expected: number): Promise<true> {
    const scanner = this.#scanner;
    const { fields, problem } = readBatchFields(scanner.batch, scanner.position);
    const { baseOffset, lastOffset } = scanner;
    if (await scanner.isValid()) {
      const misplaced = problem ?? (await this.#aheadOfTheLog(baseOffset, lastOffset, expected));
      if (misplaced !== undefined && problem === undefined) scanner.passOver(scanner.size, expected);
      return this.#take(fields, misplaced);
    }
    // Its offsets are not to be believed either, nor its length.
    const { position, size } = scanner;
    scanner.passOver(size, expected);
    const isLost = !(await this.#leadsOn(position + size));
    if (isLost && (await this.#takeWrongLength(await this.#read(position, RECORD_BATCH_OVERHEAD), WRONG_CRC)))
      return true;
    return this.#take(fields, WRONG_CRC);
  }

  /** A base offset lies outside the CRC. One that is too high shows by what follows. */
  async #aheadOfTheLog(baseOffset: number, lastOffset: number, expected: number): Promise<string | undefined> {
    if (lastOffset >= this.#maxOffset)
      return `it ends at offset ${lastOffset}, and the log there before ${this.#maxOffset}`;
    if (baseOffset === expected) return undefined;
    const head = await this.#read(this.#scanner.position + this.#scanner.size, HEADER_SIZE_UP_TO_MAGIC);
    if (head.length < HEADER_SIZE_UP_TO_MAGIC || head[MAGIC_AT]! !== MAGIC_V2) return undefined;
    const next = offsetIn(head);
    if (next === undefined || next < expected || next > baseOffset) return undefined;
    return `a batch of offset ${baseOffset}, and offset ${next} behind it`;
  }

  /** What the scanner refused, if one can go on behind it. */
  async #takeDamaged(): Promise<boolean> {
    const scanner = this.#scanner;
    const { stop, position, problem } = scanner;
    if (stop === 'end') return false;
    const header = await this.#read(position, RECORD_BATCH_OVERHEAD);
    if (header.length < HEADER_SIZE_UP_TO_MAGIC) return false;
    const size = LOG_OVERHEAD + readInt32(header, BATCH_LENGTH_AT);
    const isWhole = nextBatch(header, 0, this.#end - position).status === 'batch';
    if (stop === 'corrupt' && size >= HEADER_SIZE_UP_TO_MAGIC && (await this.#leadsOn(position + size))) {
      if (isWhole) return this.#takeMisplaced(header, size, problem);
      // Nothing but a length that leads on.
      scanner.passOver(size, scanner.nextOffset);
      return this.#take(unreadableBatch(position, size, header[MAGIC_AT]!), problem);
    }
    return this.#takeWrongLength(header, problem);
  }

  /** A batch by itself, at the wrong place in the log. */
  async #takeMisplaced(header: Buffer, size: number, problem: string): Promise<true> {
    const scanner = this.#scanner;
    const reading = readBatchFields(new RecordBatch().reset(header, 0), scanner.position);
    const expected = scanner.nextOffset;
    scanner.passOver(size, expected);
    return this.#take(reading.fields, (await scanner.isValid()) ? (reading.problem ?? problem) : WRONG_CRC);
  }

  /** A length that leads nowhere, while a batch that comes next can be found. */
  async #takeWrongLength(header: Buffer, problem: string): Promise<boolean> {
    const scanner = this.#scanner;
    const { position, nextOffset } = scanner;
    const next = await this.#findNext(header);
    if (next === undefined) return false;
    const length = readInt32(header, BATCH_LENGTH_AT);
    const why = problem === '' ? `the batch length is ${length}, which leads behind the end of the file` : problem;
    const size = next - position;
    const fields =
      header.length < RECORD_BATCH_OVERHEAD || header[MAGIC_AT]! > MAGIC_V2
        ? unreadableBatch(position, size, header[MAGIC_AT]!)
        : { ...readBatchFields(new RecordBatch().reset(header, 0), position).fields, size };
    scanner.passOver(size, nextOffset);
    return this.#take(fields, `${why}; the next batch begins at ${next}`);
  }

  /** By the offset that follows if the header is to be believed in that, else by any that may follow. */
  async #findNext(header: Buffer): Promise<number | undefined> {
    const { position, nextOffset } = this.#scanner;
    const lastOffset = this.#lastOffsetIn(header);
    if (lastOffset !== undefined) {
      const next = await findBatch(this.#log, position + HEADER_SIZE_UP_TO_MAGIC, this.#end, lastOffset + 1);
      if (next !== undefined) return next;
    }
    const place = { position, limit: this.#end, minOffset: nextOffset, maxOffset: this.#maxOffset };
    const next = await findNextBatch(this.#log, place);
    return next < this.#end ? next : undefined;
  }

  /** `undefined`: these are not the head of a batch that belongs here, even if its length is not looked at. */
  #lastOffsetIn(header: Buffer): number | undefined {
    if (header.length < RECORD_BATCH_OVERHEAD || header[MAGIC_AT]! > MAGIC_V2) return undefined;
    const { fields } = readBatchFields(new RecordBatch().reset(header, 0), this.#scanner.position);
    const { baseOffset, lastOffset } = fields;
    if (lastOffset === null || lastOffset < (baseOffset ?? lastOffset)) return undefined;
    return lastOffset < this.#scanner.nextOffset ? undefined : lastOffset;
  }

  /** Whether the bytes end here, or the head of a batch stands here. */
  async #leadsOn(position: number): Promise<boolean> {
    if (position >= this.#end) return position === this.#end;
    const header = await this.#read(position, HEADER_SIZE_UP_TO_MAGIC);
    if (header.length < HEADER_SIZE_UP_TO_MAGIC) return false;
    return nextBatch(header, 0, this.#end - position).status === 'batch';
  }

  async #read(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    const wanted = Math.max(0, Math.min(length, this.#end - position));
    const got = wanted === 0 ? 0 : await this.#log.read(bytes, 0, wanted, position);
    return bytes.subarray(0, got);
  }

  #take(fields: BatchFields, problem: string | undefined): true {
    this.#fields = fields;
    this.problem = problem;
    return true;
  }
}

/** `undefined`: none that a log has. */
function offsetIn(header: Buffer): number | undefined {
  try {
    return readInt64(header, 0);
  } catch {
    return undefined;
  }
}
