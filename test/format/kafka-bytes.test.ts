import { beforeAll, describe, expect, it } from 'vitest';
import { nextBatch, WalkResult } from '../../src/format/batch-walk.js';
import { COMPRESSION_TYPES, loadCodec } from '../../src/format/compression.js';
import { controlRecordType, markerCoordinatorEpoch } from '../../src/format/control-record.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { describeBytes, type ExpectedBatch, type ExpectedLine, fixtureNames, readFixture } from './kafka-fixtures.js';

const TIMESTAMP_TYPES = { create: 'CreateTime', append: 'LogAppendTime', none: 'NoTimestampType' };

beforeAll(() => Promise.all(COMPRESSION_TYPES.map(loadCodec)));

/** Everything in a file's bytes, in the words of the fixtures. */
function decode(bytes: Uint8Array): ExpectedLine[] {
  const lines: ExpectedLine[] = [];
  const cursor = new RecordCursor();
  const batch = new RecordBatch();
  const found = new WalkResult();
  let position = 0;
  while (nextBatch(bytes, position, bytes.length, found).status === 'batch') {
    batch.reset(bytes, position);
    const crcOk = batch.isValid();
    const records: ExpectedLine[] = [];
    if (crcOk) {
      openCursor(cursor, bytes, position);
      while (cursor.next()) {
        records.push({
          type: 'record',
          offset: String(cursor.offset),
          timestamp: String(cursor.timestamp),
          sequence: cursor.sequence,
          key: describeBytes(cursor.key()),
          value: describeBytes(cursor.value()),
          headers: cursor.headers().map(({ key, value }) => [key, describeBytes(value)] as const),
          ...(batch.isControl ? { control: control(cursor) } : {}),
        });
      }
    }
    const { magic, sizeInBytes, crc, compressionType: compression } = batch;
    const timestampType = TIMESTAMP_TYPES[batch.timestampType];
    const lastOffset = String(batch.lastOffset);
    const maxTimestamp = String(batch.maxTimestamp);
    const common = {
      type: 'batch',
      position,
      sizeInBytes,
      magic,
      lastOffset,
      crcOk,
      compression,
      timestampType,
      maxTimestamp,
    };
    lines.push(
      magic < 2
        ? (common as ExpectedBatch)
        : {
            ...(common as ExpectedBatch),
            baseOffset: String(batch.baseOffset),
            partitionLeaderEpoch: batch.partitionLeaderEpoch,
            crc,
            isTransactional: batch.isTransactional,
            isControl: batch.isControl,
            deleteHorizonMs: batch.deleteHorizonMs === undefined ? null : String(batch.deleteHorizonMs),
            producerId: String(batch.producerId),
            producerEpoch: batch.producerEpoch,
            baseSequence: batch.baseSequence,
            lastSequence: batch.lastSequence,
            recordCount: batch.recordCount,
          },
    );
    lines.push(...records);
    position += found.size;
  }
  lines.push({
    type: 'end',
    validBytes: position,
    fileSize: bytes.length,
    error: found.status === 'corrupt' ? 'CorruptRecordException' : null,
  });
  return lines;
}

function control(cursor: RecordCursor): { type: string; coordinatorEpoch: number } {
  return {
    type: controlRecordType(cursor.buffer, cursor.keyStart, cursor.keyEnd),
    coordinatorEpoch: markerCoordinatorEpoch(cursor.buffer, cursor.valueStart, cursor.valueEnd),
  };
}

describe('what Kafka and other clients wrote', () => {
  for (const folder of ['batches', 'legacy', 'corrupt', 'python', 'captured']) {
    it.each(fixtureNames(folder).filter((name) => name !== 'batches/v2-big-offset'))('decodes %s', (name) => {
      const { bytes, lines } = readFixture(name);
      expect(decode(bytes)).toEqual(lines);
    });
  }
});
