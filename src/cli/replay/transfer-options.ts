import type { ConsumerBatch } from '../../clients/client.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import type { RecordFilter } from '../consume/print-records.js';
import { describeBatch, emptyContext } from '../record-format/format-context.js';

/** A record filter of the command line for the transfer, which knows batches. */
export function batchFilter(
  filter: RecordFilter | undefined,
): ((cursor: RecordCursor, batch: ConsumerBatch) => boolean) | undefined {
  if (filter === undefined) return undefined;
  const context = emptyContext();
  let described: ConsumerBatch | undefined;
  return (cursor, batch) => {
    if (batch !== described) describeBatch(batch, context);
    described = batch;
    return filter(cursor, context);
  };
}
