import { expect, it } from 'vitest';
import type { GroupDecision, GroupLog } from '../../src/groups/group-log.js';
import { type GroupState, type MemberState, NO_GROUP } from '../../src/groups/group-state.js';
import { CountedDecisions } from '../../src/groups/partition-counts.js';
import { PartitionSet } from '../../src/groups/partition-set.js';

function wanting(topics: readonly string[]): GroupState {
  const nothing = { place: undefined, assigned: PartitionSet.empty, held: PartitionSet.empty };
  const names = { memberId: 'm', instanceId: null, clientId: 'c', clientHost: 'h' };
  const member: MemberState = { ...names, topics, ...nothing };
  return { ...NO_GROUP, members: new Map([['m', member]]) };
}

it('a decision goes by what is, not by what was when the group last wanted the topic', async () => {
  const counts = new Map([
    ['t', 3],
    ['u', 1],
  ]);
  const topics = {
    partitionCounts: async (names: Iterable<string>) =>
      new Map([...names].map((name) => [name, counts.get(name) ?? 0])),
    names: async () => [],
    ids: async () => new Map(),
  };
  let read = wanting(['t']);
  let latest = read;
  const log = {
    state: () => read,
    decide: async (_: string, decide: GroupDecision) => {
      decide({ state: latest, committed: () => undefined, allCommitted: () => [], hasCommitsOf: () => false });
      return undefined;
    },
  } as Partial<GroupLog> as GroupLog;
  const decisions = new CountedDecisions(log, topics, 'g');
  const taken: (number | undefined)[] = [];
  const decide = () =>
    decisions.decide([], (_, known) => {
      taken.push(known.get('t'));
      return undefined;
    });
  await decide();
  counts.set('t', 6);
  read = wanting(['u']);
  // Somebody wants it again, and this process has not read that yet.
  latest = wanting(['t', 'u']);
  const used = await decide();
  expect(taken).toEqual([3, 6]);
  expect([...used].sort()).toEqual([
    ['t', 6],
    ['u', 1],
  ]);
});
