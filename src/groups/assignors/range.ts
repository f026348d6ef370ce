import type { Assignor } from './assignor.js';
import { staticFirst } from './member-order.js';
import { PartitionTable } from './partition-table.js';

/**
 * Topic by topic: its subscribers in order get contiguous parts of the same size, the first ones one partition more
 * where it does not come out even. So partitions of the same number in topics of the same size go to the same member.
 */
export const assignRange: Assignor = (members, partitionCounts) => {
  const table = new PartitionTable(
    members.flatMap(({ topics }) => topics),
    partitionCounts,
  );
  const assigned = new Map(members.map(({ memberId }) => [memberId, [] as number[]]));
  const sorted = staticFirst(members);
  for (const topic of table.topics) {
    const partitions = table.ofTopic(topic);
    const subscribers = sorted.filter(({ topics }) => topics.includes(topic));
    const share = Math.floor(partitions.length / subscribers.length);
    const withOneMore = partitions.length % subscribers.length;
    let start = 0;
    for (const [index, { memberId }] of subscribers.entries()) {
      const end = start + share + (index < withOneMore ? 1 : 0);
      assigned.get(memberId)!.push(...partitions.slice(start, end));
      start = end;
    }
  }
  return new Map([...assigned].map(([memberId, partitions]) => [memberId, table.grouped(partitions)]));
};
