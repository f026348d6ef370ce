import type { RecordMetadata } from '../producer.js';
import type { BatchOwner, ProducerBatch } from './producer-batch.js';

type PendingMetadata = { -readonly [Field in keyof RecordMetadata]: RecordMetadata[Field] };

/** What waits for records: is told of each, by its place in it, where it went and what became of it. */
export interface SentRecords {
  /** The record went into a batch of this partition; more is known when it is acknowledged. */
  taken(slot: number, topic: string, partition: number, timestamp: number): void;
  acknowledged(slot: number, offset: number, appendTime: number): void;
  failed(records: number, error: Error): void;
  /** So many more records wait for nothing. */
  settled(records: number): void;
}

/** The record of one `send`. Thousands may be under way, so there is not a byte in it that need not be. */
export class SentRecord implements SentRecords {
  readonly promise: Promise<RecordMetadata>;
  #metadata: PendingMetadata | undefined;
  readonly #told: WeakSet<Error>;
  #resolve!: (metadata: RecordMetadata) => void;
  #reject!: (error: Error) => void;

  /** `told`: the failures that the application has heard of. */
  constructor(told: WeakSet<Error>) {
    this.#told = told;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  taken(_slot: number, topic: string, partition: number, timestamp: number): void {
    this.#metadata = { topic, partition, offset: -1, timestamp };
  }

  acknowledged(_slot: number, offset: number, appendTime: number): void {
    const metadata = this.#metadata!;
    metadata.offset = offset;
    if (appendTime >= 0) metadata.timestamp = appendTime;
    this.#resolve(metadata);
  }

  failed(_records: number, error: Error): void {
    this.#told.add(error);
    this.#reject(error);
  }

  settled(): void {
    this.#resolve(this.#metadata!);
  }
}

/** The records of one `sendAll`: one promise, settled when the fate of the last record is known. */
export class SendGroup implements SentRecords {
  readonly promise: Promise<RecordMetadata[]>;
  readonly metadata: PendingMetadata[];
  readonly #told: WeakSet<Error>;
  #unsettled: number;
  #error: Error | undefined;
  #resolve!: (metadata: RecordMetadata[]) => void;
  #reject!: (error: Error) => void;

  /** `told`: the failures that the application has heard of. */
  constructor(records: number, told: WeakSet<Error>) {
    this.#told = told;
    this.metadata = new Array<PendingMetadata>(records);
    this.#unsettled = records;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  taken(slot: number, topic: string, partition: number, timestamp: number): void {
    this.metadata[slot] = { topic, partition, offset: -1, timestamp };
  }

  acknowledged(slot: number, offset: number, appendTime: number): void {
    const metadata = this.metadata[slot]!;
    metadata.offset = offset;
    if (appendTime >= 0) metadata.timestamp = appendTime;
    this.settled(1);
  }

  failed(records: number, error: Error): void {
    this.#error ??= error;
    this.settled(records);
  }

  settled(records: number): void {
    this.#unsettled -= records;
    if (this.#unsettled > 0) return;
    if (this.#error === undefined) {
      this.#resolve(this.metadata);
    } else {
      this.#told.add(this.#error);
      this.#reject(this.#error);
    }
  }
}

/** The owner of all batches that `send` and `sendAll` fill. */
export const sendDeliveries: BatchOwner = {
  acknowledged(batch: ProducerBatch, baseOffset: number, appendTime: number): void {
    const { groups, slots } = batch;
    for (let i = 0; i < groups.length; i++) groups[i]!.acknowledged(slots[i]!, baseOffset + i, appendTime);
  },

  failed(batch: ProducerBatch, error: Error): void {
    for (const group of batch.groups) group.failed(1, error);
  },
};
