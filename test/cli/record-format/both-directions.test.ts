/**
 * Every verb with every modifier, out and in: what it prints of one record, and that it reads back what it prints of
 * any record, or why it cannot.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FormatContext } from '../../../src/cli/record-format/format-context.js';
import { createFormatReader } from '../../../src/cli/record-format/format-language/format-reader.js';
import { NUMBER_MODIFIERS } from '../../../src/cli/record-format/format-language/numbers.js';
import type { InputRecord } from '../../../src/cli/record-format/input-record.js';
import { runs } from '../../support/properties.js';
import { printed, readAll, shown, type TestRecord } from './support.js';

const RECORD: TestRecord = {
  key: 'k\xff',
  value: 'v,1',
  timestamp: 1_700_000_000_123,
  headers: [
    ['h', 'x'],
    ['n', null],
  ],
};

interface Source {
  readonly record?: TestRecord;
  readonly context?: Partial<FormatContext> & { baseOffset?: number };
}

function print(format: string, { record = RECORD, context = {} }: Source = {}): Buffer {
  return printed([record], { format }, { baseOffset: 42, ...context });
}

function readBack(format: string, source: Source): InputRecord {
  const records = readAll(createFormatReader(format), print(format, source));
  expect(records).toHaveLength(1);
  return records[0]!;
}

function refuses(format: string, reason: RegExp): void {
  expect(() => createFormatReader(format)).toThrow(reason);
}

/** What a width can hold: numbers wider than a byte have a sign. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  ascii: [-1, Number.MAX_SAFE_INTEGER],
  number: [-1, Number.MAX_SAFE_INTEGER],
  hex: [-1, Number.MAX_SAFE_INTEGER],
  hex64: [-1, Number.MAX_SAFE_INTEGER],
  hex32: [-1, 2 ** 31 - 1],
  hex16: [-1, 2 ** 15 - 1],
  hex8: [0, 255],
  hex4: [0, 15],
  big64: [-1, Number.MAX_SAFE_INTEGER],
  big32: [-1, 2 ** 31 - 1],
  big16: [-1, 2 ** 15 - 1],
  big8: [0, 255],
  little64: [-1, Number.MAX_SAFE_INTEGER],
  little32: [-1, 2 ** 31 - 1],
  little16: [-1, 2 ** 15 - 1],
  little8: [0, 255],
  byte: [0, 255],
  bool: [0, 1],
};

const MODIFIERS = NUMBER_MODIFIERS.split(' ');

it('all number modifiers have their range here', () => {
  expect(Object.keys(RANGES).sort()).toEqual([...MODIFIERS].sort());
});

const NUMBER_VERBS: Readonly<Record<string, readonly [keyof InputRecord, (n: number) => Source]>> = {
  p: ['partition', (partition) => ({ context: { partition } })],
  o: ['offset', (baseOffset) => ({ context: { baseOffset: Math.max(0, baseOffset) } })],
  e: ['leaderEpoch', (leaderEpoch) => ({ context: { leaderEpoch } })],
  d: ['timestamp', (timestamp) => ({ record: { ...RECORD, timestamp } })],
  x: ['producerId', (producerId) => ({ context: { producerId } })],
  y: ['producerEpoch', (producerEpoch) => ({ context: { producerEpoch } })],
};

describe('numbers', () => {
  const cases = Object.keys(NUMBER_VERBS).flatMap((verb) => MODIFIERS.map((modifier) => [verb, modifier] as const));
  it.each(cases)('%%%s{%s} comes back, as far as its width holds it', (verb, modifier) => {
    const [field, source] = NUMBER_VERBS[verb]!;
    const [min, max] = RANGES[modifier]!;
    const format = `%${verb}{${modifier}};%v\\n`;
    fc.assert(
      fc.property(fc.integer({ min: verb === 'o' ? 0 : min, max }), (n) => {
        expect(readBack(format, source(n))[field]).toBe(n);
      }),
      { numRuns: runs(8) },
    );
  });
});

describe('sizes', () => {
  const SIZED: Readonly<Record<string, string>> = { T: 't', K: 'k', V: 'v', S: 's', R: 'v' };
  const cases = Object.keys(SIZED).flatMap((verb) => MODIFIERS.map((modifier) => [verb, modifier] as const));
  it.each(cases)('%%%s{%s} sizes the text behind it', (verb, modifier) => {
    const [, max] = RANGES[modifier]!;
    const text = SIZED[verb]!;
    const format = `%${verb}{${modifier}}:%${text}\\n`;
    const content = fc.uint8Array({ minLength: verb === 'T' ? 1 : 0, maxLength: Math.min(max, 40) });
    fc.assert(
      fc.property(content, (bytes) => {
        const record = { key: bytes, value: bytes };
        const topic = Buffer.from(bytes)
          .toString('latin1')
          .replace(/[^a-z]/g, 'x');
        const back = readBack(format, { record, context: { topic } });
        if (text === 't') expect(back.topic).toBe(topic);
        else expect(shown(back)[text === 'k' ? 'key' : 'value']).toBe(Buffer.from(bytes).toString('latin1'));
      }),
      { numRuns: runs(5) },
    );
  });

  it.each(['K', 'V'])('%%%s{null} tells null from empty in every width that has a sign', (verb) => {
    for (const modifier of MODIFIERS) {
      if (RANGES[modifier]![0] === 0) continue;
      const format = `%${verb}{null,${modifier}}:%${verb.toLowerCase()}\\n`;
      for (const content of [null, '']) {
        const back = readBack(format, { record: { key: content, value: content } });
        expect(verb === 'K' ? back.key : back.value).toEqual(content === null ? null : Buffer.alloc(0));
      }
    }
  });

  it.each(MODIFIERS)('%%H{%s} counts the headers', (modifier) => {
    const count = Math.min(3, RANGES[modifier]![1]);
    const headers = [...RECORD.headers!, ['h', ''] as const].slice(0, count);
    const back = readBack(`%H{${modifier}};%h{%K:%k%V{null}:%v}\\n`, { record: { ...RECORD, headers } });
    expect(shown(back).headers).toEqual(headers);
  });

  it('a fixed size is given, and neither printed nor read', () => {
    expect(readAll(createFormatReader('%V{3}%v'), 'abcdef').map((one) => shown(one).value)).toEqual(['abc', 'def']);
  });
});

describe('texts', () => {
  const CODED = ['hex', 'base64', 'base64raw', 'c'] as const;
  const LOOKS = { hex: '6bff', base64: 'a/8=', base64raw: 'a/8', c: 'k\\xff' } as const;

  it.each(CODED)('{%s} carries any bytes on a line', (modifier) => {
    const record = { key: Buffer.from('k\xff', 'latin1'), value: '' };
    expect(print(`%k{${modifier}}`, { record }).toString()).toBe(LOOKS[modifier]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ maxLength: 30 }), (key, value) => {
        const back = readBack(`%k{${modifier}}\\t%s{${modifier}}\\n`, { record: { key, value } });
        expect([back.key, back.value]).toEqual([Buffer.from(key), Buffer.from(value)]);
      }),
      { numRuns: runs(100) },
    );
  });

  it('raw text comes back as long as what follows it is not in it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\t', 'é', '"', ' ', '\0') });
    fc.assert(
      fc.property(text, text, (key, value) => {
        const back = readBack('%t|%k{raw}|%v{}\\n', { record: { key, value } });
        expect([back.topic, back.key, back.value]).toEqual(['orders', Buffer.from(key), Buffer.from(value)]);
      }),
    );
  });

  it('an escape in {null=…} and {name:…} is the byte it names', () => {
    const format = '%v{null=\\xff}|%h{name:\\xc3\\xa9}\\n';
    expect(readAll(createFormatReader(format), Buffer.from('ff7c760a', 'hex')).map(shown)).toEqual([
      { key: null, value: null, headers: [['é', 'v']] },
    ]);
    expect(() => createFormatReader('%h{name:\\xff}\\n')).toThrow(/keys of headers are UTF-8/);
  });

  it('{null=TEXT} reads that text as null', () => {
    const format = '%k{null=NULL} %v{hex,null=-}\\n';
    expect(print(format, { record: {} }).toString()).toBe('NULL -\n');
    expect(shown(readBack(format, { record: {} }))).toMatchObject({ key: null, value: null });
    expect(shown(readBack(format, { record: { key: '', value: '' } }))).toMatchObject({ key: '', value: '' });
  });

  it.each([
    ['b', -128, 127],
    ['B', 0, 255],
    ['>h', -32768, 32767],
    ['<H', 0, 65535],
    ['>i', -(2 ** 31), 2 ** 31 - 1],
    ['I$', 0, 2 ** 32 - 1],
    ['>q', -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ['Q', 0, Number.MAX_SAFE_INTEGER],
  ])('{unpack[%s]}, one number, is packed again', (spec, min, max) => {
    const format = `%v{unpack[${spec}]}\\n`;
    const widths: Readonly<Record<string, number>> = { b: 1, h: 2, i: 4, q: 8 };
    const width = widths[spec.replace(/[<>$]/g, '').toLowerCase()]!;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: width, maxLength: width }), (value) => {
        expect(readBack(format, { record: { value } }).value).toEqual(Buffer.from(value));
      }),
      { numRuns: runs(30) },
    );
    const read = (text: string) => readAll(createFormatReader(format), text);
    expect(read(`${min}\n${max}\n`)).toHaveLength(2);
    for (const beyond of [BigInt(min) - 1n, BigInt(max) + 1n]) {
      if (width < 8 || min === 0) {
        if (width === 8 && beyond > 0n) continue;
        expect(() => read(`${beyond}\n`)).toThrow(/is not the number of unpack/);
      }
    }
    expect(() => read('1.5\n')).toThrow(/is not the number/);
  });

  it('{json} prints text as a JSON string, and reads any JSON value as it is: the two are no inverse', () => {
    expect(print('%v{json}\\n', { record: { value: 'a"b' } }).toString()).toBe('"a\\"b"\n');
    expect(shown(readBack('%v{json}\\n', { record: { value: 'a"b' } })).value).toBe('"a\\"b"');
  });

  it.each([
    ['%v{max=2}\\n', 'v,\n', /max can only be printed/],
    ['%v{jq:.a}\\n', '\n', /jq can only be printed/],
    ['%v{unpack[bb]}\\n', '11844\n', /for a single number/],
    ['%v{unpack[s]}\\n', 'v,1\n', /for a single number/],
  ])('%s is printed, and cannot be read', (format, text, reason) => {
    expect(print(format).toString()).toBe(text);
    refuses(format, reason);
  });
});

describe('times', () => {
  const DAY = 86_400_000;
  const [from, to] = [0, Date.UTC(9999, 11, 31)];
  it.each([
    ['iso', '2023-11-14T22:13:20.123Z', 1],
    ['go[2006-01-02T15:04:05.000Z07:00]', '2023-11-14T22:13:20.123Z', 1],
    ['go[Monday, 2 January 2006 3:4:5.999999 PM -0700]', 'Tuesday, 14 November 2023 10:13:20.123 PM +0000', 1],
    ['go[Mon Jan _2 15:04:05 MST 2006]', 'Tue Nov 14 22:13:20 UTC 2023', 1000],
    ['go[2006__2 03pm]', '2023318 10pm', 3_600_000],
    ['go[2006.002]', '2023.318', DAY],
    ['go[1/2/2006 15h04 -07]', '11/14/2023 22h13 +00', 60_000],
    ['strftime[%F %T%z]', '2023-11-14 22:13:20+0000', 1000],
    ['strftime[%s]', '1700000000', 1000],
    ['strftime[%c]', 'Tue Nov 14 22:13:20 2023', 1000],
    ['strftime[%+]', 'Tue Nov 14 22:13:20 UTC 2023', 1000],
    ['strftime[%A %e. %B %Y, %r]', 'Tuesday 14. November 2023, 10:13:20 PM', 1000],
    ['strftime[%Y%m%d%H%M%S]', '20231114221320', 1000],
    ['strftime[%Y-%j %k:%M %Z]', '2023-318 22:13 UTC', 60_000],
    ['strftime[%a %h %d %l %P %t%n%% %u%w %Y]', 'Tue Nov 14 10 pm \t\n% 22 2023', 3_600_000],
    ['strftime[%d %b %Y %R %X]', '14 Nov 2023 22:13 22:13:20', 1000],
  ])('%%d{%s} comes back, as exactly as it is printed', (modifier, text, unit) => {
    const format = `%d{${modifier}};%v\\n`;
    expect(print(`%d{${modifier}}`).toString()).toBe(text);
    fc.assert(
      fc.property(fc.integer({ min: from, max: to }), (timestamp) => {
        const back = readBack(format, { record: { ...RECORD, timestamp } });
        expect(back.timestamp).toBe(Math.floor(timestamp / unit) * unit);
        expect(shown(back).value).toBe('v,1');
      }),
      { numRuns: runs(50) },
    );
    expect(readBack(format, { record: { ...RECORD, timestamp: -1 } }).timestamp).toBe(-1);
  });

  it.each(['go[06-01-02]', 'strftime[%y-%m-%d]', 'strftime[%D]', 'strftime[%x]'])(
    '%%d{%s} has two digits of the year: 1970 to 2068 come back',
    (modifier) => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: Date.UTC(2068, 11, 31) }), (timestamp) => {
          const back = readBack(`%d{${modifier}}\\n`, { record: { timestamp } });
          expect(back.timestamp).toBe(Math.floor(timestamp / DAY) * DAY);
        }),
        { numRuns: runs(30) },
      );
    },
  );

  it('{iso} brings its zone along, and {iso:local} is the zone of the machine', () => {
    const text = printed([RECORD], { format: '%d{iso} %v\\n', timeZone: 'Asia/Kolkata' });
    expect(text.toString()).toBe('2023-11-15T03:43:20.123+05:30 v,1\n');
    expect(readAll(createFormatReader('%d{iso} %v\\n'), text)[0]!.timestamp).toBe(RECORD.timestamp);
    expect(readBack('%d{iso:local} %v\\n', {}).timestamp).toBe(RECORD.timestamp);
    expect(readBack('%d{iso} %v\\n', { record: { timestamp: Date.UTC(12023, 0) } }).timestamp).toBe(Date.UTC(12023, 0));
  });

  it.each([
    ['2023-11-14', 1_699_920_000_000],
    ['2023-11-14T22:13', 1_699_999_980_000],
    ['2023-11-14T22:13:20', 1_700_000_000_000],
    ['2023-11-14t22:13:20.123456789z', 1_700_000_000_123],
    ['2023-11-14T23:13:20.5+01:00', 1_700_000_000_500],
    ['1970-01-01T00:00:00Z', 0],
    ['NO_TIMESTAMP', -1],
  ])('{iso} reads %s, in whatever pieces', (text, timestamp) => {
    const input = `${text};v\n`;
    const everyByte = [...input].map((_, i) => i);
    for (const cuts of [[], everyByte]) {
      const reader = createFormatReader('%d{iso};%v\\n');
      expect(readAll(reader, input, cuts).map(shown)).toEqual([{ timestamp, key: null, value: 'v' }]);
    }
  });

  it('a time is read as soon as its record is whole', () => {
    const reader = createFormatReader('%d{iso} %v\\n');
    reader.push(Buffer.from('2023-11-14 v\n'));
    expect(reader.next()).toBeDefined();
  });

  it.each([
    ['iso', '2023-02-29T00:00:00Z', /should be a time as iso prints it, found "2023-02-29/],
    ['iso', '2023-01-01T24:00:00Z', /should be a time/],
    ['iso', '2023-01-01T00:60:00Z', /should be a time/],
    ['iso', '1700000000', /should be a time/],
    ['iso', '1969-12-31T23:59:59.999Z', /a time before 1970/],
    ['strftime[%F]', '2023-13-01', /should be a time as strftime/],
    ['strftime[%F %I%p]', '2023-12-01 13PM', /should be a time/],
    ['strftime[%Y-%j]', '2023-366', /should be a time/],
  ])('%%d{%s} of %s is refused', (modifier, text, message) => {
    expect(() => readAll(createFormatReader(`%d{${modifier}};%v\\n`), `${text};v\n`)).toThrow(message);
  });

  it.each([
    ['rel', /rel can only be printed/],
    ['go[15:04:05]', /without the year/],
    ['go[Jan 2006]', /without the day/],
    ['go[2006-01-02 03:04]', /without AM or PM/],
    ['go[_2006-01-02]', /can print _2006, but not read it/],
    ['strftime[%Y-%d]', /without the month/],
    ['strftime[%G-%V-%u]', /can print %G/],
    ['strftime[%C%y]', /can print %C/],
    ['strftime[%U %F]', /can print %U/],
    ['strftime[%W %F]', /can print %W/],
    ['strftime[%g %F]', /can print %g/],
    ['strftime[%Q]', /strftime does not know %Q/],
  ])('%%d{%s} cannot be read', (modifier, reason) => {
    refuses(`%d{${modifier}}\\n`, reason);
  });
});

describe('headers', () => {
  it('%h{…} behind %H comes back with every text modifier', () => {
    for (const modifier of ['hex', 'base64', 'c']) {
      const format = `%H%h{ %k{${modifier}}:%v{${modifier},null=~}|}\\n`;
      expect(shown(readBack(format, {})).headers).toEqual(RECORD.headers);
    }
  });

  it('%h{name:N} is one header; null=TEXT stands for none', () => {
    const format = '%h{name:h} %h{name:missing,hex,null=-} %v\\n';
    expect(print(format).toString()).toBe('x - v,1\n');
    expect(shown(readBack(format, {}))).toEqual({ key: null, value: 'v,1', headers: [['h', 'x']] });
  });

  it('%h alone prints for people', () => {
    expect(print('%h\\n').toString()).toBe('h=x,n=NULL\n');
    refuses('%h\\n', /could be read in many ways/);
  });
});

describe('what the log says, and nobody who writes to it', () => {
  it.each([
    ['%a{compression}', 'zstd'],
    ['%a{timestamp-type}', '0'],
    ['%a{transactional-bit;bool}', 'true'],
    ['%a{control-bit}', '0'],
    ['%i', '1'],
    ['%[', '5'],
    ['%|', '50'],
    ['%]', '60'],
    ['%D', '0'],
    ['%A{hex}', '0'],
  ])('%s is printed only', (format, text) => {
    expect(print(format).toString()).toBe(text);
    refuses(`${format} %v\\n`, /can only be printed/);
  });
});

describe('kcat:', () => {
  it('comes back: its lengths tell null from empty, and %T is the time', () => {
    const format = 'kcat:%t %p %o %T %K %k %S %s\\n';
    const content = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: null });
    const latin1 = (of: Uint8Array | null) => (of === null ? null : Buffer.from(of).toString('latin1'));
    fc.assert(
      fc.property(content, content, (key, value) => {
        expect(shown(readBack(format, { record: { key, value, timestamp: 5 } }))).toEqual({
          topic: 'orders',
          partition: 3,
          offset: 42,
          timestamp: 5,
          key: latin1(key),
          value: latin1(value),
        });
      }),
    );
    expect(shown(readBack('kcat:%R%s', { record: {} })).value).toBeNull();
    expect(shown(readBack('kcat:%k\\065%s%%\\n', { record: { key: 'k', value: 'v' } }))).toMatchObject({ key: 'k' });
  });

  it('but for %h', () => {
    refuses('kcat:%h\\n', /could be read in many ways/);
    refuses('kcat:%x\\n', /kcat does not know %x/);
  });
});
