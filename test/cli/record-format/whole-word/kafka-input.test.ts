import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKafkaReader } from '../../../../src/cli/record-format/whole-word/kafka-input.js';
import { runs } from '../../../support/properties.js';
import { printed, readAll, shown, type TestRecord } from '../support.js';

const read = (text: string, properties = {}, strict = false) =>
  readAll(createKafkaReader(properties, strict), Buffer.from(text, 'latin1')).map(shown);

const ALL = {
  'print.timestamp': 'true',
  'print.partition': 'true',
  'print.offset': 'true',
  'print.epoch': 'true',
  'print.headers': 'true',
  'print.key': 'true',
};

describe('kafka', () => {
  it('is a value a line, and null as it is printed', () => {
    expect(read('a\n\nnull\nb')).toEqual(['a', '', null, 'b'].map((value) => ({ key: null, value })));
    expect(() => read('a', {}, true)).toThrow(/before the "\\n" that ends the value/);
  });

  it('gives back every column, as long as no separator is in the data', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', ' ', ':', '|'), maxLength: 6 });
    const content = fc.option(text, { nil: null });
    const name = fc.string({ unit: fc.constantFrom('h', 'é'), minLength: 1, maxLength: 3 });
    const record = fc.record({
      key: content,
      value: content,
      timestamp: fc.integer({ min: -1, max: 2 ** 45 }),
      headers: fc.array(fc.tuple(name, content), { maxLength: 3 }),
    });
    const bytes = (of: string | null) => (of === null ? null : Buffer.from(of).toString('latin1'));
    const cuts = fc.array(fc.nat(200), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), cuts, (records, at) => {
        const dump = printed(records as TestRecord[], { format: 'kafka', kafkaProperties: ALL });
        const within = at.filter((cut) => cut <= dump.length);
        expect(readAll(createKafkaReader(ALL, false), dump, within).map(shown)).toEqual(
          records.map(({ key, value, timestamp, headers }, offset) => ({
            timestamp,
            partition: 3,
            offset,
            leaderEpoch: 7,
            key: bytes(key),
            value: bytes(value),
            ...(headers.length === 0 ? {} : { headers: headers.map(([header, v]) => [header, bytes(v)]) }),
          })),
        );
      }),
      { numRuns: runs(100) },
    );
  });

  it('knows the other types of timestamps, and other separators', () => {
    const times = { 'print.timestamp': 'true' };
    const text = 'LogAppendTime:5\ta\nNO_TIMESTAMP\tb\nCreateTime:-1\tc\n';
    expect(read(text, times).map(({ timestamp }) => timestamp)).toEqual([5, -1, -1]);
    const separators = {
      'print.headers': 'true',
      'print.key': 'true',
      'key.separator': '||',
      'line.separator': ';;',
      'headers.separator': '&',
      'null.literal': '',
    };
    expect(read('h:1&i:||k||v;;NO_HEADERS||||;;', separators)).toEqual([
      {
        key: 'k',
        value: 'v',
        headers: [
          ['h', '1'],
          ['i', null],
        ],
      },
      { key: null, value: null },
    ]);
  });

  it('takes the names of the console producer', () => {
    const properties = { 'parse.key': 'true', 'parse.headers': 'true', 'null.marker': 'NIL', 'key.separator': ':' };
    expect(read('NO_HEADERS:k:NIL\n', properties)).toEqual([{ key: 'k', value: null }]);
  });

  it.each([
    ['x\tv\n', { 'print.timestamp': 'true' }, /line 1, byte 0.*the timestamp should be a time as -f kafka prints it/],
    ['CreateTime:1\tv\nCreateTime:\tv\n', { 'print.timestamp': 'true' }, /line 2, byte 15.*the timestamp should be/],
    ['Partition:x\tv\n', { 'print.partition': 'true' }, /Partition: should be a number/],
    ['h\tv\n', { 'print.headers': 'true' }, /the headers should be KEY:VALUE, or NO_HEADERS/],
    ['a\n', { 'print.key': 'true' }, /before the "\\t" that ends the key/],
  ])('%j with %j is bad input', (text, properties, message) => {
    expect(() => read(text, properties)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(message), code: 'KLOG_BAD_INPUT' }),
    );
  });

  it.each([
    [{ 'print.value': 'false' }, /no values to read/],
    [{ 'key.separator': '' }, /key.separator is empty/],
    [{ 'headers.separator': '' }, /headers.separator is empty/],
    [{ nope: 'x' }, /Unknown formatter property nope/],
    [{ 'parse.key': 'x' }, /Property parse.key is "x"/],
  ])('%j cannot be read', (properties, message) => {
    expect(() => createKafkaReader(properties, false)).toThrow(message);
  });
});
