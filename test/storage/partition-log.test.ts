import { mkdirSync, renameSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createPartition } from '../../src/storage/create-partition.js';
import { LogSegments } from '../../src/storage/log-segments.js';
import type { PartitionLog } from '../../src/storage/partition-log.js';
import { interpose, killedAt, systemError, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { buildBatch } from '../support/build-batch.js';
import { contents, counting, newPartition, openLog, readAll, segmentPath, write } from './real-partition.js';

/** Two batches of `batch` fill a segment: an append of three rolls in its middle. */
const SMALL = { segmentBytes: 200, indexIntervalBytes: 1 };
const batch = (text: string) => buildBatch([text.padEnd(20, '.')]);
const text = (value: string) => value.padEnd(20, '.');

/** Opens, appends twice, closes; adds what was acknowledged. */
async function session(open: () => Promise<PartitionLog>, acknowledged: string[]): Promise<void> {
  const log = await open();
  try {
    for (const name of ['a', 'b']) {
      const texts = [1, 2, 3].map((i) => `${name}${i}`);
      try {
        await log.durable(await log.append(texts.map(batch)));
        acknowledged.push(...texts.map(text));
      } catch {
        // Not acknowledged.
      }
    }
  } finally {
    await log.close();
  }
}

/** What was acknowledged is there once and in order; then the log goes on without a hole. */
async function assertHealthy(directory: string, acknowledged: readonly string[]): Promise<void> {
  const log = await openLog(directory, { config: SMALL });
  await log.durable(await log.append([batch('end1'), batch('end2'), batch('end3')]));
  await log.close();
  const found = await readAll(directory);
  expect(found.filter((value) => acknowledged.includes(value))).toEqual(acknowledged);
  expect(new Set(found).size).toBe(found.length);
  expect(found.slice(-3)).toEqual(['end1', 'end2', 'end3'].map(text));
}

const code = 'ENOSPC';

describe('appends that roll, when calls fail', () => {
  it('keep what was acknowledged and leave no file open, whichever one fails', async () => {
    for (let n = 1; ; n++) {
      const directory = await newPartition();
      let calls = 0;
      const { fs, open } = counting(({ path }) => {
        if (++calls === n) throw systemError(code, path);
      });
      const acknowledged: string[] = [];
      await session(() => openLog(directory, { fs, config: SMALL }), acknowledged).catch(() => {});
      expect(open(), `open files after call ${n} failed`).toBe(0);
      await assertHealthy(directory, acknowledged);
      if (calls < n) break;
    }
  });

  it('keep what was acknowledged when all calls from one on fail', async () => {
    for (let n = 1; ; n++) {
      const directory = await newPartition();
      let calls = 0;
      const fs = interpose(({ path }) => {
        if (++calls >= n) throw systemError(code, path);
      });
      const acknowledged: string[] = [];
      await session(() => openLog(directory, { fs, config: SMALL }), acknowledged).catch(() => {});
      await assertHealthy(directory, acknowledged);
      if (calls < n) break;
    }
  });
});

describe('a writer that is killed', () => {
  it('leaves a log that goes on, with all that was acknowledged, whichever call it was', async () => {
    for (let n = 1; ; n++) {
      const directory = await newPartition();
      const { fs, calls } = killedAt(n);
      const acknowledged: string[] = [];
      await session(() => openLog(directory, { fs, config: SMALL }), acknowledged).catch(() => {});
      await assertHealthy(directory, acknowledged);
      if (calls() < n) break;
    }
  });
});

describe('a disk that is full', () => {
  it('fails the roll in the middle of an append, which leaves the batches before it as they are', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, {
      config: SMALL,
      fs: interpose(({ name, path }) => {
        if (name === 'open create' && path.endsWith('.log')) throw systemError('ENOSPC', path);
      }),
    });
    await expect(log.append([batch('1'), batch('2'), batch('3')])).rejects.toMatchObject({
      code: 'KLOG_OUTCOME_UNKNOWN',
      cause: expect.objectContaining({ code: 'ENOSPC' }),
    });
    await log.close();
    expect(statSync(segmentPath(directory)).size).toBe(2 * batch('1').length);
    await assertHealthy(directory, ['1', '2'].map(text));
  });

  it('is no reason to pass over a failed sync of the directory in a roll', async () => {
    const directory = await newPartition();
    let failures = 0;
    const log = await openLog(directory, {
      config: SMALL,
      fs: interpose(({ name, path }) => {
        if (name === 'syncDirectory' && ++failures === 1) throw systemError('ENOSPC', path);
      }),
    });
    await expect(log.append([batch('1'), batch('2'), batch('3')])).rejects.toMatchObject({ code: 'KLOG_SYNC_FAILED' });
    await log.close();
    await assertHealthy(directory, ['1', '2'].map(text));
  });

  it('is told as such also when there is something to settle', async () => {
    const directory = await newPartition();
    const { fs: dying } = killedAt(1e9);
    const other = await openLog(directory, { fs: dying });
    const log = await openLog(directory, {
      fs: interpose(({ name, path }) => {
        if (name.startsWith('open create') && path.includes('.cut-')) throw systemError('ENOSPC', path);
      }),
    });
    // Torn bytes behind A, as a killed writer leaves them.
    const file = await unsyncedFileSystem.open(segmentPath(directory), 'write');
    await file.write(Buffer.from('torn'), 0, 4, 0);
    await file.close();
    await expect(log.append([batch('1')])).rejects.toMatchObject({ code: 'KLOG_DISK_FULL' });
    await log.close();
    await other.close();
  });
});

describe('a topic deleted and made again', () => {
  it('is not touched by who appended to the old one and finds its leader dead', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { config: SMALL });
    const dead = await openLog(directory, {
      config: SMALL,
      fs: interpose(({ name, path }) => {
        if (name === 'sync') throw systemError('EIO', path);
      }),
    });
    const appended = await log.append([batch('old1'), batch('old2')]);
    await expect(dead.durable(appended)).rejects.toMatchObject({ code: 'KLOG_SYNC_FAILED' });
    renameSync(directory, `${directory}.gone`);
    mkdirSync(directory);
    await createPartition(unsyncedFileSystem, directory, {
      topicId: 'AAAAAAAAAAAAAAAAAAAAAg',
      clock: { now: () => 0 },
    });
    const again = await openLog(directory, { config: SMALL });
    await again.durable(await again.append(['new1', 'new2', 'new3'].map(batch)));
    const before = contents(directory, '.log', 'klog.end');
    await expect(log.durable(appended)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await expect(log.append([batch('x')])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await log.close();
    await dead.close();
    expect(contents(directory, '.log', 'klog.end')).toEqual(before);
    await again.close();
  });
});

describe('tasks of one process', () => {
  it('come for a segment and its indexes at the same time, and share one open file', async () => {
    const directory = await newPartition();
    const { fs, open } = counting();
    const segments = new LogSegments(fs, directory);
    const [first, second] = await Promise.all([segments.get(0), segments.get(0)]);
    expect(first).toBe(second);
    await Promise.all([first.beside('.index'), second.beside('.index'), first.syncIndexes()]);
    expect(open()).toBe(3);
    await segments.close();
    expect(open()).toBe(0);
  });

  it('open a segment that another process has begun once, though they come for it together', async () => {
    const directory = await newPartition();
    const { fs, open } = counting();
    const mine = await openLog(directory, { fs, config: SMALL });
    const theirs = await openLog(directory, { config: SMALL });
    for (let round = 0; round < 20; round++) {
      const appended = await mine.append([batch(`m${round}`)]);
      await theirs.append([batch(`t${round}`), batch(`u${round}`)]);
      await Promise.all([mine.durable(appended), mine.append([batch(`n${round}`)])]);
    }
    await write(mine, 'last');
    await mine.close();
    await theirs.close();
    expect(open()).toBe(0);
    expect(await readAll(directory)).toHaveLength(81);
  });
});
