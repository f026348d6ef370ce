import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { GroupAdmin } from '../../src/groups/group-admin.js';
import { Groups } from '../../src/groups/groups.js';
import { nodeFileSystem } from '../../src/store/node-file-system.js';
import { openStore } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** A directory that is made anew has the number of the one before, as it mostly has on ext4. */
function reuseNumbers(): void {
  const stat = nodeFileSystem.stat.bind(nodeFileSystem);
  const spy = vi.spyOn(nodeFileSystem, 'stat').mockImplementation(async (path) => {
    const found = await stat(path);
    return found?.kind === 'directory' ? { ...found, inode: 7 } : found;
  });
  onTestFinished(() => spy.mockRestore());
}

async function groupsOf(path: string): Promise<Groups> {
  const store = await openStore(nodeFileSystem, path, { create: true });
  const groups = new Groups(store, { now: Date.now, elapsed: () => performance.now() });
  onTestFinished(async () => {
    await groups.close();
    await store.close();
  });
  return groups;
}

const worker = { start: async () => [], stop: async () => [], lost: () => {} };

it('members of a directory that was removed and brought back from a backup are dead in it', async () => {
  reuseNumbers();
  const [path, backup] = [join(temporaryDirectory(), '.klog'), join(temporaryDirectory(), 'backup')];
  const groups = await groupsOf(path);
  const { member, runtime } = await groups.join({ groupId: 'g', topics: ['t'], worker });
  onTestFinished(async () => {
    await runtime.leave(member).catch(() => {});
  });
  const lifeIn = async (admin: GroupAdmin) => (await admin.describe('g')).lives.get(member.memberId);
  expect(await lifeIn(new GroupAdmin(await groupsOf(path)))).toBe('alive');
  cpSync(path, backup, { recursive: true });
  rmSync(path, { recursive: true });
  cpSync(backup, path, { recursive: true });
  const restored = new GroupAdmin(await groupsOf(path));
  expect(await lifeIn(restored)).toBe('dead');
  await restored.delete('g');
});
