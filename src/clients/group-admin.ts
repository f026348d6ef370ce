import type { TopicPartition } from './client.js';

/**
 * `Stable`: every partition is with the member it is assigned to. `PreparingRebalance`: some still has to be let go of,
 * or a member has died and nobody has noted it yet. `Empty`: no member lives.
 */
export type GroupStateName = 'Empty' | 'Stable' | 'PreparingRebalance';

/** Kafka: `ConsumerGroupListing`. */
export interface GroupListing {
  readonly groupId: string;
  readonly state: GroupStateName;
  /** `consumer`; empty: the group has only offsets. */
  readonly protocolType: string;
  /** Those that live. */
  readonly members: number;
}

/** Kafka: `MemberDescription`. */
export interface GroupMemberDescription {
  readonly memberId: string;
  /** Of a static member; null otherwise. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly host: string;
  /** -1: unknown. */
  readonly pid: number;
  /**
   * `stalled`: its process is stopped, and what it holds is held up; `unknown`: somebody has removed its lock file, so
   * nobody can tell. `klog group evict` ends both.
   */
  readonly state: 'alive' | 'stalled' | 'dead' | 'unknown';
  readonly topics: readonly string[];
  /** What it is to read. */
  readonly assigned: readonly TopicPartition[];
  /** What it has not let go of. */
  readonly held: readonly TopicPartition[];
}

/** What a group has committed of a partition, and what remains. What is not known is -1. */
export interface GroupOffset extends TopicPartition {
  /** The offset of the next record to be read. -1: nothing is committed. */
  readonly committedOffset: number;
  readonly leaderEpoch: number;
  /** Empty: none. */
  readonly metadata: string;
  /** Milliseconds. */
  readonly commitTimestamp: number;
  readonly logStartOffset: number;
  /** Readers may see what is below it. */
  readonly logEndOffset: number;
  /**
   * Offsets that remain to be read: from the log's start where nothing is committed. -1: there is no such partition.
   */
  readonly lag: number;
  /** Milliseconds since the next record was written; 0: none remains. */
  readonly lagMs: number;
  /** The member it is assigned to; null: none. */
  readonly memberId: string | null;
}

/** Kafka: `ConsumerGroupDescription`, with the offsets beside it. */
export interface GroupDescription extends GroupListing {
  /** -1: it never had a member. */
  readonly generation: number;
  /** The assignor; null without members. */
  readonly protocol: string | null;
  readonly memberDetails: readonly GroupMemberDescription[];
  /** Everything committed or assigned, by topic and partition. */
  readonly offsets: readonly GroupOffset[];
}

/** Kafka: `OffsetAndMetadata`. */
export interface NewGroupOffset extends TopicPartition {
  /** Of the next record to be read, between 0 and the log's end. */
  readonly offset: number;
  /** Default empty. */
  readonly metadata?: string;
  /** Only if the group has committed this now, -1: nothing. Default: whatever it has. */
  readonly replaces?: number;
  /** Only of the topic with this id. Default: the one that has the name now. */
  readonly topicId?: string | undefined;
}

export interface ChangeGroupOptions {
  /**
   * Although members own what is to be changed: they go on where they are, and what they commit next counts. Default
   * false.
   */
  readonly force?: boolean;
  /** Checks, and changes nothing. Default false. */
  readonly validateOnly?: boolean;
}

export interface CopyGroupOptions extends ChangeGroupOptions {
  /** Default all that the group has offsets of. */
  readonly topics?: readonly string[];
}

/**
 * Groups from outside. Every change is decided on the group as it is at that moment, not as it was when it was looked
 * at. INVALID_GROUP_ID.
 */
export interface GroupAdmin {
  /** By id. Kafka: `listConsumerGroups`. */
  listGroups(): Promise<GroupListing[]>;
  /** In the order of the ids. GROUP_ID_NOT_FOUND. Kafka: `describeConsumerGroups`, `listConsumerGroupOffsets`. */
  describeGroups(groupIds: readonly string[]): Promise<GroupDescription[]>;
  /**
   * Commits these offsets for the group, all or none; a group that does not exist begins with them. NON_EMPTY_GROUP: a
   * member owns one of the partitions. KLOG_CONFLICT: `replaces` or `topicId` does not hold.
   * UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE. Kafka: `alterConsumerGroupOffsets`.
   */
  alterGroupOffsets(groupId: string, offsets: readonly NewGroupOffset[], options?: ChangeGroupOptions): Promise<void>;
  /**
   * With everything it has committed. GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP; with `force` its members are evicted. Kafka:
   * `deleteConsumerGroups`.
   */
  deleteGroup(groupId: string, options?: ChangeGroupOptions): Promise<void>;
  /**
   * Answers those that had one. GROUP_ID_NOT_FOUND, GROUP_SUBSCRIBED_TO_TOPIC: a member owns one of them. Kafka:
   * `deleteConsumerGroupOffsets`.
   */
  deleteGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options?: ChangeGroupOptions,
  ): Promise<TopicPartition[]>;
  /**
   * Commits for `to` what `from` has committed, and answers that. What else `to` has stays. GROUP_ID_NOT_FOUND,
   * NON_EMPTY_GROUP.
   */
  copyGroup(from: string, to: string, options?: CopyGroupOptions): Promise<NewGroupOffset[]>;
  /**
   * Ends the membership of a member, by its id or instance id, dead or alive: it can commit nothing any more, and
   * others get its partitions. Answers its id. GROUP_ID_NOT_FOUND, KLOG_NOT_FOUND. Kafka:
   * `removeMembersFromConsumerGroup`.
   */
  evictGroupMember(groupId: string, member: string, options?: { readonly validateOnly?: boolean }): Promise<string>;
}
