/**
 * `max.compaction.lag.ms` and `min.compaction.lag.ms`: from when on, and until when at the latest, a record is
 * compacted.
 */
import { utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LogConfig } from '../../src/storage/log-config.js';
import {
  append,
  batchOf,
  DAY,
  NOW,
  newPartition,
  openLog,
  type Row,
  readAll,
  rows,
  segments,
  TestClock,
} from './upkeep-log.js';

const LAG = 60_000;

async function opened(config: Partial<LogConfig>) {
  const directory = await newPartition();
  const clock = new TestClock();
  return { directory, clock, log: await openLog(directory, config, { clock }) };
}

describe('the longest lag', () => {
  it.each([
    ['of a compacted topic closes the segment', { cleanupPolicy: 'compact' }, [0, 1]],
    ['closes it where the policy is compact,delete, too', { cleanupPolicy: 'compact,delete' }, [0, 1]],
    ['means nothing to a topic that only deletes', { cleanupPolicy: 'delete' }, [0]],
    ['does not make segments live longer than segment.ms', { cleanupPolicy: 'compact', segmentMs: LAG - 1 }, [0, 1]],
  ] as const)('%s', async (_, config, expected) => {
    const { directory, log } = await opened({ ...config, maxCompactionLagMs: LAG });
    await rows(log, ['a', '1', NOW], ['a', '2', NOW + LAG + ('segmentMs' in config ? 0 : 1)]);
    expect(segments(directory)).toEqual(expected);
    await log.close();
  });

  it('is over when more than that lies between the first batch and the one to be appended', async () => {
    const { directory, log } = await opened({ cleanupPolicy: 'compact', maxCompactionLagMs: LAG });
    await rows(log, ['a', '1', NOW], ['a', '2', NOW + LAG]);
    expect(segments(directory)).toEqual([0]);
    await rows(log, ['a', '3', NOW + LAG + 1]);
    expect(segments(directory)).toEqual([0, 2]);
    await log.close();
  });

  it('is counted by the clock where records have no timestamps', async () => {
    const { directory, clock, log } = await opened({ cleanupPolicy: 'compact', maxCompactionLagMs: LAG });
    await rows(log, ['a', '1', -1]);
    clock.pass(LAG);
    await rows(log, ['a', '2', -1]);
    expect(segments(directory)).toEqual([0]);
    clock.pass(1);
    await rows(log, ['a', '3', -1]);
    expect(segments(directory)).toEqual([0, 2]);
    await log.close();
  });

  it('gets a record compacted that no ratio would have asked for', async () => {
    const { directory, clock, log } = await opened({
      cleanupPolicy: 'compact',
      maxCompactionLagMs: LAG,
      minCleanableDirtyRatio: 1,
    });
    const many: Row[] = Array.from({ length: 20 }, (_, i) => [`k${i}`, 'x'.repeat(100)]);
    await append(log, batchOf(many), batchOf([['k0', 'new']]));
    clock.pass(LAG + 1);
    expect((await log.compact()).skipped).toBe('nothing to do');
    await rows(log, ['other', 'y', clock.now()]);
    expect((await log.compact()).skipped).toBeUndefined();
    expect((await readAll(directory)).filter(({ key }) => key === 'k0').map(({ value }) => value)).toEqual(['new']);
    await log.close();
  });
});

describe('the shortest lag', () => {
  it('goes by when the file was written where records have no timestamps', async () => {
    const config = {
      cleanupPolicy: 'compact',
      segmentBytes: 100,
      minCompactionLagMs: LAG,
      minCleanableDirtyRatio: 0,
    } as const;
    const { directory, clock, log } = await opened(config);
    await rows(log, ['a', '1', -1], ['a', '2', -1], ['a', '3', -1]);
    expect(segments(directory)).toEqual([0, 1, 2]);
    for (const base of [0, 1]) {
      const written = (clock.now() - (base === 0 ? LAG : LAG - 1)) / 1000;
      utimesSync(`${directory}/${String(base).padStart(20, '0')}.log`, written, written);
    }
    // Only the first segment is old enough, and it has nothing that a later one of its age replaces.
    expect(await log.compact()).toMatchObject({ skipped: undefined, firstDirtyOffset: 1 });
    expect((await readAll(directory)).map(({ value }) => value)).toEqual(['1', '2', '3']);
    clock.pass(1);
    expect((await log.compact()).firstDirtyOffset).toBe(2);
    expect((await readAll(directory)).map(({ value }) => value)).toEqual(['2', '3']);
    await log.close();
  });

  it('holds when compaction is forced, too: what is young stays', async () => {
    const config = { cleanupPolicy: 'compact', segmentBytes: 100, minCompactionLagMs: DAY } as const;
    const { directory, clock, log } = await opened(config);
    await rows(log, ['a', '1'], ['a', '2']);
    clock.pass(DAY - 1);
    expect((await log.compact({ force: true })).skipped).toBe('nothing to do');
    expect((await readAll(directory)).map(({ value }) => value)).toEqual(['1', '2']);
    clock.pass(1);
    await log.compact({ force: true });
    expect((await readAll(directory)).map(({ value }) => value)).toEqual(['2']);
    await log.close();
  });
});
