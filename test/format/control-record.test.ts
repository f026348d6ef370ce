import { describe, expect, it } from 'vitest';
import { buildTransactionMarker, controlRecordType, markerCoordinatorEpoch } from '../../src/format/control-record.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { type ExpectedBatch, type ExpectedRecord, readFixture } from './kafka-fixtures.js';

describe('transaction markers', () => {
  it.each(['batches/v2-txn-commit-abort', 'python/py-control-commit', 'python/py-control-abort'])(
    'equal the bytes of %s',
    (name) => {
      const { bytes, lines } = readFixture(name);
      let compared = 0;
      let batch: ExpectedBatch | undefined;
      for (const line of lines) {
        if (line.type === 'batch') batch = line;
        if (line.type !== 'record' || line.control === undefined) continue;
        const { producerEpoch, partitionLeaderEpoch, position, sizeInBytes } = batch!;
        const marker = buildTransactionMarker({
          result: line.control.type as 'ABORT' | 'COMMIT',
          coordinatorEpoch: line.control.coordinatorEpoch,
          producerId: Number(batch!.producerId),
          producerEpoch,
          partitionLeaderEpoch,
          timestamp: Number((line as ExpectedRecord).timestamp),
          baseOffset: Number(batch!.baseOffset),
        });
        expect(Buffer.from(marker).toString('hex')).toBe(bytes.toString('hex', position, position + sizeInBytes));
        compared++;
      }
      expect(compared).toBeGreaterThan(0);
    },
  );

  it('are read back', () => {
    const bytes = buildTransactionMarker({
      result: 'ABORT',
      coordinatorEpoch: -5,
      producerId: 2 ** 40,
      producerEpoch: 32767,
      timestamp: 9,
    });
    expect(bytes).toHaveLength(78);
    expect(new RecordBatch().reset(bytes, 0)).toMatchObject({
      isControl: true,
      isTransactional: true,
      baseSequence: -1,
    });
    const cursor = openCursor(new RecordCursor(), bytes, 0);
    cursor.next();
    expect(controlRecordType(cursor.buffer, cursor.keyStart, cursor.keyEnd)).toBe('ABORT');
    expect(markerCoordinatorEpoch(cursor.buffer, cursor.valueStart, cursor.valueEnd)).toBe(-5);
  });
});

describe('control record keys', () => {
  it.each([
    ['00000000', 'ABORT'],
    ['00000001', 'COMMIT'],
    ['00000002', 'LEADER_CHANGE'],
    ['00000006', 'KRAFT_VOTERS'],
    ['00000007', 'UNKNOWN'],
    ['0000ffff', 'UNKNOWN'],
    ['00010001aabb', 'COMMIT'],
  ])('%s is %s', (hex, type) => {
    const key = Buffer.from(`ee${hex}`, 'hex');
    expect(controlRecordType(key, 1, key.length)).toBe(type);
  });

  it.each(['', '000000', 'ffff0001'])('%s is refused', (hex) => {
    const key = Buffer.from(hex, 'hex');
    expect(() => controlRecordType(key, 0, key.length)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
  });

  it('a null key or value is refused', () => {
    expect(() => controlRecordType(Buffer.alloc(0), -1, -1)).toThrow(
      expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
    );
    expect(() => markerCoordinatorEpoch(Buffer.alloc(0), -1, -1)).toThrow(
      expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
    );
  });
});
