import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RecordBatch } from '../../src/format/record-batch.js';
import { lockExclusively } from '../../src/store/file-lock.js';
import { openStore, type Store } from '../../src/store/store.js';
import { buildBatch } from '../support/build-batch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { failingAt, Killed, killedAt, unsyncedFileSystem } from './interposed-file-system.js';

const NEW_TOPICS = [
  { topic: 'a', partitions: 2, startOffsets: [7, 0], configs: { 'retention.ms': '1d' } },
  { topic: 'b' },
];

async function open(path = join(temporaryDirectory(), '.klog')): Promise<Store> {
  const store = await openStore(unsyncedFileSystem, path, { create: true, lockWaitMs: 2000 });
  onTestFinished(() => store.close());
  return store;
}

function batchAt(offset: number): Uint8Array {
  const bytes = Buffer.from(buildBatch(['x']));
  new RecordBatch().reset(bytes, 0).setBaseOffset(offset);
  return bytes;
}

async function importAll(store: Store): Promise<void> {
  const topics = await store.importTopics(NEW_TOPICS);
  try {
    const log = topics.partitionLog('a', 0);
    await log.durable(await log.append([batchAt(9)], { keepOffsets: true }));
    await topics.commit();
  } catch (error) {
    await topics.abort();
    throw error;
  }
}

const names = async (store: Store) => (await store.topics.list()).map(({ topic }) => topic);

function isKilled(error: unknown): boolean {
  return error instanceof Killed || (error instanceof Error && isKilled(error.cause));
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

describe('imported topics', () => {
  it('are seen by nobody before they are complete, then with offsets, start and configs', async () => {
    const store = await open();
    const topics = await store.importTopics(NEW_TOPICS);
    const log = topics.partitionLog('a', 0);
    await log.durable(await log.append([batchAt(9)], { keepOffsets: true }));
    expect(await names(store)).toEqual([]);
    await expect(store.partitionReader('a', 0)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await topics.commit();
    expect(await names(store)).toEqual(['a', 'b']);
    expect((await store.topics.get('a')).configs).toEqual({ 'retention.ms': '86400000' });
    const reader = await store.partitionReader('a', 0);
    expect(await reader.marks()).toMatchObject({ logStartOffset: 7, highWatermark: 10, logEndOffset: 10 });
    await reader.close();
    expect(await leftovers(store)).toEqual([]);
    await expect(topics.commit()).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
  });

  it.each(['commit', 'abort'] as const)('go with the next change where their %s cannot have the lock', async (what) => {
    const path = join(temporaryDirectory(), '.klog');
    const store = await openStore(unsyncedFileSystem, path, { create: true, lockWaitMs: 50 });
    onTestFinished(() => store.close());
    const topics = await store.importTopics(NEW_TOPICS);
    const other = await lockExclusively(unsyncedFileSystem, join(path, 'topics', '.lock'), 'it', 0);
    await expect(topics[what]()).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    await other.release();
    await store.topics.create({ topic: 'a' });
    expect(await names(store)).toEqual(['a']);
    expect(await leftovers(store)).toEqual([]);
  });

  it('leave nothing when they are taken back', async () => {
    const store = await open();
    const topics = await store.importTopics(NEW_TOPICS);
    const log = topics.partitionLog('b', 0);
    await log.durable(await log.append([batchAt(0)]));
    await topics.abort();
    expect(await names(store)).toEqual([]);
    expect(await leftovers(store)).toEqual([]);
    await importAll(store);
  });

  it('stay as they are while others change topics, and keep their names', async () => {
    const store = await open();
    const other = await open(store.directory.path);
    const topics = await store.importTopics(NEW_TOPICS);
    await other.topics.create({ topic: 'c' });
    await expect(other.topics.create({ topic: 'a' })).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    await expect(other.importTopics([{ topic: 'b' }])).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    await topics.commit();
    expect(await names(other)).toEqual(['a', 'b', 'c']);
  });

  it('make none of them when one cannot be made', async () => {
    const store = await open();
    await store.topics.create({ topic: 'there' });
    await expect(store.importTopics([...NEW_TOPICS, { topic: 'there' }])).rejects.toMatchObject({
      code: 'TOPIC_ALREADY_EXISTS',
    });
    await expect(store.importTopics([{ topic: 'x.y' }, { topic: 'x_y' }])).rejects.toMatchObject({
      code: 'INVALID_TOPIC_EXCEPTION',
    });
    expect(await leftovers(store)).toEqual([]);
  });

  it('come all together or not at all, whatever call their process dies before', async () => {
    const seeded = join(temporaryDirectory(), 'seeded');
    await (await openStore(unsyncedFileSystem, seeded, { create: true })).close();
    const outcomes = new Set<string>();
    for (let n = 1, finished = false; !finished; n++) {
      const path = join(temporaryDirectory(), '.klog');
      cpSync(seeded, path, { recursive: true });
      const dying = killedAt(n);
      let acknowledged = false;
      try {
        const store = await openStore(dying.fs, path);
        await importAll(store);
        acknowledged = true;
        await store.close();
      } catch (error) {
        expect(isKilled(error), String(error)).toBe(true);
      }
      finished = dying.calls() < n;

      const store = await openStore(unsyncedFileSystem, path);
      await store.topics.create({ topic: 'next' });
      const found = (await names(store)).join();
      outcomes.add(found);
      expect(found, `after a kill at call ${n}`).toMatch(acknowledged ? /^a,b,next$/ : /^(a,b,)?next$/);
      expect(await leftovers(store), `after a kill at call ${n}`).toEqual([]);
      if (found === 'next') {
        // Their names are free again.
        if (n % 10 === 0) await importAll(store);
        await store.close();
        continue;
      }
      const reader = await store.partitionReader('a', 0);
      expect(await reader.marks()).toMatchObject({ logStartOffset: 7, highWatermark: 10 });
      await store.close();
    }
    expect(outcomes.size).toBe(2);
  });

  it('are taken back, or there, when the disk fills up at any call', async () => {
    for (let n = 1, finished = false; !finished; n += 2) {
      const path = join(temporaryDirectory(), '.klog');
      await (await openStore(unsyncedFileSystem, path, { create: true })).close();
      const failing = failingAt(n, 'ENOSPC');
      let acknowledged = true;
      try {
        const store = await openStore(failing.fs, path);
        await importAll(store).catch(() => {
          acknowledged = false;
        });
        await store.close();
      } catch {
        acknowledged = false;
      }
      finished = failing.calls() < n;
      const store = await openStore(unsyncedFileSystem, path);
      await store.topics.create({ topic: 'next' });
      expect((await names(store)).join()).toMatch(acknowledged ? /^a,b,next$/ : /^(a,b,)?next$/);
      expect(await leftovers(store), `after ENOSPC at call ${n}`).toEqual([]);
      await store.close();
    }
  });
});

describe('what an interrupted change has left', () => {
  it.each(['creating', 'importing', 'deleting'])('is no hindrance to a check, nor to a create: %s', async (state) => {
    const store = await open();
    const { topicsDirectory } = store.directory;
    const left = { version: 1, topic: 'a', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: 1, configs: {}, state };
    const importId = state === 'importing' ? { importId: '0'.repeat(32) } : {};
    writeFileSync(join(topicsDirectory, 'a.json'), JSON.stringify({ ...left, ...importId }));
    await store.topics.create({ topic: 'a', partitions: 2 }, { validateOnly: true });
    await store.topics.create({ topic: 'a', partitions: 2 });
    expect(await names(store)).toEqual(['a']);
    expect(await leftovers(store)).toEqual([]);
  });
});
