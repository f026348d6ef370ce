import type { RecordCursor } from '../../format/record-cursor.js';
import type { LocalBatch } from './local-batch.js';

/** Decides which partition's records come next. */
export interface BatchOrder {
  /**
   * The next batch; `undefined` when nothing is there now. Then either everything has been handed out, or what is
   * paused, or not written yet, has to be waited for.
   */
  next(): Promise<LocalBatch | undefined>;
  /**
   * The next batch, if it takes no waiting; `undefined`: {@link next} finds out. Records of partitions in turn are
   * batches of one, each of which would cost more promises than bytes.
   */
  nextNow?(): LocalBatch | undefined;
  /** As `ConsumerBatches.mergeNow`. */
  mergeNow?(take: (cursors: readonly RecordCursor[]) => void): boolean;
}
