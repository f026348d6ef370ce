/** What waits for the records of one call: of `sendAll`, or of a `send` that had to wait for its topic or for room. */
import type { RecordMetadata } from '../producer.js';
import type { BatchOwner, ProducerBatch } from './producer-batch.js';

/** Is told of each record, by its place in the call, and makes nothing of it before it is acknowledged. */
export interface SentRecords {
  /** The next record went into a batch, with this time. */
  taken(timestamp: number): void;
  /** So many from `slot` on have these offsets, from `offset` on; -1: none, they are waited for no longer. */
  acknowledged(slot: number, count: number, topic: string, partition: number, offset: number, appendTime: number): void;
  failed(records: number, error: Error): void;
}

/** The record of one `send`. */
export class SentRecord implements SentRecords {
  readonly promise: Promise<RecordMetadata>;
  #timestamp = -1;
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

  taken(timestamp: number): void {
    this.#timestamp = timestamp;
  }

  acknowledged(
    _slot: number,
    _count: number,
    topic: string,
    partition: number,
    offset: number,
    appendTime: number,
  ): void {
    this.#resolve({ topic, partition, offset, timestamp: appendTime >= 0 ? appendTime : this.#timestamp });
  }

  failed(_records: number, error: Error): void {
    this.#told.add(error);
    this.#reject(error);
  }
}

/** The records of one `sendAll`: one promise, settled when the fate of the last record is known. */
export class SendGroup implements SentRecords {
  readonly promise: Promise<RecordMetadata[]>;
  readonly #metadata: RecordMetadata[];
  readonly #timestamps: number[] = [];
  readonly #told: WeakSet<Error>;
  #unsettled: number;
  #error: Error | undefined;
  #resolve!: (metadata: RecordMetadata[]) => void;
  #reject!: (error: Error) => void;

  /** `told`: the failures that the application has heard of. */
  constructor(records: number, told: WeakSet<Error>) {
    this.#metadata = new Array<RecordMetadata>(records);
    this.#told = told;
    this.#unsettled = records;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  taken(timestamp: number): void {
    this.#timestamps.push(timestamp);
  }

  acknowledged(
    slot: number,
    count: number,
    topic: string,
    partition: number,
    offset: number,
    appendTime: number,
  ): void {
    const metadata = this.#metadata;
    for (let i = 0; i < count; i++) {
      const timestamp = appendTime >= 0 ? appendTime : this.#timestamps[slot + i]!;
      metadata[slot + i] = { topic, partition, offset: offset < 0 ? -1 : offset + i, timestamp };
    }
    this.#settled(count);
  }

  failed(records: number, error: Error): void {
    this.#error ??= error;
    this.#settled(records);
  }

  #settled(records: number): void {
    this.#unsettled -= records;
    if (this.#unsettled > 0) return;
    if (this.#error === undefined) {
      this.#resolve(this.#metadata);
    } else {
      this.#told.add(this.#error);
      this.#reject(this.#error);
    }
  }
}

/** Which records of a batch which calls wait for: runs of them, since a call's records mostly follow one another. */
export class SentRuns {
  readonly #groups: SentRecords[] = [];
  /** Of each run: the place of its first record in the call and in the batch, and how many there are. */
  readonly #slots: number[] = [];
  readonly #firsts: number[] = [];
  readonly #counts: number[] = [];

  add(group: SentRecords, slot: number, record: number): void {
    const last = this.#groups.length - 1;
    if (last >= 0 && this.#groups[last] === group) {
      const count = this.#counts[last]!;
      if (this.#slots[last]! + count === slot && this.#firsts[last]! + count === record) {
        this.#counts[last] = count + 1;
        return;
      }
    }
    this.#groups.push(group);
    this.#slots.push(slot);
    this.#firsts.push(record);
    this.#counts.push(1);
  }

  acknowledged({ topic, partition }: ProducerBatch, baseOffset: number, appendTime: number): void {
    for (let i = 0; i < this.#groups.length; i++) {
      const offset = baseOffset + this.#firsts[i]!;
      this.#groups[i]!.acknowledged(this.#slots[i]!, this.#counts[i]!, topic, partition, offset, appendTime);
    }
  }

  failed(error: Error): void {
    for (let i = 0; i < this.#groups.length; i++) this.#groups[i]!.failed(this.#counts[i]!, error);
  }
}

/** The owner of all batches that `send` and `sendAll` fill. */
export const sendDeliveries: BatchOwner = {
  acknowledged(batch: ProducerBatch, baseOffset: number, appendTime: number): void {
    batch.inTurn?.acknowledged(baseOffset, appendTime);
    batch.runs?.acknowledged(batch, baseOffset, appendTime);
  },

  failed(batch: ProducerBatch, error: Error): void {
    batch.inTurn?.failed(error);
    batch.runs?.failed(error);
  },
};
