import { RecordBatch } from '../../format/record-batch.js';
import { openCursor, RecordCursor } from '../../format/record-cursor.js';
import type { TopicPartition } from '../client.js';
import type { GroupOffset } from '../group-admin.js';
import { loadCodecsOf } from './block-reader.js';
import type { LocalStore, PartitionReader } from './local-store.js';

type Lag = Pick<GroupOffset, 'logStartOffset' | 'logEndOffset' | 'lag' | 'lagMs'>;

const UNKNOWN: Lag = { logStartOffset: -1, logEndOffset: -1, lag: -1, lagMs: -1 };
/** Enough for the next record, whatever its size: a fetch has a whole batch at least. */
const FETCH_BYTES = 4096;

/** What remains behind the committed offset, or from the log's start where there is none. */
export async function partitionLag(
  store: LocalStore,
  { topic, partition }: TopicPartition,
  committed: number | undefined,
  now: number,
): Promise<Lag> {
  // Its topic was deleted, or made anew with fewer partitions.
  if (partition >= ((await store.topic(topic))?.partitions ?? 0)) return UNKNOWN;
  const reader = await store.partitionReader(topic, partition);
  try {
    const { logStartOffset, highWatermark } = await reader.marks();
    const next = Math.max(committed ?? logStartOffset, logStartOffset);
    const lag = Math.max(0, highWatermark - next);
    const written = lag === 0 ? undefined : await nextTimestamp(reader, next, highWatermark);
    const lagMs = written === undefined ? 0 : written < 0 ? -1 : Math.max(0, now - written);
    return { logStartOffset, logEndOffset: highWatermark, lag, lagMs };
  } finally {
    await reader.close();
  }
}

/** Of the first record from `offset` on. `undefined`: only markers are there. */
async function nextTimestamp(reader: PartitionReader, offset: number, end: number): Promise<number | undefined> {
  const batch = new RecordBatch();
  const cursor = new RecordCursor();
  for (let from = offset; from < end; ) {
    const block = await reader.fetch(from, FETCH_BYTES);
    if (block.nextOffset <= from) return undefined;
    await loadCodecsOf(block);
    for (let at = block.start; at < block.end; at += batch.sizeInBytes) {
      batch.reset(block.buffer, at);
      if (batch.isControl) continue;
      openCursor(cursor, block.buffer, at).skipTo(offset);
      if (cursor.next()) return cursor.timestamp;
    }
    from = block.nextOffset;
  }
  return undefined;
}
