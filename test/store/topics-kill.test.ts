import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KlogError } from '../../src/errors.js';
import type { FileSystem } from '../../src/storage/file-system.js';
import { openStore, type Store } from '../../src/store/store.js';
import type { Topics } from '../../src/store/topics.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { Killed, killedAt, unsyncedFileSystem } from './interposed-file-system.js';

type Change = (topics: Topics) => Promise<unknown>;

const THREE = [{ topic: 'new', partitions: 2 }, { topic: 'b' }, { topic: 'c' }];

function allOf<T>(outcomes: readonly (T | KlogError)[]): void {
  for (const outcome of outcomes) if (outcome instanceof KlogError) throw outcome;
}

/** Each with what the topic's partitions may be afterwards: 0 is no topic. */
const CHANGES: [string, Change, number[]][] = [
  ['create', (topics) => topics.create({ topic: 'new', partitions: 2 }), [0, 2]],
  ['create of many', (topics) => topics.createAll(THREE).then(allOf), [0, 2]],
  ['createPartitions', (topics) => topics.createPartitions('old', 4), [2, 4]],
  ['alterConfigs', (topics) => topics.alterConfigs('old', { set: { 'segment.ms': '5' } }), [2]],
  ['delete', (topics) => topics.delete('old'), [0, 2]],
];

async function seed(path: string) {
  const store = await openStore(unsyncedFileSystem, path, { create: true });
  await store.topics.create({ topic: 'old', partitions: 2 });
  await store.close();
}

/** Files in log/ and topics/ that belong to nothing that is listed. */
async function leftovers(store: Store): Promise<string[]> {
  const expected = new Set(['.lock', 'meta.properties']);
  for (const { topic, partitions } of await store.topics.list()) {
    expected.add(`${topic}.json`);
    for (let partition = 0; partition < partitions; partition++) expected.add(`${topic}-${partition}`);
  }
  const { logDirectory, topicsDirectory } = store.directory;
  return [...readdirSync(logDirectory), ...readdirSync(topicsDirectory)].filter((name) => !expected.has(name));
}

async function runUntilKilled(fs: FileSystem, path: string, change: Change): Promise<unknown> {
  try {
    const store = await openStore(fs, path);
    await change(store.topics);
    await store.close();
    return undefined;
  } catch (error) {
    return (error as Error).cause;
  }
}

describe.each(CHANGES)('%s, killed at any call', (name, change, allowed) => {
  const topic = name.startsWith('create of') || name === 'create' ? 'new' : 'old';

  it('is there or not for readers at once, and its leftovers are gone with the next change', async () => {
    const seeded = join(temporaryDirectory(), 'seeded');
    await seed(seeded);
    for (let n = 1, finished = false; !finished; n++) {
      const path = join(temporaryDirectory(), '.klog');
      cpSync(seeded, path, { recursive: true });
      const dying = killedAt(n);
      const outcome = await runUntilKilled(dying.fs, path, change);
      finished = dying.calls() < n;
      if (!finished) expect(outcome).toBeInstanceOf(Killed);

      const reader = await openStore(unsyncedFileSystem, path, { readOnly: true });
      const seen = await reader.topics.find(topic);
      const partitions = seen?.partitions ?? 0;
      expect(allowed).toContain(finished ? allowed.at(name === 'delete' ? 0 : -1) : partitions);
      for (let partition = 0; partition < partitions; partition++) await reader.partitionReader(topic, partition);
      await reader.close();

      const store = await openStore(unsyncedFileSystem, path);
      await store.topics.create({ topic: 'next' });
      expect(await leftovers(store), `after a kill at call ${n}`).toEqual([]);
      expect((await store.topics.find(topic))?.partitions ?? 0).toBe(partitions);
      await change(store.topics).catch((error: unknown) => {
        expect(partitions === 0 || partitions === allowed.at(-1)).toBe(true);
        expect(error).toHaveProperty('code');
      });
      expect((await store.topics.find(topic))?.partitions ?? 0).toBe(name === 'delete' ? 0 : allowed.at(-1));
      expect(await leftovers(store)).toEqual([]);
      await store.close();
    }
  });

  it('can be killed again at any call of the next change', async () => {
    const seeded = join(temporaryDirectory(), 'seeded');
    await seed(seeded);
    const whole = killedAt(Number.POSITIVE_INFINITY);
    const probe = join(temporaryDirectory(), '.klog');
    cpSync(seeded, probe, { recursive: true });
    await runUntilKilled(whole.fs, probe, change);
    // A few places of the first kill, each followed by a kill at every third call of the clean-up.
    for (const part of [0.35, 0.6, 0.85]) {
      const firstAt = Math.floor(whole.calls() * part);
      for (let n = 1, finished = false; !finished; n += 3) {
        const path = join(temporaryDirectory(), '.klog');
        cpSync(seeded, path, { recursive: true });
        await runUntilKilled(killedAt(firstAt).fs, path, change);
        const second = killedAt(n);
        await runUntilKilled(second.fs, path, (topics) => topics.create({ topic: 'next' }));
        finished = second.calls() < n;
        const store = await openStore(unsyncedFileSystem, path);
        await store.topics.create({ topic: 'last' });
        expect(await leftovers(store), `after kills at ${firstAt} and ${n}`).toEqual([]);
        await store.close();
      }
    }
  });
});
