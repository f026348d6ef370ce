import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRecordPrinter } from '../../../../src/cli/record-format/create-printer.js';
import type { RecordReader } from '../../../../src/cli/record-format/input-record.js';
import { OutputBuffer } from '../../../../src/cli/record-format/output-buffer.js';
import {
  createCsvReader,
  createTsvReader,
} from '../../../../src/cli/record-format/whole-word/separated-values-input.js';
import { runs } from '../../../support/properties.js';
import { NOW, printed, readAll, shown, type TestRecord } from '../support.js';

const READERS = { csv: createCsvReader, tsv: createTsvReader } as const;
type Word = keyof typeof READERS;

const read = (word: Word, text: string, cuts?: number[], options = {}) =>
  readAll(READERS[word](options), Buffer.from(text, 'latin1'), cuts).map(shown);

function dumped(word: Word, records: readonly TestRecord[]): Buffer {
  const out = new OutputBuffer();
  createRecordPrinter({ format: word, now: () => NOW }).begin!(out);
  return Buffer.concat([out.view(), printed(records, { format: word })]);
}

const latin1 = (of: Uint8Array | null) => (of === null ? null : Buffer.from(of).toString('latin1'));

describe.each(['csv', 'tsv'] as const)('%s', (word) => {
  it('gives back what was printed: any bytes, null, empty, headers, timestamps, wherever the pieces end', () => {
    const special = fc.constantFrom(...[',', '"', '\n', '\r', '\t', '\\', 'N', ' ', '\0', '\xff', 'é', '\ufeff']);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.array(special, { maxLength: 8 }).map((parts) => Buffer.from(parts.join(''))),
      fc.array(special, { maxLength: 8 }).map((parts) => Buffer.from(parts.join(''), 'latin1')),
    );
    const content = fc.option(bytes, { nil: null });
    const record = fc.record({
      key: content,
      value: content,
      timestamp: fc.integer({ min: -1, max: 2 ** 45 }),
      headers: fc.array(fc.tuple(fc.string({ maxLength: 5 }), content), { maxLength: 3 }),
    });
    const cuts = fc.array(fc.nat(300), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), cuts, (records, at) => {
        const text = dumped(word, records);
        const within = at.filter((cut) => cut <= text.length);
        expect(readAll(READERS[word](), text, within).map(shown)).toEqual(
          records.map(({ key, value, timestamp, headers }, offset) => ({
            topic: 'orders',
            partition: 3,
            offset,
            timestamp,
            key: latin1(key),
            value: latin1(value),
            ...(headers.length === 0 ? {} : { headers: headers.map(([name, v]) => [name, latin1(v)]) }),
          })),
        );
      }),
      { numRuns: runs(300) },
    );
  });

  it('finds columns by name, in any order, with what is left out unknown', () => {
    const s = word === 'csv' ? ',' : '\t';
    expect(read(word, `value${s}key\nv${s}k\n`)).toEqual([{ key: 'k', value: 'v' }]);
    expect(read(word, 'value\nv\nw')).toEqual([
      { key: null, value: 'v' },
      { key: null, value: 'w' },
    ]);
    expect(read(word, `partition${s}value${s}headers\n${s}v${s}\n`)).toEqual([{ key: null, value: 'v' }]);
  });

  it('takes a byte order mark, CRLF, empty lines and a last line without its end', () => {
    const s = word === 'csv' ? ',' : '\t';
    const text = `\xef\xbb\xbfkey${s}value\r\na${s}b\r\n\r\n\nc${s}d`;
    const expected = [
      { key: 'a', value: 'b' },
      { key: 'c', value: 'd' },
    ];
    const everyByte = [...text].map((_, i) => i);
    expect(read(word, text)).toEqual(expected);
    expect(read(word, text, everyByte)).toEqual(expected);
  });

  it('has no records in an empty input, nor behind a head alone', () => {
    expect(read(word, '')).toEqual([]);
    expect(read(word, 'value\n')).toEqual([]);
    expect(read(word, 'value')).toEqual([]);
  });

  it('strict: the last line needs its newline', () => {
    expect(read(word, 'value\nv\n', [], { strict: true })).toHaveLength(1);
    expect(() => read(word, 'value\nv', [], { strict: true })).toThrow(/line 2, byte 7.*before the newline/);
  });

  it('a row beyond what is allowed is refused before its end is seen', () => {
    const reader = READERS[word]({ maxRecordBytes: 100 });
    reader.push(Buffer.from(`value\n${word === 'csv' ? '"' : ''}${'x'.repeat(200)}`));
    expect(() => reader.next()).toThrow(/line 2, byte 6.*more than 100 bytes/);
  });

  it('without a head there is nothing to go by, so it is not skipped', () => {
    const reader = READERS[word]();
    reader.push(Buffer.from('1\n2\n'));
    expect(() => reader.next()).toThrow(/Record 1 \(line 1, byte 0\): the first line names a column '1'/);
    expect(() => reader.skipBad()).toThrow(/the first line/);
  });
});

it('tsv: a wrong escape in the first line is told with its place', () => {
  const reader = createTsvReader();
  reader.push(Buffer.from('va\\lue\n1\n'));
  expect(() => reader.next()).toThrow(/Record 1 \(line 1, byte 2\): a backslash that begins no escape/);
  expect(() => reader.skipBad()).toThrow(/line 1, byte 2/);
});

describe('null and empty', () => {
  it('csv: nothing and ""', () => {
    expect(read('csv', 'key,value\n,""\n"",\n')).toEqual([
      { key: null, value: '' },
      { key: '', value: null },
    ]);
    expect(read('csv', 'value\n\n""\n')).toEqual([
      { key: null, value: null },
      { key: null, value: '' },
    ]);
    expect(read('csv', 'key,value\n"",""')).toEqual([{ key: '', value: '' }]);
    expect(read('csv', 'key,value\na,')).toEqual([{ key: 'a', value: null }]);
  });

  it('tsv: \\N alone and nothing', () => {
    expect(read('tsv', 'key\tvalue\n\\N\t\n\t\\N\n\\\\N\ta\\\\N\n')).toEqual([
      { key: null, value: '' },
      { key: '', value: null },
      { key: '\\N', value: 'a\\N' },
    ]);
  });
});

describe('quotes and escapes', () => {
  it.each([
    ['a"b', 'a"b'],
    ['"a""b"', 'a"b'],
    ['""""', '"'],
    ['"a\r\nb"', 'a\r\nb'],
    ['"a"\r', 'a'],
    [' a ', ' a '],
    ['a\rb', 'a\rb'],
  ])('csv %j is %j', (field, value) => {
    expect(read('csv', `value\n${field}\n`)).toEqual([{ key: null, value }]);
  });

  it('tsv knows the escapes of -D and -K', () => {
    expect(read('tsv', 'value\n\\t\\n\\r\\0\\\\\\xfF\n')).toEqual([{ key: null, value: '\t\n\r\0\\\xff' }]);
  });
});

describe('bad input says where', () => {
  it.each([
    ['csv', 'value\na\n"b', 'Record 2 (line 3, byte 8): this quote is never closed'],
    ['csv', 'key,value\na,"b"c\n', 'Record 1 (line 2, byte 15): behind a closing quote there is neither a comma nor'],
    ['csv', 'value\n"a"\rb\n', 'Record 1 (line 2, byte 9): a carriage return behind a closing quote'],
    ['csv', 'value\n"a\nb"\nc,d\n', 'Record 2 (line 4, byte 12): 2 fields, and the first line names 1 columns'],
    ['csv', 'key,value\na\n', 'Record 1 (line 2, byte 10): 1 fields, and the first line names 2 columns'],
    ['tsv', 'key\tvalue\na\tb\\q\n', 'Record 1 (line 2, byte 13): a backslash that begins no escape'],
    ['tsv', 'value\na\\\n', 'Record 1 (line 2, byte 7): a backslash that begins no escape'],
    ['tsv', 'key\tval\\ue\n', 'Record 1 (line 1, byte 7): a backslash that begins no escape'],
    ['tsv', 'key\tvalue\n\\q\n', 'Record 1 (line 2, byte 10): 1 fields'],
    ['tsv', 'offset\tvalue\n1x\tb\n', 'Record 1 (line 2, byte 13): offset is "1x", not a whole number'],
    [
      'csv',
      'timestamp,value\n99999999999999999,b\n',
      'Record 1 (line 2, byte 16): timestamp is "99999999999999999", not',
    ],
    ['csv', 'value,headers\nv,{}\n', 'Record 1 (line 2, byte 14): headers is no array'],
    ['csv', 'value,headers\nv,\xff\n', 'Record 1 (line 2, byte 14): headers is not JSON'],
    ['csv', 'key\nk\n', 'Record 1 (line 1, byte 0): the first line names no column value'],
    ['csv', 'value,value\n', 'Record 1 (line 1, byte 0): the first line names the column value twice'],
    ['csv', 'value,\n', "Record 1 (line 1, byte 0): the first line names a column '', which"],
  ] as const)('%s %j', (word, text, message) => {
    expect(() => read(word, text)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), code: 'KLOG_BAD_INPUT' }),
    );
  });

  it('skipBad passes over the row, and over the line where its end cannot be known', () => {
    const take = (reader: RecordReader) => shown(reader.next()!).value;
    const reader = createCsvReader();
    reader.push(Buffer.from('key,value\na,1\n"x\ny"\nb,2\n"c" d,3\ne,4\nf,"5'));
    expect(take(reader)).toBe('1');
    expect(() => reader.next()).toThrow(/line 3/);
    expect(reader.skipBad()!.toString()).toBe(Buffer.from('"x\ny"\n').toString());
    expect(take(reader)).toBe('2');
    expect(() => reader.next()).toThrow(/line 6/);
    expect(Buffer.from(reader.skipBad()!).toString()).toBe('"c" d,3\n');
    expect(take(reader)).toBe('4');
    expect(reader.next()).toBeUndefined();
    reader.end();
    expect(() => reader.next()).toThrow(/line 8, byte 38.*never closed/);
    expect(Buffer.from(reader.skipBad()!).toString()).toBe('f,"5');
    expect(reader.next()).toBeUndefined();
  });
});
