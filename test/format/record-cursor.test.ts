import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { KlogError } from '../../src/errors.js';
import { nextBatch, WalkResult } from '../../src/format/batch-walk.js';
import { COMPRESSION_TYPES, type CompressionType, codecIfLoaded, loadCodec } from '../../src/format/compression.js';
import type { LogRecord } from '../../src/format/log-record.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { codecNeeded, openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { runs } from '../support/properties.js';
import { describeBytes, fixtureNames, readFixture } from './kafka-fixtures.js';

const TIMESTAMP = 1_700_000_000_000;

beforeAll(() => Promise.all(COMPRESSION_TYPES.map(loadCodec)));

type Draft = Omit<LogRecord, 'offset'>;

function encode(records: readonly Draft[], type: CompressionType = 'none', baseOffset = 0): Buffer {
  const builder = new RecordBatchBuilder({ codec: codecIfLoaded(type)! });
  for (const { key, value, timestamp, headers } of records) {
    builder.append(key, 0, key?.length ?? 0, value, 0, value?.length ?? 0, timestamp, headers);
  }
  return Buffer.from(builder.build({ baseOffset }));
}

function decode(bytes: Uint8Array, position = 0, cursor = new RecordCursor()): LogRecord[] {
  const records: LogRecord[] = [];
  openCursor(cursor, bytes, position);
  while (cursor.next()) records.push(cursor.toRecord());
  return records;
}

function values(...texts: string[]): Draft[] {
  return texts.map((text) => ({
    timestamp: TIMESTAMP,
    key: null,
    value: Uint8Array.from(Buffer.from(text)),
    headers: [],
  }));
}

describe('what was encoded is decoded', () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ minLength: 60, maxLength: 300 }));
  const nullable = fc.option(bytes, { nil: null });
  const record = fc.record<Draft>({
    timestamp: fc.oneof(
      fc.constant(-1),
      fc.integer({ min: TIMESTAMP - 10_000, max: TIMESTAMP + 10_000 }),
      fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }),
    ),
    key: nullable,
    value: nullable,
    headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 5 }), value: nullable }), {
      maxLength: 4,
    }),
  });

  it.each(COMPRESSION_TYPES)('codec %s: keys, values, headers, timestamps and offsets', (type) => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), fc.nat(2 ** 40), (records, baseOffset) => {
        const expected = records.map((draft, i) => ({ ...draft, offset: baseOffset + i }));
        expect(decode(encode(records, type, baseOffset))).toEqual(expected);
      }),
      { numRuns: runs(type === 'none' ? 200 : 25) },
    );
  });

  it('offset deltas of one to three bytes', () => {
    const builder = new RecordBatchBuilder();
    for (let i = 0; i < 9000; i++) builder.appendValue(Buffer.from(`${i}`), 0, `${i}`.length, TIMESTAMP + i);
    const cursor = openCursor(new RecordCursor(), builder.build({ baseOffset: 5 }), 0);
    for (let i = 0; i < 9000; i++) {
      if (!cursor.next() || cursor.offset !== 5 + i || Buffer.from(cursor.value()!).toString() !== `${i}`) {
        expect.fail(`record ${i} reads as offset ${cursor.offset}`);
      }
    }
    expect(cursor.next()).toBe(false);
  });
});

describe('ranges', () => {
  const bytes = encode(values('a', 'b', 'c', 'd', 'e'), 'none', 100);
  const offsets = (cursor: RecordCursor) => {
    const found: number[] = [];
    while (cursor.next()) found.push(cursor.offset);
    return found;
  };

  it('skipTo and endAt bound the offsets, from the first on and up to the last', () => {
    for (const [from, to, expected] of [
      [102, 104, [102, 103]],
      [0, 101, [100]],
      [104, 1000, [104]],
      [103, 103, []],
      [200, 300, []],
      [-5, 100, []],
    ] as const) {
      const cursor = openCursor(new RecordCursor(), bytes, 0);
      cursor.skipTo(from);
      cursor.endAt(to);
      expect(offsets(cursor)).toEqual(expected);
    }
  });

  it('are forgotten with the next batch', () => {
    const cursor = openCursor(new RecordCursor(), bytes, 0);
    cursor.skipTo(104);
    cursor.endAt(0);
    expect(offsets(cursor)).toEqual([]);
    expect(offsets(openCursor(cursor, bytes, 0))).toEqual([100, 101, 102, 103, 104]);
  });

  it('work in a batch with gaps', () => {
    const { bytes: gaps } = readFixture('batches/v2-offset-gaps');
    const cursor = openCursor(new RecordCursor(), gaps, 0);
    cursor.skipTo(106);
    cursor.endAt(70_100);
    expect(offsets(cursor)).toEqual([227, 228]);
  });
});

it('release lets go of the batch and its bytes, until it is opened again', () => {
  const bytes = encode(values('a', 'b'));
  const cursor = openCursor(new RecordCursor(), bytes, 0);
  expect(cursor.next()).toBe(true);
  cursor.release();
  expect([cursor.next(), cursor.buffer.length]).toEqual([false, 0]);
  openCursor(cursor, bytes, 0);
  expect([cursor.next(), cursor.next(), cursor.next()]).toEqual([true, true, false]);
});

describe('one cursor for many batches', () => {
  it('carries nothing from one format, codec or record to the next', () => {
    const names = ['batches', 'legacy', 'python', 'captured'].flatMap(fixtureNames);
    const shared = new RecordCursor();
    const all = (make: () => RecordCursor) =>
      names
        .filter((name) => name !== 'batches/v2-big-offset')
        .map((name) => {
          const { bytes } = readFixture(name);
          const records: unknown[] = [];
          const found = new WalkResult();
          for (let at = 0; nextBatch(bytes, at, bytes.length, found).status === 'batch'; at += found.size) {
            for (const record of decode(bytes, at, make())) {
              records.push({ ...record, key: describeBytes(record.key), value: describeBytes(record.value) });
            }
          }
          return records;
        });
    expect(all(() => shared)).toEqual(all(() => new RecordCursor()));
  });

  it('gives records with memory of their own and views that follow the buffer', () => {
    const headers = [{ key: 'h', value: Uint8Array.of(1, 2) }];
    const bytes = encode([{ ...values('value')[0]!, key: Uint8Array.of(9), headers }]);
    const cursor = openCursor(new RecordCursor(), bytes, 0);
    cursor.next();
    const record = cursor.toRecord();
    const views = [cursor.key(), cursor.value(), cursor.headers()[0]!.value];
    bytes.fill(0, 61);
    expect([record.key, record.value, record.headers]).toEqual([Uint8Array.of(9), values('value')[0]!.value, headers]);
    expect(views).toEqual([new Uint8Array(1), new Uint8Array(5), new Uint8Array(2)]);
  });

  it('goes through headers as ranges, twice', () => {
    const headers = [
      { key: 'a', value: null },
      { key: '', value: new Uint8Array(0) },
      { key: 'ü', value: Uint8Array.of(7) },
    ];
    const cursor = openCursor(new RecordCursor(), encode([{ ...values('v')[0]!, headers }]), 0);
    cursor.next();
    for (let round = 0; round < 2; round++) {
      const found: [string, number, number][] = [];
      while (cursor.nextHeader()) {
        const key = cursor.buffer.toString('utf8', cursor.headerKeyStart, cursor.headerKeyEnd);
        found.push([key, Math.sign(cursor.headerValueStart), cursor.headerValueEnd - cursor.headerValueStart]);
      }
      expect(found).toEqual([
        ['a', -1, 0],
        ['', 1, 0],
        ['ü', 1, 1],
      ]);
      cursor.rewindHeaders();
    }
  });

  it('reads from a plain Uint8Array that is a view into a larger memory', () => {
    const batch = encode(values('one', 'two'));
    const memory = new Uint8Array(batch.length + 30);
    memory.set(batch, 17);
    const view = memory.subarray(10, 17 + batch.length);
    expect(decode(view, 7).map(({ value }) => Buffer.from(value!).toString())).toEqual(['one', 'two']);
  });
});

describe('bytes that lie', () => {
  /** A batch whose record area and count are as given, its CRC aside. */
  function forged(records: number[], recordCount: number, lastOffsetDelta = 9): Buffer {
    const bytes = Buffer.concat([encode(values('x')).subarray(0, 61), Buffer.from(records)]);
    bytes.writeInt32BE(bytes.length - 12, 8);
    bytes.writeInt32BE(lastOffsetDelta, 23);
    bytes.writeInt32BE(recordCount, 57);
    return bytes;
  }

  // length, attributes, timestamp delta, offset delta, key length, value length, value, header count
  const good = [0x10, 0, 0, 0, 1, 4, 0x61, 0x62, 0];

  it('the record that the others are made from is good', () => {
    expect(decode(forged(good, 1))).toHaveLength(1);
  });

  it.each<[string, number[], number]>([
    ['a record less than the count says', good, 2],
    ['a record more than the count says', [...good, ...good], 1],
    ['bytes behind an empty batch', good, 0],
    ['a negative count', good, -1],
    ['a count of two thousand million', good, 2_000_000_000],
    ['a record that is longer than the batch', [0x12, ...good.slice(1)], 1],
    ['a record that is longer than its fields', [0x12, ...good.slice(1), 0], 1],
    ['a record that is shorter than its fields', [0x0e, ...good.slice(1)], 1],
    ['a record with a negative length', [0x01, ...good.slice(1)], 1],
    ['a record too short to be one', [0x0a, 0, 0, 0, 1, 1], 1],
    ['a length varint that does not end', [0x80, 0x80], 1],
    ['a length varint of six bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 0x00, ...good], 1],
    ['a length of 2^31 - 1', [0xfe, 0xff, 0xff, 0xff, 0x0f, ...good], 1],
    ['a key of -2 bytes', [0x10, 0, 0, 0, 3, 4, 0x61, 0x62, 0], 1],
    ['a key beyond the record', [0x10, 0, 0, 0, 20, 4, 0x61, 0x62, 0], 1],
    ['a key that leaves no room for the value', [0x10, 0, 0, 0, 8, 4, 0x61, 0x62, 0], 1],
    ['a value of -2 bytes', [0x10, 0, 0, 0, 1, 3, 0x61, 0x62, 0], 1],
    ['a value beyond the record', [0x10, 0, 0, 0, 1, 0x08, 0x61, 0x62, 0], 1],
    ['a value of 2^31 - 1 bytes', [0x18, 0, 0, 0, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x61, 0x62, 0], 1],
    ['a header count without headers', [0x10, 0, 0, 0, 1, 4, 0x61, 0x62, 2], 1],
    ['a negative header count', [0x10, 0, 0, 0, 1, 4, 0x61, 0x62, 1], 1],
    ['a header count of 2^31 - 1', [0x18, 0, 0, 0, 1, 4, 0x61, 0x62, 0xfe, 0xff, 0xff, 0xff, 0x0f], 1],
    ['a header whose key is null', [0x14, 0, 0, 0, 1, 4, 0x61, 0x62, 2, 1, 1], 1],
    ['a header whose key is beyond the record', [0x14, 0, 0, 0, 1, 4, 0x61, 0x62, 2, 8, 1], 1],
    ['a header whose value is beyond the record', [0x14, 0, 0, 0, 1, 4, 0x61, 0x62, 2, 0, 8], 1],
    ['a header whose value has -2 bytes', [0x14, 0, 0, 0, 1, 4, 0x61, 0x62, 2, 0, 3], 1],
    ['an offset delta below zero', [0x10, 0, 0, 1, 1, 4, 0x61, 0x62, 0], 1],
    ['an offset delta beyond the last', [0x10, 0, 0, 20, 1, 4, 0x61, 0x62, 0], 1],
    ['a timestamp delta of eleven bytes', [0x24, 0, ...Array(10).fill(0x80), 0, 0, 1, 4, 0x61, 0x62, 0], 1],
  ])('%s', (_, records, count) => {
    expect(() => decode(forged(records, count))).toThrow(
      expect.objectContaining({
        code: 'CORRUPT_MESSAGE',
        place: expect.objectContaining({ position: expect.any(Number) }),
      }),
    );
  });

  it('a negative last offset delta', () => {
    expect(() => decode(forged(good, 1, -1))).toThrow('last offset delta of -1');
  });

  it('a last record cut off by the end of the buffer itself', () => {
    const bytes = forged(good, 1);
    for (let length = 61; length < bytes.length; length++) {
      const cut = Buffer.from(bytes.subarray(0, length));
      cut.writeInt32BE(length - 12, 8);
      expect(() => decode(cut)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
    }
  });

  it('the message says which record of which batch', () => {
    const bytes = Buffer.concat([encode(values('fine')), forged([...good, 0x01, ...good.slice(1)], 2)]);
    const second = encode(values('fine')).length;
    expect(() => decode(bytes, second)).toThrow(`At position ${second} record 2 of 2 in the batch has a length of -1`);
  });

  it('a batch that does not lie in the buffer, or claims less than a header', () => {
    const bytes = encode(values('x'));
    expect(() => decode(bytes.subarray(0, -1))).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
    bytes.writeInt32BE(48, 8);
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
    bytes.writeInt32BE(-13, 8);
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
  });

  it('a magic above 2', () => {
    const bytes = encode(values('x'));
    bytes[16] = 3;
    expect(() => decode(bytes)).toThrow('magic 3');
  });

  it('a timestamp beyond 2^53 - 1, by its delta or by the sum, unless the append time counts', () => {
    const far = [0x22, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0, 1, 4, 0x61, 0x62, 0];
    const byDelta = forged(far, 1);
    expect(() => decode(byDelta)).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }));
    new RecordBatch().reset(byDelta, 0).setLogAppendTime(TIMESTAMP);
    expect(decode(byDelta)[0]!.timestamp).toBe(TIMESTAMP);

    const bySum = forged([0x10, 0, 2, 0, 1, 4, 0x61, 0x62, 0], 1);
    bySum.writeBigInt64BE(2n ** 53n - 1n, 27);
    expect(() => decode(bySum)).toThrow('timestamp of a record');
  });

  it('records that are larger when decompressed than allowed', () => {
    const bytes = encode(values('x'.repeat(100_000)), 'gzip');
    expect(bytes.length).toBeLessThan(1000);
    expect(() => openCursor(new RecordCursor(), bytes, 0, { maxDecompressedBytes: 50_000 })).toThrow(
      expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
    );
    expect(openCursor(new RecordCursor(), bytes, 0, { maxDecompressedBytes: 200_000 }).next()).toBe(true);
  });

  it.each([
    ['a wrong count', forged(good, -1)],
    ['a wrong magic', Buffer.alloc(100, 9)],
    ['too few bytes', Buffer.alloc(5)],
  ])('a cursor that could not be opened for %s has no records, not those of the batch before', (_, bytes) => {
    const cursor = openCursor(new RecordCursor(), encode(values('a', 'b')), 0);
    cursor.next();
    expect(() => openCursor(cursor, bytes, 0)).toThrow(KlogError);
    expect(cursor.next()).toBe(false);
  });

  it('any damage whatever throws a KlogError or is not noticed, and never anything else', () => {
    const names = ['batches', 'legacy', 'python', 'captured'].flatMap(fixtureNames);
    const originals = names.map((name) => readFixture(name).bytes).filter((bytes) => bytes.length < 5000);
    const cursor = new RecordCursor();
    const batch = new RecordBatch();
    const found = new WalkResult();
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.nat(originals.length - 1), damage, (which, changes) => {
        const bytes = Buffer.from(originals[which]!);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        try {
          for (let at = 0; nextBatch(bytes, at, bytes.length, found).status === 'batch'; at += found.size) {
            batch.reset(bytes, at).isValid();
            openCursor(cursor, bytes, at, { maxDecompressedBytes: 1_000_000 });
            while (cursor.next()) cursor.toRecord();
          }
        } catch (error) {
          if (!(error instanceof KlogError)) throw error;
        }
      }),
      { numRuns: runs(3000) },
    );
  });
});

describe('codecs', () => {
  it('codecNeeded asks for what is not loaded yet only', () => {
    expect(codecNeeded(encode(values('x')), 0)).toBeUndefined();
    expect(codecNeeded(encode(values('x'), 'zstd'), 0)).toBeUndefined();
  });

  it('an unknown codec is named', () => {
    const bytes = encode(values('x'));
    bytes[22] = 7;
    const unsupported = expect.objectContaining({ code: 'UNSUPPORTED_COMPRESSION_TYPE' });
    expect(() => codecNeeded(bytes, 0)).toThrow(unsupported);
    expect(() => openCursor(new RecordCursor(), bytes, 0)).toThrow(unsupported);
  });
});
