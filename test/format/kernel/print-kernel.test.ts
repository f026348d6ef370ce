import { describe, expect, it } from 'vitest';
import { PrintKernel, type PrintTemplate } from '../../../src/format/kernel/print-kernel.js';
import { RecordBatchBuilder } from '../../../src/format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../../src/format/record-cursor.js';

const NEWLINE = Buffer.from('\n');
const LINES: PrintTemplate = { parts: ['value', NEWLINE] };
const EVERYTHING = Number.POSITIVE_INFINITY;

interface Made {
  readonly key?: string | null;
  readonly value: string | null;
  readonly timestamp?: number;
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[];
}

function cursorOver(records: readonly Made[], fields: { baseOffset?: number; logAppendTime?: number } = {}) {
  const builder = new RecordBatchBuilder();
  for (const { key = null, value, timestamp = 1_700_000_000_000, headers } of records) {
    const [keyBytes, valueBytes] = [key, value].map((text) => (text === null ? null : Buffer.from(text)));
    const [keyEnd, valueEnd] = [keyBytes?.length ?? -1, valueBytes?.length ?? -1];
    builder.append(keyBytes!, 0, keyEnd, valueBytes!, 0, valueEnd, timestamp, headers ? [...headers] : null);
  }
  return openCursor(new RecordCursor(), Buffer.from(builder.build(fields)), 0);
}

function printed(cursor: RecordCursor, template: PrintTemplate, maxRecords = EVERYTHING, maxBytes = EVERYTHING) {
  const kernel = new PrintKernel();
  const count = kernel.print(cursor, template, 0, maxRecords, maxBytes);
  return { count, text: kernel.output.toString('utf8', 0, kernel.length) };
}

const plain = Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, value: `value ${i}` }));

describe('the kernel prints', () => {
  it('values and a delimiter, and leaves the cursor on the last record', () => {
    const cursor = cursorOver(plain, { baseOffset: 500 });
    const { count, text } = printed(cursor, LINES);
    expect(count).toBe(100);
    expect(text).toBe(plain.map(({ value }) => `${value}\n`).join(''));
    expect(cursor.offset).toBe(599);
    expect(cursor.value()).toEqual(new Uint8Array(Buffer.from('value 99')));
    expect(cursor.next()).toBe(false);
  });

  it('keys, offsets, timestamps and texts of any length between them', () => {
    const cursor = cursorOver(
      plain.map((record, i) => ({ ...record, timestamp: i * 10 })),
      { baseOffset: 2 ** 53 - 200 },
    );
    const long = Buffer.from('-'.repeat(500));
    const { count, text } = printed(cursor, { parts: ['offset', long, 'timestamp', long, long, 'key', NEWLINE] });
    expect(count).toBe(100);
    const line = (i: number) => `${2 ** 53 - 200 + i}${long}${i * 10}${long}${long}k${i}\n`;
    expect(text).toBe(plain.map((_, i) => line(i)).join(''));
  });

  it('a field as often as the format has it, as far as there is room', () => {
    const records = Array.from({ length: 4 }, (_, i) => ({ key: 'k', value: `${i}`.repeat(30_000) }));
    const line = (i: number) => records[i]!.value.repeat(7);
    const template: PrintTemplate = { parts: Array.from({ length: 7 }, () => 'value' as const) };
    expect(printed(cursorOver(records), template)).toEqual({ count: 1, text: line(0) });
    const room: PrintTemplate = { parts: Array.from({ length: 14 }, () => 'value' as const) };
    expect(printed(cursorOver(records), room)).toEqual({ count: 0, text: '' });
  });

  it('null as nothing, and as null in JSON', () => {
    const records = [
      { key: null, value: 'a"b\\c\n\t' },
      { key: '', value: null },
    ];
    const parts = ['key', Buffer.from('='), 'value', Buffer.from(' '), 'jsonKey', 'jsonValue', NEWLINE] as const;
    expect(printed(cursorOver(records), { parts })).toEqual({
      count: 2,
      text: '=a"b\\c\n\t null"a\\"b\\\\c\\n\\t"\n= ""null\n',
    });
  });

  it('records of many hours in one batch', () => {
    const hour = 3_600_000;
    const records = [0, 37, -37].map((hours) => ({ value: `${hours}`, timestamp: 1_700_000_000_000 + hours * hour }));
    const text = records.map(({ timestamp, value }) => `${timestamp} ${value}\n`).join('');
    const parts = ['timestamp', Buffer.from(' '), 'value', NEWLINE] as const;
    expect(printed(cursorOver(records), { parts })).toEqual({ count: 3, text });
  });

  it('records with headers, which it passes over', () => {
    const headers = [
      { key: 'trace', value: Buffer.from('1') },
      { key: '', value: null },
    ];
    expect(printed(cursorOver([{ value: 'a', headers }, { value: 'b' }]), LINES)).toEqual({ count: 2, text: 'a\nb\n' });
  });

  it('as many as there is room for, and goes on behind them', () => {
    const records = Array.from({ length: 3000 }, (_, i) => ({ value: `${i}`.padEnd(300, '.') }));
    const cursor = cursorOver(records);
    const first = printed(cursor, LINES);
    expect(first.count).toBeGreaterThan(1200);
    const second = printed(cursor, LINES);
    const third = printed(cursor, LINES);
    expect(first.count + second.count + third.count).toBe(3000);
    expect(first.text + second.text + third.text).toBe(records.map(({ value }) => `${value}\n`).join(''));
  });

  it('at most so many records, and until so many bytes are there', () => {
    expect(printed(cursorOver(plain), LINES, 7).count).toBe(7);
    expect(printed(cursorOver(plain), LINES, EVERYTHING, 10).text).toBe('value 0\nvalue 1\n');
  });

  it('from an offset on, and before another', () => {
    const cursor = cursorOver(plain, { baseOffset: 10 });
    cursor.skipTo(30);
    cursor.endAt(33);
    expect(printed(cursor, LINES)).toEqual({ count: 3, text: 'value 20\nvalue 21\nvalue 22\n' });
  });
});

describe('the kernel stops before a record', () => {
  const stopsAt = (odd: Made, template: PrintTemplate) => {
    const cursor = cursorOver([{ key: 'k', value: 'a' }, odd, { key: 'k', value: 'b' }]);
    const { count } = printed(cursor, template);
    expect(cursor.next()).toBe(true);
    expect(cursor.valueStart < 0 ? null : Buffer.from(cursor.value()!).toString()).toBe(odd.value);
    return count;
  };
  const json: PrintTemplate = { parts: ['jsonKey', 'jsonValue'], headersStop: true };

  it('with bytes beyond ASCII or control bytes without a short escape, for JSON', () => {
    expect(stopsAt({ value: 'é' }, json)).toBe(1);
    expect(stopsAt({ value: '\u0001' }, json)).toBe(1);
    expect(stopsAt({ key: 'é', value: 'x' }, json)).toBe(1);
    expect(stopsAt({ value: `${'x'.repeat(31)}\u001f` }, json)).toBe(1);
  });

  it('with headers, where they are printed', () => {
    expect(stopsAt({ value: 'h', headers: [{ key: 'a', value: null }] }, json)).toBe(1);
  });

  it('that is null, where null has a text', () => {
    expect(stopsAt({ key: 'k', value: null }, { ...LINES, nullStops: true })).toBe(1);
    const keyed: PrintTemplate = { parts: ['key', NEWLINE, 'value', NEWLINE], nullStops: true };
    expect(stopsAt({ key: null, value: 'x' }, keyed)).toBe(1);
    // A key that is not printed may be null.
    expect(printed(cursorOver([{ value: 'x' }, { value: 'y' }]), { ...LINES, nullStops: true }).count).toBe(2);
  });

  it('that is larger than its window', () => {
    expect(stopsAt({ value: 'x'.repeat(40_000) }, LINES)).toBe(1);
  });

  it('of a time before 1970 or far from the first, where times are printed', () => {
    expect(stopsAt({ value: 'x', timestamp: -5 }, { parts: ['timestamp'] })).toBe(1);
    expect(stopsAt({ value: 'x', timestamp: 1_600_000_000_000 }, { parts: ['timestamp'] })).toBe(1);
  });

  it('of a batch with an append time, where times are printed', () => {
    const cursor = cursorOver(plain, { logAppendTime: 5 });
    expect(printed(cursor, { parts: ['timestamp'] }).count).toBe(0);
    expect(printed(cursor, LINES).count).toBe(100);
  });

  it('all, of a batch with a negative offset, which no CRC covers', () => {
    expect(printed(cursorOver(plain, { baseOffset: -5 }), LINES).count).toBe(0);
  });

  it('all, with a template beyond its memory', () => {
    expect(printed(cursorOver(plain), { parts: [Buffer.alloc(4000, 'x')] }).count).toBe(0);
    const many = Array.from({ length: 40 }, () => ['key', NEWLINE] as const).flat();
    expect(printed(cursorOver(plain), { parts: many }).count).toBe(0);
  });
});
