/**
 * `leader-epoch-checkpoint` keeps to the log: its start is raised, its end cut back (Kafka: truncateFromStart,
 * truncateFromEnd).
 */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/storage/file-system.js';
import { type LeaderEpoch, readLeaderEpochs, writeLeaderEpochs } from '../../src/storage/leader-epoch-checkpoint.js';
import { interpose, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { buildBatch } from '../support/build-batch.js';
import { copyOf, newPartition, openLog, readAll, segmentPath, write } from './real-partition.js';

/** A batch a segment. */
const SMALL = { segmentBytes: 100, retentionMs: -1 };
const LARGE = { retentionMs: -1 };
const EPOCHS = [
  { epoch: 0, startOffset: 0 },
  { epoch: 3, startOffset: 2 },
  { epoch: 4, startOffset: 4 },
];
const texts = (count: number) => Array.from({ length: count }, (_, i) => `${i}`.padEnd(40, '.'));
const epochsOf = (directory: string): Promise<LeaderEpoch[]> => readLeaderEpochs(unsyncedFileSystem, directory);

/** Between two of these calls nothing on the disk is changed: the nth and all later ones are not made. */
function dyingAt(n: number): { readonly fs: FileSystem; readonly calls: () => number } {
  let calls = 0;
  const fs = interpose(async ({ name }) => {
    if (/^(write|truncate|sync|syncDirectory|rename|unlink|open create.*)$/.test(name)) calls++;
    if (calls < n) return;
    await fs.closeAll();
    throw new Error('killed');
  });
  return { fs, calls: () => calls };
}

/** Six records in these epochs. */
async function seeded(config: typeof LARGE): Promise<string> {
  const directory = await newPartition();
  const log = await openLog(directory, { config });
  await write(log, ...texts(6));
  await log.close();
  await writeLeaderEpochs(unsyncedFileSystem, directory, EPOCHS);
  return directory;
}

describe.each([
  ['segments go', SMALL],
  ['no segment goes', LARGE],
])('when the log start is raised, and %s', (_, config) => {
  it.each([
    [0, EPOCHS],
    [1, [{ epoch: 0, startOffset: 1 }, ...EPOCHS.slice(1)]],
    [2, EPOCHS.slice(1)],
    [3, [{ epoch: 3, startOffset: 3 }, EPOCHS[2]]],
    [5, [{ epoch: 4, startOffset: 5 }]],
    [6, [{ epoch: 4, startOffset: 6 }]],
  ])('to %i, the epochs of records that are gone go', async (before, expected) => {
    const directory = await seeded(config);
    const log = await openLog(directory, { config });
    expect((await log.trim(before, { validateOnly: true })).logStartOffset).toBe(before);
    expect(await epochsOf(directory)).toEqual(EPOCHS);
    await log.trim(before);
    expect(await epochsOf(directory)).toEqual(expected);
    await write(log, 'more');
    await log.close();
    expect(await epochsOf(directory)).toEqual(expected);
  });

  it('killed at any call, they are as before or as after, and the next trim brings them there', async () => {
    const seed = await seeded(config);
    const after = [{ epoch: 3, startOffset: 3 }, EPOCHS[2]];
    const trim3 = async (directory: string, fs: FileSystem): Promise<void> => {
      const log = await openLog(directory, { config, fs });
      await log.trim(3);
      await log.close();
    };
    for (let n = 1, finished = false; !finished; n++) {
      const directory = copyOf(seed);
      const dying = dyingAt(n);
      await trim3(directory, dying.fs).catch(() => {});
      finished = dying.calls() < n;
      const found = await epochsOf(directory);
      expect([EPOCHS, after], `killed at call ${n}`).toContainEqual(found);
      await trim3(directory, unsyncedFileSystem);
      expect(await epochsOf(directory), `killed at call ${n}`).toEqual(after);
      expect(await readAll(directory, unsyncedFileSystem, 3)).toEqual(texts(6).slice(3));
    }
  });
});

describe('when the end is cut back', () => {
  it('a new epoch begins there, and those behind it go', async () => {
    const directory = await seeded(LARGE);
    truncateSync(segmentPath(directory), readFileSync(segmentPath(directory)).length / 2 + 10);
    rmSync(`${directory}/klog.end`);
    const log = await openLog(directory, { config: LARGE });
    expect(await epochsOf(directory)).toEqual([...EPOCHS.slice(0, 2), { epoch: 5, startOffset: 3 }]);
    await write(log, 'new');
    await log.close();
  });

  it('also where nothing is left to be cut: as of a copy whose log is older than its epochs', async () => {
    const directory = await seeded(LARGE);
    truncateSync(segmentPath(directory), readFileSync(segmentPath(directory)).length / 2);
    rmSync(`${directory}/klog.end`);
    const log = await openLog(directory, { config: LARGE });
    expect(await epochsOf(directory)).toEqual([...EPOCHS.slice(0, 2), { epoch: 4, startOffset: 3 }]);
    await log.close();
  });

  it('and the start raised since, nobody is told that its record is safe which was cut off', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await write(log, 'a');
    const waiting = await log.append([buildBatch(['lost'])]);
    truncateSync(segmentPath(directory), 69);
    const settler = await openLog(directory);
    await write(settler, 'b', 'c');
    await settler.trim(2);
    expect(await epochsOf(directory)).toEqual([{ epoch: 1, startOffset: 2 }]);
    await expect(log.durable(waiting)).rejects.toMatchObject({ code: 'KLOG_OUTCOME_UNKNOWN' });
    await settler.close();
    await log.close();
  });
});

it('a damaged file does not keep old records from going', async () => {
  const directory = await seeded(SMALL);
  writeFileSync(`${directory}/leader-epoch-checkpoint`, '0\n1\nnonsense\n');
  const log = await openLog(directory, { config: SMALL });
  expect(await log.trim(3)).toMatchObject({ segments: 3 });
  expect(readFileSync(`${directory}/leader-epoch-checkpoint`, 'latin1')).toMatch(/nonsense/);
  await log.close();
});
