import type { RecordMetadata } from '../producer.js';
import type { BatchOwner, ProducerBatch } from './producer-batch.js';

type PendingMetadata = { -readonly [Field in keyof RecordMetadata]: RecordMetadata[Field] };

/** The records of one `send` or `sendAll`: one promise, settled when the fate of the last record is known. */
export class SendGroup {
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

  /** The record went into a batch of this partition; more is known when it is acknowledged. */
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

  /** So many more records wait for nothing. */
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
