import type { OpenFile } from '../../storage/file-system.js';
import { TIME_INDEX_ENTRY_SIZE, TimeIndex, type TimeIndexEntry } from '../../storage/time-index.js';
import type { CheckedBatch } from './check-segment.js';

type Report = (reason: string, position: number) => void;

/**
 * Holds a `.timeindex` against the batches of its `.log`: each entry names a time that was the largest so far, and an
 * offset of the batch in which it came first.
 */
export class TimeIndexCheck {
  readonly #index: TimeIndex;
  readonly #baseOffset: number;
  readonly #size: number;
  readonly #report: Report;
  #entry: TimeIndexEntry | undefined;
  #slot = -1;
  #maxTimestamp = -1;
  /** Offsets of the batch in which that came first. */
  #first = -1;
  #last = -1;
  /** What was damaged may have had any time. */
  #isBlind = false;

  constructor(file: OpenFile, baseOffset: number, size: number, report: Report) {
    this.#index = new TimeIndex(file, baseOffset);
    this.#baseOffset = baseOffset;
    this.#size = size;
    this.#report = report;
  }

  async batch(batch: CheckedBatch): Promise<void> {
    if (this.#slot < 0) await this.#advance();
    if (batch.isDamaged) {
      this.#isBlind = true;
      return;
    }
    if (batch.maxTimestamp > this.#maxTimestamp) {
      this.#maxTimestamp = batch.maxTimestamp;
      this.#first = batch.isLegacy ? batch.expected : batch.baseOffset;
      this.#last = batch.lastOffset;
    }
    for (; this.#entry !== undefined && this.#entry.offset <= batch.lastOffset; await this.#advance()) {
      const { timestamp, offset } = this.#entry;
      if (timestamp === this.#maxTimestamp && offset >= this.#first && offset <= this.#last) continue;
      this.#wrong(this.#entry, `says ${timestamp} at offset ${offset}; the largest so far is ${this.#maxTimestamp}`);
    }
  }

  async end(): Promise<void> {
    if (this.#slot < 0) await this.#advance();
    for (; this.#entry !== undefined; await this.#advance()) {
      this.#wrong(this.#entry, `names offset ${this.#entry.offset}, behind the last batch`);
    }
  }

  async #advance(): Promise<void> {
    const first = this.#slot + 1;
    let slot = first;
    let entry = await this.#at(slot);
    // A single entry of zeros may be one: a record of 1970 at the base offset.
    const mayBeRoom = this.#size >= 2 * TIME_INDEX_ENTRY_SIZE;
    while (mayBeRoom && entry?.timestamp === 0 && entry.offset === this.#baseOffset) {
      slot += 1;
      entry = await this.#at(slot);
    }
    if (entry !== undefined && slot > first)
      this.#report('holds zeros between its entries', first * TIME_INDEX_ENTRY_SIZE);
    this.#slot = slot;
    this.#entry = entry;
  }

  async #at(slot: number): Promise<TimeIndexEntry | undefined> {
    if ((slot + 1) * TIME_INDEX_ENTRY_SIZE > this.#size) return undefined;
    const entry = await this.#index.entry(slot, this.#size);
    return entry.slot < 0 ? undefined : entry;
  }

  #wrong(entry: TimeIndexEntry, what: string): void {
    if (!this.#isBlind) this.#report(`entry ${entry.slot} ${what}`, entry.slot * TIME_INDEX_ENTRY_SIZE);
  }
}
