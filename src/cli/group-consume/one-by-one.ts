import type { ConsumerBatch } from '../../clients/client.js';
import type { Consumer, ConsumerRecord } from '../../clients/consumer.js';
import { RecordBatchBuilder } from '../../format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../format/record-cursor.js';

/**
 * Each record as a batch of its own: a member of a group that takes records one by one lets go of a partition between
 * two of them. What a record does not tell of its batch is unknown.
 */
export async function* oneByOne(consumer: Consumer): AsyncGenerator<ConsumerBatch> {
  for await (const record of consumer) yield batchOf(record);
}

function batchOf(record: ConsumerRecord): ConsumerBatch {
  const { topic, partition, offset, timestamp, timestampType, key, value, headers, leaderEpoch } = record;
  const builder = new RecordBatchBuilder({ initialBytes: 256 + (key?.length ?? 0) + (value?.length ?? 0) });
  builder.append(key, 0, key?.length ?? 0, value, 0, value?.length ?? 0, timestamp, headers);
  const logAppendTime = timestampType === 'append' ? timestamp : undefined;
  const bytes = Uint8Array.from(builder.build({ baseOffset: offset, logAppendTime }));
  return {
    topic,
    partition,
    cursor: openCursor(new RecordCursor(), bytes, 0),
    leaderEpoch,
    compression: 'none',
    producerId: -1,
    producerEpoch: -1,
    isTransactional: false,
    logStartOffset: -1,
    lastStableOffset: -1,
    highWatermark: -1,
  };
}
