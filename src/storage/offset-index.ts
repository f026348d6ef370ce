/**
 * Offset index, `.index`: from an offset to a position in the segment's `.log`. Sparse. Entries of 8 bytes, big-endian:
 *
 * ```
 * 0  i32  offset - base offset of the segment
 * 4  i32  position
 * ```
 *
 * Entry (o, p): a batch begins at p, and o is its *last* offset; brokers before 4.1 could write one entry for several
 * batches, then o is the last offset of the last of them. Either way a batch that holds an offset above o begins behind
 * p. Both fields rise from entry to entry. The first batch of a segment is never indexed, so no entry has position 0: a
 * broker's active segment has an index of full size whose unused entries are zeros.
 *
 * The file says nothing of its own about what is in it: callers know its size in bytes, and entries are hints to be
 * checked at the position (segment-lookup.ts).
 */
import { readInt32, writeInt32 } from '../format/int64.js';
import type { OpenFile } from './file-system.js';
import { IndexPages } from './index-pages.js';

export const OFFSET_INDEX_ENTRY_SIZE = 8;
const POSITION_AT = 4;

export function encodeOffsetIndexEntry(into: Uint8Array, at: number, relativeOffset: number, position: number): void {
  writeInt32(into, at, relativeOffset);
  writeInt32(into, at + POSITION_AT, position);
}

export interface OffsetIndexEntry {
  /** Number of the entry, from 0; -1: the segment's beginning, which has no entry. */
  readonly slot: number;
  readonly offset: number;
  readonly position: number;
}

export class OffsetIndex {
  readonly #baseOffset: number;
  readonly #pages: IndexPages;

  constructor(file: OpenFile, baseOffset: number) {
    this.#baseOffset = baseOffset;
    this.#pages = new IndexPages(file, OFFSET_INDEX_ENTRY_SIZE);
  }

  /**
   * Bytes of entries in a file of `fileSize` bytes: without a preallocated tail of zeros and without a broken entry.
   */
  async usableSize(fileSize: number): Promise<number> {
    const last = await this.#pages.lastWhere(fileSize, (page, at) => readInt32(page, at + POSITION_AT) !== 0, false);
    return (last + 1) * OFFSET_INDEX_ENTRY_SIZE;
  }

  /** Where to begin to look for `targetOffset`: the greatest entry with an offset not above it, or the beginning. */
  async lookup(targetOffset: number, size: number): Promise<OffsetIndexEntry> {
    const relative = targetOffset - this.#baseOffset;
    const slot = await this.#pages.lastWhere(size, (page, at) => readInt32(page, at) <= relative);
    return this.entry(slot, size);
  }

  /** Entry `slot`; the segment's beginning for a slot below 0 or one that the file does not have after all. */
  async entry(slot: number, size: number): Promise<OffsetIndexEntry> {
    const page = slot < 0 ? undefined : await this.#pages.page(slot, size);
    if (page === undefined) return { slot: -1, offset: this.#baseOffset, position: 0 };
    const at = this.#pages.at(slot);
    return {
      slot,
      offset: this.#baseOffset + readInt32(page, at),
      position: readInt32(page, at + POSITION_AT),
    };
  }

  /** All entries in order. */
  async entries(size: number): Promise<OffsetIndexEntry[]> {
    const entries: OffsetIndexEntry[] = [];
    for (let slot = 0; slot < this.#pages.count(size); slot++) {
      const entry = await this.entry(slot, size);
      if (entry.slot < 0) break;
      entries.push(entry);
    }
    return entries;
  }
}
