/**
 * The memory and the clock of all batches of one producer.
 *
 * `bufferBytes` is split in halves. One belongs to open batches: each reserves its limit, which shrinks with the number
 * of partitions written, and when the half is used up the oldest batches are closed, full or not. The other belongs to
 * closed batches that wait to be written; when it is used up the producer has no room and callers wait. So a thousand
 * partitions cannot hold a thousand full batches, and one record may be as large as half of the buffer.
 */
import type { Codec } from '../../format/compression.js';
import { RECORD_BATCH_OVERHEAD } from '../../format/record-batch.js';
import { RecordBatchBuilder } from '../../format/record-batch-builder.js';
import { type BatchOwner, ProducerBatch } from './producer-batch.js';

/** The least that a batch may hold, however many partitions there are. */
const MINIMUM_BATCH_BYTES = 1024;
/** New buffers start small and grow: most producers write little. */
const INITIAL_BUFFER_BYTES = 16 * 1024;
/** Up to here a buffer has from the start what its batch may have. */
const SMALL_BUFFER_BYTES = 64 * 1024;
/** What a timer can be set to: one that is set to more goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface AccumulatorOptions {
  readonly batchBytes: number;
  readonly bufferBytes: number;
  readonly lingerMs: number;
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed: () => number;
}

/** Where an open batch belongs: its partition. */
export interface BatchHome {
  readonly topic: string;
  readonly partition: number;
  /** Takes the partition's open batch out of filling and sends it. */
  closeOpen(): void;
  /** The open batch has waited long enough: it goes when nothing of the partition is on its way. */
  lingered(): void;
}

export class RecordAccumulator {
  readonly #options: AccumulatorOptions;
  /** Oldest first. */
  readonly #open = new Map<ProducerBatch, BatchHome>();
  /**
   * Kept for the next batches, within what `bufferBytes` leaves: a new buffer for each would be garbage that V8 lets
   * wait.
   */
  readonly #recycled: RecordBatchBuilder[] = [];
  #recycledBytes = 0;
  readonly #waiting: (() => void)[] = [];
  #partitions = 0;
  #reserved = 0;
  #unwritten = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Whether callers should wait for {@link ready} before the next record. */
  isFull = false;

  constructor(options: AccumulatorOptions) {
    this.#options = options;
  }

  /** Bytes of open and closed batches, as they count against `bufferBytes`. */
  get heldBytes(): number {
    return this.#reserved + this.#unwritten;
  }

  partitionAdded(): void {
    this.#partitions++;
  }

  /** A new batch with room for `recordBytes`, at least. */
  open(
    home: BatchHome,
    owner: BatchOwner,
    recordBytes: number,
    maxMessageBytes: number,
    codec: Codec | undefined,
  ): ProducerBatch {
    const half = this.#options.bufferBytes / 2;
    const limit = Math.min(this.#usualBatchBytes(), maxMessageBytes);
    const reserved = Math.max(limit, recordBytes + RECORD_BATCH_OVERHEAD);
    while (this.#open.size > 0 && this.#reserved + reserved > half) this.#oldest().closeOpen();
    const initialBytes = reserved <= SMALL_BUFFER_BYTES ? reserved : recordBytes + INITIAL_BUFFER_BYTES;
    const builder = this.#builder(codec, initialBytes);
    const batch = new ProducerBatch(home.topic, home.partition, builder, owner, limit, this.#options.elapsed());
    batch.heldBytes = reserved;
    this.#reserved += reserved;
    this.#open.set(batch, home);
    if (this.#timer === undefined) this.#arm(this.#options.lingerMs);
    return batch;
  }

  /** The batch is no longer filled: its bytes have been made, or could not be. */
  closed(batch: ProducerBatch): void {
    this.#open.delete(batch);
    this.#reserved -= batch.heldBytes;
    // Compressed bytes have memory of their own, so the buffer they were made from is free at once.
    const compressed = batch.builder.codec !== undefined;
    batch.heldBytes = compressed ? (batch.bytes?.length ?? 0) : capacityOf(batch.builder);
    if (compressed) this.#recycle(batch.builder);
    this.#unwritten += batch.heldBytes;
    this.#judge();
    if (this.#open.size === 0) this.#disarm();
  }

  /** The batch's bytes are in the log, or never will be: its memory is free, once. */
  released(batch: ProducerBatch): void {
    if (batch.isReleased) return;
    batch.isReleased = true;
    this.#unwritten -= batch.heldBytes;
    batch.heldBytes = 0;
    batch.bytes = undefined;
    if (batch.builder.codec === undefined) this.#recycle(batch.builder);
    this.#judge();
  }

  /** Resolves when there is room. */
  ready(): Promise<void> {
    if (!this.isFull) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #oldest(): BatchHome {
    const [home] = this.#open.values();
    return home!;
  }

  #judge(): void {
    this.isFull = this.#unwritten >= this.#options.bufferBytes / 2;
    if (this.isFull) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #builder(codec: Codec | undefined, initialBytes: number): RecordBatchBuilder {
    for (let i = this.#recycled.length - 1; i >= 0; i--) {
      const builder = this.#recycled[i]!;
      if (builder.codec !== codec) continue;
      this.#recycled.splice(i, 1);
      this.#recycledBytes -= capacityOf(builder);
      return builder;
    }
    return new RecordBatchBuilder(codec === undefined ? { initialBytes } : { initialBytes, codec });
  }

  #recycle(builder: RecordBatchBuilder): void {
    const capacity = capacityOf(builder);
    if (this.heldBytes + this.#recycledBytes + capacity > this.#options.bufferBytes) return;
    if (capacity > 2 * this.#usualBatchBytes() + INITIAL_BUFFER_BYTES) return;
    builder.reset();
    this.#recycledBytes += capacity;
    this.#recycled.push(builder);
  }

  #usualBatchBytes(): number {
    const share = Math.floor(this.#options.bufferBytes / 2 / Math.max(1, this.#partitions));
    return Math.min(this.#options.batchBytes, Math.max(MINIMUM_BATCH_BYTES, share));
  }

  #arm(delayMs: number): void {
    const due = () => {
      this.#timer = undefined;
      this.#lingered();
    };
    this.#timer = setTimeout(due, Math.min(delayMs, LONGEST_TIMER_MS));
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Sends what has waited long enough. A timer may fire a little early: half a millisecond is close enough. */
  #lingered(): void {
    const now = this.#options.elapsed();
    for (const [batch, home] of [...this.#open]) {
      const left = batch.openedAt + this.#options.lingerMs - now;
      if (left > 0.5) {
        if (this.#timer === undefined) this.#arm(Math.ceil(left));
        return;
      }
      home.lingered();
    }
  }
}

/** What the builder holds of memory, filled or not. */
function capacityOf(builder: RecordBatchBuilder): number {
  return builder.records.buffer.byteLength;
}
