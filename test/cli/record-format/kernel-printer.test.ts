import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRecordPrinter, type PrinterOptions } from '../../../src/cli/record-format/create-printer.js';
import { OutputBuffer } from '../../../src/cli/record-format/output-buffer.js';
import { MergeCursor } from '../../../src/clients/local/merge-cursor.js';
import { openCursor, RecordCursor } from '../../../src/format/record-cursor.js';
import { runs } from '../../support/properties.js';
import { batchOf, contextOf, NOW, type TestRecord } from './support.js';

const FORMATS: readonly Partial<PrinterOptions>[] = [
  {},
  { keySeparator: Buffer.from('=>') },
  { delimiter: Buffer.alloc(40, '-'), nullText: 'NULL' },
  { format: 'json' },
  { format: '%t/%p@%o %d: %k=%v\n' },
  { format: 'kcat:%k %s\\n' },
  { format: '%v%v%k%v\n' },
];

const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 40 }) },
  { weight: 2, arbitrary: fc.constantFrom('', '"\\', 'x'.repeat(200), '{"a":"b"}') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constant('y'.repeat(33_000)) },
);
const bytesOrNull = fc.oneof(
  { weight: 8, arbitrary: text },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const record: fc.Arbitrary<TestRecord> = fc.record({
  key: fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: bytesOrNull }),
  value: bytesOrNull,
  timestamp: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: NOW, max: NOW + 3000 }) },
    { weight: 1, arbitrary: fc.constantFrom(-1, 0, NOW * 2) },
  ),
  headers: fc.oneof(
    { weight: 9, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.constant([['h', 'x'] as const]) },
  ),
});
/** Long enough that the kernel gets its turn. */
const batch = fc.array(record, { minLength: 1, maxLength: 8 }).chain((some) =>
  fc.record({
    records: fc.constant(Array.from({ length: 20 }, () => some).flat()),
    plain: fc.boolean(),
  }),
);

/** What is printed, and how it ends: each record by itself, or by the batch in portions. */
function run(cursor: RecordCursor, options: Partial<PrinterOptions>, byBatch: boolean, step = 1, maxRecords = 1) {
  const printer = createRecordPrinter({ now: () => NOW, ...options });
  const context = contextOf();
  const out = new OutputBuffer();
  const pieces: Buffer[] = [];
  let error = '';
  try {
    if (!byBatch) {
      while (cursor.next()) {
        context.recordNumber++;
        printer.print(cursor, context, out);
      }
    } else {
      for (;;) {
        const count = printer.printBatch(cursor, context, out, maxRecords, step);
        if (count < maxRecords && out.length < step) break;
        pieces.push(Buffer.from(out.view()));
        out.clear();
      }
    }
  } catch (thrown) {
    error = (thrown as Error).message;
  }
  pieces.push(Buffer.from(out.view()));
  const { recordNumber } = context;
  return { text: Buffer.concat(pieces).toString('latin1'), error, recordNumber, offset: cursor.offset };
}

describe('a printer with a kernel prints what it prints record by record', () => {
  it('in whatever portions, from and to whatever offset', () => {
    fc.assert(
      fc.property(
        batch,
        fc.constantFrom(...FORMATS),
        fc.integer({ min: 1, max: 20_000 }),
        fc.constantFrom(1, 17, 1000, Number.POSITIVE_INFINITY),
        fc.nat(200),
        fc.nat(200),
        ({ records }, options, step, maxRecords, from, length) => {
          const bytes = batchOf(records, 1000);
          const cursor = () => {
            const opened = openCursor(new RecordCursor(), bytes, 0);
            opened.skipTo(1000 + from);
            opened.endAt(1000 + from + length);
            return opened;
          };
          expect(run(cursor(), options, true, step, maxRecords)).toEqual(run(cursor(), options, false));
        },
      ),
      { numRuns: runs(200) },
    );
  });

  it('also behind a record for which the output had to grow', () => {
    const printer = createRecordPrinter({ now: () => NOW });
    const out = new OutputBuffer();
    const plain: TestRecord[] = Array.from({ length: 100 }, (_, i) => ({ key: null, value: `${i}` }));
    for (const bytes of [0, 1024 * 1024]) {
      out.reserve(bytes);
      const cursor = openCursor(new RecordCursor(), batchOf(plain, 0), 0);
      expect(printer.printBatch(cursor, contextOf(), out, Number.POSITIVE_INFINITY, 20_000)).toBe(100);
    }
    expect(out.view().toString()).toBe(
      plain
        .map(({ value }) => `${value}\n`)
        .join('')
        .repeat(2),
    );
  });

  it('of damaged records, with the same error behind the same records', () => {
    fc.assert(
      fc.property(
        batch,
        fc.constantFrom(...FORMATS),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        ({ records }, options, damage) => {
          const bytes = Buffer.from(batchOf(records, 0));
          for (const [at, byte] of damage) bytes[61 + (at % (bytes.length - 61))] = byte;
          const cursor = () => openCursor(new RecordCursor(), bytes, 0);
          const { offset: _last, ...expected } = run(cursor(), options, false);
          expect(run(cursor(), options, true, 20_000, Number.POSITIVE_INFINITY)).toMatchObject(expected);
        },
      ),
      { numRuns: runs(300) },
    );
  });

  it('of a cursor that stops where another partition is due', () => {
    fc.assert(
      fc.property(batch, fc.integer({ min: NOW - 2, max: NOW + 3000 }), fc.boolean(), ({ records }, bound, isHeld) => {
        const bytes = batchOf(records, 0);
        const cursor = () => {
          const opened = openCursor(new MergeCursor(), bytes, 0) as MergeCursor;
          opened.restart();
          if (isHeld) opened.peek();
          opened.stopAt(bound);
          return opened;
        };
        expect(run(cursor(), {}, true, 20_000, Number.POSITIVE_INFINITY)).toEqual(run(cursor(), {}, false));
      }),
      { numRuns: runs(200) },
    );
  });
});
