/** How many different keys there are, and which are the most frequent: in a fixed amount of memory. */
import { crc32c } from '../../format/crc32c.js';
import { murmur2 } from '../../format/murmur2.js';

const PRECISION = 14;
const REGISTERS = 1 << PRECISION;
/** HyperLogLog's constant for that many registers. */
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);
/** Keys that are counted one by one before the rare half of them is dropped. */
const MOST_COUNTED_KEYS = 65_536;
/** Of a longer key only the beginning is shown; its count is that of the whole key. */
const LONGEST_SHOWN_BYTES = 256;

export interface TopKey {
  readonly key: Buffer;
  readonly records: number;
  /** Exact unless keys had to be dropped: then it is at least this. */
  readonly isExact: boolean;
}

/** HyperLogLog: within about 1 % (standard error 0.8 %), exact up to a few hundred keys or so. */
export class KeySketch {
  readonly #registers = new Uint8Array(REGISTERS);
  readonly #counts = new Map<string, { count: number; readonly key: Buffer }>();
  readonly #withTop: boolean;
  #dropped = false;

  constructor(withTop: boolean) {
    this.#withTop = withTop;
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    const first = murmur2(bytes, start, end) >>> 0;
    const second = mixed(crc32c(bytes, start, end) ^ first);
    const register = first >>> (32 - PRECISION);
    const rank = Math.clz32(second) + 1;
    if (rank > this.#registers[register]!) this.#registers[register] = rank;
    if (this.#withTop) this.#count(bytes, start, end, first, second);
  }

  /** Different keys so far. */
  get distinct(): number {
    let sum = 0;
    let empty = 0;
    for (const rank of this.#registers) {
      sum += 2 ** -rank;
      if (rank === 0) empty += 1;
    }
    const estimate = (ALPHA * REGISTERS * REGISTERS) / sum;
    const isSmall = estimate <= 2.5 * REGISTERS && empty > 0;
    return Math.round(isSmall ? REGISTERS * Math.log(REGISTERS / empty) : estimate);
  }

  /** The most frequent first, equal ones by their bytes. */
  top(count: number): TopKey[] {
    return [...this.#counts.values()]
      .sort((a, b) => b.count - a.count || Buffer.compare(a.key, b.key))
      .slice(0, count)
      .map((entry) => ({ key: entry.key, records: entry.count, isExact: !this.#dropped }));
  }

  #count(bytes: Uint8Array, start: number, end: number, first: number, second: number): void {
    const shownEnd = Math.min(end, start + LONGEST_SHOWN_BYTES);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, shownEnd - start).toString('latin1');
    const name = shownEnd === end ? text : `${text}\0${end - start}\0${first}\0${second}`;
    const entry = this.#counts.get(name);
    if (entry !== undefined) {
      entry.count += 1;
      return;
    }
    if (this.#counts.size >= MOST_COUNTED_KEYS) this.#dropRareHalf();
    this.#counts.set(name, { count: 1, key: Buffer.from(text, 'latin1') });
  }

  #dropRareHalf(): void {
    this.#dropped = true;
    const byCount = [...this.#counts].sort(([, a], [, b]) => a.count - b.count);
    for (const [name] of byCount.slice(0, MOST_COUNTED_KEYS / 2)) this.#counts.delete(name);
  }
}

/** A hash whose bits all depend on all bits of `hash`: the end of murmur3. */
function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
