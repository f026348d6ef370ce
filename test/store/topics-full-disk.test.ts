import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { interpose, systemError, unsyncedFileSystem } from './interposed-file-system.js';

/** No block is free: nothing that makes a file longer succeeds; `kill` ends the process at the nth rename. */
function fullDisk(kill = Number.POSITIVE_INFINITY) {
  let renames = 0;
  return interpose(({ name, path }) => {
    if (name === 'write') throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', path });
    if (name === 'rename' && ++renames >= kill) throw Object.assign(new Error('killed'), { code: 'EIO' });
  });
}

async function seeded(topic: string): Promise<string> {
  const path = join(temporaryDirectory(), '.klog');
  const store = await openStore(unsyncedFileSystem, path, { create: true });
  await store.topics.create({ topic, partitions: 2 });
  await store.close();
  return path;
}

describe('deleting a topic on a full disk', () => {
  it.each(['old', 'x'.repeat(249)])('needs no space: topic %s', async (topic) => {
    const path = await seeded(topic);
    const store = await openStore(fullDisk(), path);
    await store.topics.delete(topic);
    expect(await store.topics.find(topic)).toBeUndefined();
    await store.close();
    expect(readdirSync(join(path, 'topics'))).toEqual(['.lock']);
    expect(readdirSync(join(path, 'log')).sort()).toEqual(['.lock', 'meta.properties']);
  });

  it('is not done when the sync of its new state fails', async () => {
    const path = await seeded('old');
    let failures = 0;
    const fs = interpose(({ name, path: file }) => {
      if (name !== 'syncDirectory' || ++failures > 1) return;
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', path: file });
    });
    const store = await openStore(fs, path);
    await expect(store.topics.delete('old')).rejects.toMatchObject({ code: 'KLOG_DISK_FULL' });
    await store.topics.delete('old').catch(() => {});
    expect(await store.topics.find('old')).toBeUndefined();
    await store.close();
  });

  it('goes on where it was killed before the records went: those come first, then what may need their room', async () => {
    const path = await seeded('old');
    const killed = interpose(({ name, path: file }) => {
      if (name === 'unlink' && file.endsWith('.log')) throw Object.assign(new Error('killed'), { code: 'EIO' });
    });
    const before = await openStore(killed, path);
    await expect(before.topics.delete('old')).rejects.toThrow(/killed/);
    await before.close();
    const store = await openStore(fullDisk(), path);
    store.onTopicNames = async () => {
      const names = readdirSync(join(path, 'log'));
      if (names.some((name) => name.startsWith('old'))) throw systemError('ENOSPC');
    };
    await store.topics.delete('old');
    expect(await store.topics.find('old')).toBeUndefined();
    await store.close();
    expect(readdirSync(join(path, 'topics'))).toEqual(['.lock']);
  });

  it('is gone for readers when it is interrupted, and the next change completes it', async () => {
    const path = await seeded('old');
    const store = await openStore(fullDisk(2), path);
    await expect(store.topics.delete('old')).rejects.toThrow(/killed/);
    expect(await store.topics.list()).toEqual([]);
    await store.close();
    expect(readdirSync(join(path, 'topics')).sort()).toEqual(['.lock', 'old.gone']);
    const next = await openStore(unsyncedFileSystem, path);
    await next.topics.create({ topic: 'old' });
    expect(await next.topics.get('old')).toMatchObject({ partitions: 1 });
    await next.close();
    expect(readdirSync(join(path, 'topics')).sort()).toEqual(['.lock', 'old.json']);
  });
});
