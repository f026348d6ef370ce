/**
 * What `read_committed` leaves out of a block of batches: those of aborted transactions. Each entry of the transaction
 * index says that everything transactional that its producer wrote from firstOffset up to the ABORT marker at
 * lastOffset was taken back; a producer has one transaction at a time in a partition, so that range is all there is to
 * look at.
 */
import type { AbortedTransaction } from './local-store.js';

export class CommittedFilter {
  readonly #byProducer = new Map<number, AbortedTransaction[]>();

  constructor(aborted: readonly AbortedTransaction[]) {
    for (const transaction of aborted) {
      const others = this.#byProducer.get(transaction.producerId);
      if (others === undefined) this.#byProducer.set(transaction.producerId, [transaction]);
      else others.push(transaction);
    }
    for (const transactions of this.#byProducer.values()) transactions.sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Of a transactional batch. */
  isAborted(producerId: number, baseOffset: number): boolean {
    const transactions = this.#byProducer.get(producerId);
    if (transactions === undefined) return false;
    // The last one that begins at or before the batch.
    let low = 0;
    let high = transactions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (transactions[middle]!.firstOffset <= baseOffset) low = middle + 1;
      else high = middle;
    }
    return low > 0 && baseOffset <= transactions[low - 1]!.lastOffset;
  }
}
