import type { TopicPartition } from './client.js';
import type { Consumer, ConsumerOptions } from './consumer.js';

/**
 * How partitions are shared out. Kafka: `partition.assignment.strategy`. Whichever it is, only what has to move is let
 * go of, and nobody takes it before.
 */
export const ASSIGNOR_NAMES = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const;
export type AssignorName = (typeof ASSIGNOR_NAMES)[number];

/** Partitions that are a consumer's to read, and that another member has not let go of for some seconds. */
export interface HeldUpPartitions {
  /** The member that has them. */
  readonly memberId: string;
  /** Of its process; -1: unknown. */
  readonly pid: number;
  /** `stalled`: its process is stopped, and lets go of them only when it goes on, or the member is evicted. */
  readonly state: 'alive' | 'stalled';
  readonly partitions: readonly TopicPartition[];
}

/** Called while records are held back; what they await is waited for. A failure of one ends the consumer. */
export interface GroupListeners {
  /** These are this consumer's from now on, and begin at the given offsets. Kafka: `onPartitionsAssigned`. */
  readonly onAssigned?: (partitions: readonly (TopicPartition & { readonly offset: number })[]) => void | Promise<void>;
  /**
   * Another member is to have these: nothing more of them comes, and they may still be committed. With `commit: 'auto'`
   * what was handled is committed behind this. Also called, of everything, when the consumer leaves. Kafka:
   * `onPartitionsRevoked`.
   */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
  /** A committed offset lies outside the log: it goes on at `offset`, by `from`. */
  readonly onReset?: (reset: TopicPartition & { readonly committed: number; readonly offset: number }) => void;
  /**
   * Another member holds up this one: once a member, as long as that goes on. Without `follow` the end waits for it,
   * too.
   */
  readonly onHeldUp?: (heldUp: HeldUpPartitions) => void;
  /**
   * A topic that this consumer reads was deleted: with `follow` it reads the others on, and waits for another of the
   * name, which it reads from its beginning.
   */
  readonly onTopicDeleted?: (topic: string) => void;
  /** These were taken away: nothing of them can be committed any more. Kafka: `onPartitionsLost`. */
  readonly onLost?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
}

export interface GroupOptions extends GroupListeners {
  /** Kafka: `group.id`. */
  readonly id: string;
  /** Of a static member: there is one of this name at a time (UNRELEASED_INSTANCE_ID). Kafka: `group.instance.id`. */
  readonly instanceId?: string;
  /** Begins the member's id, for people. Default `klog`. Kafka: `client.id`. */
  readonly clientId?: string;
  /** Default: the one that the group has, `range` for a new group. INCONSISTENT_GROUP_PROTOCOL if it has another. */
  readonly assignor?: AssignorName;
  /**
   * `auto` (default): what was handled is committed every {@link autoCommitIntervalMs}, before a partition is let go
   * of, and at the end. A record, or with `batches()` a batch, is handled when the next one is asked for. `none`: only
   * by `commit()`. Kafka: `enable.auto.commit`.
   */
  readonly commit?: 'auto' | 'none';
  /** Milliseconds, default 5000. Kafka: `auto.commit.interval.ms`. */
  readonly autoCommitIntervalMs?: number;
}

/**
 * `from` counts only for partitions without a committed offset, and where that is out of range. Partitions that come
 * later are read from their beginning. Without `follow` the consumer ends when its own partitions have come to the ends
 * found when it got them.
 */
export interface GroupConsumerOptions extends Omit<ConsumerOptions, 'topics' | 'order' | 'to'> {
  /** Whole topics. */
  readonly topics?: readonly string[];
  /** All topics whose whole name fits, also those made later; never internal ones. */
  readonly patterns?: readonly RegExp[];
  readonly group: GroupOptions;
}

export interface OffsetToCommit extends TopicPartition {
  /** Of the next record to be read. */
  readonly offset: number;
  /** Default empty. */
  readonly metadata?: string;
}

/** How a group stands, as far as this member has read. */
export interface GroupShare {
  readonly groupId: string;
  readonly memberId: string;
  readonly generation: number;
  readonly members: number;
  /** Partitions of the group in all. */
  readonly partitions: number;
  /** Of these, what this member is to have. */
  readonly assigned: number;
}

/**
 * Kafka: `KafkaConsumer` with `subscribe`. It joins the group at the first call that needs it, and leaves when it ends
 * or is closed. `assignment`, `position`, `seek`, `pause` are those of the partitions it owns.
 *
 * Iterating fails with UNKNOWN_MEMBER_ID when it was evicted, FENCED_INSTANCE_ID when another took its instance id:
 * then it commits nothing any more, and comes back only as another consumer. Without `follow` a consumer that never got
 * a partition ends with KLOG_NO_PARTITION.
 */
export interface GroupConsumer extends Consumer {
  /**
   * Commits, durably: `offsets`, or how far everything that was handed out goes, the record or batch in hand included.
   * OFFSET_OUT_OF_RANGE beyond what was handed out; UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION when the partition is not
   * this member's (any more).
   * Of a topic that was deleted nothing is committed, nor what was read of it for another of its name.
   */
  commit(offsets?: readonly OffsetToCommit[]): Promise<void>;
  /** What the group has committed of these, in their order; `undefined`: nothing. */
  committed(partitions: readonly TopicPartition[]): Promise<(OffsetToCommit | undefined)[]>;
  share(): Promise<GroupShare>;
}
