import type { OpenFile } from '../../storage/file-system.js';
import { OFFSET_INDEX_ENTRY_SIZE, OffsetIndex, type OffsetIndexEntry } from '../../storage/offset-index.js';
import type { CheckedBatch } from './check-segment.js';

type Report = (reason: string, position: number) => void;

/**
 * Holds a `.index` against the batches of its `.log`, told one after the other: each entry leads to a batch, and names
 * the last offset of it, or, as brokers before 4.1 wrote it, of one behind it and before the next entry's.
 */
export class OffsetIndexCheck {
  readonly #index: OffsetIndex;
  readonly #baseOffset: number;
  readonly #size: number;
  readonly #report: Report;
  #entry: OffsetIndexEntry | undefined;
  #slot = -1;
  /** An entry whose batch was met, and whose offset is still to come. */
  #open: OffsetIndexEntry | undefined;

  /** @param size bytes of entries, zeros of room made in advance perhaps behind them */
  constructor(file: OpenFile, baseOffset: number, size: number, report: Report) {
    this.#index = new OffsetIndex(file, baseOffset);
    this.#baseOffset = baseOffset;
    this.#size = size;
    this.#report = report;
  }

  /** The next piece of the `.log`; of a damaged one nothing is known but where it stands. */
  async batch(batch: CheckedBatch): Promise<void> {
    if (this.#slot < 0) await this.#advance();
    for (; this.#entry !== undefined && this.#entry.position < batch.position; await this.#advance()) {
      this.#wrong(this.#entry, `leads to position ${this.#entry.position}, where no batch begins`);
    }
    if (batch.isDamaged) {
      const end = batch.position + batch.size;
      while (this.#entry !== undefined && this.#entry.position < end) await this.#advance();
      this.#open = undefined;
      return;
    }
    if (this.#entry?.position === batch.position) {
      this.#close();
      this.#open = this.#entry;
      // Brokers of the old formats wrote the first offset.
      if (batch.isLegacy && this.#entry.offset < batch.lastOffset && this.#entry.offset >= batch.expected) {
        this.#open = undefined;
      }
      await this.#advance();
    }
    const open = this.#open;
    if (open === undefined || open.offset > batch.lastOffset) return;
    this.#open = undefined;
    if (open.offset !== batch.lastOffset) {
      this.#wrong(open, `names offset ${open.offset}, with which no batch behind position ${open.position} ends`);
    }
  }

  /** The `.log` ends. */
  async end(): Promise<void> {
    if (this.#slot < 0) await this.#advance();
    this.#close();
    for (; this.#entry !== undefined; await this.#advance()) {
      this.#wrong(this.#entry, `leads to position ${this.#entry.position}, behind the last batch`);
    }
  }

  #close(): void {
    if (this.#open !== undefined) {
      this.#wrong(this.#open, `names offset ${this.#open.offset}, with which no batch behind it ends`);
    }
    this.#open = undefined;
  }

  async #advance(): Promise<void> {
    const first = this.#slot + 1;
    let slot = first;
    let entry = await this.#at(slot);
    while (entry?.position === 0 && entry.offset === this.#baseOffset) {
      slot += 1;
      entry = await this.#at(slot);
    }
    // Zeros are room made in advance, if nothing comes behind them.
    if (entry !== undefined && slot > first)
      this.#report('holds zeros between its entries', first * OFFSET_INDEX_ENTRY_SIZE);
    this.#slot = slot;
    this.#entry = entry;
  }

  async #at(slot: number): Promise<OffsetIndexEntry | undefined> {
    if ((slot + 1) * OFFSET_INDEX_ENTRY_SIZE > this.#size) return undefined;
    const entry = await this.#index.entry(slot, this.#size);
    return entry.slot < 0 ? undefined : entry;
  }

  #wrong(entry: OffsetIndexEntry, what: string): void {
    this.#report(`entry ${entry.slot} ${what}`, entry.slot * OFFSET_INDEX_ENTRY_SIZE);
  }
}
