/**
 * Records as objects, at the pace of `for await`: a batch is decoded synchronously, so a record costs an already
 * resolved promise, and only a batch costs a wait. Keys and values are views of a copy that is made of many records at
 * once.
 */
import { KlogError } from '../../errors.js';
import type { RecordHeader } from '../../format/log-record.js';
import type { ConsumerRecord } from '../consumer.js';
import type { LocalBatch } from './local-batch.js';

/** What a record that is kept may keep with it. */
const CHUNK_BYTES = 32 * 1024;
const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

export interface BatchFeed {
  next(): Promise<LocalBatch | undefined>;
  close(): Promise<void>;
  /** Asked before each record. True: {@link look} first. */
  readonly mustLook?: () => boolean;
  /** Whether the records of the batch in hand are still wanted; else its generation has passed when this resolves. */
  readonly look?: () => Promise<void>;
}

export class RecordIterator implements AsyncIterator<ConsumerRecord, undefined> {
  readonly #feed: BatchFeed;
  #batch: LocalBatch | undefined;
  /** Calls that wait for a batch; those behind them wait for them. */
  #waiting: Promise<unknown> | undefined;
  /** Copy of `cursor.buffer[chunkStart, chunkEnd)`. */
  #chunk: Uint8Array = Buffer.alloc(0);
  #chunkStart = 0;
  #chunkEnd = -1;

  constructor(feed: BatchFeed) {
    this.#feed = feed;
  }

  next(): Promise<IteratorResult<ConsumerRecord, undefined>> {
    if (this.#waiting === undefined && this.#feed.mustLook?.() !== true) {
      try {
        const value = this.#nextOfBatch();
        if (value !== undefined) return Promise.resolve({ done: false, value });
      } catch (error) {
        return this.#ended(error);
      }
    }
    const before = this.#waiting;
    const waiting = this.#nextOfNextBatch(before);
    this.#waiting = waiting;
    const done = (): void => {
      if (this.#waiting === waiting) this.#waiting = undefined;
    };
    waiting.then(done, done);
    return waiting;
  }

  async return(): Promise<IteratorResult<ConsumerRecord, undefined>> {
    this.#batch = undefined;
    await this.#feed.close();
    return DONE;
  }

  async #nextOfNextBatch(before: Promise<unknown> | undefined): Promise<IteratorResult<ConsumerRecord, undefined>> {
    await before?.catch(() => {});
    try {
      if (this.#batch !== undefined) await this.#feed.look?.();
      for (;;) {
        const value = this.#nextOfBatch();
        if (value !== undefined) return { done: false, value };
        this.#batch = await this.#feed.next();
        this.#chunkEnd = -1;
        if (this.#batch === undefined) return DONE;
      }
    } catch (error) {
      return await this.#ended(error);
    }
  }

  #nextOfBatch(): ConsumerRecord | undefined {
    const batch = this.#batch;
    if (batch === undefined) return undefined;
    const { from, cursor } = batch;
    // After a seek or a pause the rest of the batch is not wanted any more.
    if (batch.generation === from.generation && cursor.next()) {
      from.position = cursor.offset + 1;
      return this.#record(batch);
    }
    this.#batch = undefined;
    if (batch.generation === from.generation) from.position = Math.max(from.position, batch.endOfRun());
    return undefined;
  }

  #record(batch: LocalBatch): ConsumerRecord {
    const { cursor } = batch;
    const { keyStart, valueStart } = cursor;
    if (keyStart >= 0 || valueStart >= 0) this.#copyAround(keyStart >= 0 ? keyStart : valueStart, batch);
    return {
      topic: batch.topic,
      partition: batch.partition,
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      timestampType: cursor.timestampType,
      leaderEpoch: batch.leaderEpoch,
      key: keyStart < 0 ? null : this.#view(keyStart, cursor.keyEnd),
      value: valueStart < 0 ? null : this.#view(valueStart, cursor.valueEnd),
      headers: cursor.headerCount === 0 ? NO_HEADERS : copyHeaders(cursor.headers()),
    };
  }

  /** Makes sure that the copy has the record whose first bytes are at `start`. */
  #copyAround(start: number, batch: LocalBatch): void {
    const { cursor } = batch;
    const end = Math.max(cursor.keyEnd, cursor.valueEnd);
    if (end <= this.#chunkEnd && start >= this.#chunkStart) return;
    const { buffer } = cursor;
    this.#chunkStart = start;
    this.#chunkEnd = Math.max(end, Math.min(batch.bufferEnd, start + CHUNK_BYTES));
    this.#chunk = new Uint8Array(buffer.subarray(start, this.#chunkEnd));
  }

  #view(start: number, end: number): Buffer {
    const chunk = this.#chunk;
    return Buffer.from(chunk.buffer as ArrayBuffer, chunk.byteOffset + start - this.#chunkStart, end - start);
  }

  async #ended(error: unknown): Promise<never> {
    const batch = this.#batch;
    this.#batch = undefined;
    await this.#feed.close();
    if (batch === undefined || !(error instanceof KlogError) || error.place.topic !== undefined) throw error;
    const { topic, partition } = batch;
    const message = `${topic}:${partition}: ${error.message}`;
    throw error.with({ message, topic, partition, offset: batch.from.position });
  }
}

function copyHeaders(headers: readonly RecordHeader[]): RecordHeader[] {
  return headers.map(({ key, value }) => ({ key, value: value === null ? null : Buffer.from(value) }));
}
