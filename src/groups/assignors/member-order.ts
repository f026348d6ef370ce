/** The orders in which Kafka's assignors take the members of a group. */
import { javaStringHash } from '../../format/coordinator/group-partition.js';
import type { GroupSubscription } from './assignor.js';

/** By UTF-16 units, as Java compares texts. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Static members first, by their instance id; the others by member id. */
export function staticFirst(members: readonly GroupSubscription[]): GroupSubscription[] {
  return members.toSorted((a, b) => {
    if (a.groupInstanceId !== null && b.groupInstanceId !== null) return byText(a.groupInstanceId, b.groupInstanceId);
    if (a.groupInstanceId !== null) return -1;
    if (b.groupInstanceId !== null) return 1;
    return byText(a.memberId, b.memberId);
  });
}

const SMALLEST_TABLE = 16;
const LOAD_FACTOR = 0.75;

/**
 * As a Java hash map of their ids walks through them. Where more members than may are at their limit it is the first in
 * this order that keep what they have: another order is as good an answer, but not Kafka's. In a bucket Java has them
 * as they came, which nobody can know from a group's records: by id.
 */
export function inHashOrder(members: readonly GroupSubscription[]): GroupSubscription[] {
  const mask = hashTableSize(members.length) - 1;
  const bucketOf = ({ memberId }: GroupSubscription) => spread(javaStringHash(memberId)) & mask;
  return members.toSorted((a, b) => bucketOf(a) - bucketOf(b) || byText(a.memberId, b.memberId));
}

/** The one that a Java hash set of partitions would name first. */
export function firstInHashOrder<T>(items: Iterable<T>, count: number, hashOf: (item: T) => number): T {
  const mask = hashTableSize(count) - 1;
  let first: { item: T; bucket: number } | undefined;
  for (const item of items) {
    const bucket = spread(hashOf(item)) & mask;
    if (first === undefined || bucket < first.bucket) first = { item, bucket };
  }
  if (first === undefined) throw new TypeError('there is no first of none');
  return first.item;
}

function hashTableSize(entries: number): number {
  let size = SMALLEST_TABLE;
  while (entries > size * LOAD_FACTOR) size *= 2;
  return size;
}

/** A hash map mixes the high half of a hash into the low one. */
function spread(hash: number): number {
  return hash ^ (hash >>> 16);
}
