import type { ConsumerBatch } from '../../clients/client.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import { keepRecord } from '../consume/kept-record.js';
import type { RecordFilter } from '../consume/print-records.js';
import { batchFilter } from './transfer-options.js';

/** Each wanted record on its own, at its time. */
export async function* paced(
  batches: AsyncIterable<ConsumerBatch>,
  filter: RecordFilter | undefined,
  wait: (cursor: RecordCursor) => Promise<void> | undefined,
): AsyncGenerator<ConsumerBatch> {
  const isWanted = batchFilter(filter);
  for await (const batch of batches) {
    while (batch.cursor.next()) {
      if (isWanted !== undefined && !isWanted(batch.cursor, batch)) continue;
      await wait(batch.cursor);
      yield keepRecord(batch);
    }
  }
}
