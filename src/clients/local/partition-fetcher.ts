/**
 * Reads one partition for a consumer: blocks of bytes from the reader, batches from the blocks.
 *
 *   reader ──fetch──▶ block ──take──▶ batch, with a cursor before its first record
 *
 * While the batches of one block are handed out the next block is read into the other of two buffers. A seek or a pause
 * begins a new generation: what an older one still has under way is dropped.
 */
import { KlogError } from '../../errors.js';
import { RecordBatch } from '../../format/record-batch.js';
import { openCursor } from '../../format/record-cursor.js';
import type { CorruptRange } from '../consumer.js';
import { BlockReader, loadCodecsOf } from './block-reader.js';
import { CommittedFilter } from './committed-filter.js';
import { LocalBatch } from './local-batch.js';
import type { FetchedBatches, PartitionMarks, PartitionReader } from './local-store.js';
import { MergeCursor } from './merge-cursor.js';

export interface FetcherOptions {
  readonly isCommittedOnly: boolean;
  readonly skipCorrupt: boolean;
  readonly onCorrupt: ((damage: CorruptRange) => void) | undefined;
  /** Of a topic that is deleted nothing comes any more; else reading it fails. */
  readonly outlivesTopic: boolean;
}

export interface FetcherRange {
  /** The first offset to be handed out. */
  readonly from: number;
  /** Nothing from here on is handed out; infinite when following. */
  readonly end: number;
}

export class PartitionFetcher {
  readonly topic: string;
  readonly partition: number;
  readonly reader: PartitionReader;
  readonly cursor = new MergeCursor();
  /** The next offset to be handed out. */
  position: number;
  readonly end: number;
  /** What is there now; at the beginning the end of the backlog. */
  marks: PartitionMarks;
  isPaused = false;
  /** The last {@link fill} found nothing. Whoever hears of more takes it back. */
  isAtEnd = false;
  /** Its topic was deleted: nothing comes any more. */
  isDeleted = false;
  /** Raised by whatever makes batches that are on their way stale. */
  generation = 0;
  readonly #options: FetcherOptions;
  #batch = new RecordBatch();
  readonly #blocks: BlockReader;
  /** The next offset to be decoded. */
  #next: number;
  #block: FetchedBatches | undefined;
  #blockAt = 0;
  #filter: CommittedFilter | undefined;
  #lastDamage: { readonly offset: number; readonly file: string; readonly position: number } | undefined;

  constructor(
    topic: string,
    partition: number,
    reader: PartitionReader,
    marks: PartitionMarks,
    range: FetcherRange,
    maxBytes: number,
    options: FetcherOptions,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.reader = reader;
    this.marks = marks;
    this.position = range.from;
    this.end = range.end;
    this.#next = range.from;
    this.#blocks = new BlockReader(reader, maxBytes);
    this.#options = options;
  }

  /** Up to where records may be seen now. */
  get visibleEnd(): number {
    return this.#options.isCommittedOnly ? this.marks.lastStableOffset : this.marks.highWatermark;
  }

  /** Whether nothing will ever come any more. */
  get isDone(): boolean {
    return this.hasPassed(this.end);
  }

  /** Whether nothing below `offset` is left. */
  hasPassed(offset: number): boolean {
    return this.#next >= offset && this.#block === undefined;
  }

  seek(offset: number): void {
    this.generation++;
    this.isAtEnd = false;
    this.position = offset;
    this.#next = offset;
    this.#dropBlock();
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.seek(this.position);
  }

  /** Nothing more is taken for now: holds no bytes until the next {@link fill}. */
  rest(): void {
    this.position = Math.max(this.position, this.#next);
    this.#block = undefined;
    this.#blocks.rest();
    // Of a thousand partitions each would keep its last block.
    this.#batch = new RecordBatch();
    this.cursor.restart();
    this.cursor.release();
  }

  /**
   * The next batch that has records to hand out, decoded, its cursor before the first. `undefined`: the block is used
   * up, {@link fill} gets another.
   */
  take(limit = this.end): LocalBatch | undefined {
    const block = this.#block;
    if (block === undefined) return undefined;
    const visible = Math.min(limit, this.end, this.visibleEnd);
    while (this.#blockAt < block.end) {
      const at = this.#blockAt;
      const batch = this.#batch.reset(block.buffer, at);
      this.#blockAt = at + batch.sizeInBytes;
      const { nextOffset } = batch;
      if (nextOffset <= this.#next) continue;
      const from = this.#next;
      // A compressed legacy batch tells only its last offset.
      if (batch.baseOffset >= visible && batch.magic >= 2) break;
      this.#next = Math.min(nextOffset, visible);
      if (this.#isLeftOut(batch)) continue;
      const decoded = this.#open(block, at, from, visible);
      if (decoded !== undefined) return decoded;
    }
    if (this.#blockAt >= block.end) this.#next = Math.max(this.#next, Math.min(block.nextOffset, visible));
    else this.#next = Math.max(this.#next, visible);
    this.#dropBlock();
    return undefined;
  }

  /** Gets the next block. False: nothing is there now below `limit`. */
  async fill(limit = this.end): Promise<boolean> {
    const { generation } = this;
    const isFilled = await this.#unlessDeleted(() => this.#fill(limit), false);
    if (generation !== this.generation) return true;
    this.isAtEnd = !isFilled;
    return isFilled;
  }

  async #fill(limit: number): Promise<boolean> {
    const { generation } = this;
    if (this.#next >= Math.min(limit, this.end)) return false;
    if (this.#next >= this.visibleEnd) {
      this.marks = await this.reader.marks();
      if (generation !== this.generation) return true;
      if (this.#next >= this.visibleEnd) return false;
    }
    const block = await this.#nextBlock();
    if (generation !== this.generation) return true;
    if (block === undefined) return this.#next < Math.min(limit, this.end, this.visibleEnd);
    if (block.end === block.start) {
      this.#next = Math.max(this.#next, block.nextOffset);
      return false;
    }
    const filter = await this.#prepare(block);
    if (generation !== this.generation) return true;
    this.#filter = filter;
    this.#block = block;
    this.#blockAt = block.start;
    if (block.nextOffset < Math.min(limit, this.end, this.visibleEnd)) this.#blocks.readAhead(block.nextOffset);
    return true;
  }

  /** Resolves when there may be something beyond what was seen; false when aborted, or in time. */
  async waitForMore(signal: AbortSignal, timeoutMs: number): Promise<boolean> {
    return this.#unlessDeleted(() => this.reader.waitForMore(this.#seenEnd(), { signal, timeoutMs }), true);
  }

  /** What may be beyond what was seen. `unsafe`: appended, not durable yet, and its writer may have died. */
  async beyond(): Promise<'nothing' | 'unsafe' | 'more'> {
    return this.#unlessDeleted(() => this.#beyond(), 'more');
  }

  async #beyond(): Promise<'nothing' | 'unsafe' | 'more'> {
    const { highWatermark, logEndOffset } = await this.reader.marks();
    if (highWatermark > this.#seenEnd()) return 'more';
    return logEndOffset > highWatermark ? 'unsafe' : 'nothing';
  }

  /** What `look` answers; of a deleted topic, where that is no failure, `answer`: then another look finds it done. */
  async #unlessDeleted<T>(look: () => Promise<T>, answer: T): Promise<T> {
    if (this.isDeleted) return answer;
    try {
      return await look();
    } catch (error) {
      this.isDeleted ||= this.#options.outlivesTopic && isDeletion(error);
      if (this.isDeleted) return answer;
      throw error;
    }
  }

  /** Behind an open transaction the last stable offset stays while the high watermark moves on: that is what tells. */
  #seenEnd(): number {
    return Math.max(this.#next, this.marks.highWatermark);
  }

  /** Bytes that a cursor could not make records of; goes on behind the batch if that is wanted. */
  #open(block: FetchedBatches, at: number, from: number, visible: number): LocalBatch | undefined {
    const batch = this.#batch;
    const { cursor } = this;
    try {
      this.#openCursor(block, at, from, visible);
      if (cursor.recordCount === 0) return undefined;
      if (this.#options.skipCorrupt) {
        // Damage has to be found before anything of the batch is handed out.
        while (cursor.next());
        this.#openCursor(block, at, from, visible);
      }
    } catch (error) {
      if (!(error instanceof KlogError) || error.code !== 'CORRUPT_MESSAGE') throw error;
      const { topic, partition } = this;
      if (!this.#options.skipCorrupt) {
        throw error.with({ message: `${topic}:${partition}: ${error.message}`, topic, partition, offset: from });
      }
      const length = batch.reset(block.buffer, at).sizeInBytes;
      this.#options.onCorrupt?.({ topic, partition, length, offset: from, reason: error.message });
      return undefined;
    }
    return new LocalBatch(this, batch.reset(block.buffer, at), from, this.#next);
  }

  #openCursor(block: FetchedBatches, at: number, from: number, visible: number): void {
    const { cursor } = this;
    cursor.restart();
    openCursor(cursor, block.buffer, at);
    cursor.skipTo(from);
    cursor.endAt(visible);
  }

  #isLeftOut(batch: RecordBatch): boolean {
    if (batch.isControl) return true;
    return batch.isTransactional && this.#filter?.isAborted(batch.producerId, batch.baseOffset) === true;
  }

  /** `undefined`: the position has moved instead. */
  async #nextBlock(): Promise<FetchedBatches | undefined> {
    const offset = this.#next;
    const { generation } = this;
    try {
      return await this.#blocks.read(offset);
    } catch (error) {
      if (generation !== this.generation || !(error instanceof KlogError)) throw error;
      if (error.code === 'OFFSET_OUT_OF_RANGE') {
        this.marks = await this.reader.marks();
        if (generation === this.generation && offset < this.marks.logStartOffset) {
          // Retention or a trim was quicker than this consumer.
          this.#next = this.marks.logStartOffset;
          return undefined;
        }
      }
      if (error.code === 'CORRUPT_MESSAGE' && this.#options.skipCorrupt) {
        await this.#skipDamage(offset, error);
        return undefined;
      }
      throw error;
    }
  }

  async #skipDamage(offset: number, error: KlogError): Promise<void> {
    const { topic, partition, generation } = this;
    const damage = await this.reader.skipDamage(offset, error.message);
    const { file, position, length, reason, nextOffset } = damage;
    // The offset itself may stand behind the damage; but then, not at the same place again.
    const last = this.#lastDamage;
    const isAgain = last?.offset === offset && last.file === file && position <= last.position;
    if (nextOffset < offset || (nextOffset === offset && (length === 0 || isAgain))) throw error;
    this.#lastDamage = { offset, file, position };
    this.#options.onCorrupt?.({ topic, partition, file, position, length, offset, reason });
    if (generation === this.generation) this.#next = nextOffset;
  }

  /** Loads what decoding needs, so that it never waits; answers which transactions to leave out. */
  async #prepare(block: FetchedBatches): Promise<CommittedFilter | undefined> {
    const hasTransactions = await loadCodecsOf(block);
    if (!hasTransactions || !this.#options.isCommittedOnly) return undefined;
    const from = this.#batch.reset(block.buffer, block.start).baseOffset;
    return new CommittedFilter(await this.reader.abortedTransactions(from, block.nextOffset));
  }

  #dropBlock(): void {
    if (this.#block !== undefined) this.#blocks.giveBack(this.#block);
    this.#block = undefined;
  }
}

/** The partition was deleted. */
export function isDeletion(error: unknown): boolean {
  return error instanceof KlogError && error.code === 'UNKNOWN_TOPIC_OR_PARTITION';
}
