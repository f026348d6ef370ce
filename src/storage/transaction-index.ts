/**
 * Transaction index, `.txnindex`: the aborted transactions whose ABORT marker lies in the segment, in the order of the
 * markers; absent while there is none. Entries of 34 bytes, big-endian, offsets absolute:
 *
 * ```
 *  0  i16  version 0
 *  2  i64  producerId
 * 10  i64  firstOffset        may lie in an earlier segment
 * 18  i64  lastOffset         that of the marker
 * 26  i64  lastStableOffset   just after the marker
 * ```
 */
import { KlogError } from '../errors.js';
import { readInt16, readInt64, writeInt16, writeInt64 } from '../format/int64.js';
import { type OpenFile, writeFully } from './file-system.js';

export const TRANSACTION_INDEX_ENTRY_SIZE = 34;
const VERSION = 0;
const PRODUCER_ID_AT = 2;
const FIRST_OFFSET_AT = 10;
const LAST_OFFSET_AT = 18;
const LAST_STABLE_OFFSET_AT = 26;

/** Entries read at once: 61 KiB. */
const ENTRIES_PER_READ = 1840;

/** Kafka's AbortedTxn. */
export interface AbortedTransaction {
  readonly producerId: number;
  /** First offset of the transaction in this partition. */
  readonly firstOffset: number;
  /** Offset of the ABORT marker. */
  readonly lastOffset: number;
  /** Last stable offset just after the marker. */
  readonly lastStableOffset: number;
}

export interface AbortedTransactions {
  readonly aborted: AbortedTransaction[];
  /** Whether no later segment's index can have more for the range. */
  readonly isComplete: boolean;
}

function encodeAbortedTransaction(into: Uint8Array, at: number, entry: AbortedTransaction): void {
  writeInt16(into, at, VERSION);
  writeInt64(into, at + PRODUCER_ID_AT, entry.producerId, 'producer id');
  writeInt64(into, at + FIRST_OFFSET_AT, entry.firstOffset, 'first offset');
  writeInt64(into, at + LAST_OFFSET_AT, entry.lastOffset, 'last offset');
  writeInt64(into, at + LAST_STABLE_OFFSET_AT, entry.lastStableOffset, 'last stable offset');
}

export class TransactionIndex {
  readonly #file: OpenFile;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  /** Writes the entries at `size`, the end of those there are. Returns the new size. */
  async append(entries: readonly AbortedTransaction[], size: number): Promise<number> {
    const bytes = Buffer.allocUnsafe(entries.length * TRANSACTION_INDEX_ENTRY_SIZE);
    entries.forEach((entry, slot) => {
      encodeAbortedTransaction(bytes, slot * TRANSACTION_INDEX_ENTRY_SIZE, entry);
    });
    return writeFully(this.#file, bytes, 0, bytes.length, size);
  }

  /**
   * The entries in the first `size` bytes, in order. CORRUPT_MESSAGE: a version that is not known, offsets that cannot
   * be, or fewer bytes than told; an index that lies would show aborted records as committed.
   */
  async *entries(size: number): AsyncGenerator<AbortedTransaction> {
    const count = Math.floor(size / TRANSACTION_INDEX_ENTRY_SIZE);
    let previous = -1;
    for (let slot = 0; slot < count; slot += ENTRIES_PER_READ) {
      const length = Math.min(count - slot, ENTRIES_PER_READ) * TRANSACTION_INDEX_ENTRY_SIZE;
      const start = slot * TRANSACTION_INDEX_ENTRY_SIZE;
      const bytes = Buffer.allocUnsafe(length);
      if ((await this.#file.read(bytes, 0, length, start)) < length) throw this.#corrupt(start, 'ends too early');
      for (let at = 0; at < length; at += TRANSACTION_INDEX_ENTRY_SIZE) {
        const entry = this.#decode(bytes, at, start + at);
        if (entry.lastOffset <= previous) throw this.#corrupt(start + at, 'goes back in offsets');
        previous = entry.lastOffset;
        yield entry;
      }
    }
  }

  /**
   * What a fetch of `[fetchOffset, upperBoundOffset)` under read_committed must leave out, as far as this index knows.
   */
  async collectAborted(fetchOffset: number, upperBoundOffset: number, size: number): Promise<AbortedTransactions> {
    const aborted: AbortedTransaction[] = [];
    for await (const entry of this.entries(size)) {
      if (entry.lastOffset >= fetchOffset && entry.firstOffset < upperBoundOffset) aborted.push(entry);
      if (entry.lastStableOffset >= upperBoundOffset) return { aborted, isComplete: true };
    }
    return { aborted, isComplete: false };
  }

  #decode(bytes: Buffer, at: number, position: number): AbortedTransaction {
    const version = readInt16(bytes, at);
    if (version !== VERSION) throw this.#corrupt(position, `has version ${version}`);
    const entry = {
      producerId: readInt64(bytes, at + PRODUCER_ID_AT, 'producer id'),
      firstOffset: readInt64(bytes, at + FIRST_OFFSET_AT, 'first offset'),
      lastOffset: readInt64(bytes, at + LAST_OFFSET_AT, 'last offset'),
      lastStableOffset: readInt64(bytes, at + LAST_STABLE_OFFSET_AT, 'last stable offset'),
    };
    if (entry.firstOffset > entry.lastOffset) throw this.#corrupt(position, 'ends before it begins');
    return entry;
  }

  #corrupt(position: number, what: string): KlogError {
    return new KlogError('CORRUPT_MESSAGE', `the transaction index entry at ${this.#file.path}:${position} ${what}`, {
      file: this.#file.path,
      position,
      hint: 'klog log repair builds it again from the log',
    });
  }
}
