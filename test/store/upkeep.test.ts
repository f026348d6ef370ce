import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/store.js';
import { batchOf, readAll, segments } from '../storage/upkeep-log.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { unsyncedFileSystem } from './interposed-file-system.js';

async function produce(configs: Record<string, string>): Promise<string> {
  const path = join(temporaryDirectory(), '.klog');
  const store = await openStore(unsyncedFileSystem, path, { create: true });
  await store.topics.create({ topic: 't', configs: { 'segment.bytes': '1000', ...configs } });
  const log = await store.partitionLog('t', 0);
  for (let i = 0; i < 60; i++) await log.durable(await log.append([batchOf([[`k${i % 3}`, `v${i}`]])]));
  await store.close();
  return join(path, 'log', 't-0');
}

describe('a process that produces keeps house', () => {
  it('by size, whenever a segment is full', async () => {
    const directory = await produce({ 'retention.bytes': '2000' });
    expect(segments(directory).length).toBeLessThanOrEqual(3);
    const rows = await readAll(directory);
    expect(rows.at(-1)?.value).toBe('v59');
    expect(rows[0]!.offset).toBe(segments(directory)[0]);
  });

  it('by key, when the dirty ratio asks for it', async () => {
    const directory = await produce({ 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.1' });
    const rows = await readAll(directory);
    expect(rows.length).toBeLessThan(30);
    expect(rows.slice(-3).map(({ value }) => value)).toEqual(['v57', 'v58', 'v59']);
  });

  it('by the configs of now, though it had opened the partition when they were others', async () => {
    const path = join(temporaryDirectory(), '.klog');
    const producing = await openStore(unsyncedFileSystem, path, { create: true });
    await producing.topics.create({ topic: 't', configs: { 'segment.bytes': '1000', 'retention.bytes': '2000' } });
    const log = await producing.partitionLog('t', 0);
    const altering = await openStore(unsyncedFileSystem, path);
    await altering.topics.alterConfigs('t', { set: { 'retention.bytes': '-1' } });
    await altering.close();
    for (let i = 0; i < 60; i++) await log.durable(await log.append([batchOf([[`k${i}`, `v${i}`]])]));
    await producing.close();
    const directory = join(path, 'log', 't-0');
    expect(segments(directory).length).toBeGreaterThan(3);
    expect(await readAll(directory)).toHaveLength(60);
  });

  it('and leaves alone what was just brought in, however old its records are', async () => {
    const directory = await produce({ 'retention.ms': '60000' });
    expect(await readAll(directory)).toHaveLength(60);
  });
});
