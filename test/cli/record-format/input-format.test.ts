import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFormatReader } from '../../../src/cli/record-format/format-language/format-reader.js';
import { runs } from '../../support/properties.js';
import { printed, readAll, shown, type TestRecord } from './support.js';

function read(format: string, input: Uint8Array | string, options = {}) {
  return readAll(
    createFormatReader(format, options),
    typeof input === 'string' ? Buffer.from(input, 'latin1') : input,
  ).map(shown);
}

describe('what formats read', () => {
  it.each([
    [
      '%v\\n',
      'a\nb\n',
      [
        { key: null, value: 'a' },
        { key: null, value: 'b' },
      ],
    ],
    [
      '%v\\n',
      'a\n\nb',
      [
        { key: null, value: 'a' },
        { key: null, value: '' },
        { key: null, value: 'b' },
      ],
    ],
    ['%v\\n', '', []],
    ['%v', 'a\nb\n', [{ key: null, value: 'a\nb\n' }]],
    ['%s\\n', 'a\n', [{ key: null, value: 'a' }]],
    [
      '%k\\t%v\\n',
      'k\tv\n\t\n',
      [
        { key: 'k', value: 'v' },
        { key: '', value: '' },
      ],
    ],
    [
      '%v--end--\\n',
      'a--en\n--end--\nb--end--\n',
      [
        { key: null, value: 'a--en\n' },
        { key: null, value: 'b' },
      ],
    ],
    [
      '%t %p %o %e %d %x %y %v\\n',
      'top 1 2 3 4 5 6 v\n',
      [
        {
          topic: 'top',
          partition: 1,
          offset: 2,
          leaderEpoch: 3,
          timestamp: 4,
          producerId: 5,
          producerEpoch: 6,
          key: null,
          value: 'v',
        },
      ],
    ],
    ['%d %v\\n', '-1 x\n', [{ timestamp: -1, key: null, value: 'x' }]],
    [
      '%K %k%V %v',
      '3 abc2 de0 0 ',
      [
        { key: 'abc', value: 'de' },
        { key: '', value: '' },
      ],
    ],
    ['%T %t:%v\\n', '3 a:b:x\n', [{ topic: 'a:b', key: null, value: 'x' }]],
    [
      '%V{null} %v\\n',
      '-1 \n0 \n1 x\n',
      [
        { key: null, value: null },
        { key: null, value: '' },
        { key: null, value: 'x' },
      ],
    ],
    [
      '%K{null,big16}%k%R%v',
      '\xff\xff\0\0\0\x01v\0\x01k\xff\xff\xff\xff',
      [
        { key: null, value: 'v' },
        { key: 'k', value: null },
      ],
    ],
    [
      '%S %v\\n',
      '-1 \n1 x\n',
      [
        { key: null, value: null },
        { key: null, value: 'x' },
      ],
    ],
    [
      '%V{3}%v',
      'abcdef',
      [
        { key: null, value: 'abc' },
        { key: null, value: 'def' },
      ],
    ],
    [
      '%p{3}%v\\n',
      'a\nb\n',
      [
        { partition: 3, key: null, value: 'a' },
        { partition: 3, key: null, value: 'b' },
      ],
    ],
    [
      '%v%p{3}\\n',
      'a\nb\n',
      [
        { partition: 3, key: null, value: 'a' },
        { partition: 3, key: null, value: 'b' },
      ],
    ],
    [
      '%k{hex} %v{base64}\\n',
      '6b00 dgA=\n6B00 dgA\n',
      [
        { key: 'k\0', value: 'v\0' },
        { key: 'k\0', value: 'v\0' },
      ],
    ],
    ['%V %v{hex}\\n', '4 6162\n', [{ key: null, value: 'ab' }]],
    [
      '%v{json}%k\\n',
      '{"a": [1, "x \\" y"]} k\n 5 k2\n"s"\n',
      [
        { key: ' k', value: '{"a":[1,"x \\" y"]}' },
        { key: ' k2', value: '5' },
        { key: '', value: '"s"' },
      ],
    ],
    [
      '%v{json}',
      '{"a":1}\n[2]  3',
      [
        { key: null, value: '{"a":1}' },
        { key: null, value: '[2]' },
        { key: null, value: '3' },
      ],
    ],
    [
      '%k{re[\\d*]}%v{re#[a-z]+#}\\n',
      '12ab\nc\n',
      [
        { key: '12', value: 'ab' },
        { key: '', value: 'c' },
      ],
    ],
    [
      '%k{re[\\w+]}%v{re[\\s+]}',
      'ab  \n cd\t',
      [
        { key: 'ab', value: '  \n ' },
        { key: 'cd', value: '\t' },
      ],
    ],
    [
      '%v{re[.*]}\\n',
      'ab c\n\nd',
      [
        { key: null, value: 'ab c' },
        { key: null, value: '' },
        { key: null, value: 'd' },
      ],
    ],
    [
      '%H%h{ %k=%v;} %v\\n',
      '2 a=1; a=; x\n0 y',
      [
        {
          key: null,
          value: 'x',
          headers: [
            ['a', '1'],
            ['a', ''],
          ],
        },
        { key: null, value: 'y' },
      ],
    ],
    [
      '%k\\t%H{byte}%h{%K{byte}%k%V{big32,null}%v}%v\\n',
      'k\t\x01\x01h\xff\xff\xff\xffv\n',
      [{ key: 'k', value: 'v', headers: [['h', null]] }],
    ],
    [
      '%k{null=NULL}|%v{null=\\\\N}\\n',
      'NULL|\\N\nNULLx|\n',
      [
        { key: null, value: null },
        { key: 'NULLx', value: '' },
      ],
    ],
    [
      '%p{bool}%v\\n',
      'truea\nfalseb\n',
      [
        { partition: 1, key: null, value: 'a' },
        { partition: 0, key: null, value: 'b' },
      ],
    ],
    ['%%%{%}%v\\n', '%{}x\n', [{ key: null, value: 'x' }]],
    ['a%v', 'abc', [{ key: null, value: 'bc' }]],
    [
      '%v\\r\\n',
      'a\r\nb\r',
      [
        { key: null, value: 'a' },
        { key: null, value: 'b\r' },
      ],
    ],
  ] as const)('%s of %j', (format, input, expected) => {
    expect(read(format, input)).toEqual(expected);
  });

  it.each([
    ['ascii', '258', 258],
    ['hex64', '0000000000000102', 258],
    ['hex64', 'ffffffffffffffff', -1],
    ['hex32', '00000102', 258],
    ['hex16', '0102', 258],
    ['hex8', 'ff', 255],
    ['hex4', 'F', 15],
    ['big64', '\0\0\0\0\0\0\x01\x02', 258],
    ['big64', '\xff\xff\xff\xff\xff\xff\xff\xff', -1],
    ['big32', '\xff\xff\xff\xff', -1],
    ['big16', '\x01\x02', 258],
    ['big8', '\xff', 255],
    ['little64', '\x02\x01\0\0\0\0\0\0', 258],
    ['little32', '\x02\x01\0\0', 258],
    ['little16', '\xff\xff', -1],
    ['little8', '\x02', 2],
    ['byte', '\x02', 2],
    ['bool', 'true', 1],
  ])('a number as {%s}', (modifier, input, n) => {
    expect(read(`%o{${modifier}}:%v\\n`, `${input}:x\n`)).toEqual([{ offset: n, key: null, value: 'x' }]);
  });
});

describe('bad input says where', () => {
  it.each([
    ['%k\\t%v\\n', 'a\tb\nc', 'Record 2 (line 2, byte 4): the input ends before the "\\t" that ends %k'],
    ['%p %v\\n', '1 a\n\nx b\n', 'Record 2 (line 2, byte 4): %p should be a number, found "\\n"'],
    ['%p %v\\n', '1 a\n99999999999999999 b\n', 'Record 2 (line 2, byte 4): %p is beyond 2^53 - 1'],
    ['%p %v\\n', '1', 'Record 1 (line 1, byte 1): expected " ", found the end'],
    ['%V %v\\n', '3 abcd\n', 'Record 1 (line 1, byte 5): expected "\\n", found "d"'],
    ['%V %v\\n', '5 abc', 'Record 1 (line 1, byte 2): the input ends 2 bytes before %v, which has 5, does'],
    ['%V %v\\n', '-1 \n', 'Record 1 (line 1, byte 0): %V should be a number, found "-"'],
    ['%V{null} %v\\n', '-2 \n', 'Record 1 (line 1, byte 2): %V is -2, which is no size'],
    ['%V{big32}%v', '\0\0', 'Record 1 (line 1, byte 0): the input ends in %V, which has 4 bytes'],
    ['%V{hex8}%v', 'zz', 'Record 1 (line 1, byte 0): %V should be 2 hex digits'],
    ['%o{big64}%v\\n', '\0\xff\0\0\0\0\0\0x\n', 'Record 1 (line 1, byte 0): %o is beyond 2^53 - 1'],
    ['%p{bool}%v\\n', 'tru\n', 'Record 1 (line 1, byte 0): %p should be true or false, found "tru\\n"'],
    ['%v{hex}\\n', 'abc\n', 'Record 1 (line 1, byte 0): %v is not hex'],
    ['%v{base64}\\n', 'a\n', 'Record 1 (line 1, byte 0): %v is not base64'],
    ['%v{json}\\n', '{"a":1}\n{"a" 1}\n', 'Record 2 (line 2, byte 13): %v is not JSON: expected a colon, found "1"'],
    ['%v{json}\\n', '{"a":1', 'Record 1 (line 1, byte 0): the input ends in the middle of %v, which is JSON'],
    ['%k{re[\\d+]}%v\\n', 'ab\n', 'Record 1 (line 1, byte 0): %k does not match here: "ab"'],
    ['x%v\\n', 'xa\nyb\n', 'Record 2 (line 2, byte 3): expected "x", found "y"'],
    ['%H%h{%k=%v;}\\n', '2a=1;', 'Record 1 (line 1, byte 5): the input ends before the "=" that ends %k'],
    ['%H%h{%K{null} %k=%v;}\\n', '1-1 =1;\n', 'Record 1 (line 1, byte 7): the key of a header is null or not UTF-8'],
  ])('%s of %j', (format, input, message) => {
    expect(() => read(format, input)).toThrow(expect.objectContaining({ message, code: 'KLOG_BAD_INPUT' }));
  });

  it('a claimed size beyond what is allowed is refused before anything is kept for it', () => {
    expect(() => read('%V %v\\n', '999999999999 x', { maxRecordBytes: 1000 })).toThrow(/1000 bytes are allowed/);
    expect(() => read('%v\\n', 'x'.repeat(2000), { maxRecordBytes: 1000 })).toThrow(/more than 1000 bytes/);
  });

  it('a format that reads nothing at run time does not go round for ever', () => {
    expect(() => read('%v{re[x*]}', 'abc')).toThrow(/without reading anything/);
  });

  it('strict: the last record needs its delimiter', () => {
    expect(read('%v\\n', 'a\nb')).toHaveLength(2);
    expect(() => read('%v\\n', 'a\nb', { strict: true })).toThrow(/the input ends before the "\\n" that ends %v/);
    expect(() => read('%V %v\\n', '1 a', { strict: true })).toThrow(/expected "\\n", found the end/);
    expect(read('%v\\n', 'a\nb\n', { strict: true })).toHaveLength(2);
  });

  it('skipBad goes on behind the next final literal, whatever the pieces', () => {
    const reader = createFormatReader('%p %v\\n');
    reader.push(Buffer.from('1 a\nbad'));
    expect(shown(reader.next()!)).toEqual({ partition: 1, key: null, value: 'a' });
    expect(() => reader.next()).toThrow(/line 2/);
    expect(reader.skipBad()).toBeUndefined();
    reader.push(Buffer.from(' line\n2 b\nbad too'));
    expect(Buffer.from(reader.skipBad()!).toString()).toBe('bad line\n');
    expect(shown(reader.next()!)).toEqual({ partition: 2, key: null, value: 'b' });
    expect(() => reader.next()).toThrow(/line 4/);
    reader.end();
    expect(Buffer.from(reader.skipBad()!).toString()).toBe('bad too');
    expect(reader.next()).toBeUndefined();
  });
});

describe('formats that cannot be read', () => {
  it.each([
    ['', /reads nothing/],
    ['%p{3}', /reads nothing/],
    ['%V{0}%v', /a fixed number is from 1 on/],
    ['%k%v', /nothing says where %k ends/],
    ['%q', /unknown verb/],
    ['%a{compression}\\n', /can only be printed/],
    ['%i\\n', /can only be printed/],
    ['%k %k\\n', /a second time/],
    ['%p %p\\n', /a second time/],
    ['%V %V %v\\n', /a second time/],
    ['%v %V\\n', /must come before/],
    ['%h{%k=%v }\\n', /needs the number of headers %H/],
    ['%H%h\\n', /needs braces/],
    ['%H%h{%p}\\n', /cannot be part of a header/],
    ['%H%h{%k=%v}\\n', /ends the header without/],
    ['%H%h{%v;}\\n', /needs its key/],
    ['%H%h{}\\n', /reads nothing/],
    ['%V %v{json}\\n', /a size and json/],
    ['%V %v{re[a]}\\n', /a size and re/],
    ['%v{re[(]}\\n', /no regular expression/],
    ['%v{unpack[II]}\\n', /unpack can be read back for a single number/],
    ['%v{frob}\\n', /unknown text modifier for input/],
    ['%v{hex,c}\\n', /two encodings/],
    ['%V{hex}%v', /nothing says where %V\{hex\} ends/],
    ['%V{hex}a%v', /nothing says where/],
    ['%V{99999999999}%v', /fixed number/],
    ['%d{frob}\\n', /unknown number modifier for input/],
    ['%d{iso,hex}\\n', /a time takes one modifier/],
    ['%h{name:a}%h{name:a}\\n', /nothing says where %h ends/],
    ['%h{name:a} %h{name:a}\\n', /a second time/],
    ['%d{big64,hex8}\\n', /two layouts/],
  ])('%j', (format, message) => {
    const attempt = () => createFormatReader(format);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });
});

describe('properties', () => {
  const cuts = fc.array(fc.nat(200), { maxLength: 8 });

  it.each([
    ['%k\\t%v\\n', 'k\tv\n\t\nlonger key\tlonger value\nlast\tone'],
    ['%v--x--', 'a--x--b----x--c-'],
    ['%K{big16,null}%k%V{null} %v\\n', '\0\x01k3 abc\n\xff\xff-1 \n'],
    ['%p %H%h{ %k=%v;} %v{json}\\n', '12 2 a=b; c=d; {"x": [1, "y\\"", null]}\n0 0 "z"\n1 1 h=; 12.5e3\n'],
    ['%k{re{{[a-z]+}}}:%v{re[\\s*\\d+]}\\n', 'abc:  12\nd:\n\n3\n'],
    ['%k{hex} %v{base64}\\n', '6b dgA=\n6b6b dg\n'],
  ])('where the pieces of the input end makes no difference: %s', (format, input) => {
    const bytes = Buffer.from(input, 'latin1');
    const whole = readAll(createFormatReader(format), bytes).map(shown);
    expect(whole.length).toBeGreaterThan(1);
    const everyByte = bytes.map((_, i) => i);
    expect(readAll(createFormatReader(format), bytes, [...everyByte.keys()]).map(shown)).toEqual(whole);
    fc.assert(
      fc.property(cuts, (at) => {
        const within = at.filter((cut) => cut <= bytes.length);
        expect(readAll(createFormatReader(format), bytes, within).map(shown)).toEqual(whole);
      }),
      { numRuns: runs(50) },
    );
  });

  it('what a sized format prints it reads back: any bytes, null, empty, headers', () => {
    const format = '%d %p %K{null} %k%V{big32,null}%v%H{big16}%h{%K{little32}%k%V{hex64,null}%v}\\n';
    const content = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: null });
    const record = fc.record({
      key: content,
      value: content,
      timestamp: fc.integer({ min: -1, max: 2 ** 45 }),
      headers: fc.array(fc.tuple(fc.string({ maxLength: 5 }), content), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), cuts, (records, at) => {
        const text = printed(records as TestRecord[], { format });
        const read = readAll(
          createFormatReader(format),
          text,
          at.filter((cut) => cut <= text.length),
        );
        const expected = records.map(({ key, value, timestamp, headers }) => ({
          timestamp,
          partition: 3,
          key: key === null ? null : Buffer.from(key).toString('latin1'),
          value: value === null ? null : Buffer.from(value).toString('latin1'),
          ...(headers.length === 0
            ? {}
            : { headers: headers.map(([name, v]) => [name, v === null ? null : Buffer.from(v).toString('latin1')]) }),
        }));
        expect(read.map(shown)).toEqual(expected);
      }),
      { numRuns: runs(200) },
    );
  });
});
