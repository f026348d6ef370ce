/** Releasing and committing: what a member may say of the partitions it holds. */
import { KlogError } from '../../errors.js';
import type { GroupState, MemberState } from '../group-state.js';
import type { PartitionSet, TopicPartition } from '../partition-set.js';
import { memberOf, withMember } from './membership.js';

export interface Committer {
  readonly groupId: string;
  readonly memberId: string;
  readonly instanceId: string | null;
}

/**
 * A commit counts if the member holds the partition, whatever generation it has seen: that somebody joins must not
 * refuse what was handled, and so have it handled twice. @throws KlogError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID,
 * ILLEGAL_GENERATION
 */
export function checkCommit(
  state: GroupState,
  committer: Committer,
  partitions: Iterable<TopicPartition>,
): MemberState {
  const { groupId, memberId, instanceId } = committer;
  const member = memberOf(state, groupId, memberId, instanceId);
  for (const partition of partitions) if (!member.held.has(partition)) throw notHeld(committer, partition);
  return member;
}

/** Lets go of what is to be others'; what has become the member's own again meanwhile it keeps. */
export function release(state: GroupState, committer: Committer, partitions: PartitionSet): GroupState | undefined {
  const { groupId, memberId, instanceId } = committer;
  const member = memberOf(state, groupId, memberId, instanceId);
  const released = partitions.and(member.held).without(member.assigned);
  if (released.size === 0) return undefined;
  return withMember(state, { ...member, held: member.held.without(released) });
}

function notHeld({ groupId, memberId }: Committer, { topic, partition }: TopicPartition): KlogError {
  const message = `${topic}:${partition} is not with ${memberId} of group '${groupId}' any more`;
  return new KlogError('ILLEGAL_GENERATION', message, { topic, partition });
}
