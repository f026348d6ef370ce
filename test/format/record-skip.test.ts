import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KlogError } from '../../src/errors.js';
import type { LogRecord } from '../../src/format/log-record.js';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';

const TIMESTAMP = 1_700_000_000_000;

interface Draft {
  readonly delta: number;
  readonly valueBytes: number;
  readonly gap: number;
}

const drafts = fc.array(
  fc.record<Draft>({
    delta: fc.oneof(fc.integer({ min: -5, max: 200 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
    valueBytes: fc.oneof(fc.nat(20), fc.integer({ min: 50, max: 20_000 })),
    gap: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 3),
  }),
  { minLength: 1, maxLength: 40 },
);

function encode(records: readonly Draft[]): Uint8Array {
  const builder = new RecordBatchBuilder({});
  const value = Buffer.alloc(20_000, 'v');
  let offset = 0;
  for (const { delta, valueBytes, gap } of records) {
    offset += gap;
    builder.appendAt(offset++, null, 0, 0, value, 0, valueBytes, TIMESTAMP + delta, []);
  }
  return builder.build({});
}

function rest(cursor: RecordCursor): LogRecord[] {
  const records: LogRecord[] = [];
  while (cursor.next()) records.push(cursor.toRecord());
  return records;
}

function open(bytes: Uint8Array): RecordCursor {
  return openCursor(new RecordCursor(), bytes, 0);
}

describe('entering a batch in the middle', () => {
  it('skipTo finds what reading all of it finds, dense or with gaps', () => {
    fc.assert(
      fc.property(drafts, fc.integer({ min: -2, max: 60 }), (records, from) => {
        const bytes = encode(records);
        const cursor = open(bytes);
        cursor.skipTo(from);
        expect(rest(cursor)).toEqual(rest(open(bytes)).filter(({ offset }) => offset >= from));
      }),
    );
  });

  it('skipBefore passes over what is earlier, and no more than the beginning', () => {
    fc.assert(
      fc.property(
        drafts,
        fc.integer({ min: -2, max: 45 }),
        fc.integer({ min: -10, max: 210 }),
        (records, from, delta) => {
          const bytes = encode(records);
          const cursor = open(bytes);
          cursor.skipTo(from);
          cursor.skipBefore(TIMESTAMP + delta);
          const left = rest(cursor);
          const all = rest(open(bytes)).filter(({ offset }) => offset >= from);
          const first = all.findIndex(({ timestamp }) => timestamp >= TIMESTAMP + delta);
          expect(left).toEqual(all.slice(all.length - left.length));
          if (first >= 0) expect(left.length).toBeGreaterThanOrEqual(all.length - first);
        },
      ),
    );
  });

  it('reads on as ever behind what only looks like records, and reports it', () => {
    fc.assert(
      fc.property(drafts, fc.nat(60), fc.nat(), fc.nat(255), (records, from, place, byte) => {
        const bytes = Buffer.from(encode(records));
        bytes[61 + (place % (bytes.length - 61))] = byte;
        const slow = outcome(() => rest(open(bytes)).filter(({ offset }) => offset >= from));
        const fast = outcome(() => {
          const cursor = open(bytes);
          cursor.skipTo(from);
          return rest(cursor);
        });
        // What is passed over need not be read to its last field, nor a record that says it belongs elsewhere be found.
        if (slow !== 'refused' && fast !== 'refused') expect(slow.slice(slow.length - fast.length)).toEqual(fast);
        else if (fast !== 'refused') for (const { offset } of fast) expect(offset).toBeGreaterThanOrEqual(from);
      }),
    );
  });
});

function outcome(read: () => LogRecord[]): LogRecord[] | 'refused' {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(KlogError);
    return 'refused';
  }
}
