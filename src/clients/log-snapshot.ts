import type { TopicConfigs, TopicListing } from './admin.js';
import type { TopicPartition } from './client.js';
import type { NewGroupOffset } from './group-admin.js';

export interface SnapshotOptions {
  /** Default all but internal ones. */
  readonly topics?: readonly string[];
  /** All topics, internal ones too. Default false. */
  readonly internal?: boolean;
  /** What groups have committed, too. Default false. */
  readonly groups?: boolean;
  /** Bytes read at a time. Default 1 MiB. */
  readonly maxFetchBytes?: number;
}

/** [startOffset, endOffset) of a partition. */
export interface PartitionSnapshot extends TopicPartition {
  readonly startOffset: number;
  /** Kafka: the last stable offset, at the moment of the snapshot. */
  readonly endOffset: number;
}

/** A topic as it was at the moment of the snapshot. */
export interface TopicSnapshot {
  readonly topic: string;
  /** As {@link TopicListing.topicId}. */
  readonly topicId: string;
  /** Only those that were set. */
  readonly configs: TopicConfigs;
  readonly partitions: readonly PartitionSnapshot[];
}

/** What a group had committed at the moment of the snapshot, of the topics in it. */
export interface GroupSnapshot {
  readonly groupId: string;
  /** By topic and partition; none beyond the partition's end in the snapshot. */
  readonly offsets: readonly NewGroupOffset[];
}

/** Records that retention, compaction, a trim or an erase deleted between the snapshot and their turn. */
export interface DeletedRange extends TopicPartition {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/**
 * Topics as they were at one moment, while producers go on. The ends of all partitions are those of that moment: what a
 * `read_committed` consumer could have read of each then, had it looked at all at once. So
 *
 * - every record acknowledged (`acks: all`) before the snapshot was asked for is in;
 * - with a record there is every other that its producer had been acknowledged, or had consumed, before it sent it;
 * - of each partition it is a prefix of what was ever in it.
 *
 * Records of an open transaction, and what stands behind them in their partition, are not in. Nothing keeps records
 * from being deleted before their turn comes: what a trim or retention took is in {@link LogSnapshot.deleted}.
 */
export interface LogSnapshot extends AsyncDisposable {
  readonly topics: readonly TopicSnapshot[];
  /** So far. */
  readonly deleted: readonly DeletedRange[];
  /**
   * Whole record batches in the order of offsets, as bytes of Kafka's format, control batches and compressed ones
   * included. Each is valid until the next is asked for. CORRUPT_MESSAGE, UNKNOWN_TOPIC_OR_PARTITION (deleted
   * meanwhile).
   */
  batches(partition: TopicPartition): AsyncIterable<Uint8Array>;
  /**
   * Of the same moment: what is committed is in, and with a commit what it was made for. Groups without any are left
   * out; none at all if {@link SnapshotOptions.groups} is false.
   */
  groups(): Promise<readonly GroupSnapshot[]>;
  /** Lets go of the files. */
  close(): Promise<void>;
}
