import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { KlogError } from '../../src/errors.js';
import { builtInZstd, codecOver, wasmZstd } from '../../src/format/compression/zstd.js';
import {
  COMPRESSION_TYPES,
  type Codec,
  codecIfLoaded,
  compressionIdOf,
  compressionTypeOf,
  loadCodec,
} from '../../src/format/compression.js';
import { runs } from '../support/properties.js';

const KIB = 1024;
const MIB = 1024 * KIB;

interface Frame {
  readonly codec: 'lz4' | 'zstd';
  readonly name: string;
  readonly lines: number;
  readonly copies: number;
  readonly hex: string;
}

const FRAMES = JSON.parse(
  readFileSync(new URL('../fixtures/compression/frames.json', import.meta.url), 'utf8'),
) as Frame[];

const codecs = new Map<string, Codec>();

/** Each codec by name; zstd's two builds apart, as far as this Node has them. */
const NAMES = ['gzip', 'snappy', 'lz4', 'zstd (wasm)', ...(builtInZstd() ? ['zstd (built in)'] : [])];

beforeAll(async () => {
  for (const type of ['gzip', 'snappy', 'lz4'] as const) codecs.set(type, await loadCodec(type));
  codecs.set('zstd (wasm)', codecOver(await wasmZstd()));
  const builtIn = builtInZstd();
  if (builtIn) codecs.set('zstd (built in)', codecOver(builtIn));
});

function codec(name: string): Codec {
  return codecs.get(name)!;
}

function text(frame: Frame): Buffer {
  const lines = Array.from({ length: frame.lines }, (_, i) => `line ${i % 10} of a log\n`).join('');
  return Buffer.from(lines.repeat(frame.copies));
}

function errorOf(run: () => unknown): KlogError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(KlogError);
    return error as KlogError;
  }
  throw new Error('nothing was thrown');
}

function expectCorrupt(run: () => unknown, message: RegExp): void {
  const error = errorOf(run);
  expect(error.code).toBe('CORRUPT_MESSAGE');
  expect(error.message).toMatch(message);
}

/** Bytes that no codec can make smaller, the same in every run. */
function incompressible(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

function snappyHeader(): Buffer {
  return Buffer.from('82534e41505059000000000100000001', 'hex');
}

function snappyChunk(block: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(block.length, 0);
  return Buffer.concat([length, block]);
}

/** The raw snappy block inside what the codec writes for up to 32 KiB. */
function rawSnappy(content: Uint8Array): Uint8Array {
  return codec('snappy').compress(content).subarray(20);
}

/** A zstd frame of one run of zeros for each of `sizes`, declaring `contentBytes` if given. */
function zstdRuns(sizes: readonly number[], contentBytes?: bigint): Buffer {
  const header = Buffer.from(contentBytes === undefined ? '28b52ffd0060' : '28b52ffdc0600000000000000000', 'hex');
  if (contentBytes !== undefined) header.writeBigUInt64LE(contentBytes, 6);
  const blocks = sizes.map((size, i) => {
    const block = Buffer.alloc(4);
    block.writeUIntLE((size << 3) | (1 << 1) | Number(i === sizes.length - 1), 0, 3);
    return block;
  });
  return Buffer.concat([header, ...blocks]);
}

describe('the table of types', () => {
  it('has the ids of attribute bits 0-2', () => {
    expect(COMPRESSION_TYPES.map(compressionIdOf)).toEqual([0, 1, 2, 3, 4]);
    expect([0, 1, 2, 3, 4].map(compressionTypeOf)).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd']);
  });

  it.each([5, 6, 7])('refuses id %i', (id) => {
    expect(errorOf(() => compressionTypeOf(id)).code).toBe('UNSUPPORTED_COMPRESSION_TYPE');
  });

  it('gives the same codec to all who load it, and synchronously afterwards', async () => {
    const [first, second] = await Promise.all([loadCodec('zstd'), loadCodec('zstd')]);
    expect(second).toBe(first);
    expect(codecIfLoaded('zstd')).toBe(first);
    for (const type of COMPRESSION_TYPES) {
      const loaded = await loadCodec(type);
      expect([loaded.type, loaded.id]).toEqual([type, compressionIdOf(type)]);
    }
  });

  it('hands uncompressed bytes through, up to the limit', async () => {
    const none = await loadCodec('none');
    const bytes = Buffer.from('abc');
    expect(none.decompress(none.compress(bytes), 3)).toBe(bytes);
    expectCorrupt(() => none.decompress(bytes, 2), /limit of 2 bytes/);
  });
});

describe.each(NAMES)('%s', (name) => {
  const contents: [string, () => Buffer][] = [
    ['0 bytes', () => Buffer.alloc(0)],
    ['1 byte', () => Buffer.from('x')],
    ['32 KiB and 1 byte', () => Buffer.alloc(32 * KIB + 1, 'a line\n')],
    ['64 KiB and 1 byte', () => Buffer.alloc(64 * KIB + 1, 'a line\n')],
    ['1 MiB', () => Buffer.alloc(MIB, '{"user":17,"item":"book"}\n')],
    ['1 MiB incompressible', () => incompressible(MIB)],
  ];

  it.each(contents)('brings back %s, at a limit of just that, and not one byte below', (_, make) => {
    const content = make();
    const compressed = codec(name).compress(content);
    expect(content.equals(codec(name).decompress(compressed, content.length))).toBe(true);
    if (content.length > 0) {
      expectCorrupt(() => codec(name).decompress(compressed, content.length - 1), /more than the limit of \d+ bytes/);
    }
  });

  it('reads and writes a plain Uint8Array in the middle of a larger buffer', () => {
    const content = new Uint8Array(100).fill(7);
    const compressed = codec(name).compress(content.subarray(10, 90));
    const around = new Uint8Array(compressed.length + 20).fill(0xff);
    around.set(compressed, 10);
    const result = codec(name).decompress(around.subarray(10, 10 + compressed.length), 80);
    expect(Buffer.from(result).equals(Buffer.alloc(80, 7))).toBe(true);
    expect(content.every((byte) => byte === 7)).toBe(true);
  });

  it('refuses no data at all', () => {
    expectCorrupt(() => codec(name).decompress(new Uint8Array(0), MIB), /corrupt/);
  });

  it('refuses every truncation', () => {
    const compressed = codec(name).compress(Buffer.from('one line\none line\nanother line\n'));
    // Of snappy, the bare header is a whole (and empty) stream.
    const whole = name === 'snappy' ? [16] : [];
    for (let end = 0; end < compressed.length; end++) {
      if (whole.includes(end)) continue;
      expectCorrupt(() => codec(name).decompress(compressed.subarray(0, end), MIB), /corrupt/);
    }
  });

  it('throws nothing but KlogError, and yields nothing beyond the limit, whatever happened to the bytes', () => {
    const limit = 100 * KIB;
    const sources = [
      Buffer.alloc(90 * KIB, 'a line of text that repeats\n'),
      incompressible(3000),
      Buffer.from('short'),
    ].map((content) => Buffer.from(codec(name).compress(content)));
    fc.assert(
      fc.property(
        fc.nat({ max: sources.length - 1 }),
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.uint8Array({ maxLength: 8 }),
        (which, changes, cut, tail) => {
          const bytes = Buffer.from(sources[which]!);
          // Most damage near the head, where the lengths stand.
          for (const [where, value] of changes) bytes[Math.floor(where ** 3 * (bytes.length - 1))] = value;
          const end = cut < 0.5 ? bytes.length : Math.floor(cut * bytes.length);
          try {
            const result = codec(name).decompress(Buffer.concat([bytes.subarray(0, end), tail]), limit);
            expect(result.length).toBeLessThanOrEqual(limit);
          } catch (error) {
            if (!(error instanceof KlogError)) throw error;
          }
        },
      ),
      { numRuns: runs(400) },
    );
    // Nothing of all that has harmed the codec.
    expect(codec(name).decompress(sources[2]!, 5).length).toBe(5);
  });

  it('meets 64 MiB of zeros at the limit of 1 MiB without making them', () => {
    const bomb = bombOf(name, 64);
    const before = process.resourceUsage().maxRSS;
    expectCorrupt(() => codec(name).decompress(bomb, MIB), /more than the limit of 1048576 bytes/);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(24 * KIB);
    expect(codec(name).decompress(bombOf(name, 1), MIB).length).toBe(MIB);
  });
});

/** Zeros that decompress to `mebibytes`, made without having them in memory. */
function bombOf(name: string, mebibytes: number): Buffer {
  const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
  if (name === 'gzip') return Buffer.concat(times(mebibytes, gzipSync(Buffer.alloc(MIB))));
  if (name === 'snappy') {
    const chunk = snappyChunk(rawSnappy(Buffer.alloc(32 * KIB)));
    return Buffer.concat([snappyHeader(), ...times(32 * mebibytes, chunk)]);
  }
  if (name === 'lz4') {
    const frame = Buffer.from(codec('lz4').compress(Buffer.alloc(MIB)));
    // header (7) | blocks | end mark (4)
    return Buffer.concat([frame.subarray(0, 7), ...times(mebibytes, frame.subarray(7, -4)), frame.subarray(-4)]);
  }
  return zstdRuns(times(8 * mebibytes, 128 * KIB));
}

describe('gzip', () => {
  it('reads concatenated members', () => {
    const members = Buffer.concat([gzipSync('one '), gzipSync(''), gzipSync('two')]);
    expect(Buffer.from(codec('gzip').decompress(members, 7)).toString()).toBe('one two');
  });

  it('refuses a wrong length and a wrong checksum at the end', () => {
    for (const at of [-1, -5]) {
      const bytes = gzipSync('some text');
      bytes[bytes.length + at]! ^= 1;
      expectCorrupt(() => codec('gzip').decompress(bytes, MIB), /gzip data is corrupt/);
    }
  });
});

describe('snappy', () => {
  const first = Buffer.alloc(1000, 'first ');
  const second = Buffer.alloc(1000, 'second ');

  it('writes the header of xerial and chunks of at most 32 KiB of input', () => {
    const compressed = Buffer.from(codec('snappy').compress(incompressible(70 * KIB)));
    expect(compressed.subarray(0, 16).equals(snappyHeader())).toBe(true);
    const declared: number[] = [];
    for (let at = 16; at < compressed.length; at += 4 + compressed.readInt32BE(at)) {
      declared.push(
        (compressed[at + 4]! & 0x7f) | ((compressed[at + 5]! & 0x7f) << 7) | ((compressed[at + 6]! & 0x7f) << 14),
      );
    }
    expect(declared[0]).toBe(32 * KIB);
    expect(declared).toHaveLength(3);
  });

  it('reads a raw block without header', () => {
    expect(first.equals(codec('snappy').decompress(rawSnappy(first), 1000))).toBe(true);
    expectCorrupt(() => codec('snappy').decompress(rawSnappy(first), 999), /limit of 999 bytes/);
  });

  it('reads a header that occurs again between chunks, and at the end', () => {
    const stream = Buffer.concat([
      snappyHeader(),
      snappyChunk(rawSnappy(first)),
      snappyHeader(),
      snappyHeader(),
      snappyChunk(rawSnappy(second)),
      snappyHeader(),
    ]);
    expect(Buffer.concat([first, second]).equals(codec('snappy').decompress(stream, 2000))).toBe(true);
    expectCorrupt(() => codec('snappy').decompress(stream, 1999), /limit of 1999 bytes/);
  });

  it.each([
    ['-1', 'ffffffff'],
    ['0', '00000000'],
    ['2^31 - 1', '7fffffff'],
  ])('refuses a chunk length of %s', (_, length) => {
    const stream = Buffer.concat([snappyHeader(), Buffer.from(length, 'hex'), rawSnappy(first)]);
    expectCorrupt(() => codec('snappy').decompress(stream, MIB), /chunk length/);
  });

  it('refuses a block that declares 4 GiB before making room for it, with and without header', () => {
    const lie = Buffer.from('ffffffff0f00', 'hex');
    expectCorrupt(() => codec('snappy').decompress(lie, MIB), /more than the limit/);
    expectCorrupt(() => codec('snappy').decompress(Buffer.concat([snappyHeader(), snappyChunk(lie)]), MIB), /limit/);
  });

  it('refuses a block that declares more or less than it holds, and one without a length', () => {
    const block = Buffer.from(rawSnappy(Buffer.from('hello')));
    for (const declared of [4, 6]) {
      block[0] = declared;
      expectCorrupt(() => codec('snappy').decompress(block, MIB), /snappy data is corrupt/);
    }
    expectCorrupt(() => codec('snappy').decompress(Buffer.alloc(10, 0xff), MIB), /no uncompressed length/);
  });
});

describe('lz4', () => {
  const frame = (content: Uint8Array) => Buffer.from(codec('lz4').compress(content));

  it('writes frames that Kafka reads: version 1, independent blocks, no checksums, no content size', () => {
    const small = frame(Buffer.from('hello'));
    expect(small.subarray(0, 7).toString('hex')).toBe('04224d18604082');
    expect(small.subarray(-4).toString('hex')).toBe('00000000');
    expect(frame(Buffer.alloc(5 * MIB))[4]).toBe(0x60);
  });

  it('stores what it cannot make smaller', () => {
    expect(frame(incompressible(1000)).readUInt32LE(7) >>> 31).toBe(1);
  });

  it('reads the wrong header checksum of magic 0, and only when told to', () => {
    const bytes = frame(Buffer.from('hello'));
    bytes[6] = 0x1a;
    expectCorrupt(() => codec('lz4').decompress(bytes, MIB), /header checksum/);
    const result = codec('lz4').decompress(bytes, MIB, { ignoreHeaderChecksum: true });
    expect(Buffer.from(result).toString()).toBe('hello');
  });

  it('skips skippable frames', () => {
    const skippable = Buffer.from('5f2a4d1803000000010203', 'hex');
    const bytes = Buffer.concat([skippable, frame(Buffer.from('one ')), skippable, frame(Buffer.from('two'))]);
    expect(Buffer.from(codec('lz4').decompress(bytes, 7)).toString()).toBe('one two');
    expectCorrupt(() => codec('lz4').decompress(skippable.subarray(0, 9), MIB), /cut off/);
  });

  it('does not pile up memory over a hundred thousand blocks of one byte', () => {
    const blocks = Buffer.alloc(6 * 100_000, Buffer.from('020000001061', 'hex'));
    const bytes = Buffer.concat([Buffer.from('04224d18604082', 'hex'), blocks, Buffer.alloc(4)]);
    const before = process.resourceUsage().maxRSS;
    expect(Buffer.alloc(100_000, 'a').equals(codec('lz4').decompress(bytes, 100_000))).toBe(true);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(24 * KIB);
  });

  it('refuses a block larger than the frame allows', () => {
    const bytes = frame(Buffer.alloc(1000));
    bytes.writeUInt32LE(64 * KIB + 1, 7);
    expectCorrupt(() => codec('lz4').decompress(bytes, MIB), /block of 65537 bytes/);
  });

  it.each([
    ['version 0', 0x20, 0x40, /frame version 0/],
    ['a dictionary', 0x61, 0x40, /dictionary/],
    ['a reserved flag', 0x62, 0x40, /reserved/],
    ['block size 3', 0x60, 0x30, /block size byte/],
    ['a reserved bit of the block size', 0x60, 0x41, /block size byte/],
  ])('refuses %s', (_, flg, bd, message) => {
    const bytes = frame(Buffer.from('hello'));
    bytes[4] = flg;
    bytes[5] = bd;
    expectCorrupt(() => codec('lz4').decompress(bytes, MIB, { ignoreHeaderChecksum: true }), message);
  });

  it('refuses a content size beyond the limit, and one that does not hold', () => {
    const bytes = Buffer.from(FRAMES.find((entry) => entry.name.startsWith('content size, block'))!.hex, 'hex');
    bytes.writeBigUInt64LE(2n ** 63n, 6);
    const read = () => codec('lz4').decompress(bytes, MIB, { ignoreHeaderChecksum: true });
    expectCorrupt(read, /more than the limit/);
    bytes.writeBigUInt64LE(639n, 6);
    expectCorrupt(read, /declares 639 bytes and holds 640/);
  });

  it('checks block and content checksums', () => {
    const bytes = Buffer.from(FRAMES.find((entry) => entry.name.startsWith('content size, block'))!.hex, 'hex');
    bytes[bytes.length - 1]! ^= 1;
    expectCorrupt(() => codec('lz4').decompress(bytes, MIB), /content checksum/);
    bytes[bytes.length - 9]! ^= 1;
    expectCorrupt(() => codec('lz4').decompress(bytes, MIB), /checksum of the block/);
  });
});

describe.each(NAMES.filter((name) => name.startsWith('zstd')))('%s', (name) => {
  it('reads what it cannot size beforehand, and declares a size itself or not', () => {
    const compressed = codec(name).compress(Buffer.from('hello'));
    expect(Buffer.from(compressed).subarray(0, 4).toString('hex')).toBe('28b52ffd');
    expect(codec(name).decompress(zstdRuns([3, 4]), 7)).toHaveLength(7);
  });

  it('skips skippable frames', () => {
    const skippable = Buffer.from('502a4d1803000000010203', 'hex');
    const bytes = Buffer.concat([skippable, zstdRuns([3]), skippable, zstdRuns([4]), skippable]);
    expect(codec(name).decompress(bytes, 7)).toHaveLength(7);
    expect(codec(name).decompress(skippable, 7)).toHaveLength(0);
  });

  it.each([2n ** 63n, 2n ** 32n - 1n, BigInt(MIB) + 1n])('refuses %s declared bytes beyond the limit', (declared) => {
    expectCorrupt(() => codec(name).decompress(zstdRuns([3], declared), MIB), /more than the limit/);
  });

  it.each([2n, 4n, 1000n])('refuses a frame of 3 bytes that declares %s', (declared) => {
    expectCorrupt(() => codec(name).decompress(zstdRuns([3], declared), MIB), /zstd data is corrupt/);
  });

  it('counts all frames against the limit', () => {
    const frames = Buffer.concat([zstdRuns([600]), zstdRuns([600], 600n)]);
    expect(codec(name).decompress(frames, 1200)).toHaveLength(1200);
    expectCorrupt(() => codec(name).decompress(frames, 1199), /limit of 1199 bytes/);
  });

  it.each([
    ['a reserved flag', (bytes: Buffer) => bytes.writeUInt8(0x08, 4), /reserved/],
    ['a reserved block type', (bytes: Buffer) => bytes.writeUInt8(0x1f, 6), /unknown type/],
    ['bytes behind the last frame', (bytes: Buffer) => bytes.writeUInt8(0x1a, 6), /no frame at byte|cut off/],
    ['another magic', (bytes: Buffer) => bytes.writeUInt8(0x27, 0), /no frame at byte 0/],
  ])('refuses %s', (_, change, message) => {
    const bytes = Buffer.concat([zstdRuns([3]), Buffer.alloc(4)]);
    change(bytes);
    expectCorrupt(() => codec(name).decompress(bytes, MIB), message);
  });
});

describe('the room that a zstd build is asked to make', () => {
  /** The rooms asked for; nothing is decoded, each frame counts as empty. */
  function roomsFor(bytes: Uint8Array, maxBytes: number): number[] {
    const rooms: number[] = [];
    const decompress = (_: Uint8Array, room: number) => {
      rooms.push(room);
      return Buffer.alloc(0);
    };
    codecOver({ compress: (source) => source, decompress }).decompress(bytes, maxBytes);
    return rooms;
  }

  /** A frame of one compressed block of 3 bytes, whose content is nobody's business. */
  function compressedBlock(header: string): Buffer {
    return Buffer.from(`28b52ffd${header}1d0000ffffff`, 'hex');
  }

  it('is no more than its blocks can hold, however high the limit', () => {
    expect(roomsFor(zstdRuns([3, 4]), 100 * MIB)).toEqual([7]);
    expect(roomsFor(compressedBlock('0058'), 100 * MIB)).toEqual([128 * KIB]);
    // window of 1 KiB and 7/8 of it
    expect(roomsFor(compressedBlock('0007'), 100 * MIB)).toEqual([KIB + 7 * 128]);
    // four bytes of dictionary id behind the window
    expect(roomsFor(compressedBlock('030001020304'), 100 * MIB)).toEqual([KIB]);
  });

  it('is no more than the limit', () => {
    expect(roomsFor(zstdRuns([300]), 100)).toEqual([100]);
  });

  it('is not asked for when a frame declares what its blocks cannot hold', () => {
    expectCorrupt(() => roomsFor(zstdRuns([3], 4n), 100), /declares 4 bytes and holds at most 3/);
    // single segment: the content is the window, and here it has one byte
    expectCorrupt(() => roomsFor(compressedBlock('2001'), 100), /declares 1 bytes and holds another number/);
  });
});

describe('zstd (wasm)', () => {
  it('refuses what its memory could not hold, instead of failing silently', () => {
    const bomb = bombOf('zstd (wasm)', 513);
    expect(errorOf(() => codec('zstd (wasm)').decompress(bomb, 2 ** 31)).code).toBe('KLOG_UNSUPPORTED');
    const source = { length: 2 ** 28 + 1 } as Uint8Array;
    expect(errorOf(() => codec('zstd (wasm)').compress(source)).code).toBe('KLOG_UNSUPPORTED');
  });
});

describe('frames of the command-line tools', () => {
  const entries = FRAMES.flatMap((entry) =>
    NAMES.filter((name) => name.startsWith(entry.codec)).map((name) => [name, entry.name, entry] as const),
  );

  it.each(entries.filter(([, title]) => title !== 'dependent blocks'))('%s: %s', (name, _, entry) => {
    const expected = text(entry);
    const found = codec(name).decompress(Buffer.from(entry.hex, 'hex'), expected.length);
    expect(expected.equals(found)).toBe(true);
  });

  it('lz4: dependent blocks are refused, and the message says so', () => {
    const entry = FRAMES.find(({ name }) => name === 'dependent blocks')!;
    expectCorrupt(
      () => codec('lz4').decompress(Buffer.from(entry.hex, 'hex'), 10 * MIB),
      /blocks depend on each other/,
    );
  });
});
