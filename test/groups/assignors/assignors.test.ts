import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TopicPartitions } from '../../../src/format/coordinator/consumer-protocol.js';
import type { Assignor, GroupSubscription } from '../../../src/groups/assignors/assignor.js';
import { ASSIGNOR_NAMES, ASSIGNORS } from '../../../src/groups/assignors/assignors.js';

function member(memberId: string, topics: string[], more: Partial<GroupSubscription> = {}): GroupSubscription {
  return { memberId, groupInstanceId: null, topics, ownedPartitions: [], generationId: 1, ...more };
}

const owning = (...partitions: number[]): Partial<GroupSubscription> => ({
  ownedPartitions: [{ topic: 't', partitions }],
});

function namesOf(owned: readonly TopicPartitions[]): string[] {
  return owned.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}-${partition}`));
}

function run(assign: Assignor, members: GroupSubscription[], counts: Record<string, number>): Record<string, string[]> {
  const assigned = assign(members, new Map(Object.entries(counts)));
  return Object.fromEntries([...assigned].map(([memberId, owned]) => [memberId, namesOf(owned)]));
}

const TOPICS = ['a', 'b', 'c'];
const counts = fc.record({ a: fc.nat(6), b: fc.nat(6), c: fc.nat(6) });
const groups = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 6 }).chain((ids) =>
  fc.tuple(
    ...ids.map((memberId) =>
      fc.record({
        memberId: fc.constant(memberId),
        groupInstanceId: fc.constant(null),
        topics: fc.subarray(TOPICS),
        // Claims may contradict each other, and name partitions that are not there.
        ownedPartitions: fc.array(
          fc.record({ topic: fc.constantFrom(...TOPICS, 'gone'), partitions: fc.uniqueArray(fc.nat(7)) }),
          { maxLength: 2 },
        ),
        generationId: fc.integer({ min: -1, max: 2 }),
      }),
    ),
  ),
) as fc.Arbitrary<GroupSubscription[]>;

/** Partitions that somebody subscribes to. */
function subscribed(members: readonly GroupSubscription[], sizes: Record<string, number>): string[] {
  return TOPICS.filter((topic) => members.some(({ topics }) => topics.includes(topic))).flatMap((topic) =>
    Array.from({ length: sizes[topic]! }, (_, partition) => `${topic}-${partition}`),
  );
}

/** The group again, each with what it was assigned. */
function nextRound(members: readonly GroupSubscription[], assigned: Map<string, TopicPartitions[]>, generation = 3) {
  return members.map((each) => ({
    ...each,
    ownedPartitions: assigned.get(each.memberId)!,
    generationId: generation,
  }));
}

describe.each(ASSIGNOR_NAMES)('the %s assignor', (name) => {
  const assign = ASSIGNORS[name];

  it('gives each partition to one subscriber at most, and but for the cooperative one to one exactly', () => {
    fc.assert(
      fc.property(groups, counts, (members, sizes) => {
        const assigned = run(assign, members, sizes);
        expect(Object.keys(assigned)).toEqual(members.map(({ memberId }) => memberId));
        const all = Object.values(assigned).flat();
        expect(new Set(all).size).toBe(all.length);
        for (const { memberId, topics } of members) {
          for (const partition of assigned[memberId]!) expect(topics).toContain(partition.split('-')[0]);
        }
        if (name !== 'cooperative-sticky') expect(all.sort()).toEqual(subscribed(members, sizes).sort());
      }),
    );
  });

  it('answers the same, whatever the order of the members', () => {
    fc.assert(
      fc.property(groups, counts, (members, sizes) => {
        const once = run(assign, members, sizes);
        expect(run(assign, members.toReversed(), sizes)).toEqual(once);
      }),
    );
  });

  it('of nobody, or of no topics, is nothing', () => {
    expect(run(assign, [], { t: 3 })).toEqual({});
    expect(run(assign, [member('m', [])], { t: 3 })).toEqual({ m: [] });
    expect(run(assign, [member('m', ['gone'])], { t: 3 })).toEqual({ m: [] });
  });
});

describe('the eager and simple assignors', () => {
  it('take static members first, by instance id', () => {
    const members = [
      member('a', ['t']),
      member('b', ['t'], { groupInstanceId: 'z' }),
      member('c', ['t'], { groupInstanceId: 'y' }),
    ];
    expect(run(ASSIGNORS.range, members, { t: 4 })).toEqual({ c: ['t-0', 't-1'], b: ['t-2'], a: ['t-3'] });
    expect(run(ASSIGNORS.roundrobin, members, { t: 4 })).toEqual({ c: ['t-0', 't-3'], b: ['t-1'], a: ['t-2'] });
  });
});

describe.each(['sticky', 'cooperative-sticky'] as const)('%s', (name) => {
  const assign = ASSIGNORS[name];

  it('changes nothing when nothing has changed', () => {
    fc.assert(
      fc.property(groups, counts, (members, sizes) => {
        const sizesByTopic = new Map(Object.entries(sizes));
        // Once to solve the contradictions, once to give what had to move.
        let round = nextRound(members, assign(members, sizesByTopic));
        round = nextRound(round, assign(round, sizesByTopic));
        const settled = assign(round, sizesByTopic);
        expect(assign(nextRound(round, settled), sizesByTopic)).toEqual(settled);
      }),
    );
  });

  it('is as balanced as one partition can make it where all subscribe to the same', () => {
    fc.assert(
      fc.property(groups, counts, (members, sizes) => {
        const sizesByTopic = new Map(Object.entries(sizes));
        const all = members.map((each) => ({ ...each, topics: TOPICS }));
        const settled = assign(nextRound(all, assign(all, sizesByTopic)), sizesByTopic);
        const loads = [...settled.values()].map((owned) => namesOf(owned).length);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        expect(loads.reduce((sum, load) => sum + load)).toBe(subscribed(all, sizes).length);
      }),
    );
  });

  it('lets nobody keep what two of the same generation claim, and the later one of two generations', () => {
    const same = [member('a', ['t'], owning(0, 1)), member('b', ['t'], owning(1))];
    expect(run(assign, same, { t: 2 })).toEqual(name === 'sticky' ? { a: ['t-0'], b: ['t-1'] } : { a: ['t-0'], b: [] });
    const later = [member('a', ['t'], owning(0, 1)), member('b', ['t'], { ...owning(1), generationId: 2 })];
    expect(run(assign, later, { t: 2 })).toEqual({ a: ['t-0'], b: ['t-1'] });
  });
});

describe('the cooperative assignor', () => {
  it('gives nobody what another one still has', () => {
    fc.assert(
      fc.property(groups, counts, (members, sizes) => {
        const sizesByTopic = new Map(Object.entries(sizes));
        const [newcomer, ...others] = members;
        const before = ASSIGNORS['cooperative-sticky'](others, sizesByTopic);
        const settled = nextRound(others, ASSIGNORS['cooperative-sticky'](nextRound(others, before), sizesByTopic));
        const round = [...settled, { ...newcomer!, ownedPartitions: [], generationId: -1 }];
        const after = ASSIGNORS['cooperative-sticky'](round, sizesByTopic);
        for (const { memberId, ownedPartitions } of round) {
          for (const partition of namesOf(ownedPartitions)) {
            for (const [other, owned] of after) if (other !== memberId) expect(namesOf(owned)).not.toContain(partition);
          }
        }
      }),
    );
  });
});

describe('where more members than may have one partition more', () => {
  it('those keep it that a Java hash map names first', () => {
    const members = [
      member('c', ['t'], owning(0, 1, 2, 3)),
      member('b', ['t'], owning(4, 5, 6, 7)),
      member('q', ['t'], owning(8, 9, 10)),
      member('r', ['t']),
    ];
    // Of sixteen buckets q is in 113 & 15 = 1, b in 2, c in 3. Of eleven partitions three members may have three.
    const assigned = run(ASSIGNORS.sticky, members, { t: 11 });
    expect(assigned).toEqual({
      q: ['t-8', 't-9', 't-10'],
      b: ['t-4', 't-5', 't-6'],
      c: ['t-0', 't-1', 't-2'],
      r: ['t-3', 't-7'],
    });
    // Ten: two may have three, the ones that come first.
    expect(run(ASSIGNORS.sticky, members, { t: 10 })).toEqual({
      q: ['t-8', 't-9'],
      b: ['t-4', 't-5', 't-6'],
      c: ['t-0', 't-1', 't-2'],
      r: ['t-3', 't-7'],
    });
    // Nine: one may have three.
    expect(run(ASSIGNORS.sticky, members, { t: 9 })).toMatchObject({ b: ['t-4', 't-5', 't-6'], c: ['t-0', 't-1'] });
  });
});
