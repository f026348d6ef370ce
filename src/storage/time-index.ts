/**
 * Time index, `.timeindex`: from a timestamp to an offset. Sparse. Entries of 12 bytes, big-endian:
 *
 * ```
 * 0  i64  timestamp
 * 8  i32  offset - base offset of the segment
 * ```
 *
 * Entry (t, o): when it was added no record had a timestamp above t, and o is the last offset of the batch in which t
 * came first. So a record with a later timestamp has an offset above o. Both fields rise from entry to entry. The last
 * entry of a closed segment has its largest timestamp. A broker's active segment has a tail of zeros. Data without
 * timestamps has no entries.
 */
import { readInt32, writeInt32, writeInt64 } from '../format/int64.js';
import type { OpenFile } from './file-system.js';
import { IndexPages } from './index-pages.js';

export const TIME_INDEX_ENTRY_SIZE = 12;
const OFFSET_AT = 8;

export function encodeTimeIndexEntry(into: Uint8Array, at: number, timestamp: number, relativeOffset: number): void {
  writeInt64(into, at, timestamp, 'timestamp');
  writeInt32(into, at + OFFSET_AT, relativeOffset);
}

export interface TimeIndexEntry {
  /** Number of the entry, from 0; -1: the segment's beginning, which has no entry. */
  readonly slot: number;
  /** -1 at the segment's beginning. */
  readonly timestamp: number;
  readonly offset: number;
}

export class TimeIndex {
  readonly #baseOffset: number;
  readonly #pages: IndexPages;

  constructor(file: OpenFile, baseOffset: number) {
    this.#baseOffset = baseOffset;
    this.#pages = new IndexPages(file, TIME_INDEX_ENTRY_SIZE);
  }

  /**
   * Bytes of entries in a file of `fileSize` bytes: without a preallocated tail of zeros and without a broken entry.
   */
  async usableSize(fileSize: number): Promise<number> {
    const count = this.#pages.count(fileSize);
    // A single entry may be all zeros: one record, of 1970, at the base offset.
    if (count <= 1) return count * TIME_INDEX_ENTRY_SIZE;
    const last = await this.#pages.lastWhere(fileSize, (page, at) => !isZero(page, at), false);
    return (last + 1) * TIME_INDEX_ENTRY_SIZE;
  }

  /** The greatest entry with a timestamp not above `timestamp`, or the segment's beginning. */
  async lookup(timestamp: number, size: number): Promise<TimeIndexEntry> {
    const slot = await this.#pages.lastWhere(size, (page, at) => readTimestamp(page, at) <= timestamp);
    return this.entry(slot, size);
  }

  /** Entry `slot`; the segment's beginning for a slot below 0 or one that the file does not have after all. */
  async entry(slot: number, size: number): Promise<TimeIndexEntry> {
    const page = slot < 0 ? undefined : await this.#pages.page(slot, size);
    if (page === undefined) return { slot: -1, timestamp: -1, offset: this.#baseOffset };
    const at = this.#pages.at(slot);
    return { slot, timestamp: readTimestamp(page, at), offset: this.#baseOffset + readInt32(page, at + OFFSET_AT) };
  }

  /** The last entry, or the segment's beginning. */
  lastEntry(size: number): Promise<TimeIndexEntry> {
    return this.entry(this.#pages.count(size) - 1, size);
  }

  /** All entries in order. */
  async entries(size: number): Promise<TimeIndexEntry[]> {
    const entries: TimeIndexEntry[] = [];
    for (let slot = 0; slot < this.#pages.count(size); slot++) {
      const entry = await this.entry(slot, size);
      if (entry.slot < 0) break;
      entries.push(entry);
    }
    return entries;
  }
}

/** A damaged entry may hold any 64 bits: such a time lies beyond all others, in whichever direction. */
function readTimestamp(page: Buffer, at: number): number {
  const high = readInt32(page, at);
  if (high >= 0x200000) return Number.POSITIVE_INFINITY;
  if (high < -0x200000) return Number.NEGATIVE_INFINITY;
  return high * 0x1_0000_0000 + (readInt32(page, at + 4) >>> 0);
}

function isZero(page: Buffer, at: number): boolean {
  return readInt32(page, at) === 0 && readInt32(page, at + 4) === 0 && readInt32(page, at + OFFSET_AT) === 0;
}
