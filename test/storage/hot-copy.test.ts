import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LogConfig } from '../../src/storage/log-config.js';
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
});
