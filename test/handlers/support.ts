import type { ConsumerBatch } from '../../src/clients/client.js';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import type { HandledRecord } from '../../src/handlers/handler.js';

export interface TestRecord {
  readonly partition?: number;
  readonly key?: string | null;
  readonly value?: string;
}

/** Batches of one record each, of the topic `t`, offsets counted by partition. */
export function batchesOf(records: readonly TestRecord[]): ConsumerBatch[] {
  const next = new Map<number, number>();
  return records.map(({ partition = 0, key = null, value = '' }) => {
    const offset = next.get(partition) ?? 0;
    next.set(partition, offset + 1);
    const builder = new RecordBatchBuilder({});
    const [keyBytes, valueBytes] = [key === null ? null : Buffer.from(key), Buffer.from(value)];
    builder.append(keyBytes, 0, keyBytes?.length ?? 0, valueBytes, 0, valueBytes.length, 1000, []);
    const bytes = Uint8Array.from(builder.build({ baseOffset: offset }));
    return {
      topic: 't',
      partition,
      cursor: openCursor(new RecordCursor(), bytes, 0),
      leaderEpoch: 0,
      compression: 'none',
      producerId: -1,
      producerEpoch: -1,
      isTransactional: false,
      logStartOffset: 0,
      lastStableOffset: records.length,
      highWatermark: records.length,
    };
  });
}

export async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

export function record(offset: number, fields: Partial<HandledRecord> = {}): HandledRecord {
  const value = Buffer.from(`v${offset}`);
  const input = Buffer.from(`v${offset}\n`);
  return { topic: 't', partition: 0, offset, timestamp: 1000, key: null, value, headers: [], input, ...fields };
}
