import type { CompressionType } from '../../format/compression.js';
import type { RecordBatch } from '../../format/record-batch.js';
import type { ConsumerBatch } from '../client.js';
import type { MergeCursor } from './merge-cursor.js';
import type { PartitionFetcher } from './partition-fetcher.js';

/** One batch as a consumer hands it out, or a run of it where batches are merged by time. */
export class LocalBatch implements ConsumerBatch {
  readonly topic: string;
  readonly partition: number;
  readonly cursor: MergeCursor;
  readonly leaderEpoch: number;
  readonly compression: CompressionType;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly isTransactional: boolean;
  readonly logStartOffset: number;
  readonly lastStableOffset: number;
  readonly highWatermark: number;
  readonly from: PartitionFetcher;
  /** Where the partition was before this batch: no record of it has a lower offset. */
  readonly firstOffset: number;
  /** Where the partition goes on behind this batch. */
  readonly nextOffset: number;
  /** Of the fetcher when this was decoded: stale when it has moved on. */
  readonly generation: number;

  /** The batch's records lie below this position of the cursor's buffer. */
  readonly bufferEnd: number;

  constructor(from: PartitionFetcher, batch: RecordBatch, firstOffset: number, nextOffset: number) {
    const { marks } = from;
    this.topic = from.topic;
    this.partition = from.partition;
    this.cursor = from.cursor;
    this.leaderEpoch = batch.partitionLeaderEpoch;
    this.compression = batch.compressionType;
    this.producerId = batch.producerId;
    this.producerEpoch = batch.producerEpoch;
    this.isTransactional = batch.isTransactional;
    this.logStartOffset = marks.logStartOffset;
    this.lastStableOffset = marks.lastStableOffset;
    this.highWatermark = marks.highWatermark;
    this.from = from;
    this.firstOffset = firstOffset;
    this.nextOffset = nextOffset;
    this.generation = from.generation;
    const { buffer } = from.cursor;
    this.bufferEnd = buffer === batch.buffer ? batch.position + batch.sizeInBytes : buffer.length;
  }

  /** Where the partition goes on behind what the cursor has handed out, once that was all of it. */
  endOfRun(): number {
    return this.cursor.isHeld ? this.cursor.offset : this.nextOffset;
  }
}
