/**
 * Which records of a batch survive a compaction (Kafka: `Cleaner.cleanInto`, `shouldRetainRecord`).
 *
 * - At or beyond the upper bound everything stays. Below it a record without a key goes, one with a key stays if it is
 *   the key's last, and a tombstone that is the last until its batch's delete horizon has passed.
 * - The first pass that keeps a tombstone gives its batch the horizon: now + `delete.retention.ms`.
 * - Data of aborted transactions goes. A marker gets a horizon when a pass met none of its data, and goes after it.
 * - A batch without records stays as a header if a producer that is still active needs its sequence, or it ends the
 *   range.
 */
import { controlRecordType } from '../format/control-record.js';
import { RecordBatch } from '../format/record-batch.js';
import { openCursor, RecordCursor } from '../format/record-cursor.js';
import type { BatchPlan, BatchRetention } from './batch-filter.js';
import type { CleanedTransactions, MarkerType } from './cleaned-transactions.js';
import type { KeyOffsetMap } from './key-offset-map.js';
import type { AbortedTransaction } from './transaction-index.js';

/** What the log must go on to show of a producer. */
export interface ActiveProducer {
  /** -1: only a marker is known of it. */
  readonly lastDataOffset: number;
  readonly producerEpoch: number;
}

export interface CompactionPass {
  readonly lastOffsets: KeyOffsetMap;
  /** First offset that `lastOffsets` does not cover. */
  readonly upperBound: number;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  readonly transactions: CleanedTransactions;
  readonly activeProducers: ReadonlyMap<number, ActiveProducer>;
}

export interface CompactionPlan extends BatchPlan {
  /** The batch is the marker of this aborted transaction. */
  readonly aborted: AbortedTransaction | undefined;
  /** Whether data of that transaction was met. */
  readonly dataMet: boolean;
}

export class CompactionRules {
  readonly #pass: CompactionPass;
  readonly #batch = new RecordBatch();

  constructor(pass: CompactionPass) {
    this.#pass = pass;
  }

  /** @param endsRange the batch's last offset must not be lost, whatever becomes of its records */
  planFor(bytes: Buffer, endsRange: boolean): CompactionPlan {
    const { transactions, nowMs, deleteRetentionMs, upperBound } = this.#pass;
    const batch = this.#batch.reset(bytes, 0);
    const { isControl, deleteHorizonMs } = batch;
    let aborted: AbortedTransaction | undefined;
    let mayDiscard: boolean;
    if (isControl) ({ mayDiscard, aborted } = transactions.endWith(batch, markerTypeOf(bytes)));
    else mayDiscard = transactions.mayDiscardData(batch);
    const discards = mayDiscard && (!isControl || (deleteHorizonMs !== undefined && deleteHorizonMs <= nowMs));
    return {
      retention: this.#retention(batch, discards, endsRange || batch.nextOffset === upperBound),
      keeps: (cursor) => !discards && (isControl || this.#keeps(cursor, deleteHorizonMs)),
      newHorizonMs: nowMs + deleteRetentionMs,
      needsHorizon: mayDiscard && isControl,
      aborted,
      dataMet: aborted !== undefined && !mayDiscard,
    };
  }

  #retention(batch: RecordBatch, discards: boolean, endsRange: boolean): BatchRetention {
    if (endsRange || this.#isNeededByProducer(batch)) return 'retain-empty';
    return discards ? 'delete' : 'delete-empty';
  }

  #isNeededByProducer(batch: RecordBatch): boolean {
    const { producerId } = batch;
    if (producerId < 0) return false;
    const active = this.#pass.activeProducers.get(producerId);
    if (active === undefined) return false;
    if (active.lastDataOffset >= 0) return batch.lastOffset === active.lastDataOffset;
    return batch.isControl && batch.producerEpoch === active.producerEpoch;
  }

  #keeps(cursor: RecordCursor, deleteHorizonMs: number | undefined): boolean {
    const { lastOffsets, upperBound, nowMs } = this.#pass;
    if (cursor.offset >= upperBound) return true;
    if (cursor.keyStart < 0) return false;
    if (cursor.offset < lastOffsets.get(cursor.buffer, cursor.keyStart, cursor.keyEnd)) return false;
    return cursor.valueStart >= 0 || deleteHorizonMs === undefined || nowMs < deleteHorizonMs;
  }
}

/** `undefined`: the control batch has no record any more. */
export function markerTypeOf(bytes: Buffer): MarkerType | undefined {
  const cursor = openCursor(new RecordCursor(), bytes, 0);
  if (!cursor.next()) return undefined;
  const type = controlRecordType(cursor.buffer, cursor.keyStart, cursor.keyEnd);
  return type === 'ABORT' || type === 'COMMIT' ? type : 'other';
}
