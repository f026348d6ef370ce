import type { Assignor } from './assignor.js';
import { staticFirst } from './member-order.js';
import { PartitionTable } from './partition-table.js';

/** All partitions, by topic and number, are dealt in a circle; who does not subscribe to the topic is passed over. */
export const assignRoundRobin: Assignor = (members, partitionCounts) => {
  const table = new PartitionTable(
    members.flatMap(({ topics }) => topics),
    partitionCounts,
  );
  const assigned = new Map(members.map(({ memberId }) => [memberId, [] as number[]]));
  const circle = staticFirst(members);
  let turn = 0;
  for (let number = 0; number < table.size; number++) {
    const topic = table.topicOf(number);
    // Every topic in the table has a subscriber: this ends.
    while (!circle[turn]!.topics.includes(topic)) turn = (turn + 1) % circle.length;
    assigned.get(circle[turn]!.memberId)!.push(number);
    turn = (turn + 1) % circle.length;
  }
  return new Map([...assigned].map(([memberId, partitions]) => [memberId, table.grouped(partitions)]));
};
