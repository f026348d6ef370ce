import { type Codec, loadCodec } from '../../format/compression.js';
import { RecordBatch } from '../../format/record-batch.js';
import { RecordBatchBuilder } from '../../format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../format/record-cursor.js';

/**
 * A batch without its records below `offset`, beginning there: the log start may lie inside a batch, and what lies
 * before it is deleted. Producer, times, codec and the other offsets stay.
 */
export async function trimmedBatch(bytes: Uint8Array, offset: number): Promise<Uint8Array> {
  const batch = new RecordBatch().reset(bytes, 0);
  const type = batch.compressionType;
  const codec: Codec | undefined = type === 'none' ? undefined : await loadCodec(type);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const cursor = openCursor(new RecordCursor(), buffer, 0);
  const builder = new RecordBatchBuilder({ initialBytes: bytes.length, codec });
  if (batch.hasDeleteHorizon) builder.reset({ baseTimestamp: batch.baseTimestamp });
  cursor.skipTo(offset);
  while (cursor.next()) {
    const { keyStart, keyEnd, valueStart, valueEnd, timestamp, headerCount } = cursor;
    const key = keyStart < 0 ? null : cursor.buffer;
    const value = valueStart < 0 ? null : cursor.buffer;
    const headers = headerCount === 0 ? null : cursor.headers();
    builder.appendAt(cursor.offset - offset, key, keyStart, keyEnd, value, valueStart, valueEnd, timestamp, headers);
  }
  const { producerId, producerEpoch, baseSequence, baseOffset } = batch;
  return builder.build({
    baseOffset: offset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    producerId,
    producerEpoch,
    baseSequence: baseSequence < 0 ? baseSequence : sequenceAfter(baseSequence, offset - baseOffset),
    transactional: batch.isTransactional,
    control: batch.isControl,
    deleteHorizon: batch.hasDeleteHorizon,
    lastOffsetDelta: batch.lastOffset - offset,
    maxTimestamp: batch.maxTimestamp,
    ...(batch.timestampType === 'append' ? { logAppendTime: batch.maxTimestamp } : {}),
  });
}

/** Kafka's sequence numbers go on at 0 behind 2^31 - 1. */
function sequenceAfter(sequence: number, records: number): number {
  return (sequence + records) % 2 ** 31;
}
