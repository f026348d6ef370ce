import { describe, expect, it } from 'vitest';
import { createJsonReader } from '../../../src/cli/record-format/json-record-input.js';
import { readAll, shown } from './support.js';

const read = (input: object | string) =>
  readAll(createJsonReader(), typeof input === 'string' ? input : JSON.stringify(input)).map(shown);

const TIME = 1_700_000_000_123;
const RFC3339 = '2023-11-14T22:13:20.123456789Z';

describe("other tools' dumps", () => {
  it('kcat -J', () => {
    const dump = {
      topic: 't',
      partition: 1,
      offset: 5,
      tstype: 'create',
      ts: TIME,
      broker: 0,
      headers: ['h', 'x', 'h', null],
      key: 'k',
      payload: 'v',
    };
    expect(read(dump)).toEqual([
      {
        topic: 't',
        partition: 1,
        offset: 5,
        timestamp: TIME,
        key: 'k',
        value: 'v',
        headers: [
          ['h', 'x'],
          ['h', null],
        ],
      },
    ]);
    expect(read({ topic: 't', partition: 0, offset: 0, tstype: 'unknown', ts: 0, key: null, payload: null })).toEqual([
      { topic: 't', partition: 0, offset: 0, timestamp: -1, key: null, value: null },
    ]);
  });

  it('kcat -J without timestamps, with headers as a map, and with Avro', () => {
    const dump = { topic: 't', partition: 0, offset: 0, broker: 1, headers: ['h', 'x'], key: null, payload: 'v' };
    expect(read(dump)).toMatchObject([{ timestamp: -1, value: 'v', headers: [['h', 'x']] }]);
    expect(read({ ...dump, headers: { h: ['x', null], i: ['y'] } })[0]!.headers).toEqual([
      ['h', 'x'],
      ['h', null],
      ['i', 'y'],
    ]);
    expect(read({ ...dump, ts: 5, key: 7, payload: { a: [1] }, value_schema_id: 3 })).toMatchObject([
      { timestamp: 5, key: '7', value: '{"a":[1]}' },
    ]);
    expect(() => read({ ...dump, headers: { h: 'x' } })).toThrow(/header h is no array/);
  });

  it('what kcat could not decode is no tombstone', () => {
    const dump = { topic: 't', ts: 1, broker: 0, key: null, payload: null };
    expect(() => read({ ...dump, payload_error: 'bad magic' })).toThrow(
      /line 1.*could not decode it \(payload_error\)/,
    );
    expect(() => read({ ...dump, key_error: 'bad magic' })).toThrow(/could not decode it \(key_error\)/);
  });

  it('rpk, pretty-printed, in which null and empty are left out', () => {
    const dump = {
      topic: 't',
      key: 'k',
      value: 'v',
      headers: [{ key: 'h', value: 'x' }],
      timestamp: TIME,
      partition: 1,
      offset: 5,
    };
    expect(read(JSON.stringify(dump, null, 2))).toEqual([
      { topic: 't', partition: 1, offset: 5, timestamp: TIME, key: 'k', value: 'v', headers: [['h', 'x']] },
    ]);
    expect(read({ topic: 't', key: 'k', timestamp: TIME, partition: 1, offset: 5 })).toEqual([
      { topic: 't', partition: 1, offset: 5, timestamp: TIME, key: 'k', value: null },
    ]);
  });

  it('rpk with headers and no value', () => {
    const dump = { topic: 't', headers: [{ key: 'h', value: 'x' }], timestamp: TIME, partition: 1, offset: 5 };
    expect(read(dump)).toEqual([
      { topic: 't', partition: 1, offset: 5, timestamp: TIME, key: null, value: null, headers: [['h', 'x']] },
    ]);
    expect(() => read({ ...dump, headers: 'h' })).toThrow(/headers is no array/);
    expect(() => read({ ...dump, headers: ['h'] })).toThrow(/a header is no object/);
  });

  it('rpk --meta-only and klog --headers-only do not know the value, so it is no tombstone', () => {
    expect(() => read({ topic: 't', key: 'k', value_size: 9, timestamp: TIME, partition: 1, offset: 5 })).toThrow(
      /no value/,
    );
    const headersOnly = {
      topic: 't',
      partition: 1,
      offset: 5,
      timestamp: TIME,
      timestampType: 'create',
      key: 'k',
      headers: [],
    };
    expect(() => read(headersOnly)).toThrow(/no value/);
  });

  it('kaf json-each-row', () => {
    const dump = {
      topic: 't',
      partition: 1,
      offset: 5,
      timestamp: RFC3339,
      headers: [{ key: 'h', value: 'x' }],
      key: 'k',
      payload: 'v',
    };
    expect(read(dump)).toEqual([
      { topic: 't', partition: 1, offset: 5, timestamp: TIME, key: 'k', value: 'v', headers: [['h', 'x']] },
    ]);
  });

  it('kaf json, whose payload is JSON and whose headers are base64', () => {
    const dump = {
      partition: 1,
      offset: 5,
      timestamp: '2023-11-14T23:13:20.123+01:00',
      headers: [{ Key: 'aA==', Value: '/w==' }],
      key: 7,
      payload: { a: [1] },
    };
    expect(read(dump)).toEqual([
      { partition: 1, offset: 5, timestamp: TIME, key: '7', value: '{"a":[1]}', headers: [['h', '\xff']] },
    ]);
  });

  it("kaf's zero time stands for none", () => {
    expect(read({ timestamp: '0001-01-01T00:00:00Z', key: 'k', payload: 'v' })).toEqual([
      { timestamp: -1, key: 'k', value: 'v' },
    ]);
  });

  it('kafkactl, printed and as its input', () => {
    const dump = { Partition: 1, Offset: 5, Headers: { h: 'x', i: 'y' }, Key: 'k', Value: 'v', Timestamp: RFC3339 };
    expect(read(dump)).toEqual([
      {
        partition: 1,
        offset: 5,
        timestamp: TIME,
        key: 'k',
        value: 'v',
        headers: [
          ['h', 'x'],
          ['i', 'y'],
        ],
      },
    ]);
    expect(read({ Partition: 1, Offset: 5, Value: null })).toEqual([
      { partition: 1, offset: 5, key: null, value: null },
    ]);
    expect(read({ key: 'k', value: 'v', headers: { h: 'x' } })).toEqual([
      { key: 'k', value: 'v', headers: [['h', 'x']] },
    ]);
  });

  it('kt', () => {
    expect(read({ partition: 1, offset: 5, key: null, value: 'v', timestamp: RFC3339 })).toEqual([
      { partition: 1, offset: 5, timestamp: TIME, key: null, value: 'v' },
    ]);
    expect(read({ partition: 1, offset: 5, key: 'k', value: null })).toEqual([
      { partition: 1, offset: 5, key: 'k', value: null },
    ]);
  });

  it('s2 json-base64', () => {
    expect(read({ seq_num: 5, timestamp: TIME, headers: [['aA==', 'eA==']], body: '/wA=' })).toEqual([
      { offset: 5, timestamp: TIME, key: null, value: '\xff\0', headers: [['h', 'x']] },
    ]);
    expect(read({ seq_num: 5, timestamp: TIME })).toEqual([{ offset: 5, timestamp: TIME, key: null, value: '' }]);
    expect(() => read({ seq_num: 5, body: 'not base64!' })).toThrow(/json-base64/);
  });

  it("what has klog's own fields is klog's", () => {
    expect(read({ value: 'v', payload: 'p', ts: 1, body: 'x', Value: 'V' })).toEqual([{ key: null, value: 'v' }]);
    expect(read({ valueBase64: '/w==', payload: 'p', ts: 1 })).toEqual([{ key: null, value: '\xff' }]);
  });

  it.each([
    [{ payload: 'v', ts: 'x' }, /ts is "x"/],
    [{ payload: 'v', ts: 1, headers: ['a'] }, /no \[name, value/],
    [{ payload: 'v', ts: 1, headers: [1, 'a'] }, /name of a header/],
    [{ payload: 'v', timestamp: 'yesterday' }, /not an RFC 3339 time/],
    [{ payload: 'v', headers: {} }, /headers is no array/],
    [{ payload: 'v', headers: [1] }, /a header is no object/],
    [{ Value: 'v', Headers: [] }, /Headers is no object/],
    [{ Value: 5 }, /Value is 5/],
    [{ body: '', headers: [['aA==']] }, /no \[name, value\]/],
    [{ body: '', headers: {} }, /headers is no array/],
  ])('%j is refused', (dump, message) => {
    expect(() => read(dump)).toThrow(message);
  });

  it.each(['9007199254740993', '-12345678901234567890', '1e999'])(
    'refuse the number %s of a payload that is JSON: it would come out as another',
    (number) => {
      const kaf = `{"partition":0,"offset":1,"payload":{"s":"\\"1e999","id":${number}}}`;
      expect(() => read(kaf)).toThrow(/payload is JSON with the number .* which cannot be held exactly/);
      expect(() => read(`{"key":[${number}],"payload":"v","ts":5,"broker":1}`)).toThrow(/key is JSON with the number/);
      expect(read(`{"ts":5,"payload":"${number}"}`)).toMatchObject([{ value: number }]);
    },
  );

  it('are read where numbers are exact, however they are written', () => {
    const payload = '{"a":9007199254740994,"b":[1.5,-2e-3,1234567890123456],"c":"9007199254740993\\\\"}';
    const [record] = read(`{"partition":0,"offset":1,"payload":${payload}}`);
    expect(JSON.parse(record!.value as string)).toEqual(JSON.parse(payload));
  });

  it('refuse a payload nested beyond the stack', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    expect(() => read(`{"partition":0,"offset":1,"payload":${deep}}`)).toThrow(/nested/);
  });
});
