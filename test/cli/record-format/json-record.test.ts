import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createRecordPrinter } from '../../../src/cli/record-format/create-printer.js';
import { createJsonReader } from '../../../src/cli/record-format/json-record-input.js';
import { OutputBuffer } from '../../../src/cli/record-format/output-buffer.js';
import { runs } from '../../support/properties.js';
import { contextOf, cursorOver, NOW, printed, readAll, shown, type TestRecord } from './support.js';

const json = (records: TestRecord[], options = {}, context = {}) =>
  printed(records, { format: 'json', ...options }, context).toString('utf8');
const read = (input: string | Uint8Array, cuts?: number[]) => readAll(createJsonReader(), input, cuts).map(shown);

describe('-J for output', () => {
  it('has the fields of the contract in their order', () => {
    const record: TestRecord = {
      key: 'k',
      value: 'v',
      headers: [
        ['h', 'x'],
        ['h', null],
      ],
    };
    expect(json([record], {}, { topic: 't', partition: 0, baseOffset: 42 })).toBe(
      '{"topic":"t","partition":0,"offset":42,"timestamp":1700000000000,"timestampType":"create","key":"k","value":"v",' +
        '"headers":[{"key":"h","value":"x"},{"key":"h","value":null}]}\n',
    );
    const binary: TestRecord = {
      key: Buffer.from([0xff, 0]),
      value: null,
      timestamp: 1_700_000_000_001,
      headers: [['b', Buffer.from([0x80, 0x81])]],
    };
    expect(json([binary], {}, { topic: 't', partition: 0, baseOffset: 43 })).toBe(
      '{"topic":"t","partition":0,"offset":43,"timestamp":1700000000001,"timestampType":"create","keyBase64":"/wA=","value":null,' +
        '"headers":[{"key":"b","valueBase64":"gIE="}]}\n',
    );
  });

  it.each(['create', 'append', 'none'] as const)('timestamp type %s', (timestampType) => {
    expect(json([{}], {}, { timestampType })).toContain(`"timestampType":"${timestampType}"`);
  });

  it('follows topics and partitions as they change', () => {
    expect(json([{}], {}, { topic: 'a', partition: 1 })).toContain('{"topic":"a","partition":1,"offset":0,');
    expect(json([{}], {}, { topic: 'a', partition: 2 })).toContain('{"topic":"a","partition":2,"offset":0,');
  });

  it('follows them back and forth, as partitions that are merged come in turn', () => {
    const printer = createRecordPrinter({ now: () => NOW, format: 'json' });
    const out = new OutputBuffer();
    const places = [
      ['a', 1],
      ['a', 2],
      ['a-1', 1],
      ['1-a', 1],
      ['a', 11],
      ['a-', 1],
      ['a', -1],
    ] as const;
    const lines = [...places, ...places].map(([topic, partition]) => {
      const cursor = cursorOver([{}]);
      cursor.next();
      out.clear();
      printer.print(cursor, contextOf({ topic, partition }), out);
      return JSON.parse(out.view().toString());
    });
    expect(lines.map(({ topic, partition }) => [topic, partition])).toEqual([...places, ...places]);
  });

  it('can write base64 always, and leave values out', () => {
    const line = json([{ key: 'a', value: 'b', headers: [['h', 'c']] }], { json: { encoding: 'base64' } });
    expect(line).toContain('"keyBase64":"YQ==","valueBase64":"Yg==","headers":[{"key":"h","valueBase64":"Yw=="}]');
    expect(json([{ value: 'b' }], { json: { withoutValue: true } })).toContain('"key":null,"headers":[]');
  });

  it.each([
    ['ascii', 'plain text of some length, over a few words'],
    ['quotes', 'a"b"c\\d'],
    ['control bytes', '\0\x01\x07\b\t\n\v\f\r\x1b\x1f '],
    ['DEL', 'a\x7fb'],
    ['two, three and four bytes', 'caf\u00e9 \u20ac \u{1f600} \uffff \u2028'],
    ['long with an escape at each place', `${'x'.repeat(8190)}"\u00e9\n${'y'.repeat(9000)}\u20ac`],
  ])('agrees with JSON.stringify: %s', (_name, value) => {
    expect(JSON.parse(json([{ value }]))).toMatchObject({ value });
    expect(json([{ value }])).toContain(`"value":${JSON.stringify(value).replaceAll('\\u007f', '\x7f')},`);
  });

  it.each([
    ['overlong', [0xc0, 0x80]],
    ['overlong in three', [0xe0, 0x80, 0x80]],
    ['overlong in four', [0xf0, 0x80, 0x80, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['0xf5', [0xf5, 0x80, 0x80, 0x80]],
    ['a lone continuation', [0x80]],
    ['cut short', [0x61, 0xe2, 0x82]],
    ['cut short, then ASCII', [0xe2, 0x82, 0x41]],
    ['late', [...Buffer.from('x'.repeat(9000)), 0xff]],
  ])('%s is no UTF-8 and becomes base64', (_name, content) => {
    const value = Buffer.from(content);
    expect(json([{ value }])).toContain(`"valueBase64":"${value.toString('base64')}"`);
  });

  it('for a terminal, escapes DEL, C1 and bidi controls without changing what is meant', () => {
    const value = 'a\x7f\u009b\u202e\u2066\u200f\u061c\u00e9\t\x1b[0m';
    const line = json([{ key: value, value, headers: [[value, value]] }], { forTerminal: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(line).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
    expect(JSON.parse(line)).toMatchObject({ key: value, value, headers: [{ key: value, value }] });
  });
});

describe('-J for input', () => {
  it.each([
    ['{"key":"k","value":"v"}', { key: 'k', value: 'v' }],
    ['{"value":"v"}', { key: null, value: 'v' }],
    ['{"key":null,"value":null}', { key: null, value: null }],
    ['{"key":"","value":""}', { key: '', value: '' }],
    ['{"keyBase64":"/wA=","valueBase64":""}', { key: '\xff\0', value: '' }],
    ['{"keyBase64":null,"valueBase64":"/w"}', { key: null, value: '\xff' }],
    [
      '{"value":"v","topic":"t","partition":3,"offset":9007199254740991,"timestamp":-1}',
      {
        topic: 't',
        partition: 3,
        offset: 9007199254740991,
        timestamp: -1,
        key: null,
        value: 'v',
      },
    ],
    ['{"value":"v","timestamp":0}', { timestamp: 0, key: null, value: 'v' }],
    ['{"value":"v","timestamp":null,"topic":null}', { key: null, value: 'v' }],
    [
      '{"value":"v","timestamp":9007199254740991,"headers":null}',
      { timestamp: 9007199254740991, key: null, value: 'v' },
    ],
    ['{"value":"\\u00e9\\ud83d\\ude00"}', { key: null, value: Buffer.from('\u00e9\u{1f600}').toString('latin1') }],
    [
      '{"value":"v","headers":[{"key":"__proto__","value":"1"},{"key":"__proto__","value":null},{"key":"","valueBase64":"/w=="}]}',
      {
        key: null,
        value: 'v',
        headers: [
          ['__proto__', '1'],
          ['__proto__', null],
          ['', '\xff'],
        ],
      },
    ],
    ['{"value":"v","unknown":{"a":[1]},"__proto__":{"value":"x"}}', { key: null, value: 'v' }],
  ])('%s', (line, expected) => {
    expect(read(line)).toEqual([expected]);
  });

  it('looks at a line of many objects once, not once for each', () => {
    const line = `${'{"value":"x"}'.repeat(1000)}\n`;
    const parse = vi.spyOn(JSON, 'parse');
    try {
      expect(readAll(createJsonReader(), line + line)).toHaveLength(2000);
      const parsed = parse.mock.calls.reduce((length, [text]) => length + text.length, 0);
      expect(parsed).toBeLessThan(5 * line.length);
    } finally {
      parse.mockRestore();
    }
  });

  it('takes objects over several lines, several on one, space, and a byte order mark', () => {
    const input = '\ufeff\n{"value":"a"}{"value":"b"}  \r\n{\n  "value": "c"\n}\n\n';
    expect(read(input).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
    expect(read('')).toEqual([]);
    expect(read(' \n ')).toEqual([]);
  });

  it.each([
    ['{"value":"a"}\n{"key":"k"}', 'Record 2 (line 2, byte 14): no value among its fields (key)'],
    ['{}', 'Record 1 (line 1, byte 0): no value among its fields (there are none)'],
    ['{"__proto__":{"value":"x"}}', 'Record 1 (line 1, byte 0): no value among its fields (__proto__)'],
    ['[1]', 'Record 1 (line 1, byte 0): expected a JSON object'],
    ['hello', 'Record 1 (line 1, byte 0): expected a JSON object'],
    ['{"value":5}', 'Record 1 (line 1, byte 0): value is 5, not text'],
    ['{"value":{"a":1}}', 'Record 1 (line 1, byte 0): value is {"a":1}, not text'],
    ['{"value":"a","key":true}', 'Record 1 (line 1, byte 0): key is true, not text'],
    ['{"value":"\\ud800"}', 'Record 1 (line 1, byte 0): value holds a lone surrogate, which has no UTF-8'],
    ['{"value":"\\udc00\\ud800"}', 'Record 1 (line 1, byte 0): value holds a lone surrogate, which has no UTF-8'],
    ['{"valueBase64":"a"}', 'Record 1 (line 1, byte 0): valueBase64 is not base64'],
    ['{"valueBase64":"a b="}', 'Record 1 (line 1, byte 0): valueBase64 is not base64'],
    ['{"value":"a","valueBase64":"YQ=="}', 'Record 1 (line 1, byte 0): both value and valueBase64'],
    ['{"value":"a","timestamp":1.5}', 'Record 1 (line 1, byte 0): timestamp is 1.5, not a whole number up to 2^53 - 1'],
    ['{"value":"a","timestamp":9007199254740993}', /not a whole number/],
    ['{"value":"a","offset":"5"}', 'Record 1 (line 1, byte 0): offset is "5", not a whole number up to 2^53 - 1'],
    ['{"value":"a","topic":5}', 'Record 1 (line 1, byte 0): topic is no text'],
    ['{"value":"a","headers":"x"}', /headers is no array/],
    ['{"value":"a","headers":["x"]}', /a header is "x"/],
    ['{"value":"a","headers":[{"value":"x"}]}', /a header has no key/],
    ['{"value":"a","headers":[{"key":"\\ud800","value":"x"}]}', /lone surrogate/],
    ['{"value":"a","headers":[{"key":"x"}]}', /header x has no value/],
    ['{"value":"a"', 'Record 1 (line 1, byte 12): the input ends in the middle of a JSON object'],
    ['{"value":"a"\n{"value":"b"}', 'Record 1 (line 2, byte 13): expected a comma or }, found "{"'],
    ['{"value":"a\n', 'Record 1 (line 1, byte 11): a control byte in a JSON string'],
    ['{"value":tru}', /expected true, false or null, found "}"/],
    ['{"value":01}', /expected a comma or }, found "1"/],
    ['{"value":"\\x"}', /expected an escape of JSON/],
  ])('%j is refused', (input, message) => {
    expect(() => read(input)).toThrow(message);
    expect(() => read(input)).toThrow(expect.objectContaining({ code: 'KLOG_BAD_INPUT' }));
  });

  it('bytes that are no UTF-8 are refused rather than replaced', () => {
    expect(() => read(Buffer.from('{"value":"\xff"}', 'latin1'))).toThrow(/not UTF-8/);
  });

  it('deep nesting is refused before it can overflow a stack', () => {
    expect(() => read(`{"value":${'['.repeat(100_000)}`)).toThrow(/nested deeper than 1000/);
  });

  it('a record beyond the limit is refused while it comes', () => {
    const reader = createJsonReader({ maxRecordBytes: 100 });
    reader.push(Buffer.from(`{"value":"${'x'.repeat(200)}`));
    expect(() => reader.next()).toThrow(/more than 100 bytes/);
  });

  it('skipBad goes on with the next line', () => {
    const reader = createJsonReader();
    reader.push(Buffer.from('{"value":"a"}\n{"value":5}\n{"value":'));
    expect(shown(reader.next()!).value).toBe('a');
    expect(() => reader.next()).toThrow(/line 2/);
    expect(Buffer.from(reader.skipBad()!).toString()).toBe('{"value":5}\n');
    expect(reader.next()).toBeUndefined();
    reader.push(Buffer.from('x'));
    expect(() => reader.next()).toThrow(/line 3/);
    expect(reader.skipBad()).toBeUndefined();
    reader.push(Buffer.from('yz\n{"value":"c"}'));
    expect(Buffer.from(reader.skipBad()!).toString()).toBe('{"value":xyz\n');
    expect(shown(reader.next()!).value).toBe('c');
  });
});

describe('both ways', () => {
  const content = fc.option(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 20 })), {
    nil: null,
  });
  const record = fc.record({
    key: content,
    value: content,
    timestamp: fc.oneof(fc.constantFrom(-1, 0, 2 ** 53 - 1), fc.integer({ min: 0, max: 2 ** 45 })),
    headers: fc.array(fc.tuple(fc.oneof(fc.constant('__proto__'), fc.string({ maxLength: 4 })), content), {
      maxLength: 3,
    }),
  });

  it('consume -J | produce -J loses nothing, one line a record, however the input is cut', () => {
    fc.assert(
      fc.property(record, fc.boolean(), fc.array(fc.nat(400), { maxLength: 6 }), (original, forTerminal, cuts) => {
        const text = printed([original], { format: 'json', forTerminal }, { baseOffset: 7 });
        expect(text.indexOf(0x0a)).toBe(text.length - 1);
        const [back, ...more] = read(
          text,
          cuts.filter((cut) => cut < text.length),
        );
        expect(more).toEqual([]);
        const latin1 = (of: string | Uint8Array | null) =>
          of === null ? null : Buffer.from(of as string).toString('latin1');
        expect(back).toEqual({
          topic: 'orders',
          partition: 3,
          offset: 7,
          timestamp: original.timestamp,
          key: latin1(original.key),
          value: latin1(original.value),
          ...(original.headers.length === 0 ? {} : { headers: original.headers.map(([name, v]) => [name, latin1(v)]) }),
        });
      }),
      { numRuns: runs(500) },
    );
  });

  it('what JSON.stringify writes of any value is read to its end, and only that', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, 2), (value, indent) => {
        const field = JSON.stringify(JSON.parse(value), null, indent);
        const input = `{"x":${field},"value":"a"}\n{"value":"b"}`;
        expect(read(input).map(({ value: found }) => found)).toEqual(['a', 'b']);
      }),
      { numRuns: runs(200) },
    );
  });

  it('the scanner accepts what JSON.parse accepts', () => {
    const almostJson = fc
      .tuple(
        fc.json(),
        fc.nat(60),
        fc.constantFrom('', ',', '"', '}', ']', '0', '-', '.', 'e', '\\', 'u', ':', ' ', 'x'),
      )
      .map(([text, at, change]) => {
        const whole = `{"value":"","x":${text}}`;
        const place = Math.min(whole.length, 16 + at);
        return whole.slice(0, place) + change + whole.slice(place + 1);
      });
    fc.assert(
      fc.property(almostJson, (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (valid) expect(() => read(text)).not.toThrow();
        else expect(() => read(text)).toThrow(expect.objectContaining({ code: 'KLOG_BAD_INPUT' }));
      }),
      { numRuns: runs(1000) },
    );
  });
});
