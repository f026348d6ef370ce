import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRecordPrinter } from '../../../src/cli/record-format/create-printer.js';
import { createDelimitedPrinter } from '../../../src/cli/record-format/delimited.js';
import { OutputBuffer } from '../../../src/cli/record-format/output-buffer.js';
import { runs } from '../../support/properties.js';
import { bytes, contextOf, cursorOver, NOW, printed, type TestRecord } from './support.js';

const content = fc.option(fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 9 })), {
  nil: null,
});
const records = fc.array(
  fc.record({
    key: content,
    value: content,
    timestamp: fc.integer({ min: -1, max: 2 ** 45 }),
    headers: fc.array(fc.tuple(fc.string({ maxLength: 4 }), content), { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 30 },
);

describe('value and delimiter', () => {
  it('by default: a value and a newline, null as nothing', () => {
    expect(printed([{ value: 'a' }, { key: 'k' }, { value: '' }]).toString()).toBe('a\n\n\n');
  });

  it('-K prints keys, -D ends records, -Z shows nulls', () => {
    const options = { keySeparator: Buffer.from(': '), delimiter: Buffer.from(';\n'), nullText: 'NULL' };
    expect(printed([{ key: 'k', value: 'v' }, {}, { key: '', value: '' }], options).toString()).toBe(
      'k: v;\nNULL: NULL;\n: ;\n',
    );
  });

  it('is the same by the fast way and record by record, for any separators', () => {
    const separator = fc.uint8Array({ minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        records,
        separator,
        fc.option(separator, { nil: undefined }),
        fc.nat(40),
        (all, delimiter, keySeparator, step) => {
          const expected = all.map(({ key, value }) =>
            Buffer.concat([
              ...(keySeparator === undefined ? [] : [bytes(key) ?? Buffer.alloc(0), keySeparator]),
              bytes(value) ?? Buffer.alloc(0),
              delimiter,
            ]),
          );
          const printer = createDelimitedPrinter({ delimiter, keySeparator });
          const context = contextOf();
          const cursor = cursorOver(all as TestRecord[]);
          const out = new OutputBuffer(8);
          // In portions, as the output asks for them.
          let count = 0;
          for (let limit = 1; count < all.length; limit = out.length + step + 1) {
            count += printer.printBatch(cursor, context, out, 3, limit);
          }
          expect(context.recordNumber).toBe(all.length);
          expect(Buffer.from(out.view()).equals(Buffer.concat(expected))).toBe(true);
          const single = new OutputBuffer(8);
          const again = cursorOver(all as TestRecord[]);
          while (again.next()) printer.print(again, context, single);
          expect(Buffer.from(single.view()).equals(Buffer.concat(expected))).toBe(true);
        },
      ),
      { numRuns: runs(300) },
    );
  });

  it('values longer than a stretch', () => {
    const all = [
      { value: 'a' },
      { value: 'b'.repeat(100_000) },
      { value: 'c' },
      { key: 'k'.repeat(40_000), value: 'd'.repeat(70_000) },
    ];
    expect(printed(all).toString()).toBe(`a\n${'b'.repeat(100_000)}\nc\n${'d'.repeat(70_000)}\n`);
    expect(printed(all, { keySeparator: Buffer.from('=') }).toString()).toBe(
      `=a\n=${'b'.repeat(100_000)}\n=c\n${'k'.repeat(40_000)}=${'d'.repeat(70_000)}\n`,
    );
  });

  it('stops at maxRecords and at maxBytes', () => {
    const printer = createDelimitedPrinter();
    const cursor = cursorOver([{ value: 'aa' }, { value: 'bb' }, { value: 'cc' }]);
    const out = new OutputBuffer();
    expect(printer.printBatch(cursor, contextOf(), out, 1, 100)).toBe(1);
    expect(printer.printBatch(cursor, contextOf(), out, 100, 4)).toBe(1);
    expect(printer.printBatch(cursor, contextOf(), out, 100, 100)).toBe(1);
    expect(out.view().toString()).toBe('aa\nbb\ncc\n');
  });
});

describe('whole-word formats', () => {
  const record: TestRecord = {
    key: 'k',
    value: 'a,b\t"c"\n',
    headers: [
      ['h', 'x'],
      ['n', null],
    ],
  };

  it.each([
    ['raw', 'a,b\t"c"\n'],
    ['hex', '612c62092263220a\n'],
    ['netstring', '8:a,b\t"c"\n,'],
    [
      'csv',
      'orders,3,0,1700000000000,k,"a,b\t""c""\n","[{""key"":""h"",""value"":""x""},{""key"":""n"",""value"":null}]"\n',
    ],
    ['tsv', 'orders\t3\t0\t1700000000000\tk\ta,b\\t"c"\\n\t[{"key":"h","value":"x"},{"key":"n","value":null}]\n'],
    ['table', 'orders            3          0         2023-11-14T22:13:20.000Z  k                 a,b\\t"c"\\n\n'],
    ['kafka', 'a,b\t"c"\n\n'],
  ])('%s', (format, expected) => {
    expect(printed([record], { format }).toString()).toBe(expected);
  });

  it('tell null from empty', () => {
    const both: TestRecord[] = [{}, { key: '', value: '' }];
    expect(printed(both, { format: 'csv' }).toString()).toBe(
      'orders,3,0,1700000000000,,,\norders,3,1,1700000000000,"","",\n',
    );
    expect(printed(both, { format: 'tsv' }).toString()).toBe(
      'orders\t3\t0\t1700000000000\t\\N\t\\N\t\norders\t3\t1\t1700000000000\t\t\t\n',
    );
    expect(printed(both, { format: 'table' }).toString()).toMatch(/NULL {14}NULL\n.*Z {20}\n$/s);
    expect(printed(both, { format: 'raw' }).toString()).toBe('');
    expect(printed(both, { format: 'hex' }).toString()).toBe('\n\n');
    expect(printed(both, { format: 'netstring' }).toString()).toBe('0:,0:,');
  });

  it.each([
    ['csv', 'topic,partition,offset,timestamp,key,value,headers\n'],
    ['tsv', 'topic\tpartition\toffset\ttimestamp\tkey\tvalue\theaders\n'],
    ['table', 'TOPIC             PARTITION  OFFSET    TIMESTAMP                 KEY               VALUE\n'],
  ])('%s begins with a head', (format, head) => {
    const out = new OutputBuffer();
    createRecordPrinter({ format, now: () => NOW }).begin!(out);
    expect(out.view().toString()).toBe(head);
  });

  it('table keeps what is wider than its column apart from what follows', () => {
    const key = 'a key of more than eighteen';
    const [line] = printed([{ key, value: 'v' }], { format: 'table' })
      .toString()
      .split('\n');
    expect(line).toMatch(new RegExp(`Z  ${key}  v$`));
  });

  it('table shows a record without a timestamp as a dash, in the zone of --tz', () => {
    expect(printed([{ timestamp: -1 }], { format: 'table' }).toString()).toContain(' -  ');
    expect(printed([{}], { format: 'table', timeZone: 'Asia/Tokyo' }).toString()).toContain(
      '2023-11-15T07:13:20.000+09:00',
    );
  });

  it('json and jsonl are -J', () => {
    expect(printed([record], { format: 'jsonl' })).toEqual(printed([record], { format: 'json' }));
  });

  it('kafka looks like kafka-console-consumer', () => {
    const kafkaProperties = {
      'print.timestamp': 'true',
      'print.partition': 'true',
      'print.offset': 'TRUE',
      'print.epoch': 'true',
      'print.headers': 'true',
      'print.key': 'true',
    };
    const all: TestRecord[] = [
      {
        key: 'k',
        value: 'v',
        headers: [
          ['a', '1'],
          ['b', null],
        ],
      },
      {},
    ];
    expect(printed(all, { format: 'kafka', kafkaProperties }).toString()).toBe(
      'CreateTime:1700000000000\tPartition:3\tOffset:0\tEpoch:7\ta:1,b:null\tk\tv\n' +
        'CreateTime:1700000000000\tPartition:3\tOffset:1\tEpoch:7\tNO_HEADERS\tnull\tnull\n',
    );
    const separators = {
      'print.key': 'true',
      'print.headers': 'true',
      'key.separator': '|',
      'line.separator': ';',
      'headers.separator': '&',
      'null.literal': '-',
    };
    expect(printed(all, { format: 'kafka', kafkaProperties: separators }).toString()).toBe(
      'a:1&b:-|k|v;NO_HEADERS|-|-;',
    );
    const keyOnly = { 'print.key': 'true', 'print.value': 'false' };
    expect(printed(all, { format: 'kafka', kafkaProperties: keyOnly }).toString()).toBe('k\nnull\n');
    const times = { 'print.timestamp': 'true', 'print.value': 'false' };
    for (const [timestampType, shown] of [
      ['append', 'LogAppendTime:1700000000000\n'],
      ['none', 'NO_TIMESTAMP\n'],
    ] as const) {
      expect(printed([{}], { format: 'kafka', kafkaProperties: times }, { timestampType }).toString()).toBe(shown);
    }
  });

  it('kafka refuses properties it does not know', () => {
    expect(() => printed([{}], { format: 'kafka', kafkaProperties: { 'print.nope': 'true' } })).toThrow(
      /Unknown formatter property/,
    );
    expect(() => printed([{}], { format: 'kafka', kafkaProperties: { 'print.key': 'maybe' } })).toThrow(/"maybe"/);
  });
});

describe('no record can look like two', () => {
  it('csv has as many rows as records, with their keys and values', () => {
    fc.assert(
      fc.property(records, (all) => {
        const rows = parseCsv(printed(all as TestRecord[], { format: 'csv' }).toString('latin1'));
        expect(rows.map((row) => [row[4], row[5]])).toEqual(all.map(({ key, value }) => [latin1(key), latin1(value)]));
        expect(rows.every((row) => row.length === 7)).toBe(true);
      }),
      { numRuns: runs(200) },
    );
  });

  it.each(['tsv', 'json', 'table', 'hex'])('%s has as many lines as records', (format) => {
    fc.assert(
      fc.property(records, (all) => {
        const text = printed(all as TestRecord[], { format }).toString('latin1');
        expect(text.split('\n')).toHaveLength(all.length + 1);
        if (format === 'tsv')
          for (const line of text.split('\n').slice(0, -1)) expect(line.split('\t')).toHaveLength(7);
      }),
      { numRuns: runs(100) },
    );
  });

  it('netstrings give back the values', () => {
    fc.assert(
      fc.property(records, (all) => {
        let rest = printed(all as TestRecord[], { format: 'netstring' }).toString('latin1');
        for (const { value } of all) {
          const [head, length] = /^(\d+):/.exec(rest)!;
          const end = head.length + Number(length);
          expect(rest.slice(head.length, end)).toBe(latin1(value) ?? '');
          expect(rest[end]).toBe(',');
          rest = rest.slice(end + 1);
        }
        expect(rest).toBe('');
      }),
      { numRuns: runs(100) },
    );
  });

  it('a terminal gets no control byte but tab and newline, in whatever format', () => {
    const formats = [
      undefined,
      'json',
      'raw',
      'csv',
      'tsv',
      'table',
      'kafka',
      'netstring',
      '%k %v %h %o{byte}\\n',
      'kcat:%s %h\\n',
    ];
    fc.assert(
      fc.property(records, fc.constantFrom(...formats), (all, format) => {
        const text = printed(all as TestRecord[], { format, forTerminal: true });
        const decoded = new TextDecoder('utf-8', { fatal: true }).decode(text);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
        expect(decoded).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
      }),
      { numRuns: runs(300) },
    );
  });
});

function latin1(of: string | Uint8Array | null): string | null {
  return of === null ? null : Buffer.from(of as string).toString('latin1');
}

/** RFC 4180 with LF; an empty field without quotes is null. */
function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\n\r]*))(,|\n)/gy;
  for (let match = field.exec(text); match !== null; match = field.exec(text)) {
    const [, quoted, plain, end] = match;
    rows.at(-1)!.push(quoted !== undefined ? quoted.replaceAll('""', '"') : plain === '' ? null : plain!);
    if (end === '\n') rows.push([]);
    if (field.lastIndex === text.length) break;
  }
  return rows.slice(0, -1);
}
