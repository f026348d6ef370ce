import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DeathWatch } from '../../src/groups/death-watch.js';
import { type GroupState, type MemberState, NO_GROUP } from '../../src/groups/group-state.js';
import { MemberLock } from '../../src/groups/lock-files.js';
import { PartitionSet } from '../../src/groups/partition-set.js';
import { nodeFileSystem as fs } from '../../src/store/node-file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

function member(memberId: string, inode: number): MemberState {
  const place = { pid: 1, bootId: 'b', directory: 'd', inode };
  const nothing = { assigned: PartitionSet.empty, held: PartitionSet.empty };
  return { memberId, instanceId: null, clientId: 'c', clientHost: 'h', topics: ['t'], place, ...nothing };
}

function watching() {
  const directory = join(temporaryDirectory(), 'group');
  const own = new Set<string>();
  let state: GroupState = NO_GROUP;
  const name = (...members: MemberState[]) => {
    state = { ...NO_GROUP, members: new Map(members.map((one) => [one.memberId, one])) };
  };
  const isOwn = (memberId: string) => own.has(memberId);
  const watch = new DeathWatch({ fs, directory, pid: 2, state: () => state, isOwn, onFree: () => {} });
  return { watch, name, own, take: (memberId: string) => MemberLock.take(fs, directory, memberId) };
}

it('forgets that a file was free when the member has another: its number may be used again', async () => {
  const { watch, name, take } = watching();
  const first = await take('m');
  name(member('m', first.inode));
  await watch.lookAround();
  const second = await take('m');
  await first.release();
  await watch.lookAround();
  expect([...watch.free]).toEqual([['m', first.inode]]);
  name(member('m', second.inode));
  await watch.lookAround();
  expect([...watch.free]).toEqual([]);
  await second.remove();
  await watch.close();
});

it('forgets who was free and is a member no more, whoever has said so', async () => {
  const { watch, name, take } = watching();
  const lock = await take('m');
  name(member('m', lock.inode));
  await lock.release();
  await watch.lookAround();
  expect(watch.free.size).toBe(1);
  name();
  await watch.forgetFormer();
  expect(watch.free.size).toBe(0);
  await watch.close();
});

it('looks at a member of this process that is none any more, though the group has not changed', async () => {
  const { watch, name, own, take } = watching();
  const lock = await take('m');
  own.add('m');
  name(member('m', lock.inode));
  expect(watch.others).toEqual([]);
  await lock.release();
  own.delete('m');
  watch.ownChanged();
  await watch.lookAround();
  expect(watch.free.size).toBe(1);
  await watch.close();
});
