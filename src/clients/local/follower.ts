/** Where a consumer waits that has handed out all there is. */
import type { PartitionFetcher } from './partition-fetcher.js';

export class Follower {
  readonly #ending: AbortSignal;
  readonly #elapsed: () => number;
  readonly #watched = new Set<PartitionFetcher>();
  #failure: unknown;
  #wake: (() => void) | undefined;
  /** Woken while nobody was waiting. */
  #isAwake = false;

  constructor(ending: AbortSignal, elapsed: () => number) {
    this.#ending = ending;
    this.#elapsed = elapsed;
    ending.addEventListener('abort', () => this.wake());
  }

  wake(): void {
    this.#isAwake = true;
    this.#wake?.();
  }

  /**
   * Waits until one of the partitions has more, something was changed, or `mostMs` have passed. False: the deadline has
   * passed, or everything is to end. Rejects with what went wrong while watching.
   */
  async wait(fetchers: readonly PartitionFetcher[], deadline: number, mostMs: number): Promise<boolean> {
    for (const fetcher of fetchers) {
      if (fetcher.isAtEnd && !fetcher.isPaused && !fetcher.isDone) this.#watch(fetcher);
    }
    await this.#sleep(Math.min(mostMs, deadline - this.#elapsed()));
    if (this.#failure !== undefined) throw this.#failure;
    return !this.#ending.aborted && this.#elapsed() < deadline;
  }

  /** False: the deadline has passed, or everything is to end. */
  async sleep(ms: number, deadline: number): Promise<boolean> {
    await this.#sleep(Math.min(ms, deadline - this.#elapsed()));
    return !this.#ending.aborted && this.#elapsed() < deadline;
  }

  async #sleep(ms: number): Promise<void> {
    if (!this.#isAwake && !this.#ending.aborted && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#isAwake = false;
  }

  /** One watch a partition, however often it is waited for. */
  #watch(fetcher: PartitionFetcher): void {
    if (this.#watched.has(fetcher)) return;
    this.#watched.add(fetcher);
    fetcher.waitForMore(this.#ending).then(
      (hasMore) => {
        this.#watched.delete(fetcher);
        if (hasMore) fetcher.isAtEnd = false;
        this.wake();
      },
      (error: unknown) => {
        this.#watched.delete(fetcher);
        this.#failure ??= error;
        this.wake();
      },
    );
  }
}

/** What a timer can be set to. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
