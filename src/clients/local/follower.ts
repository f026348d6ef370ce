/**
 * Where a consumer waits that has handed out all there is. A few partitions are watched, which costs descriptors each; if
 * there are more, they take turns, and those that are not watched are looked at one after the other.
 */
import type { PartitionFetcher } from './partition-fetcher.js';

/** As many fit into 64 descriptors beside everything else. */
const WATCHED_PARTITIONS = 16;
/** How long a turn is: long enough for the reader to find, and settle, what a dead writer has left. */
const TURN_MS = 1000;
/** Between two looks at all partitions that are not watched. */
const SWEEP_MS = 50;
/** What a timer can be set to. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Follower {
  readonly #ending: AbortSignal;
  readonly #elapsed: () => number;
  /** Watched or waiting for their turn. */
  readonly #known = new Set<PartitionFetcher>();
  readonly #inTurn = new Set<PartitionFetcher>();
  #watching = 0;
  #isSweeping = false;
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
      if (!fetcher.isAtEnd || fetcher.isPaused || fetcher.isDone || this.#known.has(fetcher)) continue;
      this.#known.add(fetcher);
      this.#inTurn.add(fetcher);
    }
    this.#watchNext();
    if (this.#inTurn.size > 0 && !this.#isSweeping) void this.#sweep();
    return await this.sleep(mostMs, deadline);
  }

  /** The partition is read no more; its reader is about to be closed. */
  forget(fetcher: PartitionFetcher): void {
    this.#known.delete(fetcher);
    this.#inTurn.delete(fetcher);
  }

  /** As {@link wait}, for nothing but time. */
  async sleep(ms: number, deadline: number): Promise<boolean> {
    const left = Math.min(ms, deadline - this.#elapsed(), LONGEST_TIMER_MS);
    if (!this.#isAwake && !this.#ending.aborted && left > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#isAwake = false;
    if (this.#failure !== undefined) throw this.#failure;
    return !this.#ending.aborted && this.#elapsed() < deadline;
  }

  #watchNext(): void {
    for (const fetcher of this.#inTurn) {
      if (this.#watching >= WATCHED_PARTITIONS) return;
      this.#inTurn.delete(fetcher);
      void this.#watch(fetcher);
    }
  }

  async #watch(fetcher: PartitionFetcher): Promise<void> {
    this.#watching++;
    try {
      const timeoutMs = this.#known.size > WATCHED_PARTITIONS ? TURN_MS : undefined;
      if (await fetcher.waitForMore(this.#ending, timeoutMs)) this.#found(fetcher);
      else if (!this.#ending.aborted && this.#known.has(fetcher)) this.#inTurn.add(fetcher);
    } catch (error) {
      if (this.#known.has(fetcher)) this.#failed(error);
    }
    this.#watching--;
    if (!this.#ending.aborted) this.#watchNext();
  }

  async #sweep(): Promise<void> {
    this.#isSweeping = true;
    try {
      while (this.#inTurn.size > 0 && !this.#ending.aborted) {
        for (const fetcher of [...this.#inTurn]) {
          if (this.#ending.aborted) break;
          // Its turn to be watched may have come meanwhile.
          if ((await this.#hasMore(fetcher)) && this.#inTurn.delete(fetcher)) this.#found(fetcher);
        }
        // Whoever waits has a timer of its own that keeps the process alive.
        await new Promise((resolve) => setTimeout(resolve, SWEEP_MS).unref());
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#isSweeping = false;
  }

  async #hasMore(fetcher: PartitionFetcher): Promise<boolean> {
    try {
      return await fetcher.hasMore();
    } catch (error) {
      if (this.#known.has(fetcher)) throw error;
      return false;
    }
  }

  #found(fetcher: PartitionFetcher): void {
    this.#known.delete(fetcher);
    fetcher.isAtEnd = false;
    this.wake();
  }

  #failed(error: unknown): void {
    this.#failure ??= error;
    this.wake();
  }
}
