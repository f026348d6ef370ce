import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GroupLog } from '../../src/groups/group-log.js';
import { GroupMember } from '../../src/groups/group-member.js';
import { MemberLock } from '../../src/groups/lock-files.js';
import type { MemberWorker } from '../../src/groups/member-worker.js';
import { nodeFileSystem } from '../../src/store/node-file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

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
    const member = new GroupMember(log, committer, await take(), WORKER, () => {});
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
