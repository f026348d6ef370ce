/**
 * What compaction must know of transactions while it goes through a log in order (Kafka: `CleanedTransactionMetadata`):
 * data of aborted ones goes at once; a marker may go only after a pass has met none of its transaction's data.
 */
import type { RecordBatch } from '../format/record-batch.js';
import type { AbortedTransaction } from './transaction-index.js';

export type MarkerType = 'ABORT' | 'COMMIT' | 'other';

export class CleanedTransactions {
  /** Not begun yet, the first one last. */
  readonly #ahead: AbortedTransaction[];
  readonly #aborted = new Map<number, { readonly entry: AbortedTransaction; dataMet: boolean }>();
  readonly #committed = new Set<number>();

  /** @param aborted those with offsets in the log that is gone through, in any order */
  constructor(aborted: Iterable<AbortedTransaction>) {
    this.#ahead = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /** A batch of data. True: its transaction was aborted, so its records may go. */
  mayDiscardData(batch: RecordBatch): boolean {
    this.#begin(batch.lastOffset);
    if (!batch.isTransactional) return false;
    const { producerId } = batch;
    const aborted = this.#aborted.get(producerId);
    if (aborted === undefined) {
      this.#committed.add(producerId);
      return false;
    }
    aborted.dataMet = true;
    return true;
  }

  /**
   * A control batch; `undefined`: one without a record, which was cleaned before. `mayDiscard`: no data of its
   * transaction was met. `aborted`: its entry of the transaction index.
   */
  endWith(
    batch: RecordBatch,
    type: MarkerType | undefined,
  ): { readonly mayDiscard: boolean; readonly aborted: AbortedTransaction | undefined } {
    this.#begin(batch.lastOffset);
    if (type === undefined) return { mayDiscard: true, aborted: undefined };
    const { producerId } = batch;
    if (type === 'COMMIT') return { mayDiscard: !this.#committed.delete(producerId), aborted: undefined };
    if (type === 'other') return { mayDiscard: false, aborted: undefined };
    const ended = this.#aborted.get(producerId);
    this.#aborted.delete(producerId);
    return { mayDiscard: ended?.dataMet !== true, aborted: ended?.entry };
  }

  /** Those that have begun when the log has come to `offset`. */
  #begin(offset: number): void {
    for (let next = this.#ahead.at(-1); next !== undefined && next.firstOffset <= offset; next = this.#ahead.at(-1)) {
      this.#ahead.pop();
      if (!this.#aborted.has(next.producerId)) this.#aborted.set(next.producerId, { entry: next, dataMet: false });
    }
  }
}
