/**
 * Which producers have a transaction open in a partition and since which offset, from its batches in the order of the
 * log. Gives the last stable offset, and for each aborted transaction its entry of the transaction index.
 *
 * - The first transactional batch of a producer opens its transaction, a COMMIT or ABORT marker closes it.
 * - A marker of a producer with nothing open closes nothing.
 * - The last stable offset is the first offset of the oldest open transaction; with none open, the end of the log.
 */
import type { AbortedTransaction } from './transaction-index.js';

export interface OpenTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export class TransactionTracker {
  /** By producer id, in the order of their first offsets: they are added as the log grows. */
  readonly #open = new Map<number, number>();

  /** @param open those of an earlier point of the log, from which the batches go on */
  constructor(open: Iterable<OpenTransaction> = []) {
    const ordered = [...open].sort((a, b) => a.firstOffset - b.firstOffset);
    for (const { producerId, firstOffset } of ordered) this.#open.set(producerId, firstOffset);
  }

  /** A transactional batch that is no marker. */
  addData(producerId: number, baseOffset: number): void {
    if (!this.#open.has(producerId)) this.#open.set(producerId, baseOffset);
  }

  /** A marker. Returns the entry for the transaction index if it aborted something. */
  addMarker(producerId: number, offset: number, committed: boolean): AbortedTransaction | undefined {
    const firstOffset = this.#open.get(producerId);
    if (firstOffset === undefined) return undefined;
    this.#open.delete(producerId);
    if (committed) return undefined;
    return { producerId, firstOffset, lastOffset: offset, lastStableOffset: this.lastStableOffset(offset + 1) };
  }

  /** @param logEndOffset the answer when no transaction is open */
  lastStableOffset(logEndOffset: number): number {
    return this.firstUnstable?.firstOffset ?? logEndOffset;
  }

  /** The oldest open transaction. */
  get firstUnstable(): OpenTransaction | undefined {
    for (const [producerId, firstOffset] of this.#open) return { producerId, firstOffset };
    return undefined;
  }

  /** All open transactions, the oldest first. */
  get open(): OpenTransaction[] {
    return Array.from(this.#open, ([producerId, firstOffset]) => ({ producerId, firstOffset }));
  }
}
