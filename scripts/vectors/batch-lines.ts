/**
 * The batches and records of a log's bytes as the lines that `.jsonl` files of vectors have: 64-bit numbers as decimal
 * text, bytes as hex, long ones as length and SHA-256.
 */
import { createHash } from 'node:crypto';
import { KlogError } from '../../src/errors.js';
import { nextBatch } from '../../src/format/batch-walk.js';
import { COMPRESSION_TYPES, loadCodec } from '../../src/format/compression.js';
import { controlRecordType, markerCoordinatorEpoch } from '../../src/format/control-record.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { codecNeeded, openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { isRefusal } from './refusal.js';

export type Line = Readonly<Record<string, unknown>> & { readonly type: string };

const TIMESTAMP_TYPES = { create: 'CreateTime', append: 'LogAppendTime', none: 'NoTimestampType' } as const;
const LONGEST_HEX = 4096;

/** Called for each whole v1 or v2 batch with a right CRC. */
export type BatchVisitor = (batch: RecordBatch) => void;

/**
 * Besides `batch`, `record` and `end` a line can be `error` (what stands in a batch cannot be decoded, which ends the
 * batch) or `refused` (a 64-bit value beyond 2^53 - 1, which ends the batch, too).
 */
export async function batchLines(bytes: Uint8Array, visit: BatchVisitor = () => {}): Promise<Line[]> {
  const lines: Line[] = [];
  const batch = new RecordBatch();
  let position = 0;
  let walk = nextBatch(bytes, position, bytes.length);
  for (; walk.status === 'batch'; walk = nextBatch(bytes, position, bytes.length)) {
    batch.reset(bytes, position);
    try {
      const crcOk = batch.isValid();
      lines.push(batchLine(batch, crcOk));
      if (crcOk) {
        await pushRecords(batch, lines);
        visit(batch);
      }
    } catch (error) {
      if (!(error instanceof KlogError)) throw error;
      lines.push({ type: isRefusal(error) ? 'refused' : 'error', class: error.code, message: error.message });
    }
    position += walk.size;
  }
  const error = walk.status === 'corrupt' ? 'CorruptRecordException' : null;
  lines.push({ type: 'end', validBytes: position, fileSize: bytes.length, error });
  return lines;
}

function batchLine(batch: RecordBatch, crcOk: boolean): Line {
  const compression = COMPRESSION_TYPES[batch.compressionId] ?? `unknown-${batch.compressionId}`;
  const timestampType = TIMESTAMP_TYPES[batch.timestampType];
  const maxTimestamp = String(batch.maxTimestamp);
  const where = { position: batch.position, sizeInBytes: batch.sizeInBytes, magic: batch.magic };
  const lastOffset = String(batch.lastOffset);
  if (batch.magic < 2) return { type: 'batch', ...where, lastOffset, crcOk, compression, timestampType, maxTimestamp };
  return {
    type: 'batch',
    ...where,
    baseOffset: String(batch.baseOffset),
    lastOffset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    crc: batch.crc,
    crcOk,
    compression,
    timestampType,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    deleteHorizonMs: batch.deleteHorizonMs === undefined ? null : String(batch.deleteHorizonMs),
    maxTimestamp,
    producerId: String(batch.producerId),
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    recordCount: batch.recordCount,
  };
}

async function pushRecords(batch: RecordBatch, lines: Line[]): Promise<void> {
  const codec = codecNeeded(batch.buffer, batch.position);
  if (codec !== undefined) await loadCodec(codec);
  const cursor = openCursor(new RecordCursor(), batch.buffer, batch.position);
  while (cursor.next()) {
    const line = {
      type: 'record',
      offset: String(cursor.offset),
      timestamp: String(cursor.timestamp),
      sequence: cursor.sequence,
      key: described(cursor.key()),
      value: described(cursor.value()),
      headers: cursor.headers().map(({ key, value }) => [key, described(value)]),
    };
    lines.push(batch.isControl ? { ...line, control: controlOf(cursor) } : line);
  }
}

function controlOf({ buffer, keyStart, keyEnd, valueStart, valueEnd }: RecordCursor): object {
  const type = controlRecordType(buffer, keyStart, keyEnd);
  if (type !== 'ABORT' && type !== 'COMMIT') return { type };
  return { type, coordinatorEpoch: markerCoordinatorEpoch(buffer, valueStart, valueEnd) };
}

function described(bytes: Uint8Array | null): string | object | null {
  if (bytes === null) return null;
  if (bytes.length <= LONGEST_HEX) return Buffer.from(bytes).toString('hex');
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
