import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GroupDecision, GroupLog } from '../../src/groups/group-log.js';
import { GroupMember } from '../../src/groups/group-member.js';
import { type GroupState, NO_GROUP } from '../../src/groups/group-state.js';
import type { GroupView } from '../../src/groups/group-table.js';
import { MemberLock } from '../../src/groups/lock-files.js';
import type { MemberWorker } from '../../src/groups/member-worker.js';
import { PartitionSet } from '../../src/groups/partition-set.js';
import { nodeFileSystem } from '../../src/store/node-file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const TOPICS = { ids: async () => new Map([['t', 'id']]) };
const WORKER = { stop: async () => [], lost: () => {} } as Partial<MemberWorker> as MemberWorker;

describe('a member whose lock file was removed', () => {
  it('makes another, and one that leaves meanwhile leaves neither behind', async () => {
    const directory = join(temporaryDirectory(), 'group');
    const take = () => MemberLock.take(nodeFileSystem, directory, 'm');
    let decide = () => {};
    let ask = () => {};
    const asked = new Promise<void>((resolve) => {
      ask = resolve;
    });
    const log = {
      decide: () => {
        ask();
        return new Promise<undefined>((resolve) => {
          decide = () => resolve(undefined);
        });
      },
    } as Partial<GroupLog> as GroupLog;
    const committer = { groupId: 'g', memberId: 'm', instanceId: null };
    const member = new GroupMember(log, committer, await take(), WORKER, TOPICS, () => {});
    unlinkSync(join(directory, 'm.lock'));

    const kept = member.keepLock(take);
    await asked;
    expect(readdirSync(directory)).toEqual(['m.lock']);
    const left = member.leave(async () => {});
    decide();
    await Promise.all([kept, left]);
    expect(readdirSync(directory)).toEqual([]);
    expect(member.error).toBeUndefined();
  });
});

describe('a partition that is taken from a member and given back', () => {
  const PARTITION = { topic: 't', partition: 0 };
  const THE_ONE = PartitionSet.of([PARTITION]);

  /** A group of member m alone, whose partition comes and goes; `committed` is what the group has committed. */
  async function memberOfGroup() {
    const directory = join(temporaryDirectory(), 'group');
    const group = {
      assigned: PartitionSet.empty,
      held: PartitionSet.empty,
      committed: 0 as number | undefined,
      topicId: 'id',
    };
    const topics = { ids: async () => new Map([['t', group.topicId]]) };
    const state = (): GroupState => {
      const { assigned, held } = group;
      const names = {
        memberId: 'm',
        instanceId: null,
        clientId: 'm',
        clientHost: 'h',
        topics: ['t'],
        place: undefined,
      };
      return { ...NO_GROUP, members: new Map([['m', { ...names, assigned, held }]]) };
    };
    const view = (): GroupView => ({
      state: state(),
      committed: () =>
        group.committed === undefined
          ? undefined
          : { offset: group.committed, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1 },
      allCommitted: () => [],
      hasCommitsOf: () => group.committed !== undefined,
    });
    const log = {
      state,
      group: view,
      refresh: async () => {},
      untilSafe: async () => {},
      decide: async (_group: string, decide: GroupDecision) => {
        const next = decide(view())?.state;
        if (next) group.held = next.members.get('m')!.held;
        onDecided();
        return undefined;
      },
    } as Partial<GroupLog> as GroupLog;
    const startedAt: (number | undefined)[] = [];
    const startedNew: boolean[] = [];
    let onStop = () => {};
    let onDecided = () => {};
    const worker: MemberWorker = {
      start: async (partitions) => {
        startedAt.push(...partitions.map(({ offset }) => offset));
        startedNew.push(...partitions.map(({ isNew }) => isNew));
        return [];
      },
      stop: async (partitions) => {
        onStop();
        return partitions.map((partition) => ({ ...partition, position: 21 }));
      },
      lost: () => {},
    };
    let settled = () => {};
    const committer = { groupId: 'g', memberId: 'm', instanceId: null };
    const lock = await MemberLock.take(nodeFileSystem, directory, 'm');
    const member = new GroupMember(log, committer, lock, worker, topics, () => settled());
    const give = () => {
      group.assigned = THE_ONE;
      group.held = THE_ONE;
    };
    const take = () => {
      group.assigned = PartitionSet.empty;
    };
    return {
      member,
      group,
      give,
      take,
      startedAt,
      startedNew,
      /** What the record asks for next, done. */
      follow: () =>
        new Promise<void>((resolve) => {
          settled = resolve;
          member.follow();
        }),
      whenStopped: (call: () => void) => {
        onStop = call;
      },
      whenDecided: (call: () => void) => {
        onDecided = call;
      },
      close: () => lock.remove(),
    };
  }

  it('goes on where it was stopped if nobody had it meanwhile', async () => {
    const { give, take, follow, whenStopped, startedAt, close } = await memberOfGroup();
    give();
    await follow();
    take();
    whenStopped(give);
    await follow();
    await follow();
    expect(startedAt).toEqual([0, 21]);
    await close();
  });

  it('goes on after what others have handled meanwhile, though it had been given back before it was let go', async () => {
    const { group, give, take, follow, whenStopped, startedAt, close } = await memberOfGroup();
    give();
    await follow();
    take();
    whenStopped(give);
    await follow();
    // Taken again before it was read again: now it is let go.
    take();
    await follow();
    expect(group.held.size).toBe(0);
    group.committed = 50;
    give();
    await follow();
    expect(startedAt).toEqual([0, 50]);
    await close();
  });

  it('goes on after what others have handled before this member knew that it had let go', async () => {
    const { group, give, take, follow, whenDecided, startedAt, close } = await memberOfGroup();
    give();
    await follow();
    take();
    whenDecided(() => {
      expect(group.held.size).toBe(0);
      group.committed = 50;
      give();
    });
    await follow();
    await follow();
    expect(startedAt).toEqual([0, 50]);
    await close();
  });

  it('is all to be read if its topic was made anew since the member joined', async () => {
    const { member, group, give, take, follow, startedNew, close } = await memberOfGroup();
    group.committed = undefined;
    member.topicsAtFirst = new Map([['t', { topicId: 'id', partitions: 1 }]]);
    give();
    await follow();
    take();
    await follow();
    group.topicId = 'another';
    give();
    await follow();
    expect(startedNew).toEqual([false, true]);
    await close();
  });

  it('is begun anew if who reads it has seen that it was taken, though it is back before that was followed', async () => {
    const { member, give, take, follow, startedAt, close } = await memberOfGroup();
    give();
    await follow();
    take();
    expect(await member.look(PARTITION)).toBe(false);
    give();
    member.follow();
    // Else nobody would ever read it: who has looked has stopped.
    expect(member.isBusy).toBe(true);
    await follow();
    await follow();
    expect(startedAt).toEqual([0, 21]);
    await close();
  });
});
