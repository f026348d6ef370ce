/**
 * What the clients on a directory need of it. `store/` gives a data directory this shape in `open-client.ts`; tests
 * bring one in memory.
 */
import type { KlogError } from '../../errors.js';
import type { CompressionType } from '../../format/compression.js';
import type { ConfigChange, NewTopic, TopicConfigs } from '../admin.js';
import type { TopicPartition } from '../client.js';

export interface PartitionMarks {
  readonly logStartOffset: number;
  readonly lastStableOffset: number;
  /** What readers may see: everything below it is durable. */
  readonly highWatermark: number;
  readonly logEndOffset: number;
  readonly leaderEpoch: number;
}

export interface Appended {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly cutCount: number;
  /** What every record's timestamp has become under `message.timestamp.type=LogAppendTime`, else -1. */
  readonly appendTime: number;
  readonly bytes: number;
}

export interface AppendOptions {
  /** Offsets and times stay as the batches have them: ascending, beyond the end, perhaps with gaps. Default false. */
  readonly keepOffsets?: boolean;
}

/** The writing side of one partition. */
export interface PartitionLog {
  /** Complete batches; offsets and epoch are filled in, in place. All or none of them are appended. */
  append(batches: readonly Uint8Array[], options?: AppendOptions): Promise<Appended>;
  /** Resolves when what was appended survives a power loss. */
  durable(appended: Appended): Promise<void>;
}

export interface Trimmed {
  readonly logStartOffset: number;
  readonly offsets: number;
  readonly segments: number;
  readonly sizeInBytes: number;
}

export interface Retained extends Trimmed {
  readonly skipped: 'clock' | undefined;
}

export interface Compacted {
  readonly skipped: 'nothing to do' | 'below the dirty ratio' | 'clock' | undefined;
  readonly firstDirtyOffset: number;
  readonly recordsBefore: number;
  readonly recordsAfter: number;
  readonly segmentsBefore: number;
  readonly segmentsAfter: number;
  readonly sizeBefore: number;
  readonly sizeAfter: number;
}

export interface Erased {
  readonly records: number;
  readonly segments: number;
  readonly cutFiles: number;
}

/** What keeps one partition in order; see `Admin` for what each does. */
export interface PartitionUpkeep {
  trim(beforeOffset: number, options: { readonly validateOnly?: boolean }): Promise<Trimmed>;
  applyRetention(options: { readonly force?: boolean; readonly validateOnly?: boolean }): Promise<Retained>;
  compact(options: { readonly force?: boolean }): Promise<Compacted>;
  erase(
    selection: { readonly offset: number } | { readonly key: Uint8Array },
    options: { readonly validateOnly?: boolean },
  ): Promise<Erased>;
}

/** Whole batches, their CRCs checked: `buffer[start, end)`. */
export interface FetchedBatches {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Where to go on. */
  readonly nextOffset: number;
}

/** Bytes that cannot be read, and where reading goes on. */
export interface Damage {
  readonly file: string;
  readonly position: number;
  readonly length: number;
  readonly offset: number;
  readonly nextOffset: number;
  readonly reason: string;
}

/** A transaction that was aborted (FORMAT: an entry of the transaction index). */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** The reading side of one partition: everything up to the high watermark, without locks. */
export interface PartitionReader {
  marks(): Promise<PartitionMarks>;
  /**
   * About `maxBytes` of batches from the one that holds `offset`, or the next after it; at least one, none at the end.
   * `into` is filled if it is large enough, else a new buffer. OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE.
   */
  fetch(offset: number, maxBytes: number, into?: Buffer): Promise<FetchedBatches>;
  /** Where reading may go on behind the damage at `offset` that a fetch has reported. */
  skipDamage(offset: number, reason: string): Promise<Damage>;
  /** The first record at or after the time. */
  offsetForTime(timestamp: number): Promise<{ readonly offset: number; readonly timestamp: number } | undefined>;
  /** Those that have records in [from, to). */
  abortedTransactions(from: number, to: number): Promise<readonly AbortedTransaction[]>;
  /**
   * Calls `listener` when something may have been published, until the answer is closed; costs no descriptor.
   * `undefined`, or absent: that cannot be had here.
   */
  watch?(listener: () => void): { close(): void } | undefined;
  /** Resolves true when there is something beyond the offset, false at the time-out or when aborted. */
  waitForMore(
    beyondOffset: number,
    options: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<boolean>;
  close(): Promise<void>;
}

/** The topic settings that clients act on. */
export interface StoredTopic {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: number;
  /** Kafka: `max.message.bytes`. */
  readonly maxMessageBytes: number;
  /** Kafka: `compression.type`, `none` where that says `producer`. */
  readonly compression: CompressionType;
  /** Whether `cleanup.policy` has `compact`: records without a key are refused. */
  readonly isCompacted: boolean;
  /** Only those that were set. */
  readonly configs: TopicConfigs;
}

export interface TopicSummary {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: number;
  readonly internal: boolean;
  /** Only those that were set. */
  readonly configs: TopicConfigs;
}

interface ChangeOptions {
  readonly validateOnly?: boolean;
}

export interface LocalTopics {
  list(options: { readonly internal?: boolean }): Promise<TopicSummary[]>;
  /** UNKNOWN_TOPIC_OR_PARTITION, with the nearest name. */
  get(topic: string): Promise<TopicSummary>;
  /** When a topic was last made, altered or deleted, in milliseconds since 1970: one call, however many there are. */
  lastChange(): Promise<number>;
  create(topic: NewTopic, options?: ChangeOptions): Promise<TopicSummary>;
  /** Each topic, or why it was not made. */
  createAll(topics: readonly NewTopic[], options?: ChangeOptions): Promise<(TopicSummary | KlogError)[]>;
  createPartitions(topic: string, partitions: number, options?: ChangeOptions): Promise<TopicSummary>;
  alterConfigs(topic: string, change: ConfigChange, options?: ChangeOptions): Promise<TopicConfigs>;
  delete(topic: string): Promise<void>;
}

export interface NewImportedTopic extends NewTopic {
  /** Where each partition begins. Default 0. */
  readonly startOffsets?: readonly number[];
}

export interface PartitionLogOptions {
  /** Longest wait for one of its locks. Default that of the store. */
  readonly lockWaitMs?: number | undefined;
  readonly topicId?: string;
}

/** Topics that nobody sees before they are committed. */
export interface LocalTopicImport {
  partitionLog(topic: string, partition: number): PartitionLog;
  /** `before` is called when nothing can keep the topics from coming but a crash, and before they do. */
  commit(before?: () => Promise<void>): Promise<void>;
  abort(): Promise<void>;
}

export interface LocalStore {
  readonly topics: LocalTopics;
  /** `undefined`: there is no such topic. INVALID_TOPIC_EXCEPTION. */
  topic(name: string): Promise<StoredTopic | undefined>;
  /**
   * By the topic's configs of now. UNKNOWN_TOPIC_OR_PARTITION, also where the name is not that of `topicId` any more.
   */
  partitionLog(topic: string, partition: number, options?: PartitionLogOptions): Promise<PartitionLog>;
  partitionReader(topic: string, partition: number): Promise<PartitionReader>;
  /** UNKNOWN_TOPIC_OR_PARTITION, KLOG_PERMISSION_DENIED. */
  partitionUpkeep(topic: string, partition: number): Promise<PartitionUpkeep>;
  partitionSize(topic: string, partition: number): Promise<{ readonly segments: number; readonly sizeInBytes: number }>;
  /**
   * Until the answer is called nothing is appended to them and nothing becomes visible. KLOG_LOCKED,
   * KLOG_PERMISSION_DENIED.
   */
  holdPartitions(partitions: readonly TopicPartition[]): Promise<() => Promise<void>>;
  importTopics(topics: readonly NewImportedTopic[]): Promise<LocalTopicImport>;
  close(): Promise<void>;
}
