import { byText } from './member-order.js';
import type { PartitionTable } from './partition-table.js';
import type { PreviousOwners } from './previous-owners.js';
import type { StickyResult } from './sticky-result.js';

/**
 * The sticky assignment where all members subscribe to the same topics. Each ends with the same number of partitions,
 * or one more (`most`) where it does not come out even: first everyone keeps what it had up to that, then the
 * rest is dealt in a circle to those that have too few.
 *
 * @param memberIds in the order in which the ones that had too many are looked at
 */
export function assignEqually(
  memberIds: readonly string[],
  table: PartitionTable,
  { owned, doublyClaimed }: PreviousOwners,
): StickyResult {
  const fewest = Math.floor(table.size / memberIds.length);
  const most = Math.ceil(table.size / memberIds.length);
  const mayHaveOneMore = table.size % memberIds.length;
  let haveOneMore = 0;

  const assigned = new Map<string, number[]>();
  const unassigned = new Set(Array.from({ length: table.size }, (_, number) => number));
  const givenUpBy = new Map<number, string>();
  /** Below `fewest`; they are dealt to in a circle. */
  const wanting: string[] = [];
  /** At `fewest`, while there is one more for somebody. */
  let atFewest: string[] = [];

  for (const memberId of memberIds) {
    const own = (owned.get(memberId) ?? []).filter((number) => !doublyClaimed.has(number));
    own.sort((a, b) => table.partitionOf(a) - table.partitionOf(b) || byText(table.topicOf(a), table.topicOf(b)));
    let keeps = fewest;
    if (own.length < fewest) {
      wanting.push(memberId);
    } else if (own.length >= most && haveOneMore < mayHaveOneMore) {
      keeps = most;
      haveOneMore++;
      if (haveOneMore === mayHaveOneMore) atFewest = [];
    } else if (haveOneMore < mayHaveOneMore) {
      atFewest.push(memberId);
    }
    assigned.set(memberId, own.slice(0, keeps));
    for (const number of own.slice(0, keeps)) unassigned.delete(number);
    for (const number of own.slice(keeps)) givenUpBy.set(number, memberId);
  }

  wanting.sort(byText);
  atFewest.sort(byText);
  const moving = new Map<number, string>();
  let turn = 0;
  for (const number of unassigned) {
    if (turn >= wanting.length) turn = 0;
    const memberId = wanting[turn] ?? atFewest.shift();
    if (memberId === undefined) throw new TypeError('the quotas of the members do not add up to all partitions');
    const partitions = assigned.get(memberId)!;
    partitions.push(number);
    const before = givenUpBy.get(number);
    if ((before !== undefined && before !== memberId) || doublyClaimed.has(number)) moving.set(number, memberId);
    if (turn < wanting.length && partitions.length === fewest) {
      wanting.splice(turn, 1);
      atFewest.push(memberId);
    } else {
      turn++;
    }
  }
  return { assigned, moving };
}
