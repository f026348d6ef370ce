import type { ConsumerBatch } from '../clients/client.js';
import type { RecordWriter } from '../clients/producer.js';
import type { RecordHeader } from '../format/log-record.js';
import type { RecordCursor } from '../format/record-cursor.js';

export interface TransferOptions {
  /** To the partition it came from; else the partitioner chooses by key again. */
  readonly keepPartitions: boolean;
  /** Headers to put behind a record's own. */
  readonly headersFor?: ((batch: ConsumerBatch, cursor: RecordCursor) => readonly RecordHeader[]) | undefined;
  /** Only these. */
  readonly filter?: ((cursor: RecordCursor, batch: ConsumerBatch) => boolean) | undefined;
  /** Awaited before each record that it asks to wait for. */
  readonly before?: ((cursor: RecordCursor) => Promise<void> | undefined) | undefined;
  /** Default: all. */
  readonly maxRecords?: number | undefined;
  /** Counts the records as they go. */
  readonly tally?: { records: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Writes records again: key, value, headers and timestamp stay. Answers how many; the caller flushes. */
export async function transfer(
  batches: AsyncIterable<ConsumerBatch>,
  writer: RecordWriter,
  options: TransferOptions,
): Promise<number> {
  const { filter, before, headersFor, keepPartitions, signal, maxRecords = Number.POSITIVE_INFINITY } = options;
  const { tally = { records: 0 } } = options;
  for await (const batch of batches) {
    const { cursor } = batch;
    while (cursor.next()) {
      if (tally.records >= maxRecords) return tally.records;
      if (filter !== undefined && !filter(cursor, batch)) continue;
      const wait = before?.(cursor);
      if (wait !== undefined) await wait;
      if (signal?.aborted) return tally.records;
      if (!append(writer, cursor, headersFor?.(batch, cursor), keepPartitions ? batch.partition : -1)) {
        await writer.ready();
      }
      tally.records += 1;
    }
  }
  return tally.records;
}

function append(
  writer: RecordWriter,
  cursor: RecordCursor,
  more: readonly RecordHeader[] | undefined,
  partition: number,
): boolean {
  const { buffer, keyStart, keyEnd, valueStart, valueEnd, timestamp } = cursor;
  const own = cursor.headerCount === 0 ? null : cursor.headers();
  const headers = more === undefined ? own : [...(own ?? []), ...more];
  return writer.append(
    keyStart < 0 ? null : buffer,
    keyStart,
    keyEnd,
    valueStart < 0 ? null : buffer,
    valueStart,
    valueEnd,
    timestamp,
    headers,
    partition,
  );
}
