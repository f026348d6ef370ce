/**
 * How long closing waits for upkeep that is under way: a log of some gigabytes is then left to `klog topic compact`.
 */
const CLOSE_WAIT_MS = 5000;

type Work = (signal: AbortSignal) => Promise<void>;

/**
 * Upkeep of partitions in the background, one at a time, each in the queue once at most. What fails is left to the next
 * roll: nobody's records depend on it.
 */
export class UpkeepQueue {
  readonly #waiting = new Map<string, Work>();
  /** Made when there is work: a start that has none is spared its loading. */
  #abort: AbortController | undefined;
  readonly #warn: (message: string) => void;
  #running: Promise<void> | undefined;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  add(partition: string, work: Work): void {
    if (this.#abort?.signal.aborted) return;
    this.#waiting.set(partition, work);
    this.#abort ??= new AbortController();
    this.#running ??= this.#run(this.#abort.signal);
  }

  /** Lets what is under way and what waits come to its end, if that does not take long. */
  async close(): Promise<void> {
    if (this.#running === undefined) return;
    const timer = setTimeout(() => this.#abort?.abort(), CLOSE_WAIT_MS);
    await this.#running;
    clearTimeout(timer);
    this.#abort?.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    // Whoever has just rolled goes on first.
    await new Promise((resolve) => setImmediate(resolve));
    for (const [partition, work] of this.#waiting) {
      this.#waiting.delete(partition);
      if (signal.aborted) continue;
      try {
        await work(signal);
      } catch (error) {
        if (!signal.aborted) this.#warn(`upkeep of ${partition} failed: ${(error as Error).message}`);
      }
    }
    this.#running = undefined;
  }
}
