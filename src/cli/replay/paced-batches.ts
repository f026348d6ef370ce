import type { ConsumerBatch } from '../../clients/client.js';
import { keepRecord } from '../consume/kept-record.js';
import type { RecordFilter } from '../consume/print-records.js';
import type { ReplaySource } from './replay-into.js';
import { batchFilter } from './transfer-options.js';

/** Each wanted record on its own, at its time. `signal` ends a wait, and everything with it. */
export async function* paced(
  batches: AsyncIterable<ConsumerBatch>,
  filter: RecordFilter | undefined,
  wait: ReplaySource['wait'],
  signal: AbortSignal | undefined,
): AsyncGenerator<ConsumerBatch> {
  const isWanted = batchFilter(filter);
  for await (const batch of batches) {
    while (batch.cursor.next()) {
      if (isWanted !== undefined && !isWanted(batch.cursor, batch)) continue;
      await wait(batch.cursor, signal);
      if (signal?.aborted) return;
      yield keepRecord(batch);
    }
  }
}
