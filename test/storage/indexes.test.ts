import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeOffsetIndexEntry, OFFSET_INDEX_ENTRY_SIZE, OffsetIndex } from '../../src/storage/offset-index.js';
import { encodeTimeIndexEntry, TIME_INDEX_ENTRY_SIZE, TimeIndex } from '../../src/storage/time-index.js';
import { TransactionIndex } from '../../src/storage/transaction-index.js';
import { runs } from '../support/properties.js';
import { MemoryFile } from './memory-file.js';

/** `count` entries: offset 10 + 10 i at position 100 + 100 i, time 1000 + i. */
function offsetFile(count: number): MemoryFile {
  const bytes = Buffer.alloc(count * OFFSET_INDEX_ENTRY_SIZE);
  for (let i = 0; i < count; i++)
    encodeOffsetIndexEntry(bytes, i * OFFSET_INDEX_ENTRY_SIZE, 10 + 10 * i, 100 + 100 * i);
  return new MemoryFile(bytes);
}

function timeFile(count: number): MemoryFile {
  const bytes = Buffer.alloc(count * TIME_INDEX_ENTRY_SIZE);
  for (let i = 0; i < count; i++) encodeTimeIndexEntry(bytes, i * TIME_INDEX_ENTRY_SIZE, 1000 + i, 10 + 10 * i);
  return new MemoryFile(bytes);
}

describe('OffsetIndex', () => {
  it.each([0, 1, 2, 7, 2047, 2048, 2049, 5000])('finds every entry of %i, across pages', async (count) => {
    const file = offsetFile(count);
    const index = new OffsetIndex(file, 500);
    const size = file.bytes.length;
    for (let i = -1; i < count; i += count > 100 ? 13 : 1) {
      const expected =
        i < 0 ? { slot: -1, offset: 500, position: 0 } : { slot: i, offset: 510 + 10 * i, position: 100 + 100 * i };
      expect(await index.lookup(510 + 10 * i, size)).toEqual(expected);
      expect(await index.lookup(519 + 10 * i, size)).toEqual(expected);
    }
    expect(await index.entries(size)).toHaveLength(count);
  });

  it('looks up in 10 MiB with a dozen reads, and keeps at most eight pages', async () => {
    const file = offsetFile(1_310_720);
    const index = new OffsetIndex(file, 0);
    expect((await index.lookup(10 + 10 * 777_777, file.bytes.length)).slot).toBe(777_777);
    expect(file.reads).toBeLessThanOrEqual(12);
    expect(file.bytesRead).toBeLessThan(256 * 1024);
  });

  it('ends before a preallocated tail and before a broken entry', async () => {
    const file = offsetFile(5);
    const index = new OffsetIndex(file, 0);
    expect(await index.usableSize(40)).toBe(40);
    file.truncate(10_485_760);
    expect(await index.usableSize(10_485_760)).toBe(40);
    expect(await index.usableSize(43)).toBe(40);
    expect(await new OffsetIndex(new MemoryFile(Buffer.alloc(8192)), 0).usableSize(8192)).toBe(0);
  });

  it('does not keep what it read beyond the size it was told', async () => {
    const file = offsetFile(5);
    file.truncate(400);
    const index = new OffsetIndex(file, 0);
    await index.usableSize(400);
    await index.lookup(1000, 40);
    encodeOffsetIndexEntry(file.bytes, 40, 60, 600);
    expect(await index.lookup(1000, 48)).toEqual({ slot: 5, offset: 60, position: 600 });
  });
});

describe('TimeIndex', () => {
  it('finds the greatest entry up to a time, across pages', async () => {
    const file = timeFile(4000);
    const index = new TimeIndex(file, 500);
    const size = file.bytes.length;
    for (const i of [0, 1, 1364, 1365, 1366, 2730, 3999]) {
      expect(await index.lookup(1000 + i, size)).toEqual({ slot: i, timestamp: 1000 + i, offset: 510 + 10 * i });
    }
    expect(await index.lookup(999, size)).toEqual({ slot: -1, timestamp: -1, offset: 500 });
    expect(await index.lookup(Number.MAX_SAFE_INTEGER, size)).toMatchObject({ slot: 3999 });
    expect(await index.lastEntry(size)).toMatchObject({ slot: 3999, timestamp: 4999 });
    expect(await index.entries(size)).toHaveLength(4000);
  });

  it('ends before a preallocated tail, but has a first entry that is all zeros', async () => {
    const file = timeFile(3);
    file.truncate(10_485_756);
    expect(await new TimeIndex(file, 0).usableSize(10_485_756)).toBe(36);
    const closed = timeFile(1000);
    expect(await new TimeIndex(closed, 0).usableSize(12_000)).toBe(12_000);
    expect(closed.reads).toBe(1);
    expect(await new TimeIndex(new MemoryFile(Buffer.alloc(12)), 0).usableSize(12)).toBe(12);
  });

  it('survives any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer(), async (bytes, time) => {
        const index = new TimeIndex(new MemoryFile(bytes), 0);
        const { slot } = await index.lookup(time, bytes.length);
        expect(slot).toBeLessThan(Math.floor(bytes.length / 12));
        await index.lastEntry(bytes.length);
      }),
      { numRuns: runs(100) },
    );
  });
});

describe('TransactionIndex', () => {
  const entry = (lastOffset: number) => ({
    producerId: 1,
    firstOffset: 3,
    lastOffset,
    lastStableOffset: lastOffset + 1,
  });

  it('appends behind what is there', async () => {
    const file = new MemoryFile();
    const index = new TransactionIndex(file);
    const size = await index.append([entry(5), entry(9)], 0);
    expect(await index.append([entry(12)], size)).toBe(102);
    expect((await index.collectAborted(0, 100, 102)).aborted).toEqual([entry(5), entry(9), entry(12)]);
  });

  it('reads thousands of entries in pieces', async () => {
    const file = new MemoryFile();
    const index = new TransactionIndex(file);
    const size = await index.append(
      Array.from({ length: 5000 }, (_, i) => entry(5 + i)),
      0,
    );
    const { aborted } = await index.collectAborted(0, 1_000_000, size);
    expect(aborted).toHaveLength(5000);
    expect(aborted[4999]).toEqual(entry(5004));
    expect(file.reads).toBe(3);
  });

  it.each([
    ['an unknown version', (bytes: Buffer) => bytes.writeInt16BE(1, 34), 'version 1'],
    ['offsets that go back', (bytes: Buffer) => bytes.writeBigInt64BE(4n, 34 + 18), 'goes back'],
    ['an end before its beginning', (bytes: Buffer) => bytes.writeBigInt64BE(99n, 34 + 10), 'ends before'],
  ])('refuses %s, since what it misses would be shown as committed', async (_, spoil, message) => {
    const file = new MemoryFile();
    const index = new TransactionIndex(file);
    const size = await index.append([entry(5), entry(9)], 0);
    spoil(file.bytes);
    await expect(index.collectAborted(0, 100, size)).rejects.toMatchObject({
      code: 'CORRUPT_MESSAGE',
      message: expect.stringContaining(message),
      place: { position: 34 },
    });
  });

  it('refuses a file that is shorter than told', async () => {
    const index = new TransactionIndex(new MemoryFile(Buffer.alloc(10)));
    await expect(index.collectAborted(0, 1, 34)).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' });
  });
});
