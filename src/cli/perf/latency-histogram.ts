/**
 * Counts latencies in classes that grow with them: one array of counts, nothing is allocated or kept for each.
 *
 * A latency is a whole number of microseconds. Below 64 each number has a class of its own; above, every power of two
 * is cut into 32 classes of equal width, so a class is at most 1/32 (3.1 %) of what it holds:
 *
 *   class    0 …  63   64 … 95           96 … 127           128 … 159   …
 *   holds    0 …  63   64,65 … 126,127   128–131 … 252–255  256–263 …   …
 *
 * The largest class ends at 2^47 µs, four and a half years.
 */
const LINEAR = 64;
const CLASSES_OF_POWER = LINEAR / 2;
const LARGEST_POWER = 46;
const CLASSES = LINEAR + (LARGEST_POWER - 5) * CLASSES_OF_POWER;
const LARGEST = 2 ** (LARGEST_POWER + 1) - 1;

export interface LatencyClass {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  readonly count: number;
}

export class LatencyHistogram {
  readonly #counts = new Float64Array(CLASSES);
  #count = 0;
  #sumMs = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  /** Milliseconds, below 0 counts as 0; `count` of the same. */
  record(ms: number, count = 1): void {
    const latency = Math.max(0, ms);
    const at = classOf(Math.min(LARGEST, Math.round(latency * 1000)));
    this.#counts[at] = this.#counts[at]! + count;
    this.#count += count;
    this.#sumMs += latency * count;
    if (latency < this.#minMs) this.#minMs = latency;
    if (latency > this.#maxMs) this.#maxMs = latency;
  }

  get count(): number {
    return this.#count;
  }

  /** The four are 0 where nothing was counted; least, largest and mean are exact. */
  get minMs(): number {
    return this.#count === 0 ? 0 : this.#minMs;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  /**
   * The latency that at least this share (0 to 1) of all do not exceed: the upper end of its class, never beyond the
   * largest of all.
   */
  percentileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#count * share));
    let seen = 0;
    for (let at = 0; at < CLASSES; at++) {
      seen += this.#counts[at]!;
      if (seen >= wanted) return Math.max(this.minMs, Math.min(this.#maxMs, lastOf(at) / 1000));
    }
    return this.#maxMs;
  }

  /** The classes that hold something, ascending. */
  classes(): LatencyClass[] {
    const found: LatencyClass[] = [];
    for (let at = 0; at < CLASSES; at++) {
      const count = this.#counts[at]!;
      if (count > 0) found.push({ fromMs: firstOf(at) / 1000, toMs: (lastOf(at) + 1) / 1000, count });
    }
    return found;
  }
}

function classOf(us: number): number {
  if (us < LINEAR) return us;
  // Exact: there are fewer than 53 bits.
  const power = us < 0x8000_0000 ? 31 - Math.clz32(us) : Math.floor(Math.log2(us));
  const width = 2 ** (power - 5);
  return LINEAR + (power - 6) * CLASSES_OF_POWER + Math.floor(us / width) - CLASSES_OF_POWER;
}

function firstOf(at: number): number {
  if (at < LINEAR) return at;
  const power = Math.floor((at - LINEAR) / CLASSES_OF_POWER) + 6;
  return (((at - LINEAR) % CLASSES_OF_POWER) + CLASSES_OF_POWER) * 2 ** (power - 5);
}

function lastOf(at: number): number {
  return firstOf(at + 1) - 1;
}
