/** At which moment a record is replayed: the recorded distances in time, divided by a factor. */
export class Pace {
  readonly #factor: number;
  readonly #now: () => number;
  #firstTimestamp: number | undefined;
  #startedAt = 0;

  /**
   * `factor` 1: as recorded; 10: ten times as fast; Infinity: no waiting. `now` is a clock that never goes back, in ms.
   */
  constructor(factor: number, now: () => number) {
    this.#factor = factor;
    this.#now = now;
  }

  /**
   * Milliseconds to wait before a record with this timestamp. Records without one, or from before the first, wait for
   * nothing.
   */
  delayBefore(timestamp: number): number {
    if (this.#factor === Number.POSITIVE_INFINITY || timestamp < 0) return 0;
    if (this.#firstTimestamp === undefined) {
      this.#firstTimestamp = timestamp;
      this.#startedAt = this.#now();
      return 0;
    }
    const due = this.#startedAt + (timestamp - this.#firstTimestamp) / this.#factor;
    return Math.max(0, due - this.#now());
  }
}
