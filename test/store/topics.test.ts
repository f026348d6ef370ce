import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { FileSystem } from '../../src/storage/file-system.js';
import { nodeFileSystem } from '../../src/storage/file-system-node.js';
import { APPEND_RANGE } from '../../src/storage/partition-locks.js';
import { openStore, type Store } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { failingAt, interleaved, unsyncedFileSystem } from './interposed-file-system.js';

async function open(
  fs: FileSystem = unsyncedFileSystem,
  path = join(temporaryDirectory(), '.klog'),
  lockWaitMs = 5_000,
) {
  const store = await openStore(fs, path, { create: true, lockWaitMs });
  onTestFinished(() => store.close());
  return store;
}

function namesIn(store: Store) {
  const { logDirectory, topicsDirectory } = store.directory;
  const visible = (names: string[]) => names.filter((name) => name !== '.lock' && name !== 'meta.properties').sort();
  return { log: visible(readdirSync(logDirectory)), topics: visible(readdirSync(topicsDirectory)) };
}

describe('create', () => {
  it('makes Kafka directories with the topic id, and lists the topic', async () => {
    const store = await open();
    const created = await store.topics.create({ topic: 'orders', partitions: 2, configs: { 'retention.ms': '1d' } });
    expect(created).toMatchObject({
      topic: 'orders',
      partitions: 2,
      internal: false,
      configs: { 'retention.ms': '86400000' },
    });
    expect(namesIn(store)).toEqual({ log: ['orders-0', 'orders-1'], topics: ['orders.json'] });
    for (const partition of ['orders-0', 'orders-1']) {
      const directory = join(store.directory.logDirectory, partition);
      expect(readdirSync(directory).sort()).toEqual([
        '00000000000000000000.index',
        '00000000000000000000.log',
        '00000000000000000000.timeindex',
        'klog.end',
        'leader-epoch-checkpoint',
        'partition.metadata',
      ]);
      expect(readFileSync(join(directory, 'partition.metadata'), 'utf8')).toBe(
        `version: 0\ntopic_id: ${created.topicId}`,
      );
      expect(lstatSync(directory).mode & 0o777).toBe(0o700);
      for (const file of readdirSync(directory))
        expect(lstatSync(join(directory, file)).mode & 0o777, file).toBe(0o600);
    }
    expect(await store.topics.list()).toEqual([created]);
    expect(await store.topics.get('orders')).toEqual(created);
    expect(await store.topics.get('orders')).toMatchObject({ partitions: 2 });
  });

  it('tells by its id a topic from one that had its name before, as soon as that changes', async () => {
    const store = await open();
    expect(await store.topics.idOf('orders')).toBeUndefined();
    const { topicId } = await store.topics.create({ topic: 'orders' });
    for (let look = 0; look < 2; look++) expect(await store.topics.idOf('orders')).toBe(topicId);
    await store.topics.createPartitions('orders', 2);
    expect(await store.topics.idOf('orders')).toBe(topicId);
    await store.topics.delete('orders');
    expect(await store.topics.idOf('orders')).toBeUndefined();
    const { topicId: other } = await store.topics.create({ topic: 'orders' });
    expect(other).not.toBe(topicId);
    expect(await store.topics.idOf('orders')).toBe(other);
  });

  it('takes one partition and no configs by default', async () => {
    const store = await open();
    expect(await store.topics.create({ topic: 'a' })).toMatchObject({ partitions: 1, configs: {} });
  });

  it('refuses a topic that exists, and one that Kafka could not tell from it', async () => {
    const store = await open();
    await store.topics.create({ topic: 'a.b_c' });
    await expect(store.topics.create({ topic: 'a.b_c' })).rejects.toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' });
    for (const topic of ['a_b_c', 'a.b.c', 'a_b.c']) {
      await expect(store.topics.create({ topic })).rejects.toMatchObject({
        code: 'INVALID_TOPIC_EXCEPTION',
        message: expect.stringContaining('a.b_c'),
      });
    }
    await store.topics.create({ topic: 'a-b-c' });
  });

  it.each([0, -1, 1.5, Number.NaN, 10_001, '2' as unknown as number])('refuses %s partitions', async (partitions) => {
    const store = await open();
    await expect(store.topics.create({ topic: 'a', partitions })).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' });
    expect(namesIn(store)).toEqual({ log: [], topics: [] });
  });

  it('leaves no trace outside of, or in, the directory for a name that is none', async () => {
    const parent = temporaryDirectory();
    const store = await open(unsyncedFileSystem, join(parent, 'here', '.klog'));
    const names = [
      '',
      '.',
      '..',
      '../x',
      '../../x',
      '/etc/x',
      'a/b',
      'a\\b',
      'a\0b',
      'a b',
      'a\nb',
      'a:b',
      'a*',
      '~',
      '$HOME',
      'café',
      'οrders',
      '\u202eabc',
      'x'.repeat(250),
      '%2e%2e',
      'a;b',
      'a\u0000',
      '.. ',
      'a/../b',
      '-/x',
    ];
    for (const topic of names) {
      for (const attempt of [
        store.topics.create({ topic }),
        store.topics.delete(topic),
        store.topics.find(topic),
        store.topics.createPartitions(topic, 2),
        store.topics.alterConfigs(topic, { set: { 'retention.ms': '1' } }),
        store.partitionLog(topic, 0),
        store.partitionReader(topic, 0),
      ]) {
        await expect(attempt, JSON.stringify(topic)).rejects.toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION' });
      }
    }
    expect(namesIn(store)).toEqual({ log: [], topics: [] });
    expect(readdirSync(parent)).toEqual(['here']);
    expect(readdirSync(join(parent, 'here'))).toEqual(['.klog']);
  });

  it.each([
    '-a',
    '-',
    '...',
    '.a',
    '..a',
    'con',
    'a.json',
    '__proto__',
    'constructor',
    'x'.repeat(249),
    '.topic.tmp',
    'a-0',
  ])('takes the odd but legal name %s through its whole life', async (topic) => {
    const store = await open();
    await store.topics.create({ topic, partitions: 2 });
    expect((await store.topics.list()).map((found) => found.topic)).toEqual([topic]);
    await store.topics.alterConfigs(topic, { set: { 'retention.ms': '5' } });
    await store.topics.createPartitions(topic, 3);
    await store.partitionLog(topic, 2);
    expect(await store.topics.get(topic)).toMatchObject({ partitions: 3, configs: { 'retention.ms': '5' } });
    await store.topics.delete(topic);
    expect(namesIn(store)).toEqual({ log: [], topics: [] });
  });

  it('checks, and changes nothing, with validateOnly', async () => {
    const store = await open();
    expect(await store.topics.create({ topic: 'a', partitions: 3 }, { validateOnly: true })).toMatchObject({
      partitions: 3,
    });
    expect(namesIn(store)).toEqual({ log: [], topics: [] });
    await store.topics.create({ topic: 'a' });
    const only = { validateOnly: true };
    await expect(store.topics.create({ topic: 'a' }, only)).rejects.toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' });
    expect(await store.topics.createPartitions('a', 4, only)).toMatchObject({ partitions: 4 });
    expect(await store.topics.alterConfigs('a', { set: { 'segment.ms': '1s' } }, only)).toEqual({
      'segment.ms': '1000',
    });
    await expect(store.topics.createPartitions('a', 1, only)).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' });
    await store.topics.delete('a', only);
    expect(await store.topics.get('a')).toMatchObject({ partitions: 1, configs: {} });
  });

  it('does not write over a directory that no topic owns, and does not list it', async () => {
    const store = await open();
    const foreign = join(store.directory.logDirectory, 'orders-1');
    mkdirSync(foreign);
    writeFileSync(join(foreign, '00000000000000000000.log'), 'records');
    for (const name of ['notes.txt', 'bad name.json', '.hidden'])
      writeFileSync(join(store.directory.topicsDirectory, name), 'x');
    expect(await store.topics.list()).toEqual([]);
    await expect(store.topics.create({ topic: 'orders', partitions: 2 })).rejects.toMatchObject({
      code: 'TOPIC_ALREADY_EXISTS',
      message: expect.stringContaining('orders-1'),
    });
    await store.topics.create({ topic: 'orders' });
    await expect(store.topics.createPartitions('orders', 2)).rejects.toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' });
    await store.topics.delete('orders');
    expect(readFileSync(join(foreign, '00000000000000000000.log'), 'utf8')).toBe('records');
    expect(namesIn(store).log).toEqual(['orders-1']);
  });

  it('lets one of two win at every interleaving', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const path = join(temporaryDirectory(), '.klog');
      const stores = [await open(interleaved(2 * seed), path), await open(interleaved(2 * seed + 1), path)];
      const outcomes = await Promise.allSettled(
        stores.map((store) => store.topics.create({ topic: 'a', partitions: 2 })),
      );
      const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(won).toHaveLength(1);
      expect(lost[0]?.reason).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' });
      expect(await stores[0]!.topics.list()).toEqual([won[0]!.value]);
      expect(namesIn(stores[0]!).log).toEqual(['a-0', 'a-1']);
    }
  });
});

describe('createPartitions', () => {
  it('adds directories up to the new total, with the same topic id', async () => {
    const store = await open();
    const { topicId } = await store.topics.create({ topic: 'a', partitions: 2, configs: { 'segment.ms': '5' } });
    const grown = await store.topics.createPartitions('a', 4);
    expect(grown).toMatchObject({ topicId, partitions: 4, configs: { 'segment.ms': '5' } });
    expect(namesIn(store).log).toEqual(['a-0', 'a-1', 'a-2', 'a-3']);
    expect(await store.topics.get('a')).toEqual(grown);
    for (const total of [4, 3]) {
      await expect(store.topics.createPartitions('a', total)).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' });
    }
  });
});

describe('alterConfigs', () => {
  it('keeps what it returns', async () => {
    const store = await open();
    await store.topics.create({ topic: 'a', configs: { 'segment.ms': '5', 'cleanup.policy': 'compact' } });
    const change = { delete: ['segment.ms'], set: { 'retention.ms': '2d' }, append: { 'cleanup.policy': 'delete' } };
    const configs = await store.topics.alterConfigs('a', change);
    expect(configs).toEqual({ 'cleanup.policy': 'compact,delete', 'retention.ms': '172800000' });
    expect((await store.topics.get('a')).configs).toEqual(configs);
    await expect(store.topics.alterConfigs('a', { set: { x: '1' } })).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
  });
});

describe('delete', () => {
  it('names the nearest topic where there is none of that name', async () => {
    const store = await open();
    await store.topics.create({ topic: 'orders' });
    await expect(store.topics.delete('ordres')).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      hint: 'Did you mean orders?',
    });
  });

  it('waits for a writer, says who it is when that takes too long, and is completed by the next change', async () => {
    const store = await open(unsyncedFileSystem, undefined, 100);
    await store.topics.create({ topic: 'a', partitions: 2 });
    const writer = await nodeFileSystem.open(join(store.directory.logDirectory, 'a-1', 'klog.end'), 'write');
    expect(writer.tryLock(APPEND_RANGE)).toBe(true);
    await expect(store.topics.delete('a')).rejects.toMatchObject({
      code: 'KLOG_LOCKED',
      message: expect.stringContaining('this process holds it'),
    });
    expect(await store.topics.list()).toEqual([]);
    await store.topics.create({ topic: 'b' });
    await expect(store.topics.create({ topic: 'a' })).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    await expect(store.topics.delete('a')).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    await writer.close();
    // The waits that were given up are granted now, one after the other, and handed back.
    await vi.waitFor(async () => {
      await store.topics.alterConfigs('b', { set: { 'segment.ms': '1' } });
      expect(namesIn(store)).toEqual({ log: ['b-0'], topics: ['b.json'] });
    });
    await store.topics.create({ topic: 'a' });
  });

  it('against creates of the same name, at every interleaving, leaves the topic whole or gone', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const path = join(temporaryDirectory(), '.klog');
      const stores = [await open(interleaved(2 * seed), path), await open(interleaved(2 * seed + 1), path)] as const;
      await stores[0].topics.create({ topic: 'a', partitions: 2 });
      const [deleted, created] = await Promise.allSettled([
        stores[0].topics.delete('a'),
        stores[1].topics.create({ topic: 'a', partitions: 1 }),
      ]);
      expect(deleted.status).toBe('fulfilled');
      const expected = created.status === 'fulfilled' ? ['a-0'] : [];
      expect(namesIn(stores[0])).toEqual({ log: expected, topics: expected.map(() => 'a.json') });
      if (created.status === 'rejected') expect(created.reason).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' });
      else expect(await stores[0].topics.get('a')).toEqual(created.value);
    }
  });

  it("leaves a partition alone whose directory was exchanged for another topic's", async () => {
    const store = await open();
    await store.topics.create({ topic: 'a' });
    await store.topics.create({ topic: 'b' });
    const { logDirectory } = store.directory;
    renameSync(join(logDirectory, 'a-0'), join(temporaryDirectory(), 'away'));
    renameSync(join(logDirectory, 'b-0'), join(logDirectory, 'a-0'));
    await store.topics.delete('a');
    expect(namesIn(store)).toEqual({ log: ['a-0'], topics: ['b.json'] });
  });
});

describe('changes', () => {
  it('are refused in a directory that was opened for reading only', async () => {
    const { directory } = await open();
    const store = await openStore(nodeFileSystem, directory.path, { readOnly: true });
    for (const attempt of [
      store.topics.create({ topic: 'a' }),
      store.topics.delete('a'),
      store.topics.createPartitions('a', 2),
      store.topics.alterConfigs('a', {}),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'KLOG_PERMISSION_DENIED' });
    }
    expect(await store.topics.list()).toEqual([]);
    await store.close();
  });

  it('wait for each other no longer than they may, and name the process that holds the lock', async () => {
    const store = await open(unsyncedFileSystem, undefined, 50);
    const holder = await nodeFileSystem.open(join(store.directory.topicsDirectory, '.lock'), 'write');
    expect(holder.tryLock({ start: 0, length: 0 })).toBe(true);
    await expect(store.topics.create({ topic: 'a' })).rejects.toMatchObject({
      code: 'KLOG_LOCKED',
      message: expect.stringMatching(/changes of topics is held by this process itself/),
    });
    await holder.close();
    await store.topics.create({ topic: 'a' });
  });

  it('that meet a full disk take back what they made, at every call', async () => {
    const store = await open();
    await store.topics.create({ topic: 'before' });
    const before = namesIn(store);
    for (let n = 1, finished = false; !finished; n++) {
      const { fs, calls } = failingAt(n, 'ENOSPC');
      const failing = await openStore(fs, store.directory.path).catch((error: unknown) => error);
      if (failing instanceof Error) continue;
      const outcome = await (failing as Store).topics
        .create({ topic: 'a', partitions: 2 })
        .catch((error: unknown) => error);
      finished = calls() < n;
      await (failing as Store).close();
      if (finished) break;
      if (!(outcome instanceof Error)) {
        // The failed call was one whose failure does no harm.
        await store.topics.delete('a');
        continue;
      }
      expect(outcome).toMatchObject({ code: 'KLOG_DISK_FULL' });
      expect((await store.topics.list()).map((topic) => topic.topic)).toEqual(['before']);
      await store.topics.alterConfigs('before', {});
      expect(namesIn(store)).toEqual(before);
    }
    expect((await store.topics.list()).map((topic) => topic.topic)).toEqual(['a', 'before']);
  });

  it('list a thousand topics from their small files', async () => {
    const store = await open();
    await store.topics.create({ topic: 'first' });
    const file = JSON.parse(readFileSync(join(store.directory.topicsDirectory, 'first.json'), 'utf8')) as object;
    for (let n = 0; n < 999; n++) {
      const content = JSON.stringify({ ...file, topic: `t${n}` });
      writeFileSync(join(store.directory.topicsDirectory, `t${n}.json`), content);
    }
    const listed = await store.topics.list();
    expect(listed).toHaveLength(1000);
    expect(listed.map((topic) => topic.topic)).toEqual(listed.map((topic) => topic.topic).sort());
  });

  it('hide internal topics unless asked', async () => {
    const store = await open();
    await store.topics.create({ topic: '__consumer_offsets' });
    expect(await store.topics.list()).toEqual([]);
    expect(await store.topics.list({ internal: true })).toMatchObject([
      { topic: '__consumer_offsets', internal: true },
    ]);
  });
});
