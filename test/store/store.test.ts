import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import type { FileSystem } from '../../src/storage/file-system.js';
import { type OpenStoreOptions, openStore } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { interpose, systemError, unsyncedFileSystem } from './interposed-file-system.js';

async function open(options: OpenStoreOptions = {}, fs: FileSystem = unsyncedFileSystem, path?: string) {
  const directory = path ?? join(temporaryDirectory(), '.klog');
  const store = await openStore(fs, directory, { create: true, lockWaitMs: 5_000, ...options });
  onTestFinished(() => store.close());
  return store;
}

function batch(...values: string[]): Uint8Array {
  const builder = new RecordBatchBuilder();
  for (const value of values) {
    const bytes = Buffer.from(value);
    builder.appendValue(bytes, 0, bytes.length, 1_700_000_000_000);
  }
  return Uint8Array.from(builder.build());
}

describe('a store', () => {
  it('hands out a partition to write and to read', async () => {
    const store = await open();
    await store.topics.create({ topic: 'a', partitions: 2 });
    const log = await store.partitionLog('a', 1);
    const reader = await store.partitionReader('a', 1);
    const appended = await log.append([batch('x', 'y')]);
    expect(appended).toMatchObject({ baseOffset: 0, lastOffset: 1 });
    await log.durable(appended);
    expect(await reader.waitForMore(0, { timeoutMs: 1_000 })).toBe(true);
    const fetched = await reader.fetch(0, 1024);
    expect(fetched.nextOffset).toBe(2);
    expect(Buffer.from(fetched.buffer.subarray(fetched.start, fetched.end)).includes('y')).toBe(true);
    expect(await reader.marks()).toMatchObject({ logStartOffset: 0, highWatermark: 2 });
    expect(await (await store.partitionReader('a', 0)).marks()).toMatchObject({ highWatermark: 0 });
    await reader.close();
    await expect(reader.fetch(0, 1)).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
  });

  it('knows its topics as clients see them', async () => {
    const store = await open();
    expect(await store.topic('a')).toBeUndefined();
    const configs = { 'compression.type': 'zstd', 'cleanup.policy': 'compact,delete', 'max.message.bytes': '2K' };
    await store.topics.create({ topic: 'a', configs });
    await store.topics.create({ topic: 'b' });
    expect(await store.topic('a')).toMatchObject({ compression: 'zstd', isCompacted: true, maxMessageBytes: 2048 });
    expect(await store.topic('b')).toMatchObject({ compression: 'none', isCompacted: false, partitions: 1 });
  });

  it.each([[1], [-1], [0.5], [Number.NaN]])('has no partition %s where there is only 0', async (partition) => {
    const store = await open();
    await store.topics.create({ topic: 'a' });
    for (const attempt of [store.partitionLog('a', partition), store.partitionReader('a', partition)]) {
      await expect(attempt).rejects.toMatchObject({
        code: 'UNKNOWN_TOPIC_OR_PARTITION',
        hint: 'It has one, partition 0',
      });
    }
  });

  it('hands out one log for a partition, with the configs of now', async () => {
    const store = await open();
    await store.topics.create({ topic: 'a' });
    const log = await store.partitionLog('a', 0);
    expect(await store.partitionLog('a', 0)).toBe(log);
    await store.topics.alterConfigs('a', { set: { 'message.timestamp.type': 'LogAppendTime' } });
    const next = await store.partitionLog('a', 0);
    expect((await log.append([batch('old')])).appendTime).toBe(-1);
    expect((await next.append([batch('new')])).appendTime).toBeGreaterThan(0);
  });

  it('writes into no other topic after a delete and a create of the same name', async () => {
    const store = await open();
    const other = await open({}, unsyncedFileSystem, store.directory.path);
    await store.topics.create({ topic: 'a' });
    const log = await store.partitionLog('a', 0);
    const reader = await store.partitionReader('a', 0);
    await log.durable(await log.append([batch('x')]));
    await other.topics.delete('a');
    await expect(log.append([batch('y')])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await other.topics.create({ topic: 'a' });
    await expect(log.append([batch('y')])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await reader.close();
    const next = await store.partitionLog('a', 0);
    expect(await next.append([batch('z')])).toMatchObject({ baseOffset: 0 });
  });

  it('does not take up a topic of the same name when it opens files again', async () => {
    const store = await open({ maxDescriptors: 1 });
    const other = await open({}, unsyncedFileSystem, store.directory.path);
    await store.topics.create({ topic: 'a' });
    await store.topics.create({ topic: 'b' });
    const log = await store.partitionLog('a', 0);
    const reader = await store.partitionReader('a', 0);
    await store.partitionLog('b', 0);
    await other.topics.delete('a');
    await other.topics.create({ topic: 'a' });
    await expect(log.append([batch('y')])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await expect(reader.marks()).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    expect(await (await store.partitionReader('a', 0)).marks()).toMatchObject({ logEndOffset: 0 });
  });

  it('lets go of the files of a topic it deletes itself', async () => {
    const store = await open();
    await store.topics.create({ topic: 'a', partitions: 3 });
    for (const partition of [0, 1, 2]) await (await store.partitionLog('a', partition)).append([batch('x')]);
    expect(store.openDescriptors).toBeGreaterThan(3);
    await store.topics.delete('a');
    expect(store.openDescriptors).toBe(0);
  });

  it('reads, and does not write, when opened for reading only', async () => {
    const writer = await open();
    await writer.topics.create({ topic: 'a' });
    const log = await writer.partitionLog('a', 0);
    await log.durable(await log.append([batch('x')]));
    const store = await open({ readOnly: true, create: false }, unsyncedFileSystem, writer.directory.path);
    expect(await (await store.partitionReader('a', 0)).marks()).toMatchObject({ highWatermark: 1 });
    await expect(store.partitionLog('a', 0)).rejects.toMatchObject({ code: 'KLOG_PERMISSION_DENIED' });
  });

  it('can be used for nothing after it was closed', async () => {
    const store = await open();
    await store.topics.create({ topic: 'a' });
    const log = await store.partitionLog('a', 0);
    await store.close();
    expect(store.openDescriptors).toBe(0);
    await expect(log.append([batch('x')])).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
  });
});

describe('descriptors of a store', () => {
  it('stay below the limit however many partitions are written and read', async () => {
    const store = await open({ maxDescriptors: 24 });
    await store.topics.create({ topic: 'a', partitions: 40 });
    let most = 0;
    for (let round = 0; round < 2; round++) {
      for (let partition = 0; partition < 40; partition++) {
        const log = await store.partitionLog('a', partition);
        await log.durable(await log.append([batch('x')]));
        const reader = await store.partitionReader('a', partition);
        expect((await reader.fetch(round, 1024)).nextOffset).toBe(round + 1);
        most = Math.max(most, store.openDescriptors);
      }
    }
    expect(most).toBeGreaterThan(12);
    expect(most).toBeLessThanOrEqual(24);
  });

  it('are those that were unused for the longest that are closed', async () => {
    const opened: string[] = [];
    const fs = interpose(({ name, path }) => {
      if (name.startsWith('open') && path.endsWith('klog.end')) opened.push(path);
    });
    const store = await open({ maxDescriptors: 24 }, fs);
    await store.topics.create({ topic: 'a', partitions: 30 });
    const often = await store.partitionLog('a', 0);
    for (let partition = 1; partition < 30; partition++) {
      await often.append([batch('x')]);
      await (await store.partitionLog('a', partition)).append([batch('x')]);
    }
    opened.length = 0;
    await often.append([batch('x')]);
    expect(opened).toEqual([]);
    await (await store.partitionLog('a', 1)).append([batch('x')]);
    expect(opened).toHaveLength(1);
  });

  it('are given back by idle partitions when the system has none left', async () => {
    const openFiles = new Set<string>();
    let limit = Number.POSITIVE_INFINITY;
    let refused = 0;
    const fs = interpose(({ name, path }) => {
      if (!name.startsWith('open') || !path.includes('/log/a-')) return;
      if (store !== undefined && store.openDescriptors >= limit) {
        refused++;
        throw systemError('EMFILE', path);
      }
      openFiles.add(path);
    });
    let store: Awaited<ReturnType<typeof open>> | undefined;
    store = await open({}, fs);
    await store.topics.create({ topic: 'a', partitions: 20 });
    limit = 12;
    for (let partition = 0; partition < 20; partition++) {
      const log = await store.partitionLog('a', partition);
      await log.durable(await log.append([batch('x')]));
    }
    expect(refused).toBeGreaterThan(0);
    limit = 0;
    await expect(store.partitionReader('a', 5)).rejects.toMatchObject({
      code: 'KAFKA_STORAGE_ERROR',
      hint: expect.stringContaining('ulimit -n'),
    });
    limit = 12;
    expect(await (await store.partitionReader('a', 5)).marks()).toMatchObject({ highWatermark: 1 });
  });

  it('are given away by readers that wait, which see new records all the same', async () => {
    const store = await open({ maxDescriptors: 10 });
    await store.topics.create({ topic: 'a', partitions: 12 });
    const readers = [];
    for (let partition = 0; partition < 12; partition++) readers.push(await store.partitionReader('a', partition));
    const controller = new AbortController();
    const waits = readers.map((reader) => reader.waitForMore(0, { signal: controller.signal, timeoutMs: 10_000 }));
    const log = await store.partitionLog('a', 3);
    await vi.waitFor(() => expect(store.openDescriptors).toBeLessThanOrEqual(10));
    await log.durable(await log.append([batch('x')]));
    expect(await waits[3]).toBe(true);
    await vi.waitFor(() => expect(store.openDescriptors).toBeLessThanOrEqual(10));
    controller.abort();
    expect(await Promise.all(waits)).toEqual(waits.map((_, partition) => partition === 3));
  });

  it('are given away by readers that wait when the system has none left', async () => {
    let limit = Number.POSITIVE_INFINITY;
    const fs = interpose(({ name, path }) => {
      if (name.startsWith('open') && path.includes('/log/a-') && (store?.openDescriptors ?? 0) >= limit) {
        throw systemError('EMFILE', path);
      }
    });
    let store: Awaited<ReturnType<typeof open>> | undefined;
    store = await open({}, fs);
    await store.topics.create({ topic: 'a', partitions: 6 });
    const readers = [];
    for (let partition = 0; partition < 6; partition++) readers.push(await store.partitionReader('a', partition));
    const controller = new AbortController();
    const waits = readers.map((reader) => reader.waitForMore(0, { signal: controller.signal }));
    await vi.waitFor(() => expect(store?.openDescriptors).toBe(6));
    limit = 6;
    const log = await store.partitionLog('a', 5);
    await log.durable(await log.append([batch('x')]));
    expect(await waits[5]).toBe(true);
    controller.abort();
    await Promise.allSettled(waits);
  });

  it('leave nothing behind in the process', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const store = await openStore(unsyncedFileSystem, join(temporaryDirectory(), '.klog'), { create: true });
    await store.topics.create({ topic: 'a', partitions: 5 });
    for (let partition = 0; partition < 5; partition++) {
      await (await store.partitionLog('a', partition)).append([batch('x')]);
      await (await store.partitionReader('a', partition)).fetch(0, 100);
    }
    await store.topics.createPartitions('a', 7);
    await store.topics.delete('a');
    await store.close();
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
