/** Assignments of partitions to the members of a group, before and after a change of members. */
import type { TopicPartitions } from '../../src/format/coordinator/consumer-protocol.js';
import type { GroupSubscription } from '../../src/groups/assignors/assignor.js';
import { ASSIGNORS, type AssignorName } from '../../src/groups/assignors/assignors.js';
import type { ValueCheck } from './value-lists.js';

type Subscriptions = Record<string, string[]>;
type Pairs = Record<string, [string, number][]>;

interface Assignments {
  vectors: {
    assignor: AssignorName;
    topics: Record<string, number>;
    members: [Subscriptions, Subscriptions];
    first: Pairs;
    second: Pairs;
  }[];
}

export function runAssignors({ vectors }: Assignments, check: ValueCheck): void {
  for (const { assignor, topics, members, first, second } of vectors) {
    const counts = new Map(Object.entries(topics));
    const title = `${assignor} of ${JSON.stringify(topics)}`;
    const before = ASSIGNORS[assignor](subscriptionsOf(members[0], {}), counts);
    check.equal(`${title} to ${Object.keys(members[0])}`, first, pairsOf(before));
    const after = ASSIGNORS[assignor](subscriptionsOf(members[1], first), counts);
    check.equal(`${title} to ${Object.keys(members[1])} then`, second, pairsOf(after));
  }
}

function subscriptionsOf(members: Subscriptions, owned: Pairs): GroupSubscription[] {
  return Object.entries(members).map(([memberId, topics]) => ({
    memberId,
    groupInstanceId: null,
    topics,
    ownedPartitions: (owned[memberId] ?? []).map(([topic, partition]) => ({ topic, partitions: [partition] })),
    generationId: 1,
  }));
}

function pairsOf(assigned: ReadonlyMap<string, readonly TopicPartitions[]>): Pairs {
  const pairs = [...assigned].map(([memberId, owned]) => [
    memberId,
    owned.flatMap(({ topic, partitions }) => partitions.map((partition) => [topic, partition])),
  ]);
  return Object.fromEntries(pairs) as Pairs;
}
