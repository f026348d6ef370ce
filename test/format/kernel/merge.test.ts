import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MergeCursor } from '../../../src/clients/local/merge-cursor.js';
import { MOST_MERGED, PrintKernel, type PrintTemplate } from '../../../src/format/kernel/print-kernel.js';
import { RecordBatch } from '../../../src/format/record-batch.js';
import { openCursor, RecordCursor } from '../../../src/format/record-cursor.js';
import { batchOf, type TestRecord } from '../../cli/record-format/support.js';
import { runs } from '../../support/properties.js';

const NEWLINE = Buffer.from('\n');
const LINES: PrintTemplate = { parts: ['timestamp', Buffer.from(' '), 'value', NEWLINE] };
const EVERYTHING = Number.POSITIVE_INFINITY;
const START = 1_700_000_000_000;

type Part = readonly TestRecord[];

function cursorsOver(parts: readonly Part[], from = 0, to = EVERYTHING): RecordCursor[] {
  return parts.map((records) => {
    const cursor = openCursor(new RecordCursor(), batchOf(records, 0), 0);
    cursor.skipTo(from);
    cursor.endAt(to);
    return cursor;
  });
}

/** `count` records of each part, in turn, a millisecond apart. */
function inTurn(parts: number, count: number, value = (index: number) => `value ${index}`): Part[] {
  return Array.from({ length: parts }, (_, part) =>
    Array.from({ length: count }, (_, i) => {
      const index = i * parts + part;
      return { value: value(index), timestamp: START + index };
    }),
  );
}

const lineOf = ({ timestamp = 0, value = null }: TestRecord) => `${timestamp} ${value ?? ''}\n`;

/** The plain way: the earliest of all next records, the first part's of several. */
function merged(parts: readonly Part[]): string[] {
  const left = parts.map((records) => [...records]);
  const lines: string[] = [];
  for (;;) {
    let first: TestRecord[] | undefined;
    for (const one of left) if (one.length > 0 && (!first || one[0]!.timestamp! < first[0]!.timestamp!)) first = one;
    if (first === undefined) return lines;
    lines.push(lineOf(first.shift()!));
  }
}

function merge(cursors: readonly RecordCursor[], maxRecords = EVERYTHING, maxBytes = EVERYTHING, template = LINES) {
  const kernel = new PrintKernel();
  const count = kernel.merge(cursors, template, 0, maxRecords, maxBytes);
  return { count, text: kernel.output.toString('utf8', 0, kernel.length) };
}

describe('the kernel merges', () => {
  it('by time, until a cursor has nothing left, and leaves all of them before what comes next', () => {
    const parts = inTurn(8, 20);
    const cursors = cursorsOver(parts);
    const { count, text } = merge(cursors);
    // The first one ends before the last records of the others.
    expect(count).toBe(8 * 19 + 1);
    expect(text).toBe(merged(parts).slice(0, count).join(''));
    expect(cursors.map((cursor) => cursor.next())).toEqual([false, ...Array.from({ length: 7 }, () => true)]);
    expect(cursors[7]!.offset).toBe(19);
  });

  it('of equal times those of the first one, and what is late right behind what comes before it', () => {
    const at = (...times: number[]) => times.map((time, i) => ({ value: `${time}/${i}`, timestamp: START + time }));
    const parts = [at(5, 5, 1, 9), at(5, 6, 2, 9), at(0, 5, 5, 9, 9)];
    const { count, text } = merge(cursorsOver(parts));
    const expected = merged(parts);
    expect(text).toBe(expected.slice(0, count).join(''));
    expect(count).toBe(expected.findIndex((line) => line.endsWith(' 9/3\n')) + 1);
  });

  it.each([1, MOST_MERGED])('%i of them', (size) => {
    const parts = inTurn(size, 30);
    const { count, text } = merge(cursorsOver(parts));
    expect(count).toBe(size * 29 + 1);
    expect(text).toBe(merged(parts).slice(0, count).join(''));
  });

  it('no more than was asked for', () => {
    const parts = inTurn(3, 10);
    expect(merge(cursorsOver(parts), 7)).toEqual({ count: 7, text: merged(parts).slice(0, 7).join('') });
    const { count, text } = merge(cursorsOver(parts), EVERYTHING, 60);
    expect(text.length).toBeGreaterThanOrEqual(60);
    expect(text).toBe(merged(parts).slice(0, count).join(''));
    expect(merge(cursorsOver(parts), EVERYTHING, 0).count).toBe(0);
  });

  it('nothing of too many, of none, and where one has nothing, an append time, or a record that is not whole', () => {
    const nothing = { count: 0, text: '' };
    expect(merge(cursorsOver(inTurn(MOST_MERGED + 1, 3)))).toEqual(nothing);
    expect(merge([])).toEqual(nothing);
    const cursors = cursorsOver(inTurn(2, 3));
    while (cursors[1]!.next());
    expect(merge(cursors)).toEqual(nothing);
    expect(cursors[0]!.next()).toBe(true);
    expect(cursors[0]!.offset).toBe(0);
    const negative = openCursor(new RecordCursor(), batchOf([{ value: 'x' }], -5), 0);
    expect(merge([...cursorsOver(inTurn(1, 3)), negative])).toEqual(nothing);
    const appended = batchOf([{ value: 'x' }], 0);
    new RecordBatch().reset(appended, 0).setLogAppendTime(START);
    expect(merge([...cursorsOver(inTurn(1, 3)), openCursor(new RecordCursor(), appended, 0)])).toEqual(nothing);
    const long = inTurn(2, 3, (index) => (index === 1 ? 'x'.repeat(200_000) : 'short'));
    expect(merge(cursorsOver(long))).toEqual(nothing);
  });

  it('up to the first record that is for its caller', () => {
    const parts = inTurn(2, 10).map((part, number) =>
      part.map((record, i) => ({ ...record, key: 'k', ...(number === 1 && i === 4 ? { value: null } : {}) })),
    );
    const cursors = cursorsOver(parts);
    expect(merge(cursors, EVERYTHING, EVERYTHING, { parts: ['value', NEWLINE], nullStops: true }).count).toBe(9);
    expect([cursors[1]!.next(), cursors[1]!.offset, cursors[1]!.value()]).toEqual([true, 4, null]);
  });

  it('only offsets that were asked for', () => {
    const parts = inTurn(2, 10);
    const cursors = cursorsOver(parts, 3, 6);
    const { count, text } = merge(cursors);
    expect(text).toBe(
      merged(parts.map((part) => part.slice(3, 6)))
        .slice(0, count)
        .join(''),
    );
    expect(count).toBeGreaterThanOrEqual(5);
    expect(cursors[0]!.next()).toBe(false);
  });

  it('whatever records there are, with a record by JavaScript wherever it stops', () => {
    const record = fc.record<TestRecord>({
      value: fc.oneof(
        { weight: 9, arbitrary: fc.string({ maxLength: 30 }) },
        { weight: 1, arbitrary: fc.constantFrom(null, 'y'.repeat(9000), 'z'.repeat(140_000)) },
      ),
      timestamp: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: START, max: START + 20 }) },
        { weight: 1, arbitrary: fc.constantFrom(-1, 0, START + 2 ** 33) },
      ),
      headers: fc.constantFrom([], [], [], [['h', 'x'] as const]),
    });
    const part = fc.array(record, { minLength: 1, maxLength: 20 });
    const partsArbitrary = fc.array(part, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(partsArbitrary, fc.integer({ min: 1, max: 50 }), (parts, maxRecords) => {
        const kernel = new PrintKernel();
        let left = parts.map((records) => openCursor(new MergeCursor(), batchOf(records, 0), 0) as MergeCursor);
        let text = '';
        for (;;) {
          const count = kernel.merge(left, LINES, 0, maxRecords, EVERYTHING);
          expect(count).toBeLessThanOrEqual(maxRecords);
          text += kernel.output.toString('utf8', 0, kernel.length);
          left = left.filter((cursor) => cursor.peek());
          if (left.length === 0) break;
          const first = left.reduce((least, cursor) => (cursor.timestamp < least.timestamp ? cursor : least));
          first.next();
          const value = first.value();
          text += lineOf({ timestamp: first.timestamp, value: value && Buffer.from(value).toString() });
          for (const cursor of left) cursor.unpeek();
        }
        expect(text).toBe(merged(parts).join(''));
      }),
      { numRuns: runs(150) },
    );
  });
});
