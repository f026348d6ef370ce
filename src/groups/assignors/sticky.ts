import type { Assignor, GroupSubscription } from './assignor.js';
import { inHashOrder } from './member-order.js';
import { PartitionTable } from './partition-table.js';
import { previousOwners } from './previous-owners.js';
import { assignEqually } from './sticky-equal.js';
import { GeneralStickyAssignment } from './sticky-general.js';
import type { StickyResult } from './sticky-result.js';

/** As balanced as the subscriptions allow, moving as little as possible. */
export const assignSticky: Assignor = (members, partitionCounts) => {
  const table = tableOf(members, partitionCounts);
  return resultOf(members, table, assign(members, table).assigned);
};

/**
 * The same, but what has to move is assigned to nobody at first: in the next round, when its owner has let go of it.
 */
export const assignCooperativeSticky: Assignor = (members, partitionCounts) => {
  const table = tableOf(members, partitionCounts);
  const { assigned, moving } = assign(members, table);
  for (const [number, memberId] of moving) {
    const partitions = assigned.get(memberId)!;
    partitions.splice(partitions.indexOf(number), 1);
  }
  return resultOf(members, table, assigned);
};

function tableOf(members: readonly GroupSubscription[], partitionCounts: ReadonlyMap<string, number>): PartitionTable {
  return new PartitionTable(
    members.flatMap(({ topics }) => topics),
    partitionCounts,
  );
}

function assign(members: readonly GroupSubscription[], table: PartitionTable): StickyResult {
  if (members.length === 0) return { assigned: new Map(), moving: new Map() };
  const inOrder = inHashOrder(members);
  const previous = previousOwners(inOrder, table);
  if (haveSameTopics(inOrder)) {
    const memberIds = inOrder.map(({ memberId }) => memberId);
    return assignEqually(memberIds, table, previous);
  }
  const assigned = new GeneralStickyAssignment(inOrder, table, previous).assign();
  return { assigned, moving: movingIn(assigned, inOrder, table) };
}

function haveSameTopics(members: readonly GroupSubscription[]): boolean {
  const [first, ...others] = members.map(({ topics }) => new Set(topics));
  return others.every((topics) => topics.size === first!.size && [...topics].every((topic) => first!.has(topic)));
}

/** What somebody is assigned that it has not had, and somebody else has. */
function movingIn(
  assigned: ReadonlyMap<string, readonly number[]>,
  members: readonly GroupSubscription[],
  table: PartitionTable,
): Map<number, string> {
  const gained = new Map<number, string>();
  const lost = new Set<number>();
  for (const { memberId, ownedPartitions } of members) {
    const had = new Set(table.numbersOf(ownedPartitions));
    const has = new Set(assigned.get(memberId)!);
    for (const number of has) if (!had.has(number)) gained.set(number, memberId);
    for (const number of had) if (!has.has(number)) lost.add(number);
  }
  return new Map([...gained].filter(([number]) => lost.has(number)));
}

function resultOf(
  members: readonly GroupSubscription[],
  table: PartitionTable,
  assigned: ReadonlyMap<string, readonly number[]>,
): ReturnType<Assignor> {
  return new Map(members.map(({ memberId }) => [memberId, table.grouped(assigned.get(memberId)!)]));
}
