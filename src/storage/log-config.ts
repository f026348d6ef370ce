/**
 * What the storage of one partition is told by its topic's configuration, parsed and checked. The names and defaults
 * are Kafka's (`LogConfig`), except where noted.
 */
import type { CompressionType } from '../format/compression.js';

export type CleanupPolicy = 'delete' | 'compact' | 'compact,delete';

export interface LogConfig {
  /**
   * `segment.bytes`, default 1 GiB. A segment is rolled before it would grow beyond this; a larger batch has a segment
   * to itself.
   */
  readonly segmentBytes: number;
  /**
   * `segment.ms`, default 7 days. A segment whose first batch is older, by timestamps, than the next is rolled; in a
   * compacted topic already after `maxCompactionLagMs`.
   */
  readonly segmentMs: number;
  /** `segment.jitter.ms`, default 0. Each segment rolls up to so much earlier than `segmentMs`, at random. */
  readonly segmentJitterMs: number;
  /** `segment.index.bytes`, default 10 MiB. Most bytes of an offset index and of a time index; full: rolled. */
  readonly segmentIndexBytes: number;
  /** `index.interval.bytes`, default 4096. A batch gets an index entry when more bytes came since the last. */
  readonly indexIntervalBytes: number;
  /**
   * `max.message.bytes`: largest batch, compressed, in bytes. Default 16 MiB and 4 KiB for a record's key and the
   * headers, so that a value of 16 MiB fits; Kafka's own is 1048588.
   */
  readonly maxMessageBytes: number;
  /** `message.timestamp.type`, default CreateTime. LogAppendTime: the append gives every record its own time. */
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime';
  /** `message.timestamp.before.max.ms`: how far a record's timestamp may lie in the past. Default: any. */
  readonly messageTimestampBeforeMaxMs: number;
  /** `message.timestamp.after.max.ms`: how far a record's timestamp may lie in the future. Default: any. */
  readonly messageTimestampAfterMaxMs: number;
  /** `compression.type`: `producer` (the default) keeps what the producer chose. */
  readonly compressionType: 'producer' | CompressionType;
  /** `cleanup.policy`, default delete. */
  readonly cleanupPolicy: CleanupPolicy;
  /** `retention.ms`, default 7 days; -1: for ever. */
  readonly retentionMs: number;
  /** `retention.bytes` per partition, default -1: any. */
  readonly retentionBytes: number;
  /** `file.delete.delay.ms`, default 1 minute: a removed segment's files keep the suffix `.deleted` so long. */
  readonly fileDeleteDelayMs: number;
  /** `delete.retention.ms`, default 1 day: how long a compacted log keeps tombstones. */
  readonly deleteRetentionMs: number;
  /** `min.compaction.lag.ms`, default 0: a record is not compacted away before it has this age. */
  readonly minCompactionLagMs: number;
  /**
   * `max.compaction.lag.ms`, default: any. A record older than this makes the log due for compaction. The segment that
   * is written to is closed for it by the next append, as in Kafka: without appends nothing is compacted.
   */
  readonly maxCompactionLagMs: number;
  /** `min.cleanable.dirty.ratio`, default 0.5: share of the log not compacted yet that makes it due. */
  readonly minCleanableDirtyRatio: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const MIB = 1024 * 1024;

export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1024 * MIB,
  segmentMs: 7 * DAY_MS,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * MIB,
  indexIntervalBytes: 4096,
  maxMessageBytes: 16 * MIB + 4096,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  messageTimestampAfterMaxMs: Number.POSITIVE_INFINITY,
  compressionType: 'producer',
  cleanupPolicy: 'delete',
  retentionMs: 7 * DAY_MS,
  retentionBytes: -1,
  fileDeleteDelayMs: 60_000,
  deleteRetentionMs: DAY_MS,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.POSITIVE_INFINITY,
  minCleanableDirtyRatio: 0.5,
};
