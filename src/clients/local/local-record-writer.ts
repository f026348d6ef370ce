import { MAX_PARTITIONS, MAX_SEPARATOR_BYTES } from '../../format/kernel/encode-kernel.js';
import type { RecordHeader } from '../../format/log-record.js';
import { MAX_RECORD_OVERHEAD } from '../../format/record-batch-builder.js';
import type { Acknowledgement, LineAppender, LineLayout, RecordWriter } from '../producer.js';
import { LocalLineAppender } from './local-line-appender.js';
import type { BatchOwner, ProducerBatch } from './producer-batch.js';
import type { RecordAccumulator } from './record-accumulator.js';
import type { TopicProducer } from './topic-producer.js';

/** Bytes to bytes: what is appended is encoded at once, into the batch it will be written in. */
export class LocalRecordWriter implements RecordWriter, BatchOwner {
  readonly topic: string;
  readonly partitionCount: number;
  onAcknowledged: ((acknowledgement: Acknowledgement) => void) | undefined;
  onFailed: ((error: Error) => void) | undefined;
  readonly #to: TopicProducer;
  readonly #accumulator: RecordAccumulator;
  readonly #told: WeakSet<Error>;
  readonly #mustBeOpen: () => void;
  /** What the last keyless record went into; perhaps closed since. */
  #batch: ProducerBatch | undefined;
  #failure: Error | undefined;

  /** `told`: the failures that the application has heard of. `mustBeOpen` throws once the producer closes. */
  constructor(to: TopicProducer, accumulator: RecordAccumulator, told: WeakSet<Error>, mustBeOpen: () => void) {
    this.topic = to.topic;
    this.partitionCount = to.partitionCount;
    this.#to = to;
    this.#accumulator = accumulator;
    this.#told = told;
    this.#mustBeOpen = mustBeOpen;
  }

  /** The everyday line only has to be copied: no partitioner to ask, no key that must be there. */
  get #isPlain(): boolean {
    return this.#to.partitioner.keylessIsSticky && !this.#to.isCompacted;
  }

  lineAppender(layout: LineLayout): LineAppender | undefined {
    const { keySeparator } = layout;
    const to = this.#to;
    if (keySeparator === undefined) {
      if (!this.#isPlain) return undefined;
      return new LocalLineAppender(this, { count: () => 1, at: () => to.stickyBatch(this) }, layout);
    }
    const isPlain = to.partitioner.hashesKeys && to.partitionCount <= MAX_PARTITIONS;
    if (!isPlain || keySeparator.length > MAX_SEPARATOR_BYTES) return undefined;
    return new LocalLineAppender(
      this,
      { count: () => to.partitionCount, at: (partition) => to.openBatch(partition) },
      layout,
    );
  }

  appendValue(buffer: Uint8Array, start: number, end: number, timestamp: number): boolean {
    const batch = this.#batch;
    if (batch?.hasRoomFor(end - start + MAX_RECORD_OVERHEAD, timestamp)) {
      batch.builder.appendValue(buffer, start, end, timestamp);
      return !this.#accumulator.isFull;
    }
    const roomLeft = this.append(null, -1, -1, buffer, start, end, timestamp, null, -1);
    if (this.#isPlain) this.#batch = this.#to.stickyBatch(this);
    return roomLeft;
  }

  append(
    keyBuffer: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
    partition: number,
  ): boolean {
    // Whatever a closing producer has been given is closed: it gets no other batch, in which a record would be lost
    // unheard.
    this.#mustBeOpen();
    this.#mustBeWell();
    const keyLength = keyBuffer === null ? -1 : keyEnd - keyStart;
    const valueLength = valueBuffer === null ? -1 : valueEnd - valueStart;
    this.#to.check(keyLength, valueLength, timestamp, headers, partition);
    this.#to.append(
      this,
      keyBuffer,
      keyStart,
      keyEnd,
      valueBuffer,
      valueStart,
      valueEnd,
      timestamp,
      headers,
      partition,
    );
    return !this.#accumulator.isFull;
  }

  async ready(): Promise<void> {
    if (this.#failure === undefined) await this.#accumulator.ready();
    this.#mustBeWell();
  }

  async flush(): Promise<void> {
    await Promise.all(this.#to.senders().map((sender) => sender.flush()));
    this.#mustBeWell();
  }

  acknowledged(batch: ProducerBatch, baseOffset: number): void {
    this.onAcknowledged?.({
      topic: batch.topic,
      partition: batch.partition,
      firstOffset: baseOffset,
      lastOffset: baseOffset + batch.recordCount - 1,
      records: batch.recordCount,
      bytes: batch.sizeInBytes,
    });
  }

  failed(_batch: ProducerBatch, error: Error): void {
    this.#batch = undefined;
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.onFailed?.(error);
  }

  #mustBeWell(): void {
    if (this.#failure === undefined) return;
    this.#told.add(this.#failure);
    throw this.#failure;
  }
}
