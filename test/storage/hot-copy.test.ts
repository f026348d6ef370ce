import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileStat, FileSystem, OpenMode } from '../../src/storage/file-system.js';
import type { LogConfig } from '../../src/storage/log-config.js';
import { interpose } from '../store/interposed-file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { newPartition, openLog, type Row, readAll, rows, segments, TestClock } from './upkeep-log.js';

const SMALL: Partial<LogConfig> = { cleanupPolicy: 'compact', segmentBytes: 200 };
const LARGE: Partial<LogConfig> = { cleanupPolicy: 'compact', segmentBytes: 1_000_000 };
const GIVEN: Row[] = Array.from({ length: 6 }, (_, n) => [`k${n}`, `value ${n} ${'.'.repeat(60)}`]);

/** `cp -r` of names that were listed before a compaction: some files are copied before it, the others after it. */
async function copiedMeanwhile(isEarly: (name: string) => boolean, given = GIVEN, config = SMALL): Promise<string> {
  const directory = await newPartition();
  const log = await openLog(directory, config);
  await rows(log, ...given);
  await log.close();
  expect(segments(directory).length).toBeGreaterThan(2);
  const copy = join(temporaryDirectory(), 't-0');
  mkdirSync(copy);
  const listed = readdirSync(directory);
  const copied = (wanted: (name: string) => boolean) => {
    for (const name of listed) if (wanted(name)) cpSync(join(directory, name), join(copy, name));
  };
  copied(isEarly);
  const compacting = await openLog(directory, LARGE);
  await compacting.compact({ force: true });
  await rows(compacting, ['later', 'of no interest']);
  await compacting.close();
  copied((name) => !isEarly(name));
  return copy;
}

const FIRST = '0'.repeat(20);

describe('a copy made while segments are exchanged', () => {
  it.each<[string, (name: string) => boolean]>([
    ['the exchanged segment late', (name) => !name.startsWith(FIRST)],
    ['and the control file', (name) => !name.startsWith(FIRST) && name !== 'klog.end'],
    ['only its log late', (name) => name !== `${FIRST}.log`],
  ])('has every record once, and goes on at its end: %s', async (_, isEarly) => {
    const copy = await copiedMeanwhile(isEarly);
    const expected = GIVEN.map(([key, value], offset) => ({ offset, key, value }));
    // By a reader that may not settle, too.
    expect(await readAll(copy)).toEqual(expected);
    const log = await openLog(copy, SMALL);
    await rows(log, ['new', 'record']);
    await log.close();
    expect(await readAll(copy)).toEqual([...expected, { offset: 6, key: 'new', value: 'record' }]);
  });

  it('has no deleted key come back when it is compacted itself', async () => {
    const rowsGiven: Row[] = [
      ['deleted', 'value'],
      ['deleted', null],
      ['kept', 'value'],
    ];
    const copy = await copiedMeanwhile((name) => name !== 'klog.end', rowsGiven, { ...SMALL, segmentBytes: 1 });
    const clock = new TestClock();
    for (const later of ['1', '2', '3']) {
      const log = await openLog(copy, { ...LARGE, deleteRetentionMs: 1 }, { clock });
      await rows(log, [later, 'of no interest']);
      await log.compact({ force: true });
      await log.close();
      clock.pass(1000);
    }
    const left = await readAll(copy);
    expect(left.map(({ key }) => key)).not.toContain('deleted');
    expect(left).toContainEqual({ offset: 2, key: 'kept', value: 'value' });
  });

  it('is told from what it takes the place of, though its control file gets the number of the one before', async () => {
    const directory = await newPartition();
    const fs = withOneInode('klog.end');
    const log = await openLog(directory, {}, { fs });
    await rows(log, ...GIVEN.slice(0, 2));
    const copy = join(temporaryDirectory(), 't-0');
    cpSync(directory, copy, { recursive: true });
    await rows(log, ...GIVEN.slice(2));
    cpSync(join(directory, 'klog.end'), join(copy, 'klog.end'));
    await log.close();
    rmSync(directory, { recursive: true });
    cpSync(copy, directory, { recursive: true });
    const there = GIVEN.slice(0, 2).map(([key, value], offset) => ({ offset, key, value }));
    expect(await readAll(directory, fs)).toEqual(there);
    const again = await openLog(directory, {}, { fs });
    await rows(again, ['new', 'record']);
    await again.close();
    expect(await readAll(directory, fs)).toEqual([...there, { offset: 2, key: 'new', value: 'record' }]);
  });
});

/** Files of this name have the same number, one after the other, as on a file system that gives the free ones again. */
function withOneInode(name: string): FileSystem {
  const inner = interpose(() => {});
  const numbered = (path: string, stat: FileStat): FileStat => (path.endsWith(name) ? { ...stat, inode: 7 } : stat);
  return Object.assign(Object.create(inner), inner, {
    async open(path: string, mode: OpenMode) {
      const file = await inner.open(path, mode);
      return { ...file, stat: async () => numbered(path, await file.stat()) };
    },
    async stat(path: string) {
      const stat = await inner.stat(path);
      return stat && numbered(path, stat);
    },
  });
}
