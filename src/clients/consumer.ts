import type { LogRecord, TimestampType } from '../format/log-record.js';
import type { RecordCursor } from '../format/record-cursor.js';
import type { ConsumerBatch, TopicPartition } from './client.js';

/**
 * `read_committed`: up to the last stable offset, without aborted transactions. `read_uncommitted`: up to the high
 * watermark.
 */
export type IsolationLevel = 'read_committed' | 'read_uncommitted';

/**
 * A place in a partition: an offset; `start` or `end`; a time (milliseconds since 1970: the first record at or after
 * it, for a consumer the end if there is none); or a distance from the start (`{ fromStart: 10 }`) or the end (`{
 * fromEnd: 10 }`), clamped to the log.
 */
export type OffsetSpec =
  | number
  | 'start'
  | 'end'
  | { readonly timestamp: number }
  | { readonly fromStart: number }
  | { readonly fromEnd: number };

/** A half-open range of one partition. Where `from` or `to` is absent the consumer's counts. */
export interface PartitionRange {
  readonly partition: number;
  readonly from?: OffsetSpec;
  readonly to?: OffsetSpec;
}

/** A topic, or some partitions of it. */
export interface TopicSelection {
  readonly topic: string;
  /** Default: all partitions, over the consumer's `from` and `to`. */
  readonly partitions?: readonly (number | PartitionRange)[];
}

/** Some partitions of all topics whose whole name fits. */
export interface PatternSelection {
  readonly pattern: RegExp;
  /** As those of a {@link TopicSelection}; a topic that comes later may have fewer. */
  readonly partitions?: readonly (number | PartitionRange)[];
}

export interface ConsumerOptions {
  /** In this order with `order: 'partition'`. Kafka: `assign`. */
  readonly topics: readonly (string | TopicSelection)[];
  /**
   * All other topics whose whole name fits, behind these, by name; never internal ones. With `follow` also those that
   * are made later, from their beginning, and one that is deleted is no failure. Kafka: `subscribe(Pattern)`; looked at
   * every second instead of `metadata.max.age.ms`.
   */
  readonly patterns?: readonly (RegExp | PatternSelection)[];
  /**
   * Default `start`. Out of range: OFFSET_OUT_OF_RANGE, but only if it is so in every partition. Kafka:
   * `auto.offset.reset`.
   */
  readonly from?: OffsetSpec;
  /** Where each partition ends, exclusive. Default: the ends found when the consumer began, or never with `follow`. */
  readonly to?: OffsetSpec;
  /** Goes on waiting for records at the end. Default false. */
  readonly follow?: boolean;
  /**
   * `partition` (default): topics as named, partitions ascending, one after the other while there is a backlog; then as
   * records come. `time`: merged by timestamp, then topic, partition, offset; after the backlog as records come.
   */
  readonly order?: 'partition' | 'time';
  /** Default `read_committed`. Kafka: `isolation.level`. */
  readonly isolationLevel?: IsolationLevel;
  /**
   * Goes on behind damaged batches instead of failing with CORRUPT_MESSAGE; `onCorrupt` is told of each. Default false.
   */
  readonly skipCorrupt?: boolean;
  /** With `skipCorrupt`: called with each range, before the records behind it are handed out. */
  readonly onCorrupt?: (damage: CorruptRange) => void;
  /** Ends the iteration after this long without a record. Milliseconds, default never. Implies `follow`. */
  readonly timeoutMs?: number;
  /** Aborting ends the iteration; what was handed out before stays valid. */
  readonly signal?: AbortSignal;
  /** Waits for topics that do not exist yet instead of failing. Default false. */
  readonly waitForTopics?: boolean;
  /** Bytes read at a time from a partition. Default 1 MiB. Kafka: `max.partition.fetch.bytes`. */
  readonly maxFetchBytes?: number;
}

/** Bytes that were passed over because they are damaged. */
export interface CorruptRange extends TopicPartition {
  /** File and byte position, where the log is files here. */
  readonly file?: string | undefined;
  readonly position?: number | undefined;
  /** Bytes passed over; -1 when unknown. */
  readonly length: number;
  /** The first offset that cannot be read. */
  readonly offset: number;
  /** For people. */
  readonly reason: string;
}

/** Keys and values are Buffers of their own memory: keep them as long as you like. */
export interface ConsumerRecord extends LogRecord, TopicPartition {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Kafka: `message.timestamp.type` when it was written. */
  readonly timestampType: TimestampType;
  /** -1: unknown. */
  readonly leaderEpoch: number;
}

/** Batches, to be iterated once. */
export interface ConsumerBatches extends AsyncIterable<ConsumerBatch> {
  /**
   * Inside a loop over the batches: the one that comes next, if it takes no waiting, and the batch in hand is over
   * then; `undefined`: the loop goes on. Partitions merged by time are handed out in runs, in the worst case of a
   * record each, which this spares a promise.
   */
  nextNow?(): ConsumerBatch | undefined;
  /**
   * In the same place, where partitions are merged by time, for who goes through many records at once: calls `take`
   * with the cursors of all partitions that have records, each before its next record, in the order in which they win
   * ties. What `take` passes over, by time, is over; `nextNow` goes on behind it. False: not now, and `take` was not
   * called.
   */
  mergeNow?(take: (cursors: readonly RecordCursor[]) => void): boolean;
}

/**
 * Kafka: `KafkaConsumer` with `assign`; without a group it reads all of what its patterns match, too. Iterate it once,
 * by record or by batch. Nothing is read before the first call; topics, ranges and ends are looked up then, and that is
 * when the errors of a wrong topic or offset come.
 *
 * Iterating fails with UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE (everything before the damage
 * was handed out), KLOG_CLOSED.
 */
export interface Consumer extends AsyncIterable<ConsumerRecord>, AsyncDisposable {
  /** Bytes to bytes, without an object per record. */
  batches(): ConsumerBatches;
  /** What is read: the partitions of all topics, in the order they were named, ascending. */
  assignment(): Promise<TopicPartition[]>;
  /** The next offset to be handed out. UNKNOWN_TOPIC_OR_PARTITION if it is not assigned. */
  position(partition: TopicPartition): Promise<number>;
  /**
   * What is handed out next. A number outside [log start, log end] is OFFSET_OUT_OF_RANGE, other places clamp. Where
   * the partition ends stays as it was. Records already on their way from an earlier place are dropped.
   */
  seek(partition: TopicPartition, to: OffsetSpec): Promise<void>;
  /** Hands out nothing of these until they are resumed; an iteration with nothing else left waits for that. */
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  paused(): TopicPartition[];
  /** Ends a running iteration, and lets go of the log. Leaving the loop does the same. */
  close(): Promise<void>;
}
