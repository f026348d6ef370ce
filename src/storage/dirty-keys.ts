/** The first pass of a compaction: the last offset of each key of the dirty segments, and what producers wrote. */

import { loadCodec } from '../format/compression.js';
import { RecordBatch } from '../format/record-batch.js';
import { codecNeeded, openCursor, RecordCursor } from '../format/record-cursor.js';
import { BatchScanner, SEQUENTIAL_WINDOW_BYTES } from './batch-scanner.js';
import type { Breather } from './breather.js';
import { CleanedTransactions } from './cleaned-transactions.js';
import type { ClosedSegment, CompactionRange } from './compaction-range.js';
import { type ActiveProducer, markerTypeOf } from './compaction-rules.js';
import { KeyOffsetMap } from './key-offset-map.js';
import type { LogContext } from './log-context.js';
import { segmentFileName } from './log-files.js';
import { largestTimestamp } from './log-retention.js';
import { segmentBatches } from './segment-batches.js';
import type { AbortedTransaction } from './transaction-index.js';

/** Kafka: `producer.id.expiration.ms`, 1 day: a producer that wrote nothing for so long is forgotten. */
const PRODUCER_EXPIRATION_MS = 24 * 60 * 60 * 1000;

export interface DirtyKeys {
  readonly lastOffsets: KeyOffsetMap;
  /** First offset not covered: the end of the dirty segments, or where the map was full. */
  readonly upperBound: number;
  readonly activeProducers: ReadonlyMap<number, ActiveProducer>;
}

export async function collectDirtyKeys(
  context: LogContext,
  range: CompactionRange,
  aborted: readonly AbortedTransaction[],
  options: { readonly nowMs: number; readonly mapBytes: number | undefined; readonly breather: Breather },
): Promise<DirtyKeys> {
  const { breather, nowMs } = options;
  const { firstDirtyOffset } = range;
  const lastOffsets = new KeyOffsetMap(options.mapBytes);
  const producers = new ProducersSeen(nowMs - PRODUCER_EXPIRATION_MS);
  for (const segment of range.clean) await producers.scan(context, segment, breather);
  const transactions = new CleanedTransactions(aborted.filter(({ lastOffset }) => lastOffset >= firstDirtyOffset));
  const cursor = new RecordCursor();
  const batch = new RecordBatch();
  let upperBound = firstDirtyOffset;
  for (const { baseOffset, endOffset, sizeInBytes } of range.dirty) {
    for await (const { bytes } of segmentBatches(context.fs, context.directory, baseOffset, endOffset, sizeInBytes)) {
      await breather.breathe();
      batch.reset(bytes, 0);
      producers.add(batch);
      if (batch.isControl) {
        transactions.endWith(batch, markerTypeOf(bytes));
        continue;
      }
      if (transactions.mayDiscardData(batch)) continue;
      const codec = codecNeeded(bytes, 0);
      if (codec !== undefined) await loadCodec(codec);
      openCursor(cursor, bytes, 0);
      while (cursor.next()) {
        if (cursor.keyStart < 0 || cursor.offset < firstDirtyOffset) continue;
        if (!lastOffsets.put(cursor.buffer, cursor.keyStart, cursor.keyEnd, cursor.offset)) {
          return { lastOffsets, upperBound: cursor.offset, activeProducers: producers.active };
        }
      }
    }
    upperBound = endOffset;
  }
  return { lastOffsets, upperBound, activeProducers: producers.active };
}

/** The newest batch of data of each producer, or its newest marker. */
class ProducersSeen {
  readonly #since: number;
  readonly #seen = new Map<number, ActiveProducer & { readonly timestamp: number }>();

  constructor(since: number) {
    this.#since = since;
  }

  add(batch: RecordBatch): void {
    const { producerId, producerEpoch, maxTimestamp: timestamp } = batch;
    if (producerId < 0) return;
    const lastDataOffset = batch.isControl ? (this.#seen.get(producerId)?.lastDataOffset ?? -1) : batch.lastOffset;
    this.#seen.set(producerId, { lastDataOffset, producerEpoch, timestamp });
  }

  /** Headers only, and only where a producer may still be active. */
  async scan(context: LogContext, { baseOffset }: ClosedSegment, breather: Breather): Promise<void> {
    if ((await largestTimestamp(context, baseOffset)) < this.#since) return;
    const log = await context.fs.open(`${context.directory}/${segmentFileName(baseOffset, '.log')}`, 'read');
    try {
      const scanner = new BatchScanner(log, (await log.stat()).size, { windowBytes: SEQUENTIAL_WINDOW_BYTES });
      while (await scanner.next()) {
        this.add(scanner.batch);
        await breather.breathe();
      }
    } finally {
      await log.close();
    }
  }

  get active(): ReadonlyMap<number, ActiveProducer> {
    return new Map([...this.#seen].filter(([, { timestamp }]) => timestamp >= this.#since));
  }
}
