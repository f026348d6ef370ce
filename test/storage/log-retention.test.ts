import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgeClock } from '../../src/storage/clock-guard.js';
import { firstControlRecord } from '../../src/storage/control-record.js';
import { countDeletable, type RetentionRules } from '../../src/storage/retention-rules.js';
import { type FileCall, interpose } from '../store/interposed-file-system.js';
import {
  DAY,
  NOW,
  newPartition,
  openLog,
  openReader,
  type Row,
  readAll,
  readFrom,
  rows,
  segments,
  TestClock,
} from './upkeep-log.js';

const HOUR = 3600_000;
const SMALL = { segmentBytes: 100 };

describe('which segments may go', () => {
  const RULES: RetentionRules = {
    logStartOffset: 0,
    highWatermark: 40,
    deletes: true,
    retentionBytes: -1,
    retentionMs: -1,
    nowMs: 1000,
  };
  /** Four segments of 100 bytes and ten offsets, written at 100, 200, 300 and 400. */
  const LOG = [100, 200, 300, 400].map((written, i) => ({
    baseOffset: i * 10,
    endOffset: i * 10 + 10,
    sizeInBytes: 100,
    isLast: i === 3,
    largestTimestamp: () => written,
  }));

  it.each<[string, Partial<RetentionRules>, number]>([
    ['none by default', {}, 0],
    ['those below the log start', { logStartOffset: 20 }, 2],
    ['none that the log start is in', { logStartOffset: 19 }, 1],
    ['those below the log start of a log that is only compacted', { logStartOffset: 20, deletes: false }, 2],
    ['not the last one by its log start', { logStartOffset: 40 }, 3],
    ['as many as leave retention.bytes', { retentionBytes: 200 }, 2],
    ['none that leave less', { retentionBytes: 201 }, 1],
    ['all, for 0 bytes', { retentionBytes: 0 }, 4],
    ['none by size where it is only compacted', { retentionBytes: 0, deletes: false }, 0],
    ['those older than retention.ms', { retentionMs: 700 }, 2],
    ['not one that is as old', { retentionMs: 800 }, 1],
    ['all of them', { retentionMs: 0 }, 4],
    ['none by age where the clock is not believed', { retentionMs: 0, nowMs: undefined }, 0],
    ['by size where the clock is not believed', { retentionMs: 0, nowMs: undefined, retentionBytes: 300 }, 1],
    ['none beyond the high watermark', { retentionMs: 0, highWatermark: 29 }, 2],
    ['by each rule what the one before left', { logStartOffset: 10, retentionBytes: 200, retentionMs: 650 }, 3],
  ])('%s', async (_, rules, count) => {
    expect(await countDeletable(LOG, { ...RULES, ...rules })).toBe(count);
  });

  it('stops at the first that must stay: a timestamp in the future keeps all behind it', async () => {
    const log = LOG.map((segment, i) => ({ ...segment, largestTimestamp: () => (i === 1 ? 9999 : 0) }));
    expect(await countDeletable(log, { ...RULES, retentionMs: 10 })).toBe(1);
  });

  it('never takes an empty last segment', async () => {
    const log = LOG.map((segment) => (segment.isLast ? { ...segment, sizeInBytes: 0 } : segment));
    expect(await countDeletable(log, { ...RULES, retentionMs: 0 })).toBe(3);
  });
});

describe('the clock', () => {
  const bootId = Buffer.alloc(16, 1);
  const judge = (clock: TestClock, last: ReturnType<typeof firstControlRecord>, boot = bootId) => {
    const verdict = judgeClock(clock, boot, last);
    Object.assign(last, verdict.change);
    return verdict.believed;
  };

  it('is believed as long as it goes as time goes by', () => {
    const clock = new TestClock();
    const last = firstControlRecord(0, NOW);
    for (let i = 0; i < 100; i++) {
      expect(judge(clock, last)).toBe(true);
      clock.pass(7 * DAY);
      // Drift of half an hour each time never adds up.
      clock.nowMs += i % 2 === 0 ? HOUR / 2 : -HOUR / 3;
    }
  });

  it.each([
    ['ahead', 10 * 365 * DAY],
    ['back', -10 * 365 * DAY],
    ['by little more than an hour', HOUR + 1],
  ])('is not believed after a jump: %s', (_, jump) => {
    const clock = new TestClock();
    const last = firstControlRecord(0, NOW);
    judge(clock, last);
    clock.nowMs += jump;
    expect(judge(clock, last)).toBe(false);
    clock.pass(DAY - 2000);
    expect(judge(clock, last)).toBe(false);
    clock.pass(3000);
    expect(judge(clock, last)).toBe(true);
    expect(judge(clock, last)).toBe(true);
  });

  it('is believed again as soon as it is set right', () => {
    const clock = new TestClock();
    const last = firstControlRecord(0, NOW);
    judge(clock, last);
    clock.nowMs += 1000 * DAY;
    expect(judge(clock, last)).toBe(false);
    clock.nowMs -= 1000 * DAY;
    clock.pass(5000);
    expect(judge(clock, last)).toBe(true);
    clock.nowMs += 1000 * DAY;
    expect(judge(clock, last)).toBe(false);
  });

  it('begins anew with another boot', () => {
    const clock = new TestClock();
    const last = firstControlRecord(0, NOW);
    judge(clock, last);
    clock.nowMs += 1000 * DAY;
    clock.uptimeMs = 5;
    expect(judge(clock, last, Buffer.alloc(16, 2))).toBe(true);
  });
});

describe('retention', () => {
  const five: Row[] = [1, 2, 3, 4, 5].map((i): Row => [null, `v${i}`, NOW - (6 - i) * HOUR]);

  it('looks again when a trim takes the segment away whose age it asks for', async () => {
    const directory = await newPartition();
    const other = await openLog(directory, SMALL);
    for (const row of five) await rows(other, row);
    let isTrimmed = false;
    const fs = interpose(async ({ name, path }) => {
      if (isTrimmed || name !== 'open read' || !path.endsWith(`${'0'.repeat(20)}.log`)) return;
      isTrimmed = true;
      await other.trim(2);
    });
    const log = await openLog(directory, { ...SMALL, retentionMs: 150 * 60_000 }, { fs });
    expect(await log.applyRetention()).toMatchObject({ logStartOffset: 3, segments: 1 });
    expect(isTrimmed).toBe(true);
    expect(segments(directory)).toEqual([3, 4]);
    await log.close();
    await other.close();
  });

  it('deletes old segments and raises the log start', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { ...SMALL, retentionMs: 3 * HOUR });
    await rows(log, ...five);
    expect(await log.applyRetention({ validateOnly: true })).toMatchObject({
      logStartOffset: 2,
      segments: 2,
      offsets: 2,
    });
    expect(segments(directory)).toEqual([0, 1, 2, 3, 4]);
    expect(await log.applyRetention()).toMatchObject({
      logStartOffset: 2,
      segments: 2,
      offsets: 2,
      skipped: undefined,
    });
    expect(segments(directory)).toEqual([2, 3, 4]);
    expect((await readAll(directory)).map(({ value }) => value)).toEqual(['v3', 'v4', 'v5']);
    await log.close();
  });

  it('of everything begins a new segment: offsets are never reset', async () => {
    const directory = await newPartition();
    const clock = new TestClock();
    const log = await openLog(directory, { ...SMALL, retentionMs: HOUR }, { clock });
    await rows(log, ...five);
    clock.pass(2 * HOUR);
    expect(await log.applyRetention()).toMatchObject({ logStartOffset: 5, segments: 5 });
    expect(segments(directory)).toEqual([5]);
    await rows(log, [null, 'next']);
    expect(await readAll(directory)).toEqual([{ offset: 5, key: null, value: 'next' }]);
    await log.close();
  });

  it('deletes nothing by its age after the clock has jumped, unless it is forced', async () => {
    const directory = await newPartition();
    const clock = new TestClock();
    const log = await openLog(directory, { ...SMALL, retentionMs: 7 * DAY }, { clock });
    await rows(log, ...five);
    await log.applyRetention();
    clock.nowMs += 3650 * DAY;
    expect(await log.applyRetention()).toMatchObject({ segments: 0, skipped: 'clock' });
    clock.pass(HOUR);
    expect(await log.applyRetention()).toMatchObject({ segments: 0, skipped: 'clock' });
    expect(await readAll(directory)).toHaveLength(5);
    expect(await log.applyRetention({ force: true })).toMatchObject({ segments: 5 });
    await log.close();
  });

  it('deletes nothing where the clock has jumped before the first upkeep of a new partition', async () => {
    const clock = new TestClock();
    const directory = await newPartition(clock);
    clock.pass(HOUR);
    const log = await openLog(directory, { ...SMALL, retentionMs: 7 * DAY }, { clock });
    await rows(log, ...five);
    clock.nowMs += 3650 * DAY;
    expect(await log.applyRetention()).toMatchObject({ segments: 0, skipped: 'clock' });
    await log.close();
  });

  it('deletes nothing where the clock has jumped since the first opening in this boot', async () => {
    const directory = await newPartition(new TestClock());
    const fs = interpose(() => {}, { bootId: () => Buffer.alloc(16, 7) });
    const clock = new TestClock();
    clock.uptimeMs = 10_000;
    const log = await openLog(directory, { ...SMALL, retentionMs: 7 * DAY }, { clock, fs });
    await rows(log, ...five);
    clock.nowMs += 3650 * DAY;
    expect(await log.applyRetention()).toMatchObject({ segments: 0, skipped: 'clock' });
    await log.close();
  });

  it('leaves a reader in the middle of a segment that goes what it has open, and tells it afterwards', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { ...SMALL, retentionBytes: 150 });
    await rows(log, ...five);
    const reader = await openReader(directory);
    await reader.fetch(1, 100);
    await log.applyRetention();
    const [start] = segments(directory);
    expect(start).toBeGreaterThan(1);
    expect((await readFrom(reader, start!)).length).toBe(5 - start!);
    await expect(reader.fetch(1, 100)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    await reader.close();
    await log.close();
  });
});

describe('trim', () => {
  it.each([
    [0, 0, [0, 1, 2, 3, 4]],
    [2, 2, [2, 3, 4]],
    [4, 4, [4]],
    [5, 5, [5]],
    [-1, 5, [5]],
  ])('before %i', async (before, start, left) => {
    const directory = await newPartition();
    const log = await openLog(directory, SMALL);
    await rows(log, ...[1, 2, 3, 4, 5].map((i): Row => [null, `v${i}`]));
    expect((await log.trim(before)).logStartOffset).toBe(start);
    expect(segments(directory)).toEqual(left);
    expect((await readAll(directory)).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4].slice(start));
    // Never lowers it.
    expect((await log.trim(0)).logStartOffset).toBe(start);
    await rows(log, [null, 'next']);
    expect((await readAll(directory)).at(-1)).toEqual({ offset: 5, key: null, value: 'next' });
    await log.close();
  });

  it('in the middle of a segment hides what is below', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await rows(log, [null, 'a'], [null, 'b'], [null, 'c']);
    expect(await log.trim(2)).toEqual({ logStartOffset: 2, offsets: 2, segments: 0, sizeInBytes: 0 });
    expect((await readAll(directory)).map(({ value }) => value)).toEqual(['c']);
    await rows(log, [null, 'd']);
    await log.close();
    const again = await openLog(directory);
    expect((await readAll(directory)).map(({ value }) => value)).toEqual(['c', 'd']);
    await again.close();
  });

  it('refuses offsets beyond the high watermark', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await rows(log, [null, 'a']);
    for (const offset of [2, -2, 0.5]) {
      await expect(log.trim(offset)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    }
    await log.close();
  });
});

describe('on a full disk', () => {
  /** Calls that would need another block fail. */
  function without(space: (call: FileCall) => boolean) {
    let isFull = true;
    const fs = interpose((call) => {
      if (isFull && space(call)) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', path: call.path });
    });
    return { fs, free: () => (isFull = false) };
  }

  const ALL = [1, 2, 3].map((i): Row => [null, `v${i}`]);

  it('a trim of everything closes the last segment without a snapshot, and removes it', async () => {
    const directory = await newPartition();
    const disk = without(({ name, path }) => name === 'write' && path.includes('00000000000000000003.snapshot'));
    const log = await openLog(directory, {}, { fs: disk.fs });
    await rows(log, ...ALL);
    expect(await log.trim(-1)).toMatchObject({ logStartOffset: 3, segments: 1 });
    expect(segments(directory)).toEqual([3]);
    expect(readdirSync(directory).filter((name) => name.includes('snapshot'))).toEqual([]);
    await rows(log, [null, 'next']);
    expect(await readAll(directory)).toEqual([{ offset: 3, key: null, value: 'next' }]);
    await log.close();
  });

  it.each([
    ['the next segment', 'open create', '3.log'],
    ["the last one's time index", 'write', '2.timeindex'],
  ])('what can go goes where there is no room for %s', async (_, what, file) => {
    const directory = await newPartition();
    const disk = without(({ name, path }) => path.endsWith(file) && name.startsWith(what));
    const log = await openLog(directory, SMALL, { fs: disk.fs });
    await rows(log, ...ALL);
    expect(segments(directory)).toEqual([0, 1, 2]);
    expect(await log.trim(-1)).toMatchObject({ logStartOffset: 3, segments: 2 });
    expect(await readAll(directory)).toEqual([]);
    disk.free();
    await rows(log, [null, 'next']);
    expect((await readAll(directory)).map(({ value }) => value)).toEqual(['next']);
    await log.close();
  });

  it('retention of everything does the same', async () => {
    const directory = await newPartition();
    const disk = without(({ name, path }) => path.endsWith('3.log') && name.startsWith('open create'));
    const log = await openLog(directory, { ...SMALL, retentionBytes: 0 }, { fs: disk.fs });
    await rows(log, ...ALL);
    expect(await log.applyRetention()).toMatchObject({ logStartOffset: 3, segments: 2 });
    disk.free();
    expect(await log.applyRetention()).toMatchObject({ logStartOffset: 3, segments: 1 });
    await log.close();
  });

  it('what is refused is said to be for want of space', async () => {
    const directory = await newPartition();
    const disk = without(({ path }) => path.endsWith('.cleaned'));
    const log = await openLog(directory, { ...SMALL, cleanupPolicy: 'compact' }, { fs: disk.fs });
    await rows(log, ['k', 'a'], ['k', 'b'], ['k', 'c']);
    await expect(log.compact({ force: true })).rejects.toMatchObject({ code: 'KLOG_DISK_FULL' });
    await log.close();
  });
});
