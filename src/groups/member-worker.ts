import type { OffsetCommit } from '../format/coordinator/offset-commit.js';
import type { TopicPartition } from './partition-set.js';

export interface StartedPartition extends TopicPartition {
  /** Of the topic that `offset` is of: no other is to be read from there. `undefined`: it was deleted meanwhile. */
  readonly topicId: string | undefined;
  /** Where to begin; `undefined`: nothing is committed. */
  readonly offset: number | undefined;
  /** It came when the group was reading its topic already: everything in it is to be read. */
  readonly isNew: boolean;
}

/**
 * What a member has handled of a partition. It counts only for the topic it was read from, not for another of its name.
 */
export interface MemberCommit extends TopicPartition {
  /** `undefined`: it is not being read. */
  readonly topicId: string | undefined;
  readonly commit: OffsetCommit;
}

export interface StoppedPartition extends TopicPartition {
  /** How far it was handled; where it goes on if it is the member's again at once. */
  readonly position: number;
  /** What is to be committed with the release; absent: nothing. */
  readonly commit?: MemberCommit | undefined;
}

/** Who reads for a member. All calls are waited for; one that fails ends the member. */
export interface MemberWorker {
  /**
   * Answers where it begins, if the group shall begin there again should nothing be handled. What is of a topic that
   * has been deleted it leaves: that is stopped soon.
   */
  start(partitions: readonly StartedPartition[]): Promise<readonly MemberCommit[]>;
  /** Resolves when nothing of these is in hand any more. */
  stop(partitions: readonly TopicPartition[]): Promise<readonly StoppedPartition[]>;
  /** These topics were deleted; what was read of them is about to be stopped. Others may have their names by now. */
  deleted?(topics: readonly string[]): void;
  /** The member is none any more: nothing of these may be begun or committed. */
  lost(partitions: readonly TopicPartition[], error: unknown): void;
}
