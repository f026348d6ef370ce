import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../../src/format/record-batch-builder.js';
import { ANY_TIME, type PassedRecords, passRecords } from '../../../src/format/record-skip.js';
import { runs } from '../../support/properties.js';

const HEADER_BYTES = 61;
const TIMESTAMP = 1_700_000_000_000;

interface Draft {
  readonly delta: number;
  readonly valueBytes: number;
}

const usual = fc.record<Draft>({ delta: fc.integer({ min: -5, max: 200 }), valueBytes: fc.nat(200) });
const unusual = fc.record<Draft>({
  delta: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  valueBytes: fc.constantFrom(0, 8000, 16_383, 70_000),
});

/** Enough for the kernel: some records over and over, and unusual ones in between. */
const drafts = fc
  .tuple(fc.array(usual, { minLength: 1, maxLength: 20 }), fc.array(fc.tuple(fc.nat(1500), unusual), { maxLength: 2 }))
  .map(([some, others]) => {
    const all = Array.from({ length: 1500 }, (_, i) => some[i % some.length]!);
    for (const [at, record] of others) all.splice(at, 0, record);
    return all;
  });

function recordsOf(all: readonly Draft[]): Uint8Array {
  const builder = new RecordBatchBuilder({});
  const value = Buffer.alloc(70_000, 'v');
  for (const { delta, valueBytes } of all) builder.appendValue(value, 0, valueBytes, TIMESTAMP + delta);
  return builder.build({}).subarray(HEADER_BYTES);
}

/** Without the kernel: few at a time. */
function oneByOne(bytes: Uint8Array, most: number, delta: number): PassedRecords {
  const all = { count: 0, position: 0 };
  const some = { count: 0, position: 0 };
  do {
    passRecords(bytes, all.position, bytes.length, Math.min(most - all.count, 100), delta, some);
    all.count += some.count;
    all.position = some.position;
  } while (some.count > 0 && all.count < most);
  return all;
}

function withKernel(bytes: Uint8Array, most: number, delta: number): PassedRecords {
  const passed = { count: -1, position: -1 };
  passRecords(bytes, 0, bytes.length, most, delta, passed);
  return passed;
}

const limits = fc.oneof(
  fc.constantFrom(ANY_TIME, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 39, -1, Number.NEGATIVE_INFINITY),
  fc.integer({ min: -10, max: 210 }),
  fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
);

describe('passing over a thousand records and more', () => {
  it('comes as far as one by one', () => {
    fc.assert(
      fc.property(drafts, fc.integer({ min: 1000, max: 1600 }), limits, (all, most, delta) => {
        const bytes = recordsOf(all.map((record, i) => ({ ...record, delta: i === 0 ? 0 : record.delta })));
        expect(withKernel(bytes, most, delta)).toEqual(oneByOne(bytes, most, delta));
      }),
      { numRuns: runs(50) },
    );
  });

  it('comes as far as one by one through bytes that are no records', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(drafts, flips, limits, (all, changed, delta) => {
        const bytes = Buffer.from(recordsOf(all));
        for (const [at, byte] of changed) bytes[at % bytes.length] = byte;
        expect(withKernel(bytes, 1600, delta)).toEqual(oneByOne(bytes, 1600, delta));
      }),
      { numRuns: runs(50) },
    );
  });

  it('does not pass over a record later than any plain one', () => {
    const all = Array.from({ length: 1500 }, (_, i) => ({ delta: i === 1400 ? 2 ** 33 : 0, valueBytes: 5 }));
    expect(withKernel(recordsOf(all), 1500, 2 ** 32).count).toBe(1400);
    expect(withKernel(recordsOf(all), 1500, ANY_TIME).count).toBe(1500);
  });

  it('leaves alone what lies before and behind the records, in a buffer of others', () => {
    const bytes = recordsOf(Array.from({ length: 1200 }, () => ({ delta: 0, valueBytes: 90 })));
    const around = Buffer.concat([Buffer.alloc(33, 9), bytes, Buffer.alloc(100, 0)]).subarray(3);
    const passed = { count: 0, position: 0 };
    passRecords(around, 30, 30 + bytes.length, 5000, ANY_TIME, passed);
    expect(passed).toEqual({ count: 1200, position: 30 + bytes.length });
  });
});
