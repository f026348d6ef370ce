import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadValueCodec } from '../../../src/cli/record-format/value-format.js';
import { runs } from '../../support/properties.js';

const text = (value: Uint8Array) => Buffer.from(value).toString('utf8');

describe('value formats', () => {
  it('raw leaves values alone', async () => {
    const codec = await loadValueCodec('raw');
    const value = Buffer.from([0xff]);
    expect(codec.encode(value)).toBe(value);
    expect(codec.decode(value)).toBe(value);
  });

  it('json checks and compacts, to the byte of each number and string', async () => {
    const codec = await loadValueCodec('json');
    const value = ' { "a b" : [ 1.0 , 12345678901234567890 ,\n"\\" \\u00e9 " ] } ';
    expect(text(codec.encode(Buffer.from(value)))).toBe('{"a b":[1.0,12345678901234567890,"\\" \\u00e9 "]}');
    for (const bad of ['', '{', '{"a":1}x', '\xff']) {
      expect(() => codec.encode(Buffer.from(bad, 'latin1'))).toThrow(
        expect.objectContaining({ code: 'KLOG_BAD_INPUT' }),
      );
    }
  });

  it('msgpack holds any JSON and gives it back', async () => {
    const codec = await loadValueCodec('msgpack');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // Numbers beyond 2^53 are another test's.
        fc.pre(!/\d{16}/.test(JSON.stringify(value)));
        const json = JSON.stringify(value);
        expect(text(codec.decode(codec.encode(Buffer.from(json))))).toBe(json);
      }),
      { numRuns: runs(200) },
    );
  });

  it.each([
    ['{"a":1}', [0x81, 0xa1, 0x61, 0x01]],
    ['[1,"x",null,true,1.5]', [0x95, 0x01, 0xa1, 0x78, 0xc0, 0xc3, 0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]],
    ['plain text', [0xaa, ...Buffer.from('plain text')]],
    ['{"__proto__":1}', [0x81, 0xa9, ...Buffer.from('__proto__'), 0x01]],
  ])('msgpack of %s is what every reader understands', async (value, expected) => {
    const codec = await loadValueCodec('msgpack');
    expect([...codec.encode(Buffer.from(value))]).toEqual(expected);
  });

  it('msgpack: bytes, big integers and keys that are no text have a JSON form', async () => {
    const codec = await loadValueCodec('msgpack');
    expect(text(codec.decode(codec.encode(Buffer.from([0xff, 0]))))).toBe('"/wA="');
    expect(text(codec.decode(Buffer.from([0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])))).toBe(
      '18446744073709551615',
    );
    expect(text(codec.decode(Buffer.from([0x81, 0x05, 0x06])))).toBe('{"5":6}');
    expect(text(codec.decode(Buffer.from([0xd6, 0xff, 0, 0, 0, 1])))).toBe('"1970-01-01T00:00:01.000Z"');
  });

  it('msgpack refuses numbers that would change', async () => {
    const codec = await loadValueCodec('msgpack');
    expect(() => codec.encode(Buffer.from('{"id":12345678901234567890}'))).toThrow(/cannot be held exactly/);
    expect(() => codec.encode(Buffer.from('{"id":9007199254740993}'))).toThrow(/cannot be held exactly/);
    for (const fine of ['{"id":9007199254740991}', '{"id":"12345678901234567890"}', '{"x":0.12345678901234567}']) {
      expect(JSON.parse(text(codec.decode(codec.encode(Buffer.from(fine)))))).toEqual(JSON.parse(fine));
    }
  });

  it('msgpack looks for numbers that would change beside strings of any length', async () => {
    const codec = await loadValueCodec('msgpack');
    const text = (id: string) => `{"s":"${'x'.repeat(12_000_000)}","q":"1e999 \\\\","n":1234567890123456,"id":${id}}`;
    const back = codec.decode(codec.encode(Buffer.from(text('1.5'))));
    expect(Buffer.from(text('1.5')).equals(back)).toBe(true);
    expect(() => codec.encode(Buffer.from(text('9007199254740993')))).toThrow(
      /9007199254740993 cannot be held exactly/,
    );
    expect(() => codec.encode(Buffer.from(text('1e999')))).toThrow(/1e999 cannot be held exactly/);
    expect(() => codec.encode(Buffer.from(text('1'.repeat(400))))).toThrow(/1{40}… cannot be held exactly/);
  });

  it('msgpack refuses what is nested beyond the stack', async () => {
    const codec = await loadValueCodec('msgpack');
    const deep = Buffer.from(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    expect(() => codec.encode(deep)).toThrow(expect.objectContaining({ code: 'KLOG_BAD_INPUT' }));
  });

  it('a value of the log that is no MessagePack is said so', async () => {
    const codec = await loadValueCodec('msgpack');
    for (const bad of [[], [0x81], [0xc1], [0x91, 0xc1], [0x01, 0x02], [0xdf, 0xff, 0xff, 0xff, 0xff]]) {
      expect(() => codec.decode(Buffer.from(bad))).toThrow(expect.objectContaining({ code: 'KLOG_BAD_INPUT' }));
    }
  });

  it('an unknown format is refused', async () => {
    await expect(loadValueCodec('avro')).rejects.toMatchObject({
      code: 'KLOG_USAGE',
      hint: 'Known: raw json msgpack.',
    });
  });
});
