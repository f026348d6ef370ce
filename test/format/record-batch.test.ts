import { describe, expect, it } from 'vitest';
import { loadCodec } from '../../src/format/compression.js';
import { incrementSequence, RecordBatch } from '../../src/format/record-batch.js';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { readFixture } from './kafka-fixtures.js';

const TIMESTAMP = 1_700_000_000_000;

function twoRecords(): Buffer {
  const builder = new RecordBatchBuilder();
  builder.appendValue(Buffer.from('one'), 0, 3, TIMESTAMP);
  builder.appendValue(Buffer.from('two'), 0, 3, TIMESTAMP + 5);
  return Buffer.from(builder.build());
}

describe('changes in place', () => {
  it('base offset and leader epoch leave the CRC valid', () => {
    const batch = new RecordBatch().reset(twoRecords(), 0);
    batch.setBaseOffset(2 ** 52 + 1);
    batch.setPartitionLeaderEpoch(77);
    expect([batch.isValid(), batch.baseOffset, batch.lastOffset, batch.partitionLeaderEpoch]).toEqual([
      true,
      2 ** 52 + 1,
      2 ** 52 + 2,
      77,
    ]);
  });

  it.each([['none'], ['gzip']] as const)('the append time gives the bytes Kafka gives, codec %s', async (codec) => {
    await loadCodec(codec);
    const { bytes } = readFixture(`batches/v2-mixed-${codec}`);
    const expected = new RecordBatch().reset(readFixture(`batches/v2-logappend-${codec}`).bytes, 0);
    const batch = new RecordBatch().reset(bytes, 0);
    batch.setLogAppendTime(expected.maxTimestamp);
    batch.setBaseOffset(expected.baseOffset);
    batch.setPartitionLeaderEpoch(expected.partitionLeaderEpoch);
    expect(batch.isValid()).toBe(true);
    expect(bytes.equals(expected.buffer)).toBe(true);
  });

  it('a batch further on in a buffer is changed there and nowhere else', () => {
    const bytes = Buffer.concat([twoRecords(), twoRecords(), twoRecords()]);
    const before = Buffer.from(bytes);
    const size = bytes.length / 3;
    const batch = new RecordBatch().reset(bytes, size);
    batch.setLogAppendTime(5);
    batch.setBaseOffset(9);
    expect(bytes.subarray(0, size).equals(before.subarray(0, size))).toBe(true);
    expect(bytes.subarray(2 * size).equals(before.subarray(2 * size))).toBe(true);
    expect([batch.isValid(), batch.maxTimestamp, batch.timestampType]).toEqual([true, 5, 'append']);
  });

  it('an old message is refused an append time and a leader epoch', () => {
    const batch = new RecordBatch().reset(readFixture('legacy/v1-none').bytes, 0);
    const unsupported = expect.objectContaining({ code: 'UNSUPPORTED_FOR_MESSAGE_FORMAT' });
    expect(() => batch.setLogAppendTime(5)).toThrow(unsupported);
    expect(() => batch.setPartitionLeaderEpoch(5)).toThrow(unsupported);
    expect(batch.isValid()).toBe(true);
  });
});

describe('validity', () => {
  it('notices every flipped bit from the CRC on, and a length that leaves the buffer', () => {
    const bytes = twoRecords();
    const batch = new RecordBatch().reset(bytes, 0);
    for (let bit = 17 * 8; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(batch.isValid()).toBe(false);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(batch.isValid()).toBe(true);
    expect(new RecordBatch().reset(bytes.subarray(0, -1), 0).isValid()).toBe(false);
    bytes.writeInt32BE(40, 8);
    expect(batch.isValid()).toBe(false);
    bytes.writeInt32BE(-1, 8);
    expect(batch.isValid()).toBe(false);
  });

  it.each(['legacy/v0-none', 'legacy/v1-none'])('notices every flipped bit from the magic on: %s', (name) => {
    const bytes = Buffer.from(readFixture(name).bytes);
    const batch = new RecordBatch().reset(bytes, 0);
    const size = batch.sizeInBytes;
    // The magic itself decides where fields are, so it is left alone.
    for (let bit = 17 * 8; bit < size * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(batch.isValid()).toBe(false);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(batch.isValid()).toBe(true);
  });

  it.each([0, 16, 17, 60])('refuses a header of %d bytes', (length) => {
    const bytes = twoRecords().subarray(0, length);
    expect(() => new RecordBatch().reset(bytes, 0)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
  });
});

describe('numbers beyond 2^53 - 1', () => {
  const { bytes } = readFixture('batches/v2-big-offset');

  it.each([0, 79])('the offsets of the batch at %d are refused, the rest is read', (position) => {
    const batch = new RecordBatch().reset(bytes, position);
    const refused = expect.objectContaining({ code: 'INVALID_RECORD' });
    expect(batch.isValid()).toBe(true);
    expect(batch.maxTimestamp).toBe(TIMESTAMP);
    expect(() => batch.baseOffset).toThrow(refused);
    expect(() => batch.lastOffset).toThrow(refused);
    expect(() => openCursor(new RecordCursor(), bytes, position)).toThrow(refused);
  });

  it('says which number it was', () => {
    expect(() => new RecordBatch().reset(bytes, 79).baseOffset).toThrow(
      'The base offset at position 79 is 9223372036854775797',
    );
  });

  it('a last offset that passes the limit is refused although the base offset does not', () => {
    const own = twoRecords();
    const batch = new RecordBatch().reset(own, 0);
    batch.setBaseOffset(Number.MAX_SAFE_INTEGER);
    expect(() => batch.lastOffset).toThrow('last offset');
    expect(() => openCursor(new RecordCursor(), own, 0)).toThrow('last offset');
    batch.setBaseOffset(Number.MAX_SAFE_INTEGER - 1);
    expect(batch.lastOffset).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => batch.nextOffset).toThrow('next offset');
  });
});

it('a sequence wraps to 0, and a batch without one has no last one', () => {
  expect(incrementSequence(2147483646, 1)).toBe(2147483647);
  expect(incrementSequence(2147483647, 1)).toBe(0);
  expect(incrementSequence(2147483647, 2147483647)).toBe(2147483646);
  const batch = new RecordBatch().reset(twoRecords(), 0);
  expect(batch.lastSequence).toBe(-1);
});

it('names the codec ids that Kafka has not given a meaning', () => {
  const bytes = twoRecords();
  bytes[22] = 6;
  const batch = new RecordBatch().reset(bytes, 0);
  expect(batch.compressionId).toBe(6);
  expect(() => batch.compressionType).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_COMPRESSION_TYPE' }));
});
