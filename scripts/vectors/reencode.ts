import { ATTRIBUTES_AT, LOG_APPEND_TIME_BIT, RecordBatch } from '../../src/format/record-batch.js';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';

/** An uncompressed v2 batch, decoded and built anew from its records and the fields of its header. */
export function reencode(original: Uint8Array): Uint8Array {
  const batch = new RecordBatch().reset(original, 0);
  const builder = new RecordBatchBuilder();
  builder.reset(batch.deleteHorizonMs === undefined ? {} : { baseTimestamp: batch.deleteHorizonMs });

  const cursor = openCursor(new RecordCursor(), withOwnTimestamps(original), 0);
  while (cursor.next()) {
    builder.appendAt(
      cursor.offset - batch.baseOffset,
      cursor.keyStart < 0 ? null : cursor.buffer,
      cursor.keyStart,
      cursor.keyEnd,
      cursor.valueStart < 0 ? null : cursor.buffer,
      cursor.valueStart,
      cursor.valueEnd,
      cursor.timestamp,
      cursor.headers(),
    );
  }
  return builder.build({
    baseOffset: batch.baseOffset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    transactional: batch.isTransactional,
    control: batch.isControl,
    logAppendTime: batch.timestampType === 'append' ? batch.maxTimestamp : undefined,
    deleteHorizon: batch.hasDeleteHorizon,
    lastOffsetDelta: batch.lastOffsetDelta,
    // Nothing is left to compute it from.
    maxTimestamp: batch.recordCount === 0 ? batch.maxTimestamp : undefined,
  });
}

/** With the append time's bit cleared the records show the times that still stand in them, unread by consumers. */
function withOwnTimestamps(original: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(original);
  copy[ATTRIBUTES_AT + 1]! &= ~LOG_APPEND_TIME_BIT;
  return copy;
}
