import { expect, it } from 'vitest';
import type { GroupState, MemberState } from '../../src/groups/group-state.js';
import { HoldUps } from '../../src/groups/hold-ups.js';
import { PartitionSet } from '../../src/groups/partition-set.js';

const partitions = (...numbers: number[]) => PartitionSet.of(numbers.map((partition) => ({ topic: 't', partition })));

function member(memberId: string, pid: number, assigned: PartitionSet, held = assigned): MemberState {
  const place = { pid, bootId: 'b', directory: 'd', inode: pid };
  return { memberId, instanceId: null, clientId: 'c', clientHost: 'h', topics: ['t'], place, assigned, held };
}

function stateOf(...members: MemberState[]): GroupState {
  return { generation: 1, protocol: 'range', members: new Map(members.map((one) => [one.memberId, one])) };
}

const shown = (holdUps: ReturnType<HoldUps['look']>) =>
  holdUps.map((one) => ({ ...one, partitions: [...one.partitions].map(({ partition }) => partition) }));

it('tells once of who does not let go, after a while, and whether it is stopped', () => {
  const holdUps = new HoldUps({ isProcessStopped: (pid) => pid === 2 });
  const held = stateOf(
    member('me', 1, partitions(0, 1, 2)),
    member('stopped', 2, partitions(3), partitions(1, 2, 3)),
    member('busy', 3, partitions(), partitions(0)),
  );
  expect(holdUps.look(held, 'me', 1000)).toEqual([]);
  expect(holdUps.look(held, 'me', 2999)).toEqual([]);
  expect(shown(holdUps.look(held, 'me', 3000))).toEqual([
    { memberId: 'stopped', pid: 2, isStopped: true, partitions: [1, 2] },
    { memberId: 'busy', pid: 3, isStopped: false, partitions: [0] },
  ]);
  expect(holdUps.look(held, 'me', 9000)).toEqual([]);
});

it('begins anew when it has ended in between', () => {
  const holdUps = new HoldUps({});
  const held = stateOf(member('me', 1, partitions(0)), member('other', 2, partitions(), partitions(0)));
  const free = stateOf(member('me', 1, partitions(0)), member('other', 2, partitions()));
  holdUps.look(held, 'me', 0);
  holdUps.look(free, 'me', 1000);
  holdUps.look(held, 'me', 2000);
  expect(holdUps.look(held, 'me', 3000)).toEqual([]);
  expect(holdUps.look(held, 'me', 4000)).toHaveLength(1);
  holdUps.look(stateOf(member('me', 1, partitions(0))), 'me', 5000);
  holdUps.look(held, 'me', 6000);
  expect(holdUps.look(held, 'me', 8000)).toHaveLength(1);
});

it('says nothing of what others are to read, or when it is a member no more', () => {
  const holdUps = new HoldUps({});
  const settled = stateOf(member('me', 1, partitions(0)), member('other', 2, partitions(1)));
  for (const now of [0, 5000]) expect(holdUps.look(settled, 'me', now)).toEqual([]);
  for (const now of [0, 5000]) expect(holdUps.look(settled, 'evicted', now)).toEqual([]);
});
