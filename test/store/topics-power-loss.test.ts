import { describe, expect, it } from 'vitest';
import { KlogError } from '../../src/errors.js';
import { openStore, type Store } from '../../src/store/store.js';
import type { Topics } from '../../src/store/topics.js';
import { allKept, allLost, chosenFate, type Fate, randomChooser } from '../support/chooser.js';
import { SimulatedDisk } from '../support/simulated-disk.js';

const PATH = '/data/.klog';
const HARMLESS = new Set(['start', 'stat', 'readDirectory', 'read', 'close', 'waitLock']);

type Change = (topics: Topics) => Promise<unknown>;

/** Partitions of `old` and of `new`, before and after; 0: no topic. */
const CHANGES: [string, Change, string][] = [
  ['create', (topics) => topics.create({ topic: 'new', partitions: 2 }), 'old 2 new 2'],
  [
    'create of many',
    async (topics) => {
      const outcomes = await topics.createAll([{ topic: 'new', partitions: 2 }, { topic: 'b' }, { topic: 'c' }]);
      for (const outcome of outcomes) if (outcome instanceof KlogError) throw outcome;
    },
    'old 2 new 2',
  ],
  ['createPartitions', (topics) => topics.createPartitions('old', 3), 'old 3 new 0'],
  ['delete', (topics) => topics.delete('old'), 'old 0 new 0'],
];
const BEFORE = 'old 2 new 0';

async function seeded(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const store = await openStore(disk.process('seed'), PATH, { create: true, clock: { now: () => disk.nowMs } });
  await store.topics.create({ topic: 'old', partitions: 2 });
  await store.close();
  disk.powerLoss(allLost);
  return disk;
}

/** Answers whether the change came to its end before the nth call that changes anything. */
async function stoppedAt(disk: SimulatedDisk, n: number, change: Change): Promise<boolean> {
  let calls = 0;
  disk.observers.push(({ name }) => {
    if (!HARMLESS.has(name) && ++calls >= n) throw new Error('the power is off');
  });
  const finished = await openStore(disk.process('changes'), PATH, { lockWaitMs: 0, clock: { now: () => disk.nowMs } })
    .then((store) => change(store.topics))
    .then(
      () => true,
      () => false,
    );
  disk.observers.length = 0;
  return finished && calls < n;
}

async function stateOf(store: Store): Promise<string> {
  const partitions = async (topic: string) => (await store.topics.find(topic))?.partitions ?? 0;
  return `old ${await partitions('old')} new ${await partitions('new')}`;
}

async function checkAfter(disk: SimulatedDisk, allowed: readonly string[]) {
  const store = await openStore(disk.process('after'), PATH, { lockWaitMs: 0, clock: { now: () => disk.nowMs } });
  expect(allowed).toContain(await stateOf(store));
  await store.topics.create({ topic: 'next' });
  const names = new Set(['.lock', 'meta.properties']);
  for (const { topic, partitions } of await store.topics.list()) {
    names.add(`${topic}.json`);
    for (let partition = 0; partition < partitions; partition++) {
      names.add(`${topic}-${partition}`);
      await store.partitionLog(topic, partition);
      const marks = await (await store.partitionReader(topic, partition)).marks();
      expect(marks).toMatchObject({ logStartOffset: 0, logEndOffset: 0 });
    }
  }
  const there = [...(disk.list(`${PATH}/log`) ?? []), ...(disk.list(`${PATH}/topics`) ?? [])];
  expect(there.filter((name) => !names.has(name))).toEqual([]);
  await store.close();
}

describe.each(CHANGES)('%s and a power loss', (_, change, after) => {
  const fates: [string, (n: number) => Fate][] = [
    ['everything unsynced is lost', () => allLost],
    ['everything unsynced is kept', () => allKept],
    ...[1, 2, 3].map((seed): [string, (n: number) => Fate] => [
      `unsynced things are lost and kept by chance (${seed})`,
      (n) => chosenFate(randomChooser(1000 * seed + n)),
    ]),
  ];

  it.each(fates)('at any call is done or not, and done once acknowledged, when %s', async (_name, fate) => {
    const start = await seeded();
    for (let n = 1, finished = false; !finished; n++) {
      const disk = start.clone();
      finished = await stoppedAt(disk, n, change);
      disk.powerLoss(fate(n));
      await checkAfter(disk, finished ? [after] : [BEFORE, after]);
      expect(n).toBeLessThan(500);
    }
  });
});

describe('making a data directory and a power loss', () => {
  it.each([1, 2, 3, 4])('at any call leaves none or a whole one (%s)', async (seed) => {
    for (let n = 1, finished = false; !finished; n++) {
      const disk = new SimulatedDisk();
      let calls = 0;
      disk.observers.push(({ name }) => {
        if (!HARMLESS.has(name) && ++calls >= n) throw new Error('the power is off');
      });
      const made = await openStore(disk.process('first'), PATH, { create: true }).catch(() => undefined);
      finished = made !== undefined && calls < n;
      disk.observers.length = 0;
      disk.powerLoss(seed === 1 ? allLost : seed === 2 ? allKept : chosenFate(randomChooser(1000 * seed + n)));
      const readable = await openStore(disk.process('reader'), PATH, { readOnly: true }).catch(
        (error: unknown) => error,
      );
      if (finished || !(readable instanceof Error)) expect((readable as Store).directory.path).toBe(PATH);
      else expect(readable).toMatchObject({ code: 'KLOG_NOT_FOUND' });
      const store = await openStore(disk.process('second'), PATH, { create: true, clock: { now: () => disk.nowMs } });
      expect((await store.directory.metaProperties()).directoryId).toMatch(/^.{22}$/);
      await store.topics.create({ topic: 'a' });
      expect(disk.list('/data')).toEqual(['.klog']);
      await store.close();
    }
  });
});
