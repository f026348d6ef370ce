import { KlogError } from '../../errors.js';
import type { OpenFile } from '../../storage/file-system.js';
import {
  type AbortedTransaction,
  TRANSACTION_INDEX_ENTRY_SIZE,
  TransactionIndex,
} from '../../storage/transaction-index.js';
import { problemOf } from './batch-fields.js';

type Report = (reason: string, position: number) => void;

/**
 * Holds a `.txnindex` against what the batches of its `.log` ask for. An entry that is missing or false would show
 * aborted records as committed. One more than the batches ask for may be of a transaction whose beginning is gone from
 * the log.
 */
export class TransactionIndexCheck {
  readonly #entries: AsyncIterator<AbortedTransaction>;
  readonly #report: Report;
  #entry: AbortedTransaction | undefined;
  #position = -TRANSACTION_INDEX_ENTRY_SIZE;
  #hasEnded = false;

  constructor(file: OpenFile | undefined, size: number, report: Report) {
    this.#entries = (file === undefined ? none() : new TransactionIndex(file).entries(size))[Symbol.asyncIterator]();
    this.#report = report;
  }

  /** The next entry that the log asks for, in the order of markers. */
  async expect(wanted: AbortedTransaction): Promise<void> {
    while (!this.#hasEnded && (this.#entry === undefined || this.#entry.lastOffset < wanted.lastOffset))
      await this.#advance();
    const { producerId, firstOffset, lastOffset, lastStableOffset } = wanted;
    const found = this.#entry;
    if (found?.lastOffset !== lastOffset || found.producerId !== producerId) {
      const position = Math.max(0, this.#position);
      this.#report(`misses the transaction of producer ${producerId} aborted at offset ${lastOffset}`, position);
      return;
    }
    // What lies before the log's start is known to the index alone: it may say less, never more.
    if (found.firstOffset > firstOffset) {
      this.#report(
        `lets the transaction aborted at ${lastOffset} begin at ${found.firstOffset}, not at ${firstOffset}`,
        this.#position,
      );
    } else if (found.lastStableOffset > lastStableOffset) {
      this.#report(
        `says ${found.lastStableOffset} was stable at ${lastOffset}, and that was ${lastStableOffset}`,
        this.#position,
      );
    }
  }

  /** The rest must at least be entries. */
  async end(): Promise<void> {
    while (!this.#hasEnded) await this.#advance();
  }

  async #advance(): Promise<void> {
    this.#position += TRANSACTION_INDEX_ENTRY_SIZE;
    try {
      const { done, value } = await this.#entries.next();
      this.#hasEnded = done === true;
      this.#entry = done === true ? undefined : value;
    } catch (error) {
      if (!(error instanceof KlogError)) throw error;
      this.#hasEnded = true;
      this.#entry = undefined;
      this.#report(problemOf(error), this.#position);
    }
  }
}

async function* none(): AsyncGenerator<AbortedTransaction> {}
