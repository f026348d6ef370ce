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
const CONCURRENT_LOOKS = 8;

export interface CommittedPlace extends TopicPartition {
  /** Undefined: nothing is. */
  readonly committed: number | undefined;
}

/** What remains of each behind the committed offset, or from the log's start where there is none. */
export async function partitionLags(store: LocalStore, places: readonly CommittedPlace[], now: number): Promise<Lag[]> {
  const partitionCounts = new Map<string, number>();
  for (const topic of new Set(places.map((place) => place.topic))) {
    partitionCounts.set(topic, (await store.topic(topic))?.partitions ?? 0);
  }
  const lags = new Array<Lag>(places.length).fill(UNKNOWN);
  let next = 0;
  const lookAtSome = async (): Promise<void> => {
    while (next < places.length) {
      const index = next++;
      const place = places[index]!;
      // Else its topic was deleted, or made anew with fewer partitions.
      const isThere = place.partition < partitionCounts.get(place.topic)!;
      if (isThere) lags[index] = await partitionLag(store, place, now);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_LOOKS }, lookAtSome));
  return lags;
}

async function partitionLag(
  store: LocalStore,
  { topic, partition, committed }: CommittedPlace,
  now: number,
): Promise<Lag> {
  const reader = await store.partitionReader(topic, partition);
  try {
    const { logStartOffset, highWatermark } = await reader.marks();
    const from = Math.max(committed ?? logStartOffset, logStartOffset);
    const lag = Math.max(0, highWatermark - from);
    const written = lag === 0 ? undefined : await nextTimestamp(reader, from, highWatermark);
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
