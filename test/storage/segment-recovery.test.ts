import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchScanner } from '../../src/storage/batch-scanner.js';
import { EMPTY_INDEX_STATE } from '../../src/storage/segment-index-writer.js';
import { type RecoveryOptions, recoverSegment } from '../../src/storage/segment-recovery.js';
import { type AbortedTransaction, TransactionIndex } from '../../src/storage/transaction-index.js';
import { TransactionTracker } from '../../src/storage/transaction-tracker.js';
import { runs } from '../support/properties.js';
import { MemoryFile } from './memory-file.js';
import { baseOffsets, batchPlans, intervals, WrittenSegment } from './segment-fixture.js';

async function recover(segment: WrittenSegment, options: Partial<RecoveryOptions> = {}, files = freshFiles()) {
  const recovered = await recoverSegment(
    { baseOffset: segment.baseOffset, log: segment.log, logSize: segment.log.bytes.length, ...files },
    { indexIntervalBytes: segment.indexIntervalBytes, ...options },
  );
  return { recovered, ...files };
}

function freshFiles() {
  return { offsetIndex: new MemoryFile(Buffer.from('old')), timeIndex: new MemoryFile(Buffer.from('old')) };
}

/** Number of batches that lie before `size` as a whole. */
function wholeBatches({ batches }: WrittenSegment, size: number): number {
  return batches.filter(({ position, sizeInBytes }) => position + sizeInBytes <= size).length;
}

function expectPrefix(
  segment: WrittenSegment,
  { recovered, offsetIndex, timeIndex }: Awaited<ReturnType<typeof recover>>,
  count: number,
): void {
  const last = segment.batches[count - 1];
  const state = segment.states[count]!;
  expect(recovered.validBytes).toBe(last === undefined ? 0 : last.position + last.sizeInBytes);
  expect(recovered.nextOffset).toBe(last === undefined ? segment.baseOffset : last.lastOffset + 1);
  expect(recovered.index).toEqual(state);
  expect(offsetIndex.bytes.equals(segment.offsetIndex.bytes.subarray(0, state.offsetIndexSize))).toBe(true);
  expect(timeIndex.bytes.equals(segment.timeIndex.bytes.subarray(0, state.timeIndexSize))).toBe(true);
}

describe('recovery', () => {
  it('rebuilds the indexes that the writer wrote, whatever the tail was cut to', async () => {
    await fc.assert(
      fc.asyncProperty(baseOffsets, intervals, batchPlans, fc.nat(), async (base, interval, plans, cut) => {
        const segment = await WrittenSegment.write(base, interval, plans);
        const size = segment.log.bytes.length;
        const left = size === 0 ? 0 : cut % (size + 1);
        segment.log.truncate(left);
        const result = await recover(segment);
        const count = wholeBatches(segment, left);
        expectPrefix(segment, result, count);
        expect(result.recovered.stop).toBe(result.recovered.validBytes === left ? 'end' : 'partial');
      }),
      { numRuns: runs(100) },
    );
  });

  it('stops at the batch in which any one bit was flipped, unless that bit says nothing about the batch', async () => {
    await fc.assert(
      fc.asyncProperty(intervals, batchPlans, fc.nat(), fc.nat({ max: 7 }), async (interval, plans, at, bit) => {
        const segment = await WrittenSegment.write(5, interval, plans);
        if (segment.batches.length === 0) return;
        const position = at % segment.log.bytes.length;
        const damaged = segment.batches.findLast((batch) => batch.position <= position)!;
        segment.log.bytes[position]! ^= 1 << bit;
        const result = await recover(segment);
        const within = position - damaged.position;
        // Base offset and leader epoch are outside the CRC; a flip may leave an offset that fits.
        if (within < 8 || (within >= 12 && within < 16)) {
          expect(result.recovered.validBytes).toBeGreaterThanOrEqual(damaged.position);
        } else {
          expectPrefix(segment, result, segment.batches.indexOf(damaged));
          expect(['corrupt', 'partial']).toContain(result.recovered.stop);
        }
      }),
      { numRuns: runs(150) },
    );
  });

  it('goes on from a known point to the same result as from the beginning, and does not look before it', async () => {
    await fc.assert(
      fc.asyncProperty(intervals, batchPlans, fc.nat(), async (interval, plans, n) => {
        const segment = await WrittenSegment.write(5, interval, plans);
        const count = n % (segment.batches.length + 1);
        const before = segment.batches[count - 1];
        const position = before === undefined ? 0 : before.position + before.sizeInBytes;
        const nextOffset = before === undefined ? 5 : before.lastOffset + 1;
        segment.log.bytes.fill(0xff, 0, position);
        const files = {
          offsetIndex: new MemoryFile(Buffer.concat([segment.offsetIndex.bytes, Buffer.from('left over')])),
          timeIndex: new MemoryFile(segment.timeIndex.bytes),
        };
        const start = { position, nextOffset, index: segment.states[count]!, transactionIndexSize: 0 };
        expectPrefix(segment, await recover(segment, { start }, files), segment.batches.length);
      }),
      { numRuns: runs(60) },
    );
  });

  it('adds the closing time entry only when told', async () => {
    const segment = await WrittenSegment.write(0, 1_000_000, [{ gap: 0, timestamps: [5, 9], valueBytes: 1 }]);
    expect((await recover(segment)).timeIndex.bytes).toHaveLength(0);
    const { timeIndex, recovered } = await recover(segment, { close: true });
    expect(timeIndex.bytes.toString('hex')).toBe('000000000000000900000001');
    expect(recovered.maxTimestamp).toBe(9);
    expect(recovered.index.lastTimeIndexTimestamp).toBe(9);
  });

  it.each([
    ['zeros', Buffer.alloc(5000), 'corrupt'],
    ['a length beyond the file', Buffer.from('00000000000000037fffffff0000000002ffffffff', 'hex'), 'partial'],
    ['a negative length', Buffer.from('0000000000000003ffffffff0000000002ffffffff', 'hex'), 'corrupt'],
    ['an offset beyond 2^53', Buffer.concat([Buffer.from('0fffffffffffffff', 'hex'), sound().subarray(8)]), 'corrupt'],
    ['an offset that goes back', Buffer.concat([Buffer.alloc(8), sound().subarray(8)]), 'corrupt'],
    ['an unknown magic', withByte(sound(), 16, 9), 'corrupt'],
    ['a few bytes', Buffer.from('00000000', 'hex'), 'partial'],
  ] as const)('stops at %s, with little memory', async (_, tail, stop) => {
    const segment = await WrittenSegment.write(0, 0, [
      { gap: 0, timestamps: [1, 2], valueBytes: 10 },
      { gap: 0, timestamps: [3], valueBytes: 10 },
    ]);
    const end = segment.log.bytes.length;
    segment.log.write(tail, 0, tail.length, end);
    const before = process.memoryUsage().arrayBuffers;
    const { recovered } = await recover(segment);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    expect(recovered).toMatchObject({ validBytes: end, nextOffset: 3, stop });
  });

  it('tells a good batch whose offset is out of reach from a damaged one', async () => {
    const segment = await WrittenSegment.write(0, 0, [{ gap: 0, timestamps: [1], valueBytes: 1 }]);
    const size = segment.log.bytes.length;
    const far = new WrittenSegment(2 ** 31, 0);
    far.append({ gap: 0, timestamps: [2], valueBytes: 1 });
    segment.log.write(far.log.bytes, 0, far.log.bytes.length, size);
    expect((await recover(segment)).recovered).toMatchObject({
      stop: 'offset-overflow',
      validBytes: size,
      nextOffset: 1,
    });
  });

  it('verifies batches larger than its window, and shows each good batch to its visitor', async () => {
    const segment = await WrittenSegment.write(0, 0, [
      { gap: 0, timestamps: [1], valueBytes: 900_000 },
      { gap: 2, timestamps: [2, 3], valueBytes: 400_000 },
      { gap: 0, timestamps: [4], valueBytes: 10 },
    ]);
    const seen: object[] = [];
    const rewritten = segment.log.bytes;
    const visit = async (scanner: BatchScanner) => {
      await scanner.rewriteBatch();
      const { position, size: sizeInBytes, baseOffset, lastOffset, batch } = scanner;
      seen.push({ position, sizeInBytes, baseOffset, lastOffset, maxTimestamp: batch.maxTimestamp });
    };
    const before = Buffer.from(rewritten);
    expectPrefix(segment, await recover(segment, { visit }), 3);
    expect(seen).toEqual(segment.batches);
    expect(segment.log.bytes.equals(before)).toBe(true);
    segment.log.bytes[500_000]! ^= 1;
    expectPrefix(segment, await recover(segment), 0);
  });

  it('of an empty segment is an empty one', async () => {
    const { recovered } = await recover(new WrittenSegment(42, 0));
    expect(recovered).toEqual({
      validBytes: 0,
      nextOffset: 42,
      maxTimestamp: -1,
      index: EMPTY_INDEX_STATE,
      transactionIndexSize: 0,
      stop: 'end',
      problem: '',
    });
  });
});

describe('recovery of transactions', () => {
  const data = (producerId: number, records = 2) => ({
    gap: 0,
    timestamps: Array.from({ length: records }, () => 1),
    valueBytes: 3,
    producerId,
  });
  const marker = (producerId: number, result: 'ABORT' | 'COMMIT') => ({ ...data(producerId, 1), marker: result });

  async function entriesOf(file: MemoryFile | undefined): Promise<AbortedTransaction[]> {
    const entries: AbortedTransaction[] = [];
    if (file !== undefined) {
      for await (const entry of new TransactionIndex(file).entries(file.bytes.length)) entries.push(entry);
    }
    return entries;
  }

  it('lists what was aborted, with the last stable offset just after, and knows what is open', async () => {
    const plans = [data(1), data(2), marker(2, 'ABORT'), marker(1, 'COMMIT'), data(3), marker(3, 'ABORT'), data(4)];
    const segment = await WrittenSegment.write(10, 0, plans);
    let file: MemoryFile | undefined;
    const transactions = new TransactionTracker();
    const recovered = await recoverSegment(
      {
        ...freshFiles(),
        baseOffset: 10,
        log: segment.log,
        logSize: segment.log.bytes.length,
        openTransactionIndex: (create) => {
          if (create) file ??= new MemoryFile();
          return file;
        },
      },
      { indexIntervalBytes: 0, transactions },
    );
    expect(await entriesOf(file)).toEqual([
      { producerId: 2, firstOffset: 12, lastOffset: 14, lastStableOffset: 10 },
      { producerId: 3, firstOffset: 16, lastOffset: 18, lastStableOffset: 19 },
    ]);
    expect(recovered.transactionIndexSize).toBe(file!.bytes.length);
    expect(transactions.open).toEqual([{ producerId: 4, firstOffset: 19 }]);
    expect(transactions.lastStableOffset(21)).toBe(19);
  });

  it('does not make a transaction index where nothing was aborted, and cuts one that says otherwise', async () => {
    const segment = await WrittenSegment.write(0, 0, [data(1), marker(1, 'COMMIT'), marker(7, 'ABORT')]);
    const old = new MemoryFile(Buffer.alloc(68));
    for (const there of [undefined, old]) {
      const result = await recoverSegment(
        {
          ...freshFiles(),
          baseOffset: 0,
          log: segment.log,
          logSize: segment.log.bytes.length,
          openTransactionIndex: (create) => {
            expect(create).toBe(false);
            return there;
          },
        },
        { indexIntervalBytes: 0 },
      );
      expect(result.transactionIndexSize).toBe(0);
    }
    expect(old.bytes).toHaveLength(0);
  });
});

function sound(): Buffer {
  const segment = new WrittenSegment(3, 0);
  segment.append({ gap: 0, timestamps: [1], valueBytes: 1 });
  return segment.log.bytes;
}

function withByte(bytes: Buffer, at: number, value: number): Buffer {
  bytes[at] = value;
  return bytes;
}
