/**
 * So many at a time, the others in turn. Each partition that is being appended to or synced holds descriptors and
 * locks, so a producer of a thousand partitions works on a few of them at a time.
 */
export class Permits {
  #left: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#left = count;
  }

  /** Calls `granted` with a permit in hand: now, or when it is its turn. Give it back with {@link release}. */
  acquire(granted: () => void): void {
    if (this.#left > 0) {
      this.#left--;
      granted();
    } else {
      this.#waiting.push(granted);
    }
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#left++;
    else next();
  }
}
