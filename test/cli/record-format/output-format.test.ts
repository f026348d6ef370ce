import { describe, expect, it } from 'vitest';
import type { KlogError } from '../../../src/errors.js';
import { printed, printedText, type TestRecord } from './support.js';

const RECORD: TestRecord = {
  key: 'user-1',
  value: 'caf\u00e9',
  timestamp: 1_700_000_000_123,
  headers: [
    ['a', 'x'],
    ['b', null],
    ['a', 'y'],
  ],
};

describe('verbs', () => {
  it.each([
    ['%t', 'orders'],
    ['%k', 'user-1'],
    ['%v', 'caf\xc3\xa9'],
    ['%s', 'caf\xc3\xa9'],
    ['%T %K %V', '6 6 5'],
    ['%S', '5'],
    ['%R', '\x00\x00\x00\x05'],
    ['%H', '3'],
    ['%h{%k=%v;}', 'a=x;b=;a=y;'],
    ['%h{%K:%V }', '1:1 1:0 1:1 '],
    ['%h{%V{null},}', '1,-1,1,'],
    ['%h{%k{hex} }', '61 62 61 '],
    ['%h{%%%{%k%}{%v}}', '%{a}{x}%{b}{}%{a}{y}'],
    ['%h{name:a}', 'y'],
    ['%h{name:b,null=none}', 'none'],
    ['%h{name:zzz,null=none}', 'none'],
    ['%h{name:a,hex}', '79'],
    ['%h', 'a=x,b=NULL,a=y'],
    ['%p %o %e', '3 42 7'],
    ['%x %y', '99 2'],
    ['%[ %| %]', '5 50 60'],
    ['%[{hex}%]{hex4}', '5c'],
    ['%i', '1'],
    ['%D %A', '0 0'],
    ['%d', '1700000000123'],
    ['%%%{%}{}', '%{}{}'],
    ['\\t\\n\\r\\0\\\\\\x41\\xff', '\t\n\r\0\\A\xff'],
    ['\u00fc%p', '\xc3\xbc3'],
  ])('%s', (format, expected) => {
    expect(printedText(RECORD, format)).toBe(expected);
  });

  it('%i counts over the records', () => {
    expect(printed([{}, {}, {}], { format: '%i,' }).toString()).toBe('1,2,3,');
  });

  it('a literal brace behind a verb is %{', () => {
    expect(printedText(RECORD, '%k%{x%}')).toBe('user-1{x}');
  });
});

describe('number modifiers', () => {
  it.each([
    ['ascii', '258'],
    ['number', '258'],
    ['hex64', '0000000000000102'],
    ['hex32', '00000102'],
    ['hex16', '0102'],
    ['hex8', '02'],
    ['hex4', '2'],
    ['hex', '102'],
    ['big64', '\0\0\0\0\0\0\x01\x02'],
    ['big32', '\0\0\x01\x02'],
    ['big16', '\x01\x02'],
    ['big8', '\x02'],
    ['little64', '\x02\x01\0\0\0\0\0\0'],
    ['little32', '\x02\x01\0\0'],
    ['little16', '\x02\x01'],
    ['little8', '\x02'],
    ['byte', '\x02'],
    ['bool', 'true'],
  ])('{%s} of 258', (modifier, expected) => {
    expect(printed([{}], { format: `%p{${modifier}}` }, { partition: 258 }).toString('latin1')).toBe(expected);
  });

  it.each([
    ['ascii', 9007199254740991, '9007199254740991'],
    ['ascii', -9007199254740991, '-9007199254740991'],
    ['ascii', 1_000_000_000, '1000000000'],
    ['ascii', 999_999_999, '999999999'],
    ['ascii', 0, '0'],
    ['hex64', 9007199254740991, '001fffffffffffff'],
    ['hex64', -1, 'ffffffffffffffff'],
    ['hex', -1, 'ffffffffffffffff'],
    ['big64', -2, '\xff\xff\xff\xff\xff\xff\xff\xfe'],
    ['little64', 2 ** 32, '\0\0\0\0\x01\0\0\0'],
    ['big32', 2 ** 32 + 5, '\0\0\0\x05'],
    ['bool', 0, 'false'],
  ])('{%s} of %d', (modifier, n, expected) => {
    const text = printed([{}], { format: `%x{${modifier}}` }, { producerId: n }).toString('latin1');
    expect(text).toBe(expected);
  });

  it('lengths of null are 0, and -1 where {null} or a verb of kcat asks for it', () => {
    expect(printedText({}, '%K %V %K{null} %V{null} %S')).toBe('0 0 -1 -1 -1');
    expect(printedText({}, '%R')).toBe('\xff\xff\xff\xff');
    expect(printedText({}, '%V{big32,null}')).toBe('\xff\xff\xff\xff');
    expect(printedText({ key: '', value: '' }, '%K{null} %V{null} %S')).toBe('0 0 0');
  });
});

describe('text modifiers', () => {
  it.each([
    ['%v{}', 'caf\xc3\xa9'],
    ['%v{raw}', 'caf\xc3\xa9'],
    ['%v{hex}', '636166c3a9'],
    ['%v{base64}', 'Y2Fmw6k='],
    ['%v{base64raw}', 'Y2Fmw6k'],
    ['%t{hex}', '6f7264657273'],
    ['%v{json}', '"caf\xc3\xa9"'],
    ['%v{c}', 'caf\xc3\xa9'],
    ['%v{max=4}', 'caf\xc3\xa9'],
    ['%v{max=3}', 'caf'],
    ['%v{max=0}', ''],
    ['%v{max=4,hex}', '636166c3a9'],
    ['%k{max=2,base64}', 'dXM='],
  ])('%s', (format, expected) => {
    expect(printedText(RECORD, format)).toBe(expected);
  });

  it('shows null as nothing, as the -Z text, or as {null=…} says', () => {
    expect(printedText({}, '[%k|%v]')).toBe('[|]');
    expect(printedText({}, '[%k|%v]', { nullText: 'NULL' })).toBe('[NULL|NULL]');
    expect(printedText({}, '%k{null=none}%v{hex,null=\\x2d%}}')).toBe('none-}');
    expect(printedText({ key: '', value: '' }, '[%k{null=none}|%v]', { nullText: 'NULL' })).toBe('[|]');
    expect(printedText({}, '%v{json}%v{json,null=}')).toBe('null');
  });

  it('{json} escapes, and replaces what is not UTF-8', () => {
    expect(printedText({ value: 'a"b\\c\n\u0001' }, '%v{json}')).toBe('"a\\"b\\\\c\\n\\u0001"');
    expect(printed([{ value: Buffer.from([0x61, 0xff]) }], { format: '%v{json}' }).toString()).toBe('"a\ufffd"');
  });

  it('{c} shows every byte on one line', () => {
    const value = Buffer.from('a\\\n\r\t\0\x1b\x7f\x9b\u202e', 'latin1');
    expect(printedText({ value }, '%v{c}')).toBe('a\\\\\\n\\r\\t\\x00\\x1b\\x7f\\x9b.');
  });

  it.each([
    ['.a', '{"a":1}', '1'],
    ['.a.b', '{"a":{"b":"text"}}', 'text'],
    ['.a[1]', '{"a":[1,[2,3]]}', '[2,3]'],
    ['.a[-1][0]', '{"a":[1,[2,3]]}', '2'],
    ['.["x y"].z', '{"x y":{"z":true}}', 'true'],
    ['."x, y}"', '{"x, y}":0}', '0'],
    ['.', '[1, 2]', '[1,2]'],
    ['.a', '{"a":{"b":[null]}}', '{"b":[null]}'],
    ['.a', '{"a":null}', ''],
    ['.a.b', '{"a":5}', ''],
    ['.a[0]', '{"a":{"0":1}}', ''],
    ['.length', '[1]', ''],
    ['.constructor', '{}', ''],
    ['.__proto__', '{"__proto__":3}', '3'],
    ['.a', 'not json', ''],
  ])('{jq:%s} of %s', (path, value, expected) => {
    expect(printedText({ value }, `%v{jq:${path}}`)).toBe(expected);
  });

  it('an escape behind = and : is the byte it names, also beyond ASCII', () => {
    const hex = (record: TestRecord, format: string) => printed([record], { format }).toString('hex');
    expect(hex({}, '%k{null=\\xff}|%v{null=\\xc3\\xa9é}')).toBe('ff7cc3a9c3a9');
    const headers = [['é', 'v']] as const;
    expect(hex({ headers }, '%h{name:\\xc3\\xa9,null=-}%h{name:\\xe9,null=-}')).toBe('762d');
  });

  it('{jq:…} combines with null=, max= and an encoding', () => {
    expect(printedText({ value: '{"a":"hello"}' }, '%v{jq:.a,max=2,hex} %v{jq:.b,null=-}')).toBe('6865 -');
  });
});

describe('unpack', () => {
  const value = Buffer.from([0xff, 0x80, 0x01, 0x02, 0xff, 0xff, 0xff, 0xfe]);
  it.each([
    ['b', '-1'],
    ['B', '255'],
    ['bB', '-1128'],
    ['xh', '-32513'],
    ['H', '33023'],
    ['>h', '-128'],
    ['>H', '65408'],
    ['i', '33652991'],
    ['>i', '-8388350'],
    ['>I', '4286578946'],
    ['q', '-72057598299242241'],
    ['>Q', '18410716389087117310'],
    ['>h<h', '-128513'],
    ['c.', '\xff\x80'],
    ['>Hs', '65408\x01\x02\xff\xff\xff\xfe'],
    ['q$', '-72057598299242241'],
    ['i$', '33652991%!$(not end-of-input)'],
    ['qi', '-72057598299242241%!(have 0 bytes, need 4)'],
    ['qc', '-72057598299242241%!c(no bytes available)'],
  ])('%s', (spec, expected) => {
    expect(printedText({ value }, `%v{unpack[${spec}]}`)).toBe(expected);
  });

  it.each(['{{>H}}', '((>H))', '###>H###', '[>H]'])('is wrapped by %s', (wrapped) => {
    expect(printedText({ value }, `%v{unpack${wrapped}}`)).toBe('65408');
  });

  it('of null shows nothing', () => {
    expect(printedText({}, '%v{unpack[I]}')).toBe('');
  });
});

describe('times', () => {
  // 2023-11-14T22:13:20.123Z, a Tuesday, day 318, ISO week 46.
  it.each([
    ['%d{hex}', '18bcfe5687b'],
    ['%d{go[2006-01-02T15:04:05.000Z07:00]}', '2023-11-14T22:13:20.123Z'],
    ['%d{go[Mon Jan _2 3:04:05PM MST 2006]}', 'Tue Nov 14 10:13:20PM UTC 2023'],
    ['%d{go[Monday, January 2, 06; 002 1 03 pm .99 -0700]}', 'Tuesday, November 14, 23; 318 11 10 pm .12 +0000'],
    ['%d{go[Month Janet Mon]}', 'Month Janet Tue'],
    ['%d{go{{{15h}}}}', '22h'],
    ['%d{strftime[%F %T]}', '2023-11-14 22:13:20'],
    ['%d{strftime### [%F] ###}', ' [2023-11-14] '],
    ['%d{strftime[%a %A %b %B %h]}', 'Tue Tuesday Nov November Nov'],
    ['%d{strftime[%C %d %e %H %I %j %k %l %m %M %S %y %Y]}', '20 14 14 22 10 318 22 10 11 13 20 23 2023'],
    ['%d{strftime[%D %x %X %R %r]}', '11/14/23 14/11/23 22:13:20 22:13 10:13:20 PM'],
    ['%d{strftime[%c|%+]}', 'Tue Nov 14 22:13:20 2023|Tue Nov 14 22:13:20 UTC 2023'],
    ['%d{strftime[%p %P %s %u %w %U %V %W %G %g]}', 'PM pm 1700000000 2 2 46 46 46 2023 23'],
    ['%d{strftime[%z %Z %% %n%t%Ey%OSx]}', '+0000 UTC % \n\tx'],
    ['%d{iso}', '2023-11-14T22:13:20.123Z'],
    ['%d{rel}', 'in 123ms'],
  ])('%s', (format, expected) => {
    expect(printedText(RECORD, format)).toBe(expected);
  });

  it.each([
    [
      '2024-02-29T00:05:09.050Z',
      '[Jan|01|_2|__2|002|2|3|4|5|PM|.000|.999|,0000|-07:00|-07|Z07:00:00|_2006]',
      'Feb|02|29| 60|060|29|12|5|9|AM|.050|.05|,0500|+00:00|+00|Z|_2024',
    ],
    ['2024-01-05T12:00:00.000Z', '[Jan 2 __2 3pm 15 .999.000 05.999]', 'Jan 5   5 12pm 12 .000 00'],
    ['0099-12-31T23:59:59.999Z', '[2006 06 January Monday]', '0099 99 December Thursday'],
  ])('Go layouts of %s', (time, layout, expected) => {
    expect(printedText({ timestamp: Date.parse(time) }, `%d{go${layout}}`)).toBe(expected);
  });

  it.each([
    [0, 'now'],
    [-999, '999ms ago'],
    [-59_999, '59s ago'],
    [-3_599_999, '59m ago'],
    [-86_399_999, '23h ago'],
    [-400 * 86_400_000, '400d ago'],
    [5000, 'in 5s'],
  ])('rel of %d ms from now is %s', (distance, expected) => {
    expect(printedText({ timestamp: 1_700_000_000_000 + distance }, '%d{rel}')).toBe(expected);
  });

  it.each([
    ['Europe/Berlin', '2023-11-14T23:13:20.123+01:00', 'CET'],
    ['America/New_York', '2023-11-14T17:13:20.123-05:00', 'GMT-5'],
    ['Asia/Kolkata', '2023-11-15T03:43:20.123+05:30', 'GMT+5:30'],
    ['+02:30', '2023-11-15T00:43:20.123+02:30', '+02:30'],
    ['-0800', '2023-11-14T14:13:20.123-08:00', '-08:00'],
    ['utc', '2023-11-14T22:13:20.123Z', 'UTC'],
  ])('--tz %s', (timeZone, iso, name) => {
    expect(printedText(RECORD, '%d{iso} %d{strftime[%Z]}', { timeZone })).toBe(`${iso} ${name}`);
    expect(printedText(RECORD, '%d{go[2006-01-02T15:04:05.000Z07:00]}', { timeZone })).toBe(iso);
  });

  it('a zone changes its offset with daylight saving time', () => {
    const times = ['2024-03-31T00:59:59Z', '2024-03-31T01:00:00Z', '2024-10-27T01:00:00Z'];
    const records = times.map((time) => ({ timestamp: Date.parse(time) }));
    expect(printed(records, { format: '%d{go[15:04 -07]}\\n', timeZone: 'Europe/Berlin' }).toString()).toBe(
      '01:59 +01\n03:00 +02\n02:00 +01\n',
    );
  });

  it('{iso:local} is the zone of the machine whatever --tz says', () => {
    const local = new Intl.DateTimeFormat().resolvedOptions().timeZone;
    const expected = printedText(RECORD, '%d{go[2006-01-02T15:04:05.000-07:00]}', { timeZone: local });
    expect(printedText(RECORD, '%d{iso:local}', { timeZone: 'Asia/Tokyo' })).toBe(expected);
  });

  it.each([['go[2006]'], ['strftime[%F]'], ['iso'], ['rel']])(
    'a record without a timestamp is NO_TIMESTAMP in {%s}, and -1 as a number',
    (modifier) => {
      expect(printedText({ timestamp: -1 }, `%d{${modifier}} %d`)).toBe('NO_TIMESTAMP -1');
    },
  );

  it('agrees with Date over the whole range, and goes beyond it', () => {
    const times = [0, 1, -2, -62_135_596_800_000, 951_782_400_000, 4_107_542_400_000, 253_402_300_799_999, 8.64e15];
    for (const timestamp of times) {
      expect(printedText({ timestamp }, '%d{iso}')).toBe(new Date(timestamp).toISOString());
      const start = Date.UTC(new Date(timestamp).getUTCFullYear(), 0, 1);
      if (timestamp > 0 && timestamp < 1e15) {
        const day = String(Math.floor((timestamp - start) / 86_400_000) + 1).padStart(3, '0');
        expect(printedText({ timestamp }, '%d{strftime[%j]}')).toBe(day);
      }
    }
    expect(printedText({ timestamp: Number.MAX_SAFE_INTEGER }, '%d{iso}')).toBe('+287396-10-12T08:59:00.991Z');
    expect(printedText({ timestamp: Number.MAX_SAFE_INTEGER }, '%d{iso}', { timeZone: 'Europe/Berlin' })).toMatch(
      /^\+287396-10-12T/,
    );
  });

  it.each([
    ['2020-12-31', '2020 53 52'],
    ['2021-01-03', '2020 53 00'],
    ['2021-01-04', '2021 01 01'],
    ['2018-12-31', '2019 01 53'],
    ['2012-01-01', '2011 52 00'],
  ])('ISO week of %s', (date, expected) => {
    expect(printedText({ timestamp: Date.parse(date) }, '%d{strftime[%G %V %W]}')).toBe(expected);
  });
});

describe('attributes', () => {
  it.each([
    ['compression', 'zstd'],
    ['compression;number', '4'],
    ['compression;big16', '\0\x04'],
    ['timestamp-type', '0'],
    ['timestamp-type;hex8', '00'],
    ['transactional-bit', '1'],
    ['transactional-bit;bool', 'true'],
    ['control-bit', '0'],
    ['control-bit;bool', 'false'],
  ])('%%a{%s}', (attribute, expected) => {
    expect(printedText({}, `%a{${attribute}}`)).toBe(expected);
  });

  it('timestamp types are -1, 0 and 1', () => {
    for (const [timestampType, expected] of [
      ['none', '-1'],
      ['create', '0'],
      ['append', '1'],
    ] as const) {
      expect(printed([{}], { format: '%a{timestamp-type}' }, { timestampType }).toString()).toBe(expected);
    }
  });
});

describe("kcat's own table", () => {
  it.each([
    ['%s %S %k %K %t %p %o %T %%', 'caf\xc3\xa9 5 user-1 6 orders 3 42 1700000000123 %'],
    ['%R%s', '\0\0\0\x05caf\xc3\xa9'],
    ['%h', 'a=x,b=NULL,a=y'],
    ['\\n\\t\\r\\x41\\xff\\065\\65\\q', '\n\t\rA\xff5Aq'],
  ])('kcat:%s', (format, expected) => {
    expect(printedText(RECORD, `kcat:${format}`)).toBe(expected);
  });

  it('lengths of null are -1, and null shows as -Z says', () => {
    expect(printedText({}, 'kcat:%K %S [%k|%s]', { nullText: 'NULL' })).toBe('-1 -1 [NULL|NULL]');
    expect(printedText({}, 'kcat:%R')).toBe('\xff\xff\xff\xff');
  });

  it('where the two differ klog wins: %T and %K', () => {
    expect(printedText({ timestamp: 5 }, '%T %K')).toBe('6 0');
    expect(printedText({ timestamp: 5 }, 'kcat:%T %K')).toBe('5 -1');
  });
});

describe('errors', () => {
  it.each([
    ['%q', /position 1 \("%q"\): unknown verb %q/],
    ['abc%', /position 4 .*a lone %/],
    ['\\q', /Unknown escape "\\q" in the format at position 1/],
    ['a\\', /lone backslash \(position 2\)/],
    ['\\x4', /two hex digits/],
    ['%k{hex', /never closed/],
    ['%h{%k', /never closed/],
    ['%k{nope}', /position 4 .*unknown text modifier/],
    ['%k{hex,base64}', /two encodings/],
    ['%p{nope}', /unknown number modifier/],
    ['%p{null}', /unknown number modifier/],
    ['%p{hex,big64}', /two layouts/],
    ['%p{constructor}', /unknown number modifier/],
    ['%v{toString}', /unknown text modifier/],
    ['%v{max=x}', /max= takes a number/],
    ['%v{jq:a}', /field path, not "a"/],
    ['%v{jq:}', /needs a field path/],
    ['%v{unpack[Z]}', /unpack does not know Z/],
    ['%v{unpack[si]}', /nothing may follow/],
    ['%v{unpack[I}', /lacks its closing \]/],
    ['%v{unpack}', /unpack needs brackets/],
    ['%d{nope}', /unknown time modifier/],
    ['%d{iso:mars}', /unknown time modifier/],
    ['%d{strftime[%Q]}', /strftime does not know %Q/],
    ['%d{hex,iso}', /one modifier/],
    ['%a', /needs braces/],
    ['%a{nope}', /unknown attribute/],
    ['%a{control-bit;nope}', /unknown number modifier/],
    ['%h{%t}', /unknown verb %t for a header/],
    ['%h{%h{%k}}', /unknown verb %h for a header/],
    ['kcat:%d', /kcat does not know %d/],
    ['kcat:%', /lone %/],
  ])('%s is refused', (format, message) => {
    const attempt = () => printedText({}, format);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });

  it('says what is known', () => {
    const error = (() => {
      try {
        printedText({}, '%q');
      } catch (caught) {
        return caught;
      }
    })();
    expect((error as KlogError).hint).toContain('%t %k %v');
  });

  it('an unknown zone is refused with what would do', () => {
    for (const timeZone of ['Mars/Olympus', '+25:00']) {
      expect(() => printedText({}, '%d{iso}', { timeZone })).toThrow(/Unknown time zone/);
    }
  });

  it('a format together with a delimiter is refused', () => {
    expect(() => printedText({}, '%v', { delimiter: Buffer.from(';') })).toThrow(/cannot be combined/);
  });
});
