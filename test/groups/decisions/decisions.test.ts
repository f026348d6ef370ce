import { describe, expect, it } from 'vitest';
import {
  evict,
  type JoiningMember,
  join,
  leave,
  moveLock,
  subscribe,
} from '../../../src/groups/decisions/membership.js';
import { checkCommit, release } from '../../../src/groups/decisions/offsets.js';
import {
  isDead,
  isOutdated,
  nextGeneration,
  rebalance,
  unknownTopics,
} from '../../../src/groups/decisions/rebalance.js';
import {
  fromGroupMetadata,
  type GroupState,
  NO_GROUP,
  readableBy,
  toGroupMetadata,
} from '../../../src/groups/group-state.js';
import { PartitionSet } from '../../../src/groups/partition-set.js';
import { predecessorOf } from '../../../src/groups/ring.js';

const here = { pid: 1, bootId: 'b', directory: 'd' };
const counts = new Map([['t', 4]]);
const facts = { here, freeLocks: new Map<string, number>(), counts };
const committer = (memberId: string, instanceId: string | null = null) => ({ groupId: 'g', memberId, instanceId });

function joining(memberId: string, more: Partial<JoiningMember> = {}): JoiningMember {
  const place = { ...here, inode: memberId.charCodeAt(0) };
  const member = {
    memberId,
    instanceId: null,
    clientId: 'c',
    clientHost: 'h',
    topics: ['t'],
    place,
    assignor: undefined,
  };
  return { ...member, ...more };
}

const groupOf = (...ids: string[]) => ids.reduce((state, id) => join(state, joining(id), facts), NO_GROUP);
const places = (set: PartitionSet) =>
  [...set]
    .map(({ topic, partition }) => `${topic}${partition}`)
    .sort()
    .join(' ');
const assigned = (state: GroupState, id: string) => places(state.members.get(id)!.assigned);
const held = (state: GroupState, id: string) => places(state.members.get(id)!.held);
const t = (...partitions: number[]) => PartitionSet.from([{ topic: 't', partitions }]);

describe('joining', () => {
  it('gives the first member everything, to be read at once', () => {
    const state = groupOf('a');
    expect(state).toMatchObject({ generation: 0, protocol: 'range' });
    expect([assigned(state, 'a'), held(state, 'a'), places(readableBy(state, 'a'))]).toEqual(
      Array.from({ length: 3 }, () => 't0 t1 t2 t3'),
    );
  });

  it('assigns the second its share, which it may not read before the first has released it', () => {
    const state = groupOf('a', 'b');
    expect([assigned(state, 'a'), assigned(state, 'b')]).toEqual(['t0 t1', 't2 t3']);
    expect([held(state, 'a'), held(state, 'b')]).toEqual(['t0 t1 t2 t3', 't2 t3']);
    expect([places(readableBy(state, 'a')), places(readableBy(state, 'b'))]).toEqual(['t0 t1', '']);
    const released = release(state, committer('a'), t(2))!;
    expect(released.generation).toBe(state.generation);
    expect(places(readableBy(released, 'b'))).toBe('t2');
  });

  it('keeps holders over any number of generations', () => {
    const state = groupOf('a', 'b', 'c');
    expect(held(state, 'a')).toBe('t0 t1 t2 t3');
    expect(places(readableBy(state, 'c'))).toBe('');
  });

  it('takes the dead out', () => {
    const dead = { ...facts, freeLocks: new Map([['a', 'a'.charCodeAt(0)]]) };
    const state = join(groupOf('a'), joining('b'), dead);
    expect([...state.members.keys()]).toEqual(['b']);
    expect(places(readableBy(state, 'b'))).toBe('t0 t1 t2 t3');
  });

  it('refuses another assignor than the group has, and takes up any in an empty group', () => {
    const sticky = join(NO_GROUP, joining('a', { assignor: 'sticky' }), facts);
    expect(sticky.protocol).toBe('sticky');
    expect(join(sticky, joining('b'), facts).protocol).toBe('sticky');
    expect(() => join(sticky, joining('b', { assignor: 'range' }), facts)).toThrow(/by sticky, .* wants range/);
    const empty = leave(sticky, 'a', facts)!;
    expect(empty).toMatchObject({ generation: 1, protocol: null, members: new Map() });
    expect(join(empty, joining('b', { assignor: 'roundrobin' }), facts).protocol).toBe('roundrobin');
  });

  it('has one living member of an instance id, and gives its partitions back to one that returns', () => {
    const first = join(groupOf('a'), joining('x', { instanceId: 'i', place: { ...here, inode: 7 } }), facts);
    const again = joining('y', { instanceId: 'i' });
    expect(() => join(first, again, facts)).toThrow(expect.objectContaining({ code: 'UNRELEASED_INSTANCE_ID' }));
    const back = join(first, again, { ...facts, freeLocks: new Map([['x', 7]]) });
    expect(assigned(back, 'y')).toBe(assigned(first, 'x'));
    expect(assigned(back, 'a')).toBe(assigned(first, 'a'));
    expect(() => checkCommit(back, committer('x', 'i'), [])).toThrow(
      expect.objectContaining({ code: 'FENCED_INSTANCE_ID' }),
    );
  });
});

describe('rebalancing', () => {
  it('says nothing when nobody is dead and all partitions are covered', () => {
    expect(rebalance(groupOf('a', 'b'), facts)).toBeUndefined();
    expect(rebalance(NO_GROUP, facts)).toBeUndefined();
  });

  it('shares out what the dead held, at once', () => {
    const state = release(groupOf('a', 'b'), committer('a'), t(2, 3))!;
    const next = rebalance(state, { ...facts, freeLocks: new Map([['b', 'b'.charCodeAt(0)]]) })!;
    expect(next.generation).toBe(state.generation + 1);
    expect(places(readableBy(next, 'a'))).toBe('t0 t1 t2 t3');
  });

  it('believes a free lock only of the very file that the record names', () => {
    expect(rebalance(groupOf('a', 'b'), { ...facts, freeLocks: new Map([['b', 12345]]) })).toBeUndefined();
  });

  it('takes who lived in another boot or directory, or is not of klog, for dead', () => {
    const [member] = groupOf('a').members.values();
    for (const [change, dead] of [
      [{ bootId: 'other' }, true],
      [{ directory: 'copy' }, true],
      [{ pid: 99 }, false],
    ] as const) {
      expect(isDead({ ...member!, place: { ...member!.place!, ...change } }, facts)).toBe(dead);
    }
    expect(isDead({ ...member!, place: undefined }, facts)).toBe(true);
  });

  it('covers partitions that are added, and lets go of topics that are gone', () => {
    const state = groupOf('a');
    expect(isOutdated(state, new Map([['t', 5]]))).toBe(true);
    expect(assigned(rebalance(state, { ...facts, counts: new Map([['t', 5]]) })!, 'a')).toBe('t0 t1 t2 t3 t4');
    expect(assigned(rebalance(state, { ...facts, counts: new Map([['t', 0]]) })!, 'a')).toBe('');
    expect(unknownTopics(state, new Map())).toEqual(['t']);
  });

  it('moves nothing that need not move, by either of the sticky assignors', () => {
    for (const assignor of ['sticky', 'cooperative-sticky']) {
      const two = join(join(NO_GROUP, joining('a', { assignor }), facts), joining('b'), facts);
      const own = assigned(two, 'a');
      const three = join(two, joining('c'), facts);
      expect(three.protocol).toBe(assignor);
      const kept = own.split(' ').filter((place) => assigned(three, 'a').includes(place));
      expect(kept.length).toBeGreaterThanOrEqual(1);
      expect([...three.members.keys()].reduce((sum, id) => sum + three.members.get(id)!.assigned.size, 0)).toBe(4);
    }
  });
});

describe('leaving, releasing, committing', () => {
  it('a member that leaves lets go of everything in one record', () => {
    const state = leave(groupOf('a', 'b'), 'a', facts)!;
    expect(places(readableBy(state, 'b'))).toBe('t0 t1 t2 t3');
    expect(leave(state, 'a', facts)).toBeUndefined();
  });

  it('what has become the member’s own again is kept', () => {
    const two = groupOf('a', 'b');
    const back = leave(two, 'b', facts)!;
    expect(release(back, committer('a'), t(2, 3))).toBeUndefined();
  });

  it('a commit counts while the partition is held, whatever generation there is by now', () => {
    const state = groupOf('a', 'b', 'c');
    expect(checkCommit(state, committer('a'), t(3)).memberId).toBe('a');
    expect(() => checkCommit(state, committer('b'), t(0))).toThrow(
      expect.objectContaining({ code: 'ILLEGAL_GENERATION' }),
    );
  });

  it('who was evicted commits, releases and moves nothing, and is found by its instance id, too', () => {
    const state = join(groupOf('a'), joining('b', { instanceId: 'i' }), facts);
    const next = evict(state, 'i', counts);
    expect([...next.members.keys()]).toEqual(['a']);
    expect(places(readableBy(next, 'a'))).toBe('t0 t1 t2 t3');
    for (const refused of [
      () => checkCommit(next, committer('b'), []),
      () => release(next, committer('b'), t(0)),
      () => moveLock(next, 'g', 'b', 3),
      () => subscribe(next, 'g', 'b', ['t'], facts),
    ]) {
      expect(refused).toThrow(expect.objectContaining({ code: 'UNKNOWN_MEMBER_ID' }));
    }
    expect(() => evict(next, 'nobody', counts)).toThrow(expect.objectContaining({ code: 'KLOG_NOT_FOUND' }));
  });

  it('a member that makes another lock file says so, and nothing else changes', () => {
    const state = groupOf('a', 'b');
    const moved = moveLock(state, 'g', 'a', 42);
    expect(moved.members.get('a')!.place!.inode).toBe(42);
    expect(moved.generation).toBe(state.generation);
    expect(moved.members.get('b')).toBe(state.members.get('b'));
  });

  it('a member may come to want other topics', () => {
    const more = {
      ...facts,
      counts: new Map([
        ['t', 4],
        ['u', 2],
      ]),
    };
    expect(assigned(subscribe(groupOf('a'), 'g', 'a', ['t', 'u'], more), 'a')).toBe('t0 t1 t2 t3 u0 u1');
  });
});

it('a state comes back from its record as it was', () => {
  const state = release(groupOf('a', 'b'), committer('a'), t(2))!;
  const back = fromGroupMetadata(toGroupMetadata(state, 5));
  expect([...back.members.keys()]).toEqual(['a', 'b']);
  for (const id of ['a', 'b']) {
    expect([assigned(back, id), held(back, id)]).toEqual([assigned(state, id), held(state, id)]);
    expect(back.members.get(id)!.place).toEqual(state.members.get(id)!.place);
  }
  expect(nextGeneration(back, counts).generation).toBe(state.generation + 1);
});

it('each process looks at the one before it in a ring', () => {
  const place = (pid: number) => ({ place: { ...here, pid, inode: pid } });
  const members = [joining('a', place(30)), joining('b', place(10)), joining('c', place(20)), joining('d', place(10))];
  const state = members.reduce((group, member) => join(group, member, facts), NO_GROUP);
  expect(predecessorOf(state, 20)?.memberId).toBe('b');
  expect(predecessorOf(state, 10)?.memberId).toBe('a');
  expect(predecessorOf(state, 99)).toBeUndefined();
  expect(predecessorOf(groupOf('a'), 1)).toBeUndefined();
});
