/** Coming and going: join, leave, evict, and what a member says of itself. */
import { KlogError } from '../../errors.js';
import type { GroupState, MemberState } from '../group-state.js';
import { PartitionSet } from '../partition-set.js';
import { nextGeneration, type PartitionCounts, type RebalanceFacts, withoutDead } from './rebalance.js';

export interface JoiningMember extends Omit<MemberState, 'assigned' | 'held'> {
  /** `undefined`: whatever the group has, `range` if it is new. */
  readonly assignor: string | undefined;
}

const DEFAULT_ASSIGNOR = 'range';

/** Only the joiner adds itself: a held lock makes nobody a member, or an evicted one would come back. */
export function join(state: GroupState, joining: JoiningMember, facts: RebalanceFacts): GroupState {
  const { assignor, ...member } = joining;
  const living = withoutDead(state, facts);
  const before = withInstance(living, member.instanceId);
  if (before !== undefined) throw unreleased(before);
  const protocol = protocolFor(living, assignor);
  // A static member that comes back begins with what it had, for assignors that look at it.
  const assigned = withInstance(state, member.instanceId)?.assigned ?? PartitionSet.empty;
  const members = new Map(living.members).set(member.memberId, { ...member, assigned, held: PartitionSet.empty });
  return nextGeneration({ ...living, protocol, members }, facts.counts);
}

/** Nothing if it is a member no more. */
export function leave(state: GroupState, memberId: string, facts: RebalanceFacts): GroupState | undefined {
  if (!state.members.has(memberId)) return undefined;
  const members = new Map(withoutDead(state, facts).members);
  members.delete(memberId);
  return nextGeneration({ ...state, members }, facts.counts);
}

/** Whether it lives or not. @throws KlogError KLOG_NOT_FOUND */
export function evict(state: GroupState, name: string, counts: PartitionCounts): GroupState {
  const found = state.members.get(name) ?? withInstance(state, name);
  if (found === undefined) {
    const names = [...state.members.keys()].join(', ');
    throw new KlogError('KLOG_NOT_FOUND', `the group has no member ${name}`, {
      hint: names === '' ? 'It has no members' : `Its members are ${names}`,
    });
  }
  const members = new Map(state.members);
  members.delete(found.memberId);
  return nextGeneration({ ...state, members }, counts);
}

/** The member has another lock file. @throws KlogError UNKNOWN_MEMBER_ID */
export function moveLock(state: GroupState, groupId: string, memberId: string, inode: number): GroupState {
  const member = memberOf(state, groupId, memberId);
  if (member.place === undefined) throw notMember(groupId, memberId);
  return withMember(state, { ...member, place: { ...member.place, inode } });
}

/** The member wants other topics. @throws KlogError UNKNOWN_MEMBER_ID */
export function subscribe(
  state: GroupState,
  groupId: string,
  memberId: string,
  topics: readonly string[],
  facts: RebalanceFacts,
): GroupState {
  const member = memberOf(state, groupId, memberId);
  return nextGeneration(withMember(withoutDead(state, facts), { ...member, topics }), facts.counts);
}

/** @throws KlogError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID */
export function memberOf(
  state: GroupState,
  groupId: string,
  memberId: string,
  instanceId?: string | null,
): MemberState {
  const member = state.members.get(memberId);
  if (member !== undefined) return member;
  throw notMember(groupId, memberId, withInstance(state, instanceId ?? null)?.memberId);
}

export function notMember(groupId: string, memberId: string, successor?: string): KlogError {
  if (successor !== undefined) {
    const message = `${memberId} is no member of group '${groupId}' any more: ${successor} has taken its instance id`;
    return new KlogError('FENCED_INSTANCE_ID', message);
  }
  return new KlogError('UNKNOWN_MEMBER_ID', `${memberId} is no member of group '${groupId}' any more: it was evicted`, {
    hint: 'Start it again: it joins as a new member, and goes on at what is committed',
  });
}

export function withMember(state: GroupState, member: MemberState): GroupState {
  return { ...state, members: new Map(state.members).set(member.memberId, member) };
}

function withInstance(state: GroupState, instanceId: string | null): MemberState | undefined {
  if (instanceId === null) return undefined;
  return [...state.members.values()].find((member) => member.instanceId === instanceId);
}

function protocolFor({ members, protocol }: GroupState, wanted: string | undefined): string {
  const current = members.size === 0 ? null : protocol;
  if (current !== null && wanted !== undefined && wanted !== current) {
    const message = `the group shares its partitions out by ${current}, and the new member wants ${wanted}`;
    throw new KlogError('INCONSISTENT_GROUP_PROTOCOL', message, { hint: 'All members of a group use one assignor' });
  }
  return current ?? wanted ?? DEFAULT_ASSIGNOR;
}

function unreleased({ memberId, instanceId, place }: MemberState): KlogError {
  const where = place === undefined ? '' : ` (process ${place.pid})`;
  return new KlogError('UNRELEASED_INSTANCE_ID', `${memberId}${where} is the group's member ${instanceId}, and lives`, {
    hint: 'End it first; `klog group evict` ends one that hangs',
  });
}
