import type { KlogError } from '../errors.js';
import type { TopicPartition } from './client.js';
import type { OffsetSpec } from './consumer.js';
import type { GroupAdmin } from './group-admin.js';
import type { LogSnapshot, SnapshotOptions } from './log-snapshot.js';
import type { ImportedTopic, TopicImport } from './topic-import.js';

/** Topic configs by Kafka's names; values are text as Kafka writes them. */
export type TopicConfigs = Readonly<Record<string, string>>;

/** Kafka: `NewTopic`. */
export interface NewTopic {
  /** Letters, digits, `.`, `_` and `-`, at most 249 of them. */
  readonly topic: string;
  /** Default 1, at most 10 000. */
  readonly partitions?: number;
  /** Default: Kafka's. */
  readonly configs?: TopicConfigs;
}

export interface ListTopicsOptions {
  /** Internal topics too (`__consumer_offsets`, …). Default false. */
  readonly internal?: boolean;
}

/** Kafka: `TopicListing`. */
export interface TopicListing {
  readonly topic: string;
  /** 22 characters, as Kafka writes it; empty: unknown. */
  readonly topicId: string;
  readonly partitions: number;
  /** One of Kafka's own, such as `__consumer_offsets`. */
  readonly internal: boolean;
}

/** Kafka: `TopicDescription`, with the configs beside it. */
export interface TopicDescription extends TopicListing {
  /** Every config with its value and where that comes from. Kafka: `describeConfigs`. */
  readonly configs: readonly TopicConfigEntry[];
  /** By number. */
  readonly partitionDetails: readonly PartitionDescription[];
}

/** Kafka: `ConfigEntry`. */
export interface TopicConfigEntry {
  readonly name: string;
  readonly value: string;
  /** Set on the topic, by the broker's configuration (never on a directory), or nowhere. */
  readonly source: 'topic' | 'broker' | 'default';
}

/** Marks and sizes a home cannot tell are -1. */
export interface PartitionDescription {
  readonly partition: number;
  /** The first offset that may be read. */
  readonly logStartOffset: number;
  /** What readers may see: everything below it is durable. */
  readonly highWatermark: number;
  /** What `read_committed` consumers may see: no transaction is open below it. */
  readonly lastStableOffset: number;
  /** What has been appended, durable or not. */
  readonly logEndOffset: number;
  readonly leaderEpoch: number;
  readonly segments: number;
  /** Bytes of the `.log` files. */
  readonly sizeInBytes: number;
}

/** Kafka: `incrementalAlterConfigs`. Names that do not come up stay as they are. */
export interface ConfigChange {
  readonly set?: TopicConfigs;
  /** Back to the default. */
  readonly delete?: readonly string[];
  /** Adds to, or takes from, a list value such as `cleanup.policy`. */
  readonly append?: TopicConfigs;
  readonly subtract?: TopicConfigs;
}

export interface ListedOffset extends TopicPartition {
  /** -1: no record at or after the time. */
  readonly offset: number;
  /** Of the record found by a time; -1: not asked for, or unknown. */
  readonly timestamp: number;
}

/** Kafka: `RecordsToDelete`. */
export interface RecordsToDelete {
  readonly partition: number;
  /** Everything below it goes; -1: everything there is (up to the high watermark). Never lowers the log start. */
  readonly beforeOffset: number;
}

export interface DeleteRecordsOptions {
  /** Says what would go, and changes nothing. Default false. */
  readonly validateOnly?: boolean;
}

/** Kafka: `DeletedRecords`. Only whole segments give their space back: the rest goes with the segment it is in. */
export interface DeletedRecords extends TopicPartition {
  /** The log start from now on. Kafka: `lowWatermark`. */
  readonly lowWatermark: number;
  /** Offsets that could be read before and cannot now. Fewer records may have been there. */
  readonly offsets: number;
  /** Those that went. */
  readonly segments: number;
  /** Bytes of the `.log` files that went. */
  readonly sizeInBytes: number;
}

export interface CompactTopicOptions {
  /** Default all. */
  readonly partitions?: readonly number[];
  /**
   * Whatever `min.cleanable.dirty.ratio` says, and the segment being written to as well: it is closed first. Lags and
   * `delete.retention.ms` still hold. Default false.
   */
  readonly force?: boolean;
  /**
   * Reads all that would be compacted, says what would come of it, and changes nothing. Of more than two million keys
   * that were not yet compacted only a first pass is counted. Default false.
   */
  readonly validateOnly?: boolean;
}

export interface CompactedPartition extends TopicPartition {
  /** Why nothing was done; `undefined`: it was compacted. */
  readonly skipped: 'nothing to do' | 'below the dirty ratio' | 'clock' | undefined;
  /** Every record below it was held against all others below it. Kafka: `cleaner-offset-checkpoint`. */
  readonly firstDirtyOffset: number;
  readonly recordsBefore: number;
  readonly recordsAfter: number;
  readonly segmentsBefore: number;
  readonly segmentsAfter: number;
  /** Bytes of the `.log` files that were rewritten. */
  readonly sizeBefore: number;
  readonly sizeAfter: number;
}

export interface ApplyRetentionOptions {
  /** Default all. */
  readonly partitions?: readonly number[];
  /** Although the clock seems to have jumped. Default false. */
  readonly force?: boolean;
  /** Says what would go, and changes nothing. Default false. */
  readonly validateOnly?: boolean;
}

export interface RetainedPartition extends DeletedRecords {
  /** `clock`: the wall clock jumped, so nothing was deleted by its age. */
  readonly skipped: 'clock' | undefined;
}

/** One record, or all records with a key in one partition or (default) all. */
export type EraseSelection =
  | { readonly partition: number; readonly offset: number }
  | { readonly key: Uint8Array; readonly partition?: number };

export interface EraseRecordsOptions {
  /** Counts what would be erased, and changes nothing. Default false. */
  readonly validateOnly?: boolean;
}

export interface ErasedRecords extends TopicPartition {
  /** Records erased. Offsets of the others stay. */
  readonly records: number;
  /** Segments written anew without them; the old files are gone. */
  readonly segments: number;
  /** `.cut-` files (bytes kept aside by recoveries) that were removed, since they may hold the same records. */
  readonly cutFiles: number;
}

/**
 * Kafka: `Admin`. Each method that is given a topic, but for `createTopic` and `createTopics`, fails with
 * UNKNOWN_TOPIC_OR_PARTITION if it is not there; each that changes something with KLOG_LOCKED when another process held
 * a lock for longer than `lockWaitMs`, and with KLOG_PERMISSION_DENIED.
 */
export interface Admin extends GroupAdmin {
  /**
   * TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG. `validateOnly` changes nothing.
   */
  createTopic(topic: NewTopic, options?: { readonly validateOnly?: boolean }): Promise<TopicListing>;
  /**
   * Many at once cost less than one by one. Each topic, or why it was not made, in the order given:
   * TOPIC_ALREADY_EXISTS, KLOG_DISK_FULL, … Rejects, and makes none, where a request is wrong in itself:
   * INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG.
   */
  createTopics(
    topics: readonly NewTopic[],
    options?: { readonly validateOnly?: boolean },
  ): Promise<(TopicListing | KlogError)[]>;
  /** With all its records, for good. */
  deleteTopic(topic: string): Promise<void>;
  /** By name. */
  listTopics(options?: ListTopicsOptions): Promise<TopicListing[]>;
  /** Configs, marks and sizes, as they are now. */
  describeTopic(topic: string): Promise<TopicDescription>;
  /**
   * `partitions` is the new total, more than before: INVALID_PARTITIONS. Keys may then go elsewhere than before, as in
   * Kafka.
   */
  createPartitions(topic: string, partitions: number, options?: { readonly validateOnly?: boolean }): Promise<void>;
  /** Answers with the configs that are set afterwards. INVALID_CONFIG. */
  alterConfigs(
    topic: string,
    change: ConfigChange,
    options?: { readonly validateOnly?: boolean },
  ): Promise<TopicConfigs>;
  /** An offset for each partition asked for, in that order; default all. Kafka: `listOffsets`. */
  listOffsets(topic: string, spec: OffsetSpec, partitions?: readonly number[]): Promise<ListedOffset[]>;
  /**
   * Raises the log start of the partitions named: readers get OFFSET_OUT_OF_RANGE below it, and whole segments below it
   * are deleted. OFFSET_OUT_OF_RANGE: an offset beyond the high watermark; then nothing is changed on that partition or
   * any after it. KLOG_LOCKED. An answer for each partition named, in that order.
   */
  deleteRecords(
    topic: string,
    offsets: readonly RecordsToDelete[],
    options?: DeleteRecordsOptions,
  ): Promise<DeletedRecords[]>;
  /**
   * Compacts now, to the end, what producers do a little at a time: only the last record of each key stays.
   * INVALID_CONFIG: `cleanup.policy` of the topic has no `compact`. KLOG_LOCKED: another process is compacting it.
   */
  compactTopic(topic: string, options?: CompactTopicOptions): Promise<CompactedPartition[]>;
  /** Deletes the segments that `retention.ms`, `retention.bytes` and the log start say may go. */
  applyRetention(topic: string, options?: ApplyRetentionOptions): Promise<RetainedPartition[]>;
  /**
   * Erases records for good: the segments that hold them are written anew without them and the old bytes are unlinked,
   * whatever the topic's `cleanup.policy`. What is produced meanwhile is not looked at. OFFSET_OUT_OF_RANGE: no such
   * offset yet. An answer for each partition looked at; `records` 0 where nothing was found.
   */
  eraseRecords(topic: string, selection: EraseSelection, options?: EraseRecordsOptions): Promise<ErasedRecords[]>;
  /** Topics as they are at one moment, for as long as it is open. KLOG_LOCKED. */
  snapshot(options?: SnapshotOptions): Promise<LogSnapshot>;
  /**
   * Topics to be filled with batches of a snapshot. As {@link createTopic}; KLOG_LOCKED: another import makes the
   * topic.
   */
  importTopics(topics: readonly ImportedTopic[]): Promise<TopicImport>;
}
