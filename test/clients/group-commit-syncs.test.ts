/** What the commits of a group cost: counted at the seam of files. */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LocalClient } from '../../src/clients/local/local-client.js';
import { Groups } from '../../src/groups/groups.js';
import type { FileSystem, OpenFile } from '../../src/storage/file-system.js';
import { nodeFileSystem } from '../../src/store/node-file-system.js';
import { openStore } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const PARTITIONS = 50;
const seams = { now: Date.now, elapsed: () => performance.now(), random: Math.random };

/** Calls `onSync` before each sync of a file. */
function syncsTold(onSync: (path: string) => void): FileSystem {
  const open = async (path: string, ...rest: [Parameters<FileSystem['open']>[1]]): Promise<OpenFile> => {
    const file = await nodeFileSystem.open(path, ...rest);
    const sync = file.sync.bind(file);
    file.sync = () => {
      onSync(path);
      return sync();
    };
    return file;
  };
  return new Proxy(nodeFileSystem, {
    get(fs, name) {
      if (name === 'open') return open;
      const value: unknown = Reflect.get(fs, name, fs);
      return typeof value === 'function' ? value.bind(fs) : value;
    },
  });
}

async function clientOn(fs: FileSystem) {
  const store = await openStore(fs, join(temporaryDirectory(), '.klog'), { create: true });
  const client = new LocalClient(store, seams, [], async () => new Groups(store, seams));
  onTestFinished(() => client.close());
  return client;
}

describe('commits of a member', () => {
  it('cost one sync an interval, of one file, however many partitions have moved on', async () => {
    const synced = new Map<string, number>();
    const client = await clientOn(syncsTold((path) => synced.set(path, (synced.get(path) ?? 0) + 1)));
    await client.admin().createTopic({ topic: 't', partitions: PARTITIONS });
    const producer = client.producer();
    const autoCommitIntervalMs = 40;
    const consumer = client.consumer({ topics: ['t'], follow: true, group: { id: 'g', autoCommitIntervalMs } });
    let handled = 0;
    const reading = (async () => {
      for await (const _ of consumer) handled++;
    })();
    await vi.waitFor(async () => expect(await consumer.assignment()).toHaveLength(PARTITIONS));
    const places = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: 't', partition }));
    const produceToAll = () =>
      producer.sendAll(places.map((place) => ({ ...place, key: null, value: Buffer.from('x') })));
    const offsets = () => [...synced].filter(([path]) => path.includes('__consumer_offsets'));
    const count = () => offsets().reduce((sum, [, syncs]) => sum + syncs, 0);
    const committed = async () => (await consumer.committed(places)).filter((one) => one?.offset === round);
    // The first writes of a partition sync more than that.
    let round = 1;
    await produceToAll();
    await vi.waitFor(async () => expect(await committed()).toHaveLength(PARTITIONS));

    const before = count();
    const from = performance.now();
    for (round = 2; round <= 5; round++) {
      await produceToAll();
      await vi.waitFor(async () => expect(await committed()).toHaveLength(PARTITIONS), { interval: 10 });
    }
    // A timer may be late, and never early; one interval may have been about to end.
    const intervals = Math.ceil((performance.now() - from) / autoCommitIntervalMs) + 1;
    expect(count() - before).toBeGreaterThanOrEqual(4);
    expect(count() - before).toBeLessThanOrEqual(intervals);
    expect(offsets().filter(([path]) => path.endsWith('.log'))).toHaveLength(1);
    // Nothing has moved on: nothing is written.
    const atRest = count();
    await new Promise((resolve) => setTimeout(resolve, 3 * autoCommitIntervalMs));
    expect(count()).toBe(atRest);
    expect(handled).toBe(5 * PARTITIONS);
    await consumer.close();
    await reading;
    expect(count()).toBeLessThanOrEqual(atRest + 1);
  });
});
