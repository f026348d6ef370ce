/**
 * Entries of fixed size in a file, read by pages.
 *
 * A page is kept only as far as its caller vouched for it: every read names the size up to which the file's bytes will
 * not change any more, and nothing beyond is kept. Who learns that the file was cut opens it anew.
 */
import type { OpenFile } from './file-system.js';

const PAGE_BYTES = 16 * 1024;
/** A binary search comes back to the same few pages: these are most of an index of a usual size. */
const KEPT_PAGES = 8;

export class IndexPages {
  readonly file: OpenFile;
  readonly entrySize: number;
  readonly #entriesPerPage: number;
  /** By page number, the least recently used first. */
  readonly #pages = new Map<number, Buffer>();

  constructor(file: OpenFile, entrySize: number) {
    this.file = file;
    this.entrySize = entrySize;
    this.#entriesPerPage = Math.floor(PAGE_BYTES / entrySize);
  }

  /** Whole entries in `size` bytes. */
  count(size: number): number {
    return Math.floor(size / this.entrySize);
  }

  /**
   * The page that holds entry `slot`, at {@link at}. `undefined`: there are not so many, or the file is shorter than it
   * should be.
   *
   * @param size bytes of entries; with `keep`, which is the default, they stay as they are for good
   */
  async page(slot: number, size: number, keep = true): Promise<Buffer | undefined> {
    if (slot >= this.count(size)) return undefined;
    const number = this.#numberOf(slot);
    const needed = this.at(slot) + this.entrySize;
    let page = this.#pages.get(number);
    if (page === undefined || page.length < needed) {
      const start = number * this.#entriesPerPage * this.entrySize;
      const length = Math.min(this.#entriesPerPage * this.entrySize, this.count(size) * this.entrySize - start);
      page = Buffer.allocUnsafe(length);
      const got = await this.file.read(page, 0, length, start);
      if (got < length) return got < needed ? undefined : page.subarray(0, got);
      if (!keep) return page;
    }
    this.#pages.delete(number);
    this.#pages.set(number, page);
    if (this.#pages.size > KEPT_PAGES) this.#pages.delete(this.#pages.keys().next().value!);
    return page;
  }

  /** Where entry `slot` begins in its page. */
  at(slot: number): number {
    return (slot % this.#entriesPerPage) * this.entrySize;
  }

  /**
   * The last of the entries in `size` bytes for which `holds`; -1 for none. It must hold for the entries up to some
   * point and for none behind. In a damaged index the answer is any slot.
   */
  async lastWhere(size: number, holds: (page: Buffer, at: number) => boolean, keep = true): Promise<number> {
    let low = -1;
    let high = this.count(size);
    let page: Buffer | undefined;
    let number = -1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const at = this.at(middle);
      // Most steps stay in a page, which is read once whether it is kept or not.
      const isThere = page !== undefined && number === this.#numberOf(middle) && at + this.entrySize <= page.length;
      if (!isThere) page = await this.page(middle, size, keep);
      number = this.#numberOf(middle);
      if (page !== undefined && holds(page, at)) low = middle;
      else high = middle;
    }
    return low;
  }

  #numberOf(slot: number): number {
    return Math.floor(slot / this.#entriesPerPage);
  }
}
