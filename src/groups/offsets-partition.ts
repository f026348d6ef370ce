/** What groups need of the store: one partition of `__consumer_offsets`, and what topics there are. */
import type { FetchedBatches } from '../storage/batch-block.js';
import type { Decision } from '../storage/log-decide.js';
import type { Store } from '../store/store.js';

export interface AppendedRecords {
  readonly baseOffset: number;
  readonly lastOffset: number;
}

export interface OffsetsLog {
  /** The conditional append: see `PartitionLog.appendDecided`. */
  appendDecided(decide: Decision): Promise<AppendedRecords | undefined>;
  durable(appended: AppendedRecords): Promise<void>;
}

export interface OffsetsMarks {
  readonly logStartOffset: number;
  readonly highWatermark: number;
  /** What was appended, safe or not. */
  readonly logEndOffset: number;
  readonly cutCount: number;
}

export interface OffsetsReader {
  marks(): Promise<OffsetsMarks>;
  fetch(offset: number, maxBytes: number, into?: Buffer): Promise<FetchedBatches>;
  waitForMore(
    beyond: number,
    options: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<boolean>;
  close(): Promise<void>;
}

export const OFFSETS_TOPIC = '__consumer_offsets';
/** Kafka: `offsets.topic.num.partitions`. */
const OFFSETS_PARTITIONS = 50;

/**
 * Kafka's configs, but smaller segments: only what is in a closed one is compacted, and what is not is read when a
 * member starts. Kafka: `offsets.topic.segment.bytes`.
 */
const OFFSETS_CONFIGS = { 'cleanup.policy': 'compact', 'segment.bytes': String(1024 * 1024) };

/** Makes the topic at its first use. Answers how many partitions it has. */
export async function ensureOffsetsTopic(store: Store): Promise<number> {
  const topic = { topic: OFFSETS_TOPIC, partitions: OFFSETS_PARTITIONS, configs: OFFSETS_CONFIGS };
  return (await store.topics.ensureInternal(topic)).partitions;
}

/** `undefined`: there was never a group. */
export async function offsetsPartitions(store: Store): Promise<number | undefined> {
  return (await store.topics.find(OFFSETS_TOPIC))?.partitions;
}
