/**
 * Where a consumer waits that has handed out all there is. A few partitions are watched closely, which costs descriptors each; if
 * there are more, they take turns. Of the others the system tells which to look at; those it tells nothing of are looked at one
 * after the other.
 */
import type { PartitionFetcher } from './partition-fetcher.js';

/** As many fit into 64 descriptors beside everything else. */
const WATCHED_PARTITIONS = 16;
/** How long a turn is: long enough for the reader to find, and settle, what a dead writer has left. */
const TURN_MS = 1000;
/** Between two looks at all partitions that nothing tells of. */
const SWEEP_MS = 50;
/** The same where the system tells of all: should it have told of too little. */
const SLOW_SWEEP_MS = 5000;
/** What a timer can be set to. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Follower {
  readonly #ending: AbortSignal;
  readonly #elapsed: () => number;
  /** Watched or waiting for their turn. */
  readonly #known = new Set<PartitionFetcher>();
  readonly #inTurn = new Set<PartitionFetcher>();
  /** Of those in turn that the system tells of. */
  readonly #told = new Map<PartitionFetcher, { close(): void }>();
  /** To be looked at at once. */
  readonly #touched = new Set<PartitionFetcher>();
  #wakeSweep: (() => void) | undefined;
  #watching = 0;
  #isSweeping = false;
  #failure: unknown;
  #wake: (() => void) | undefined;
  /** Woken while nobody was waiting. */
  #isAwake = false;

  constructor(ending: AbortSignal, elapsed: () => number) {
    this.#ending = ending;
    this.#elapsed = elapsed;
    ending.addEventListener('abort', () => {
      this.wake();
      this.#wakeSweep?.();
      for (const fetcher of [...this.#told.keys()]) this.#leaveTurn(fetcher);
    });
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
    for (const fetcher of this.#inTurn) this.#listenTo(fetcher);
    if (this.#inTurn.size > 0 && !this.#isSweeping) void this.#sweep();
    return await this.sleep(mostMs, deadline);
  }

  /** The partition is read no more; its reader is about to be closed. */
  forget(fetcher: PartitionFetcher): void {
    this.#known.delete(fetcher);
    this.#leaveTurn(fetcher);
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
      this.#leaveTurn(fetcher);
      void this.#watch(fetcher);
    }
  }

  async #watch(fetcher: PartitionFetcher): Promise<void> {
    this.#watching++;
    try {
      const timeoutMs = this.#known.size > WATCHED_PARTITIONS ? TURN_MS : undefined;
      if (await fetcher.waitForMore(this.#ending, timeoutMs)) this.#found(fetcher);
      else if (!this.#ending.aborted && this.#known.has(fetcher)) {
        this.#inTurn.add(fetcher);
        this.#listenTo(fetcher);
      }
    } catch (error) {
      if (this.#known.has(fetcher)) this.#failed(error);
    }
    this.#watching--;
    if (!this.#ending.aborted) this.#watchNext();
  }

  /** Before it is looked at: what comes in between is told. */
  #listenTo(fetcher: PartitionFetcher): void {
    if (this.#told.has(fetcher) || this.#ending.aborted) return;
    const told = fetcher.reader.watch?.(() => {
      this.#touched.add(fetcher);
      this.#wakeSweep?.();
    });
    if (told !== undefined) this.#told.set(fetcher, told);
    this.#touched.add(fetcher);
  }

  #leaveTurn(fetcher: PartitionFetcher): boolean {
    this.#told.get(fetcher)?.close();
    this.#told.delete(fetcher);
    this.#touched.delete(fetcher);
    return this.#inTurn.delete(fetcher);
  }

  async #sweep(): Promise<void> {
    this.#isSweeping = true;
    try {
      for (let lookedAtAll = this.#elapsed(); this.#inTurn.size > 0 && !this.#ending.aborted; ) {
        const isAllTold = this.#told.size === this.#inTurn.size;
        const isDue = this.#elapsed() - lookedAtAll >= (isAllTold ? SLOW_SWEEP_MS : SWEEP_MS);
        if (isDue) lookedAtAll = this.#elapsed();
        const looked = [...(isDue ? this.#inTurn : this.#touched)];
        this.#touched.clear();
        for (const fetcher of looked) {
          if (this.#ending.aborted) break;
          // Its turn to be watched may have come meanwhile.
          if ((await this.#hasMore(fetcher)) && this.#leaveTurn(fetcher)) this.#found(fetcher);
        }
        if (this.#touched.size === 0) await this.#untilTouched(isAllTold ? SLOW_SWEEP_MS : SWEEP_MS);
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#isSweeping = false;
  }

  async #untilTouched(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      // Whoever waits has a timer of its own that keeps the process alive.
      const timer = setTimeout(resolve, ms).unref();
      this.#wakeSweep = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeSweep = undefined;
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
