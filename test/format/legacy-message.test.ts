import { crc32, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { nextBatch } from '../../src/format/batch-walk.js';
import { loadCodec } from '../../src/format/compression.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';

beforeAll(() => loadCodec('gzip'));

const GZIP = 1;
const LOG_APPEND_TIME = 8;

interface Draft {
  readonly offset: number | bigint;
  readonly magic?: 0 | 1;
  readonly attributes?: number;
  readonly timestamp?: number | bigint;
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
}

function field(bytes: Buffer | null): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes === null ? -1 : bytes.length);
  return bytes === null ? length : Buffer.concat([length, bytes]);
}

function message({ offset, magic = 1, attributes = 0, timestamp = 1000, key = null, value = null }: Draft): Buffer {
  const time = Buffer.alloc(magic === 1 ? 8 : 0);
  if (magic === 1) time.writeBigInt64BE(BigInt(timestamp));
  const body = Buffer.concat([Buffer.from([magic, attributes]), time, field(key), field(value)]);
  const head = Buffer.alloc(16);
  head.writeBigInt64BE(BigInt(offset));
  head.writeInt32BE(body.length + 4, 8);
  head.writeUInt32BE(crc32(body), 12);
  return Buffer.concat([head, body]);
}

function wrapper(offset: number, inner: Buffer[], more: Partial<Draft> = {}): Buffer {
  return message({ offset, attributes: GZIP, value: gzipSync(Buffer.concat(inner)), ...more });
}

function decode(bytes: Buffer): [offset: number, timestamp: number, value: string | undefined][] {
  expect(nextBatch(bytes, 0, bytes.length)).toMatchObject({ status: 'batch', size: bytes.length });
  expect(new RecordBatch().reset(bytes, 0).isValid()).toBe(true);
  const cursor = openCursor(new RecordCursor(), bytes, 0);
  const records: [number, number, string | undefined][] = [];
  while (cursor.next()) {
    const value = cursor.value();
    records.push([cursor.offset, cursor.timestamp, value === null ? undefined : Buffer.from(value).toString()]);
  }
  return records;
}

const a = Buffer.from('a');

describe('a compressed set', () => {
  it('of magic 1 counts from the offset of its last message, over gaps', () => {
    const inner = [message({ offset: 0, value: a }), message({ offset: 3 }), message({ offset: 7, timestamp: 5 })];
    expect(decode(wrapper(107, inner))).toEqual([
      [100, 1000, 'a'],
      [103, 1000, undefined],
      [107, 5, undefined],
    ]);
  });

  it('of magic 0 has absolute offsets and no timestamps', () => {
    const inner = [message({ offset: 100, magic: 0, value: a }), message({ offset: 107, magic: 0 })];
    const bytes = wrapper(107, inner, { magic: 0 });
    expect(decode(bytes)).toEqual([
      [100, -1, 'a'],
      [107, -1, undefined],
    ]);
    expect(openCursor(new RecordCursor(), bytes, 0).timestampType).toBe('none');
  });

  it('with an append time gives it to all', () => {
    const inner = [message({ offset: 0, timestamp: 5 }), message({ offset: 1, timestamp: -1 })];
    const bytes = wrapper(11, inner, { attributes: GZIP | LOG_APPEND_TIME, timestamp: 777 });
    expect(decode(bytes)).toEqual([
      [10, 777, undefined],
      [11, 777, undefined],
    ]);
    expect(openCursor(new RecordCursor(), bytes, 0).timestampType).toBe('append');
  });

  it('at offset 0, as a client sends it, counts from 0', () => {
    expect(decode(wrapper(0, [message({ offset: 0 }), message({ offset: 1 })])).map(([offset]) => offset)).toEqual([
      0, 1,
    ]);
  });

  it('ignores a cut message at its end, down to a few bytes of one', () => {
    const whole = message({ offset: 0, value: a });
    const second = message({ offset: 1 });
    for (const length of [1, 11, 12, 17, second.length - 1]) {
      expect(decode(wrapper(50, [whole, second.subarray(0, length)]))).toEqual([[50, 1000, 'a']]);
    }
  });

  it('reads as a batch that ends where it says and begins nobody knows where', () => {
    const batch = new RecordBatch().reset(wrapper(107, [message({ offset: 0 }), message({ offset: 7 })]), 0);
    expect([batch.lastOffset, batch.nextOffset, batch.recordCount, batch.producerId, batch.lastSequence]).toEqual([
      107, 108, -1, -1, -1,
    ]);
    expect([batch.isControl, batch.isTransactional, batch.hasDeleteHorizon]).toEqual([false, false, false]);
  });
});

describe('refused', () => {
  const inner = message({ offset: 0 });
  const short = Buffer.from(inner);
  short.writeInt32BE(13, 8);
  const negative = Buffer.from(inner);
  negative.writeInt32BE(-1, 8);

  it.each<[string, Buffer]>([
    ['a set in a set', wrapper(1, [wrapper(0, [inner])])],
    ['a set with a key', wrapper(1, [inner], { key: a })],
    ['a set without a value', message({ offset: 1, attributes: GZIP })],
    ['a set without messages', wrapper(1, [])],
    ['a set with a cut message only', wrapper(1, [inner.subarray(0, 20)])],
    ['a set with messages of another magic', wrapper(1, [message({ offset: 0, magic: 0, value: Buffer.alloc(20) })])],
    ['a set with a message too short to be one', wrapper(1, [short])],
    ['a set with a message of negative size', wrapper(1, [negative])],
    ['a set that would begin below offset 0', wrapper(3, [message({ offset: 0 }), message({ offset: 9 })])],
    ['a set whose offsets do not ascend', wrapper(9, [message({ offset: 1 }), message({ offset: 0 })])],
    ['a set with the same offset twice', wrapper(9, [message({ offset: 0 }), message({ offset: 0 })])],
    ['a set whose offsets are too far apart', wrapper(2 ** 40, [message({ offset: 0 }), message({ offset: 2 ** 40 })])],
  ])('%s', (_, bytes) => {
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
  });

  it.each([
    ['key', 26],
    ['value', 30],
  ])('a %s length that does not fit the message', (_, at) => {
    for (const length of [-2, 1, 2, 2 ** 31 - 1, -(2 ** 31)]) {
      const bytes = Buffer.from(inner);
      bytes.writeInt32BE(length, at);
      expect(() => openCursor(new RecordCursor(), bytes, 0)).toThrow(
        expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
      );
    }
  });

  it('an offset or timestamp beyond 2^53 - 1', () => {
    const refused = expect.objectContaining({ code: 'INVALID_RECORD' });
    expect(() => decode(message({ offset: 2n ** 53n }))).toThrow(refused);
    expect(() => decode(message({ offset: 1, timestamp: 2n ** 60n }))).toThrow(refused);
  });
});
