import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/properties.js';
import type { MemoryFile } from './memory-file.js';
import { type BatchPlan, baseOffsets, batchPlans, intervals, WrittenSegment } from './segment-fixture.js';

/** Every offset and time of the segment, and those just outside. */
async function expectAnswersOfAScan(segment: WrittenSegment, limits = segment.limits): Promise<void> {
  const lookup = segment.lookup();
  for (let offset = segment.baseOffset; offset <= segment.nextOffset; offset++) {
    expect(await lookup.findPosition(offset, limits), `offset ${offset}`).toEqual(segment.scanFor(offset));
  }
  const froms = [segment.baseOffset, Math.floor((segment.baseOffset + segment.nextOffset) / 2), segment.nextOffset];
  for (const time of [0, 1, 77, 150, 299, 300, 301]) {
    for (const from of froms) {
      for (const closed of [false, true]) {
        const found = await lookup.findOffsetByTime(time, from, limits, closed);
        expect(found, `time ${time} from ${from}, ${closed}`).toEqual(segment.scanForTime(time, from));
      }
    }
  }
  const largest = Math.max(-1, ...segment.batches.map(({ maxTimestamp }) => maxTimestamp));
  const first = segment.batches.find(({ maxTimestamp }) => maxTimestamp === largest);
  expect(await lookup.largestTimestamp(limits, false)).toEqual(
    largest < 0 ? undefined : { timestamp: largest, offset: first!.lastOffset },
  );
}

describe('a look-up', () => {
  it('finds by the indexes what a scan finds', async () => {
    await fc.assert(
      fc.asyncProperty(baseOffsets, intervals, batchPlans, async (base, interval, plans) => {
        await expectAnswersOfAScan(await WrittenSegment.write(base, interval, plans));
      }),
      { numRuns: runs(60) },
    );
  });

  it('finds it in a segment that was closed, with the largest timestamp from the closing entry alone', async () => {
    await fc.assert(
      fc.asyncProperty(intervals, batchPlans, async (interval, plans) => {
        const segment = await WrittenSegment.write(0, interval, plans);
        segment.writer.addTimeEntry();
        await segment.flush();
        await expectAnswersOfAScan(segment);
        const largest = Math.max(-1, ...segment.batches.map(({ maxTimestamp }) => maxTimestamp));
        const found = await segment.lookup().largestTimestamp(segment.limits, true);
        expect(found?.timestamp ?? -1).toBe(largest);
      }),
      { numRuns: runs(30) },
    );
  });

  it('finds it with garbage in the indexes: that costs a scan and changes no answer', async () => {
    const damage = fc.record({
      file: fc.constantFrom('offsetIndex' as const, 'timeIndex' as const),
      at: fc.nat({ max: 400 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      flip: fc.boolean(),
    });
    const damages = fc.array(damage, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(intervals, batchPlans, damages, async (interval, plans, all) => {
        const segment = await WrittenSegment.write(7, interval, withDistinctTimes(plans));
        for (const { file, at, bytes, flip } of all) spoil(segment[file], at, bytes, flip);
        await expectAnswersOfAScan(segment);
      }),
      { numRuns: runs(80) },
    );
  });

  it.each([
    ['times that come again', [3, 5, 5, 4, 9, 5, 9, 9, 2, 12, 9, 12, 300, 12, 300]],
    ['times that rise', [1, 2, 3, 4, 77, 78, 150, 151, 299, 300]],
    ['one late time at the beginning', [300, 1, 2, 3, 300, 2, 1]],
    ['none but the same', [7, 7, 7, 7]],
  ])('finds it whatever entry of the time index names another batch: %s', async (_, times) => {
    const segment = await WrittenSegment.write(
      0,
      0,
      times.map((time) => ({ gap: 0, timestamps: [time], valueBytes: 10 })),
    );
    segment.writer.addTimeEntry();
    await segment.flush();
    const { bytes } = segment.timeIndex;
    const good = Buffer.from(bytes);
    expect(good.length).toBeGreaterThanOrEqual(12);
    for (let at = 0; at < good.length; at += 12) {
      for (const { maxTimestamp, lastOffset } of segment.batches) {
        bytes.writeBigInt64BE(BigInt(maxTimestamp), at);
        bytes.writeInt32BE(lastOffset, at + 8);
        await expectAnswersOfAScan(segment);
        const largest = await segment.lookup().largestTimestamp(segment.limits, true);
        const first = segment.batches.find((batch) => batch.maxTimestamp === Math.max(...times))!;
        expect(largest).toEqual({ timestamp: first.maxTimestamp, offset: first.lastOffset });
      }
      good.copy(bytes, at, at, at + 12);
    }
  });

  it('knows the largest timestamp of a closed segment beside damage, and where closing entries are gone', async () => {
    const segment = await WrittenSegment.write(0, 0, plansOf(30));
    segment.writer.addTimeEntry();
    await segment.flush();
    const { timeIndexSize } = segment.limits;
    const shorter = { ...segment.limits, timeIndexSize: timeIndexSize - 24 };
    expect(await segment.lookup().largestTimestamp(shorter, true)).toEqual({ timestamp: 29, offset: 29 });
    const between = segment.batches[28]!.position;
    segment.log.bytes[between + 16] = 9;
    expect(await segment.lookup().largestTimestamp(segment.limits, true)).toEqual({ timestamp: 29, offset: 29 });
  });

  it.each([
    ['a long rest of it', 200_000],
    ['a short rest of it', 100],
  ])(
    'passes over a closed segment of earlier times by its last entry, before %s with damage',
    async (_, valueBytes) => {
      const times = [1, 2, 3, 4, 5, 6, 7, 1, 1, 1, 1, 1, 1, 1];
      const plans = times.map((time) => ({ gap: 0, timestamps: [time], valueBytes }));
      const segment = await WrittenSegment.write(0, 0, plans);
      const find = async (closed: boolean) => await segment.lookup().findOffsetByTime(8, 0, segment.limits, closed);
      expect(await find(true)).toBeUndefined();
      const { reads } = segment.log;
      expect(await find(false)).toBeUndefined();
      segment.log.bytes[segment.batches[8]!.position + 16] = 9;
      expect(await find(true)).toBeUndefined();
      await expect(find(false)).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' });
      if (valueBytes > 100) expect(reads).toBeLessThan(12);
    },
  );

  it('does not believe a last entry behind which a batch is later', async () => {
    const times = [1, 2, 3, 2, 2, 2, 2, 9, 2, 2];
    const plans = times.map((time) => ({ gap: 0, timestamps: [time], valueBytes: 100_000 }));
    const segment = await WrittenSegment.write(0, 0, plans);
    segment.timeIndex.bytes = segment.timeIndex.bytes.subarray(0, 24);
    expect((await segment.lookup().findOffsetByTime(5, 0, segment.limits, true))?.offset).toBe(7);
  });

  it('believes a single entry only where more than a megabyte would have to be gone through', async () => {
    const late = { gap: 0, timestamps: [100], valueBytes: 10 };
    const early = { gap: 0, timestamps: [1], valueBytes: 10 };
    const far = [early, late, ...plansOf(5, 300_000), { ...late, timestamps: [200] }, late];
    const near = [early, late, ...plansOf(5, 100_000), { ...late, timestamps: [200] }, late];
    for (const [plans, offset] of [
      [near, 7],
      [far, undefined],
    ] as const) {
      const segment = await WrittenSegment.write(0, 0, plans);
      // Of the second batch, but it names the last, behind the one of 200, whose own entry is gone.
      segment.timeIndex.bytes = segment.timeIndex.bytes.subarray(0, 12);
      segment.timeIndex.bytes.writeBigInt64BE(100n, 0);
      segment.timeIndex.bytes.writeInt32BE(8, 8);
      for (const closed of [false, true]) {
        const found = await segment.lookup().findOffsetByTime(150, 0, segment.limits, closed);
        expect(found?.offset).toBe(offset);
      }
    }
  });

  it('finds it when an entry leads to a batch but lies about its offset', async () => {
    const segment = await WrittenSegment.write(0, 0, plansOf(30));
    for (let at = 0; at < segment.offsetIndex.bytes.length; at += 8) {
      // Each entry says a position 5 batches on.
      const later = Math.min(segment.offsetIndex.bytes.length - 8, at + 40);
      segment.offsetIndex.bytes.copyWithin(at + 4, later + 4, later + 8);
    }
    await expectAnswersOfAScan(segment);
  });

  it('does not take for a batch what only looks like one, inside the value of a record', async () => {
    const plans = plansOf(6);
    const segment = await WrittenSegment.write(0, 1_000_000, plans);
    const { position } = segment.batches[4]!;
    const within = position + 75;
    // The header of batch 1 with the payload of the value: everything but the CRC fits.
    segment.log.bytes.copy(segment.log.bytes, within, segment.batches[1]!.position, segment.batches[1]!.position + 61);
    segment.log.bytes.writeInt32BE(49 + 10, within + 8);
    const entry = Buffer.alloc(8);
    entry.writeInt32BE(2, 0);
    entry.writeInt32BE(within, 4);
    segment.offsetIndex.bytes = entry;
    expect(await segment.lookup().findPosition(3, segment.limits)).toEqual(segment.batches[3]);
  });

  it('does not begin behind the time asked for where the time index is out of order', async () => {
    const segment = await WrittenSegment.write(0, 0, plansOf(30));
    const entries = [
      [20, 20],
      [3, 29],
      [25, 25],
    ];
    segment.timeIndex.bytes = Buffer.alloc(36);
    entries.forEach(([time, offset], i) => {
      segment.timeIndex.bytes.writeBigInt64BE(BigInt(time!), i * 12);
      segment.timeIndex.bytes.writeInt32BE(offset!, i * 12 + 8);
    });
    expect(await segment.lookup().findOffsetByTime(5, 0, segment.limits, true)).toEqual(segment.scanForTime(5, 0));
  });

  it('sees what was appended since its last call', async () => {
    const segment = await WrittenSegment.write(0, 0, plansOf(10));
    const lookup = segment.lookup();
    await lookup.findPosition(9, segment.limits);
    for (const plan of plansOf(3)) segment.append(plan);
    await segment.flush();
    const { reads } = segment.log;
    expect(await lookup.findPosition(12, segment.limits)).toEqual(segment.batches[12]);
    // One read, at the last entry: it was found in the index.
    expect(segment.log.reads).toBe(reads + 1);
    segment.log.bytes.fill(0, 0, segment.batches[11]!.position);
    expect(await lookup.findPosition(12, segment.limits)).toEqual(segment.batches[12]);
  });

  it('finds it with index files that are shorter or longer than told, or missing', async () => {
    const segment = await WrittenSegment.write(0, 0, plansOf(30));
    const { limits } = segment;
    segment.offsetIndex.truncate(101);
    segment.timeIndex.truncate(7);
    await expectAnswersOfAScan(segment, limits);
    const none = { ...segment.files, offsetIndex: undefined, timeIndex: undefined };
    const { SegmentLookup } = await import('../../src/storage/segment-lookup.js');
    expect(await new SegmentLookup(none).findPosition(20, limits)).toEqual(segment.scanFor(20));
  });

  it('looks at nothing beyond its limits', async () => {
    const segment = await WrittenSegment.write(0, 0, plansOf(30));
    const { position, baseOffset } = segment.batches[20]!;
    const { offsetIndexSize, timeIndexSize } = segment.states[20]!;
    const limits = { logSize: position, offsetIndexSize, timeIndexSize };
    expect(await segment.lookup().findPosition(baseOffset, limits)).toBeUndefined();
    expect(await segment.lookup().findPosition(baseOffset - 1, limits)).toEqual(segment.batches[19]);
    expect((await segment.lookup().largestTimestamp(limits, false))?.offset).toBe(segment.batches[19]!.lastOffset);
  });

  it('reads one window of a large log, and of its index a few pages', async () => {
    const segment = new WrittenSegment(0, 4096);
    const plan = { gap: 0, timestamps: [1], valueBytes: 2000 };
    for (let i = 0; i < 300; i++) segment.append({ ...plan, timestamps: [i] });
    await segment.flush();
    const lookup = segment.lookup();
    const { log, limits } = segment;
    const read = log.bytesRead;
    await lookup.findPosition(290, limits);
    expect(log.reads).toBe(1);
    expect(log.bytesRead - read).toBeLessThanOrEqual(64 * 1024);
    const { reads } = segment.offsetIndex;
    await lookup.findPosition(150, limits);
    expect(segment.offsetIndex.reads).toBe(reads);
  });

  it('steps over payloads of batches larger than its window', async () => {
    const segment = await WrittenSegment.write(0, 1_000_000_000, plansOf(6, 300_000));
    expect(await segment.lookup().findPosition(5, segment.limits)).toEqual(segment.batches[5]);
    expect(segment.log.bytesRead).toBeLessThan(100_000);
  });

  it('says where the log is damaged when it cannot get past', async () => {
    const segment = await WrittenSegment.write(0, 1_000_000, plansOf(5));
    const { position } = segment.batches[2]!;
    segment.log.bytes.writeInt32BE(3, position + 8);
    await expect(segment.lookup().findPosition(4, segment.limits)).rejects.toMatchObject({
      code: 'CORRUPT_MESSAGE',
      place: { file: '/memory', position, offset: segment.batches[2]!.baseOffset },
    });
    expect(await segment.lookup().findPosition(1, segment.limits)).toEqual(segment.batches[1]);
  });

  it('reads no batch twice on its way to a time, and not again those that it found sound', async () => {
    const segment = await WrittenSegment.write(0, 0, plansOf(6, 300_000));
    const lookup = segment.lookup();
    const bytesOf = async (find: () => Promise<unknown>) => {
      const before = segment.log.bytesRead;
      expect(await find()).toEqual(segment.scanForTime(4, 0));
      return segment.log.bytesRead - before;
    };
    // The batch of an entry of the time index, and the one that holds the answer; else headers.
    expect(await bytesOf(() => lookup.findOffsetByTime(4, 0, segment.limits, true))).toBeLessThan(3 * 300_000);
    expect(await bytesOf(() => lookup.findOffsetByTime(4, 0, segment.limits, true))).toBeLessThan(2 * 300_000);
  });

  it.each([100, 1_200_000])('does not answer a time from a batch of %i bytes with a wrong CRC', async (valueBytes) => {
    const segment = await WrittenSegment.write(0, 10_000_000, plansOf(5, valueBytes));
    const { position, sizeInBytes } = segment.batches[2]!;
    segment.log.bytes[position + sizeInBytes - 2]! ^= 1;
    await expect(segment.lookup().findOffsetByTime(2, 0, segment.limits, true)).rejects.toMatchObject({
      code: 'CORRUPT_MESSAGE',
      place: { position },
    });
    expect(await segment.lookup().findOffsetByTime(3, 0, segment.limits, true)).toEqual(segment.scanForTime(3, 0));
  });
});

function plansOf(count: number, valueBytes = 100) {
  return Array.from({ length: count }, (_, i) => ({ gap: 0, timestamps: [i], valueBytes }));
}

/** No two batches have the same largest timestamp; the others lie as they lay. */
function withDistinctTimes(plans: readonly BatchPlan[]): BatchPlan[] {
  const taken = new Set<number>();
  return plans.map((plan) => {
    const times = plan.appendTime === undefined ? plan.timestamps : [plan.appendTime];
    let shift = 0;
    while (taken.has(Math.max(...times) + shift)) shift++;
    taken.add(Math.max(...times) + shift);
    const { appendTime } = plan;
    return {
      ...plan,
      timestamps: plan.timestamps.map((time) => time + shift),
      appendTime: appendTime === undefined ? undefined : appendTime + shift,
    };
  });
}

function spoil(file: MemoryFile, at: number, bytes: Uint8Array, flip: boolean): void {
  for (let i = 0; i < bytes.length && at + i < file.bytes.length; i++) {
    if (flip) file.bytes[at + i]! ^= 1 << (bytes[i]! & 7);
    else file.bytes[at + i] = bytes[i]!;
  }
}
