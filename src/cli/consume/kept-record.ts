import type { ConsumerBatch } from '../../clients/client.js';
import { RecordBatchBuilder } from '../../format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../format/record-cursor.js';

/**
 * The record the cursor stands on, as a batch of its own that stays valid: for what prints records in another order.
 */
export function keepRecord(batch: ConsumerBatch): ConsumerBatch {
  const { cursor } = batch;
  const { offset, timestamp, key, value, headers } = cursor.toRecord();
  const logAppendTime = cursor.timestampType === 'append' ? timestamp : undefined;
  const builder = new RecordBatchBuilder({ initialBytes: 256 + (key?.length ?? 0) + (value?.length ?? 0) });
  builder.append(key, 0, key?.length ?? 0, value, 0, value?.length ?? 0, timestamp, headers);
  const bytes = Uint8Array.from(builder.build({ baseOffset: offset, logAppendTime }));
  const kept = new RecordCursor();
  return { ...batch, cursor: openCursor(kept, bytes, 0) };
}
