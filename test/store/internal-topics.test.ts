import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { type OpenStoreOptions, openStore } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { unsyncedFileSystem } from './interposed-file-system.js';

const OFFSETS = '__consumer_offsets';
const OFFSETS_TOPIC = { topic: OFFSETS, partitions: 50, configs: { 'cleanup.policy': 'compact' } };

async function open(directory = join(temporaryDirectory(), '.klog'), options: OpenStoreOptions = {}) {
  const store = await openStore(unsyncedFileSystem, directory, { create: true, lockWaitMs: 5_000, ...options });
  onTestFinished(() => store.close());
  return store;
}

function partitionsIn(directory: string): string[] {
  return readdirSync(join(directory, 'log')).filter((name) => name.startsWith(OFFSETS));
}

it('an internal topic is made once, without the directories of its partitions', async () => {
  const store = await open();
  const both = await Promise.all([
    store.topics.ensureInternal(OFFSETS_TOPIC),
    store.topics.ensureInternal(OFFSETS_TOPIC),
  ]);
  expect(both[0]).toEqual(both[1]);
  expect(await store.topics.ensureInternal(OFFSETS_TOPIC)).toMatchObject({ partitions: 50, internal: true });
  expect(partitionsIn(store.directory.path)).toEqual([]);
  expect(await store.topics.list()).toEqual([]);
});

it('its partitions come with their first use, by writers and readers alike', async () => {
  const store = await open();
  await store.topics.ensureInternal(OFFSETS_TOPIC);
  const logs = await Promise.all([store.partitionLog(OFFSETS, 7), store.partitionLog(OFFSETS, 7)]);
  const builder = new RecordBatchBuilder();
  builder.appendValue(Buffer.from('x'), 0, 1, 1);
  await logs[0].durable(await logs[0].append([builder.build()]));
  expect((await (await store.partitionReader(OFFSETS, 7)).marks()).highWatermark).toBe(1);
  expect((await (await store.partitionReader(OFFSETS, 9)).marks()).highWatermark).toBe(0);
  expect(partitionsIn(store.directory.path).sort()).toEqual([`${OFFSETS}-7`, `${OFFSETS}-9`]);
  expect(await store.partitionSize(OFFSETS, 7)).toMatchObject({ segments: 1 });
  expect(await store.partitionSize(OFFSETS, 8)).toEqual({ segments: 0, sizeInBytes: 0 });
});

it('one that was opened only for reading makes nothing', async () => {
  const store = await open();
  await store.topics.ensureInternal(OFFSETS_TOPIC);
  const reader = await open(store.directory.path, { readOnly: true, create: false });
  await expect(reader.partitionReader(OFFSETS, 0)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  await expect(reader.topics.ensureInternalPartition(OFFSETS, 0)).rejects.toMatchObject({
    code: 'KLOG_PERMISSION_DENIED',
  });
  expect(partitionsIn(store.directory.path)).toEqual([]);
});

it('can be deleted whichever of its partitions were made', async () => {
  const store = await open();
  await store.topics.ensureInternal(OFFSETS_TOPIC);
  await store.partitionLog(OFFSETS, 3);
  await store.topics.delete(OFFSETS);
  expect(partitionsIn(store.directory.path)).toEqual([]);
  expect(await store.topics.find(OFFSETS)).toBeUndefined();
});
