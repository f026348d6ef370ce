import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Groups } from '../../src/groups/groups.js';
import { nodeFileSystem } from '../../src/store/node-file-system.js';
import { openStore } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

it('groups forget of a topic also what is not safe yet: it will be, when there is another of its name', async () => {
  const store = await openStore(nodeFileSystem, join(temporaryDirectory(), '.klog'), { create: true });
  const seams = { now: Date.now, elapsed: () => performance.now() };
  const [member, deleter] = [new Groups(store, seams), new Groups(store, seams)];
  onTestFinished(async () => {
    for (const groups of [member, deleter]) await groups.close();
    await store.close();
  });
  const log = await member.logOf('g');
  // Who opens a log settles what is not safe; this one was open before.
  await deleter.logOf('g');
  const partition = { topic: 't', partition: 0 };
  const commit = { offset: 5, leaderEpoch: -1, metadata: '', commitTimestamp: 1, expireTimestamp: -1 };
  await log.decide('g', () => ({ commits: [{ ...partition, commit }] }), { durable: false });
  await deleter.forgetTopics(new Set(['t']));
  await log.refresh();
  expect(log.group('g').committed(partition)).toBeUndefined();
});
