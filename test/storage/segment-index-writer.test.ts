import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_INDEX_STATE, indexesAreFull, SegmentIndexWriter } from '../../src/storage/segment-index-writer.js';
import { runs } from '../support/properties.js';
import { MemoryFile } from './memory-file.js';

interface Batch {
  readonly size: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

const batches: fc.Arbitrary<Batch[]> = fc
  .array(fc.record({ size: fc.integer({ min: 61, max: 9000 }), maxTimestamp: fc.integer({ min: -1, max: 99 }) }), {
    maxLength: 60,
  })
  .map((list) => list.map((batch, i) => ({ ...batch, lastOffset: i })));

describe('the indexing rule', () => {
  async function entries(interval: number, list: readonly Batch[], close = false) {
    const writer = new SegmentIndexWriter(0, interval);
    let position = 0;
    for (const { size, lastOffset, maxTimestamp } of list) {
      writer.add(position, size, lastOffset, maxTimestamp);
      position += size;
    }
    if (close) writer.addTimeEntry();
    const files = [new MemoryFile(), new MemoryFile()] as const;
    await writer.flush(...files);
    return { offsets: files[0].bytes.toString('hex'), times: files[1].bytes.toString('hex'), writer };
  }

  const batch = (size: number, lastOffset: number, maxTimestamp = -1) => ({ size, lastOffset, maxTimestamp });

  it('indexes a batch when more bytes than the interval came before, not exactly so many', async () => {
    expect((await entries(100, [batch(100, 0), batch(70, 1)])).offsets).toBe('');
    expect((await entries(100, [batch(101, 0), batch(70, 1)])).offsets).toBe('0000000100000065');
  });

  it('never indexes the first batch, however large', async () => {
    expect((await entries(0, [batch(9999, 5)])).offsets).toBe('');
  });

  it('counts the indexed batch itself towards the next entry', async () => {
    const { offsets } = await entries(100, [batch(101, 0), batch(101, 1), batch(61, 2)]);
    expect(offsets).toBe('0000000100000065' + '00000002000000ca');
  });

  it('notes the largest time so far and the batch in which it came first, only when it is news', async () => {
    const list = [batch(101, 3, 50), batch(101, 6, 40), batch(101, 9, 50), batch(101, 12, 60)];
    const { times } = await entries(100, list);
    expect(times).toBe('000000000000003200000003' + '000000000000003c0000000c');
  });

  it('ends a closed segment with its largest time, unless that stands there already or there is none', async () => {
    expect((await entries(1000, [batch(61, 0, 7)], true)).times).toBe('000000000000000700000000');
    expect((await entries(0, [batch(61, 0, 7), batch(61, 1, 8)], true)).times).toBe('000000000000000800000001');
    expect((await entries(0, [batch(61, 0), batch(61, 1)], true)).times).toBe('');
  });

  it('goes on from the state that another process left, to the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 0, max: 9000 }), fc.array(fc.nat()), async (list, interval, cuts) => {
        const whole = await entries(interval, list);
        const files = [new MemoryFile(), new MemoryFile()] as const;
        let writer = new SegmentIndexWriter(0, interval);
        let position = 0;
        for (const [i, { size, lastOffset, maxTimestamp }] of list.entries()) {
          if (cuts.some((cut) => cut % list.length === i)) {
            await writer.flush(...files);
            const travelled = JSON.parse(JSON.stringify(writer.state));
            writer = new SegmentIndexWriter(0, interval, travelled);
          }
          writer.add(position, size, lastOffset, maxTimestamp);
          position += size;
        }
        await writer.flush(...files);
        expect(files.map(({ bytes }) => bytes.toString('hex'))).toEqual([whole.offsets, whole.times]);
        expect(writer.state).toEqual(whole.writer.state);
      }),
      { numRuns: runs(60) },
    );
  });

  it('writes the same again after an append that failed was taken back', async () => {
    const writer = new SegmentIndexWriter(0, 0);
    const files = [new MemoryFile(), new MemoryFile()] as const;
    writer.add(0, 100, 0, 1);
    writer.add(100, 100, 1, 2);
    const before = writer.state;
    await writer.flush(...files);
    writer.add(200, 100, 2, 3);
    writer.restore(before);
    expect(writer.hasPending).toBe(false);
    writer.add(200, 50, 3, 4);
    expect(writer.hasPending).toBe(true);
    await writer.flush(...files);
    expect(files[0].bytes.toString('hex')).toBe('0000000100000064' + '00000003000000c8');
    expect(files[1].bytes.length).toBe(24);
  });

  it('keeps more entries than it has room for at first', async () => {
    const list = Array.from({ length: 100 }, (_, i) => batch(61, i, i));
    const { offsets, times } = await entries(0, list);
    expect(offsets).toHaveLength(99 * 16);
    expect(times).toHaveLength(99 * 24);
    expect(offsets.slice(-16)).toBe(`00000063${(99 * 61).toString(16).padStart(8, '0')}`);
  });

  it('refuses an offset that the segment cannot reach', () => {
    const writer = new SegmentIndexWriter(10, 0, { ...EMPTY_INDEX_STATE, bytesSinceIndex: 5 });
    expect(() => writer.add(5, 100, 10 + 2 ** 31, -1)).toThrow(/out of reach/);
  });

  it('keeps the last slot of the time index for the closing entry', () => {
    const full = (offsetIndexSize: number, timeIndexSize: number) =>
      indexesAreFull({ ...EMPTY_INDEX_STATE, offsetIndexSize, timeIndexSize }, 100);
    expect(full(88, 72)).toBe(false);
    expect(full(96, 0)).toBe(true);
    expect(full(0, 84)).toBe(true);
  });
});
