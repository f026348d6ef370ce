import type { RecordBatchBuilder } from '../../format/record-batch-builder.js';
import type { SentRuns } from './send-group.js';
import type { SentInTurn } from './sent-in-turn.js';

/** Who gave the records of a batch and is told what became of them. */
export interface BatchOwner {
  /** The batch's first record has `baseOffset`; `appendTime` as in {@link Appended}. */
  acknowledged(batch: ProducerBatch, baseOffset: number, appendTime: number): void;
  failed(batch: ProducerBatch, error: Error): void;
}

/**
 * A batch on its way: open while it is filled, then closed (its bytes made), then written. All its records have one
 * owner.
 */
export class ProducerBatch {
  readonly topic: string;
  readonly partition: number;
  readonly builder: RecordBatchBuilder;
  readonly owner: BatchOwner;
  /** Closed rather than filled beyond this; a record that is larger has a batch to itself. */
  readonly limitBytes: number;
  /** When it was opened, on the monotonic clock. */
  readonly openedAt: number;
  isOpen = true;
  isReleased = false;
  /** From closing until they are written. */
  bytes: Uint8Array | undefined;
  /** Set when closed, as what follows. */
  recordCount = 0;
  /** Of {@link bytes}. */
  sizeInBytes = 0;
  /** What the batch holds of the producer's buffer memory. */
  heldBytes = 0;
  /** What waits for records given by `send`, one each, and by calls of several. */
  inTurn: SentInTurn | undefined;
  runs: SentRuns | undefined;

  constructor(
    topic: string,
    partition: number,
    builder: RecordBatchBuilder,
    owner: BatchOwner,
    limitBytes: number,
    openedAt: number,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.builder = builder;
    this.owner = owner;
    this.limitBytes = limitBytes;
    this.openedAt = openedAt;
  }

  /** `recordBytes` is what the record takes in the batch at most. */
  hasRoomFor(recordBytes: number, timestamp: number): boolean {
    return (
      this.isOpen && this.builder.sizeInBytes + recordBytes <= this.limitBytes && this.builder.hasReachOf(timestamp)
    );
  }

  acknowledge(baseOffset: number, appendTime: number): void {
    this.owner.acknowledged(this, baseOffset, appendTime);
  }

  fail(error: Error): void {
    this.owner.failed(this, error);
  }
}
