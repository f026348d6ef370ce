import type { TopicPartition } from './client.js';
import type { OffsetSpec } from './consumer.js';

/** Topic configs by Kafka's names; values are text as Kafka writes them. */
export type TopicConfigs = Readonly<Record<string, string>>;

export interface NewTopic {
  readonly topic: string;
  /** Default 1. */
  readonly partitions?: number;
  readonly configs?: TopicConfigs;
}

export interface ListTopicsOptions {
  /** Internal topics too (`__consumer_offsets`, …). Default false. */
  readonly internal?: boolean;
}

export interface TopicListing {
  readonly topic: string;
  /** 22 characters, as Kafka writes it; empty: unknown. */
  readonly topicId: string;
  readonly partitions: number;
  readonly internal: boolean;
}

export interface TopicDescription extends TopicListing {
  /** Every config with its value and where that comes from. Kafka: `describeConfigs`. */
  readonly configs: readonly TopicConfigEntry[];
  readonly partitionDetails: readonly PartitionDescription[];
}

export interface TopicConfigEntry {
  readonly name: string;
  readonly value: string;
  /** Set on the topic, by the broker's configuration (never on a directory), or nowhere. */
  readonly source: 'topic' | 'broker' | 'default';
}

/** Marks and sizes a home cannot tell are -1. */
export interface PartitionDescription {
  readonly partition: number;
  readonly logStartOffset: number;
  /** What readers may see: everything below it is durable. */
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  /** What has been appended, durable or not. */
  readonly logEndOffset: number;
  readonly leaderEpoch: number;
  readonly segments: number;
  /** Bytes of the `.log` files. */
  readonly sizeInBytes: number;
}

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

/** Kafka: `Admin`. Each method but `createTopic` and `listTopics`: UNKNOWN_TOPIC_OR_PARTITION. */
export interface Admin {
  /** TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG. `validateOnly` changes nothing. */
  createTopic(topic: NewTopic, options?: { readonly validateOnly?: boolean }): Promise<TopicListing>;
  deleteTopic(topic: string): Promise<void>;
  listTopics(options?: ListTopicsOptions): Promise<TopicListing[]>;
  describeTopic(topic: string): Promise<TopicDescription>;
  /** `partitions` is the new total, never fewer. */
  createPartitions(topic: string, partitions: number, options?: { readonly validateOnly?: boolean }): Promise<void>;
  alterConfigs(
    topic: string,
    change: ConfigChange,
    options?: { readonly validateOnly?: boolean },
  ): Promise<TopicConfigs>;
  /** An offset for each partition asked for; default all. */
  listOffsets(topic: string, spec: OffsetSpec, partitions?: readonly number[]): Promise<ListedOffset[]>;
}
