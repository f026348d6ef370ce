/** Offsets of one page: a bit each. */
const PAGE_OFFSETS = 32 * 1024;

/**
 * Offsets of partitions, a bit each: of a whole topic there may be more than a `Set` can hold. What a page has not got
 * costs nothing, so offsets may be anything, such as what somebody has written into a header.
 */
export class OffsetSet {
  readonly #pages = new Map<string, Uint8Array>();

  get isEmpty(): boolean {
    return this.#pages.size === 0;
  }

  add(partition: number, offset: number): void {
    const name = pageOf(partition, offset);
    let page = this.#pages.get(name);
    if (page === undefined) {
      page = new Uint8Array(PAGE_OFFSETS / 8);
      this.#pages.set(name, page);
    }
    const at = offset % PAGE_OFFSETS;
    page[at >>> 3]! |= 1 << (at & 7);
  }

  has(partition: number, offset: number): boolean {
    const page = this.#pages.get(pageOf(partition, offset));
    const at = offset % PAGE_OFFSETS;
    return page !== undefined && (page[at >>> 3]! & (1 << (at & 7))) !== 0;
  }
}

function pageOf(partition: number, offset: number): string {
  return `${partition} ${Math.floor(offset / PAGE_OFFSETS)}`;
}
