import { describe, expect, it } from 'vitest';
import { MergedPrinting } from '../../../src/cli/consume/merged-printing.js';
import { emptyContext } from '../../../src/cli/record-format/format-context.js';
import { OutputBuffer } from '../../../src/cli/record-format/output-buffer.js';

const MANY = 1000;

/** Prints as many as it is told, of partitions that can be had `isThere`. */
function merging(printed: number, isThere = true) {
  let calls = 0;
  const batches = {
    mergeNow(take: (cursors: []) => void) {
      calls++;
      if (isThere) take([]);
      return isThere;
    },
    [Symbol.asyncIterator]: () => expect.unreachable(),
  };
  const printMerged = (_cursors: unknown, _context: unknown, _out: unknown, maxRecords: number) =>
    Math.min(printed, maxRecords);
  const printer = { print: () => {}, printBatch: () => 0, printMerged };
  const merged = new MergedPrinting(batches, printer, emptyContext(), new OutputBuffer());
  /** What is printed behind each of so many runs. */
  const behind = (runs: number, count: number, maxRecords = MANY) =>
    Array.from({ length: runs }, () => merged.printBehind(count, maxRecords, 100_000));
  return { behind, calls: () => calls };
}

describe('MergedPrinting', () => {
  it('prints all partitions together after 16 short runs, and from then on after each', () => {
    const { behind } = merging(500);
    expect(behind(15, 1)).toEqual(Array.from({ length: 15 }, () => 0));
    expect(behind(3, 4)).toEqual([500, 500, 500]);
    expect(behind(1, 4, 7)).toEqual([7]);
  });

  it('does not where runs are long, or one of them was', () => {
    const { behind, calls } = merging(500);
    behind(15, 1);
    expect(behind(40, 5)).toEqual(Array.from({ length: 40 }, () => 0));
    behind(15, 1);
    expect(calls()).toBe(0);
    expect(behind(1, 1)).toEqual([500]);
  });

  it('tries it more seldom where it brings little', () => {
    const { behind, calls } = merging(3);
    behind(16 + 32 + 64, 1);
    expect(calls()).toBe(3);
    behind(127, 1);
    expect(calls()).toBe(3);
  });

  it('tries again behind the next run where it was not possible now', () => {
    const { behind, calls } = merging(500, false);
    expect(behind(18, 1)).toEqual(Array.from({ length: 18 }, () => 0));
    expect(calls()).toBe(3);
  });
});
