/**
 * Decisions are pure: the group as its last record says, and what the decider knows → the group as the next record is
 * to say, or `undefined`: nothing has to be said. They are taken under the append lock (group-log.ts), so nothing lies
 * between the two.
 */
import type { Assignor } from '../assignors/assignor.js';
import { ASSIGNORS } from '../assignors/assignors.js';
import type { GroupState, MemberState } from '../group-state.js';
import { PartitionSet } from '../partition-set.js';

/**
 * How many partitions each topic has; a topic that does not exist has none, and one that was not looked up is not in
 * it.
 */
export type PartitionCounts = ReadonlyMap<string, number>;

/**
 * Members whose locks were found free, by id, with the inode of the file: proof only while the record names the same.
 */
export type FreeLocks = ReadonlyMap<string, number>;

/** Where the decider itself lives: who lived in another boot or directory is dead. */
export interface Here {
  readonly pid: number;
  readonly bootId: string;
  readonly directory: string;
}

export interface RebalanceFacts {
  readonly here: Here;
  readonly freeLocks: FreeLocks;
  readonly counts: PartitionCounts;
}

/** Without the dead, over all partitions there are. Nothing if another was quicker. */
export function rebalance(state: GroupState, facts: RebalanceFacts): GroupState | undefined {
  const living = withoutDead(state, facts);
  if (living.members.size === state.members.size && !isOutdated(state, facts.counts)) return undefined;
  return nextGeneration(living, facts.counts);
}

export function withoutDead(state: GroupState, facts: Pick<RebalanceFacts, 'here' | 'freeLocks'>): GroupState {
  const living = [...state.members].filter(([, member]) => !isDead(member, facts));
  return living.length === state.members.size ? state : { ...state, members: new Map(living) };
}

/**
 * A free lock proves death only if the record names the very file it is the lock of: whoever lives and has lost its
 * file makes another one and says so.
 */
export function isDead(
  { memberId, place }: MemberState,
  { here, freeLocks }: Pick<RebalanceFacts, 'here' | 'freeLocks'>,
) {
  if (place === undefined || place.bootId !== here.bootId || place.directory !== here.directory) return true;
  return freeLocks.get(memberId) === place.inode;
}

/** Whether the assignment does not cover just the partitions there are of the topics that members want. */
export function isOutdated(state: GroupState, counts: PartitionCounts): boolean {
  if (state.members.size === 0) return false;
  const covered = new Map<string, number>();
  // Nothing is assigned to two.
  for (const { assigned } of state.members.values()) assigned.countInto(covered);
  for (const topic of topicsOf(state)) {
    if ((covered.get(topic) ?? 0) !== (counts.get(topic) ?? 0)) return true;
    covered.delete(topic);
  }
  return [...covered.values()].some((partitions) => partitions > 0);
}

export function topicsOf(state: GroupState): Set<string> {
  const all = new Set<string>();
  for (const { topics } of state.members.values()) for (const topic of topics) all.add(topic);
  return all;
}

/** The topics that a decision needs to know and were not looked up. */
export function unknownTopics(state: GroupState, counts: PartitionCounts): string[] {
  return [...topicsOf(state)].filter((topic) => !counts.has(topic));
}

/** A new assignment for the members there are. Whoever is assigned a partition holds it, too, until it releases it. */
export function nextGeneration(state: GroupState, counts: PartitionCounts): GroupState {
  const generation = state.generation + 1;
  if (state.members.size === 0) return { generation, protocol: null, members: new Map() };
  const subscriptions = [...state.members.values()].map(({ memberId, instanceId, topics, assigned }) => ({
    memberId,
    groupInstanceId: instanceId,
    topics,
    ownedPartitions: assigned.grouped(),
    generationId: state.generation,
  }));
  const assignment = assignorOf(state.protocol)(subscriptions, counts);
  const members = new Map<string, MemberState>();
  for (const [memberId, member] of state.members) {
    const assigned = PartitionSet.from(assignment.get(memberId) ?? []);
    members.set(memberId, { ...member, assigned, held: member.held.union(assigned) });
  }
  return { ...state, generation, members };
}

/**
 * The record names who holds a partition beside who is to have it, so what moves waits for its release whatever the
 * assignor: the round in which the cooperative one assigns it to nobody is not needed.
 */
function assignorOf(protocol: string | null): Assignor {
  if (protocol === 'cooperative-sticky') return ASSIGNORS.sticky;
  return ASSIGNORS[protocol as keyof typeof ASSIGNORS] ?? ASSIGNORS.range;
}
