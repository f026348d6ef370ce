import { beforeAll, describe, expect, it } from 'vitest';
import { nextBatch } from '../../src/format/batch-walk.js';
import { COMPRESSION_TYPES, codecIfLoaded, loadCodec, MOST_DECOMPRESSED_BYTES } from '../../src/format/compression.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { readFixture } from './kafka-fixtures.js';

const TIMESTAMP = 1_700_000_000_000;

beforeAll(() => Promise.all(COMPRESSION_TYPES.map(loadCodec)));

/** Takes each batch apart and makes it again from its fields and records. */
function rebuild(bytes: Uint8Array): Buffer {
  const builder = new RecordBatchBuilder({ initialBytes: 1 });
  const batch = new RecordBatch();
  const cursor = new RecordCursor();
  const out: Uint8Array[] = [];
  for (let position = 0; position < bytes.length; position += batch.sizeInBytes) {
    batch.reset(bytes, position);
    openCursor(cursor, bytes, position);
    builder.reset(batch.hasDeleteHorizon ? { baseTimestamp: batch.baseTimestamp } : {});
    while (cursor.next()) {
      const { keyStart, keyEnd, valueStart, valueEnd, buffer } = cursor;
      const key = keyStart < 0 ? null : buffer;
      const value = valueStart < 0 ? null : buffer;
      const delta = cursor.offset - batch.baseOffset;
      builder.appendAt(delta, key, keyStart, keyEnd, value, valueStart, valueEnd, cursor.timestamp, cursor.headers());
    }
    const built = builder.build({
      baseOffset: batch.baseOffset,
      partitionLeaderEpoch: batch.partitionLeaderEpoch,
      producerId: batch.producerId,
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      transactional: batch.isTransactional,
      control: batch.isControl,
      deleteHorizon: batch.hasDeleteHorizon,
      lastOffsetDelta: batch.lastOffsetDelta,
      maxTimestamp: batch.maxTimestamp,
    });
    out.push(Uint8Array.from(built));
  }
  return Buffer.concat(out);
}

describe('equals the bytes that others wrote', () => {
  it.each([
    'batches/v2-single-minimal',
    'batches/v2-mixed-none',
    'batches/v2-many-none',
    'batches/v2-idempotent',
    'batches/v2-offset-gaps',
    'batches/v2-delete-horizon',
    'batches/v2-empty-retained',
    'batches/v2-timestamp-zero',
    'batches/v2-length-varint-edges',
    'python/py-mixed-none',
    'python/py-control-commit',
  ])('%s', (name) => {
    const { bytes } = readFixture(name);
    expect(rebuild(bytes).equals(bytes)).toBe(true);
  });

  it('appendValue, too: v2-single-minimal', () => {
    const builder = new RecordBatchBuilder();
    builder.appendValue(new Uint8Array(0), 0, 0, TIMESTAMP);
    const built = builder.build({ partitionLeaderEpoch: 0 });
    expect(Buffer.from(built).equals(readFixture('batches/v2-single-minimal').bytes)).toBe(true);
  });
});

describe('appendValue', () => {
  /** The records around every place where a varint gets longer. */
  it('makes the bytes that append makes, whatever the sizes, deltas and counts are', () => {
    const lengths = [0, 1, 55, 56, 57, 58, 59, 60, 63, 64, 199, 200, 8000, 8001, 8180, 8192, 20_000];
    const deltas = [0, 1, 63, 64, 8191, 8192, -1, -100, 2 ** 31, 2 ** 40];
    const chunk = Buffer.from(Array.from({ length: 20_001 }, (_, i) => (i * 11) & 0xff));
    const fast = new RecordBatchBuilder({ initialBytes: 1 });
    const plain = new RecordBatchBuilder();
    for (const length of lengths) {
      for (const delta of deltas) {
        fast.appendValue(chunk, 1, 1 + length, TIMESTAMP + delta);
        plain.append(null, -1, -1, chunk, 1, 1 + length, TIMESTAMP + delta, null);
      }
    }
    expect(fast.sizeInBytes).toBe(plain.sizeInBytes);
    expect(Buffer.compare(fast.build(), plain.build())).toBe(0);
    expect(fast.maxTimestamp).toBe(TIMESTAMP + 2 ** 40);
  });

  it('makes the bytes that append makes at offset deltas of one, two, three and four bytes', () => {
    const chunk = Buffer.from('v');
    const fast = new RecordBatchBuilder();
    const plain = new RecordBatchBuilder();
    for (const delta of [0, 62, 63, 64, 8190, 8191, 8192, 0xf_fffe, 0xf_ffff, 0x10_0000]) {
      fast.appendAt(delta, null, -1, -1, chunk, 0, 1, TIMESTAMP, null);
      plain.appendAt(delta, null, -1, -1, chunk, 0, 1, TIMESTAMP, null);
      if ([62, 63, 64, 8190, 8191, 0xf_fffe, 0xf_ffff].includes(delta)) continue;
      fast.appendValue(chunk, 0, 1, TIMESTAMP);
      plain.append(null, -1, -1, chunk, 0, 1, TIMESTAMP, null);
    }
    expect(Buffer.compare(fast.build(), plain.build())).toBe(0);
  });

  it('has copied the value when it returns', () => {
    const builder = new RecordBatchBuilder();
    const chunk = Buffer.from('first');
    builder.appendValue(chunk, 0, 5, TIMESTAMP);
    chunk.fill('x');
    expect(openCursorOn(builder.build()).value()).toEqual(Uint8Array.from(Buffer.from('first')));
  });
});

function openCursorOn(bytes: Uint8Array): RecordCursor {
  const cursor = openCursor(new RecordCursor(), bytes, 0);
  expect(cursor.next()).toBe(true);
  return cursor;
}

describe('a record that cannot be taken leaves the batch as it was', () => {
  const one = Buffer.from('1');

  function builderWithOne(): RecordBatchBuilder {
    const builder = new RecordBatchBuilder();
    builder.appendValue(one, 0, 1, TIMESTAMP);
    return builder;
  }

  it.each([2 ** 53, -(2 ** 53), 0.5, Number.NaN, TIMESTAMP + 0.5])('timestamp %d', (timestamp) => {
    const builder = builderWithOne();
    const before = Buffer.from(builder.build());
    const invalid = expect.objectContaining({ code: 'INVALID_TIMESTAMP' });
    expect(() => builder.appendValue(one, 0, 1, timestamp)).toThrow(invalid);
    expect(() => builder.append(null, -1, -1, one, 0, 1, timestamp, null)).toThrow(invalid);
    expect(Buffer.compare(builder.build(), before)).toBe(0);
  });

  it('a timestamp that is further from the first one than 2^53 - 1', () => {
    const builder = new RecordBatchBuilder();
    builder.appendValue(one, 0, 1, -2);
    expect(() => builder.appendValue(one, 0, 1, Number.MAX_SAFE_INTEGER)).toThrow(
      expect.objectContaining({ code: 'INVALID_TIMESTAMP' }),
    );
    expect(builder.recordCount).toBe(1);
  });

  it('the last possible timestamp behind one just before it', () => {
    const builder = new RecordBatchBuilder();
    builder.appendValue(one, 0, 1, Number.MAX_SAFE_INTEGER - 1);
    builder.appendValue(one, 0, 1, Number.MAX_SAFE_INTEGER);
    expect(() => builder.appendValue(one, 0, 1, Number.MAX_SAFE_INTEGER + 1)).toThrow('9007199254740992');
    expect(new RecordBatch().reset(builder.build(), 0).maxTimestamp).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    [0, 2],
    [-1, 1],
    [1, 0],
  ])('the range [%d, %d) of one byte', (start, end) => {
    const builder = builderWithOne();
    expect(() => builder.appendValue(one, start, end, TIMESTAMP)).toThrow(TypeError);
    expect(() => builder.append(one, start, end, null, -1, -1, TIMESTAMP, null)).toThrow(TypeError);
    expect(builder.recordCount).toBe(1);
  });

  it('an offset that does not ascend', () => {
    const builder = new RecordBatchBuilder();
    builder.appendAt(5, null, -1, -1, null, -1, -1, TIMESTAMP, null);
    for (const delta of [5, 4, -1, 2 ** 31]) {
      expect(() => builder.appendAt(delta, null, -1, -1, null, -1, -1, TIMESTAMP, null)).toThrow(`${delta}`);
    }
    expect(builder.lastOffsetDelta).toBe(5);
  });
});

describe('build', () => {
  it('compresses with its codec, and reads back', () => {
    for (const type of COMPRESSION_TYPES) {
      const builder = new RecordBatchBuilder({ codec: codecIfLoaded(type)! });
      const chunk = Buffer.alloc(1000, 'abc');
      for (let i = 0; i < 50; i++) builder.appendValue(chunk, 0, 1000, TIMESTAMP + i);
      const built = builder.build({ baseOffset: 7 });
      const batch = new RecordBatch().reset(built, 0);
      expect([batch.compressionType, batch.isValid(), batch.recordCount]).toEqual([type, true, 50]);
      expect(nextBatch(built, 0, built.length)).toMatchObject({ status: 'batch', size: built.length });
      if (type !== 'none') expect(built.length).toBeLessThan(builder.sizeInBytes / 10);
      const cursor = openCursor(new RecordCursor(), built, 0);
      let count = 0;
      for (; cursor.next(); count++) expect([cursor.offset, cursor.timestamp]).toEqual([7 + count, TIMESTAMP + count]);
      expect(count).toBe(50);
    }
  });

  it('compresses no more than a reader takes, and gives that its own memory, too', () => {
    const builder = new RecordBatchBuilder({
      codec: codecIfLoaded('lz4')!,
      initialBytes: MOST_DECOMPRESSED_BYTES + 200,
    });
    const value = Buffer.alloc(MOST_DECOMPRESSED_BYTES - 13);
    value[0] = 1;
    const read = (batch: Uint8Array) => {
      const cursor = openCursor(new RecordCursor(), batch, 0);
      cursor.next();
      return value.equals(cursor.value()!);
    };
    builder.appendValue(value, 0, value.length, TIMESTAMP);
    const compressed = builder.build();
    expect([builder.records.length, new RecordBatch().reset(compressed, 0).compressionType, read(compressed)]).toEqual([
      MOST_DECOMPRESSED_BYTES,
      'lz4',
      true,
    ]);
    builder.appendValue(value, 0, 0, TIMESTAMP);
    const plain = builder.build();
    builder.reset();
    builder.appendValue(Buffer.from('other'), 0, 5, TIMESTAMP);
    expect([new RecordBatch().reset(plain, 0).compressionType, read(plain)]).toEqual(['none', true]);
  });

  it('gives a batch without records no codec', () => {
    const builder = new RecordBatchBuilder({ codec: codecIfLoaded('gzip')! });
    const built = builder.build({ lastOffsetDelta: 3, maxTimestamp: TIMESTAMP });
    const batch = new RecordBatch().reset(built, 0);
    expect([built.length, batch.compressionId, batch.baseTimestamp, batch.maxTimestamp]).toEqual([
      61,
      0,
      -1,
      TIMESTAMP,
    ]);
    expect(batch.nextOffset).toBe(4);
  });

  it('refuses a batch without records that ends nowhere, and an end before the last record', () => {
    const builder = new RecordBatchBuilder();
    expect(() => builder.build()).toThrow('offset delta -1');
    builder.appendAt(5, null, -1, -1, null, -1, -1, TIMESTAMP, null);
    expect(() => builder.build({ lastOffsetDelta: 4 })).toThrow('offset delta 4');
  });

  it('can be repeated with other fields and goes on after a reset with the same bytes', () => {
    const builder = new RecordBatchBuilder({ initialBytes: 64 });
    const make = () => {
      builder.reset();
      builder.appendValue(Buffer.from('value'), 0, 5, TIMESTAMP);
      return Buffer.from(builder.build());
    };
    const first = make();
    builder.build({ producerId: 5, producerEpoch: 1, baseSequence: 9, transactional: true });
    expect(Buffer.compare(builder.build(), first)).toBe(0);
    expect(make().equals(first)).toBe(true);
  });

  it('gives all records the append time', () => {
    const builder = new RecordBatchBuilder();
    builder.appendValue(Buffer.from('a'), 0, 1, TIMESTAMP);
    builder.appendValue(Buffer.from('b'), 0, 1, TIMESTAMP - 5);
    const built = builder.build({ logAppendTime: TIMESTAMP + 99 });
    const cursor = openCursorOn(built);
    expect([cursor.timestamp, cursor.timestampType]).toEqual([TIMESTAMP + 99, 'append']);
    expect(cursor.next() && cursor.timestamp).toBe(TIMESTAMP + 99);
  });
});

it('has room for one record always and for more up to maxBytes', () => {
  const builder = new RecordBatchBuilder({ maxBytes: 315 });
  const value = Buffer.alloc(100);
  expect(builder.hasRoomFor(10_000)).toBe(true);
  let count = 0;
  for (; builder.hasRoomFor(100); count++) builder.appendValue(value, 0, 100, TIMESTAMP);
  expect(count).toBe(2);
  expect(builder.sizeInBytes).toBeLessThanOrEqual(315);
  expect(builder.sizeInBytes).toBe(builder.build().length);
});
