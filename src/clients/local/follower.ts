/**
 * Where a consumer waits that has handed out all there is. A few partitions are watched closely, which costs
 * descriptors each. Of more the system tells which to look at, without a file being open; closely watched are then
 * those whose last append is not safe, because its writer may have died, and in turns those that the system tells
 * nothing of.
 */
import type { PartitionFetcher } from './partition-fetcher.js';

/** As many fit into 64 descriptors beside everything else. */
const WATCHED_PARTITIONS = 16;
/** How long a turn is: long enough for the reader to find, and settle, what a dead writer has left. */
const TURN_MS = 1000;
/** The same where there is no need for turns: others may come. */
const LONG_TURN_MS = 10_000;
/** Between two looks at all partitions that nothing tells of. */
const SWEEP_MS = 50;
/**
 * Where the system tells of all, some are looked at every second, and all in so many, should it have told of too
 * little.
 */
const SLICE_MS = 1000;
const SLICES = 30;
/** Looks in a row, with nothing else in between. */
const LOOKS_AT_ONCE = 32;
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
  /** Of those in turn whose last append was not safe. */
  readonly #unsafe = new Set<PartitionFetcher>();
  /** Goes round those in turn. */
  #round: Iterator<PartitionFetcher> = this.#inTurn.values();
  #wakeSweep: (() => void) | undefined;
  #watching = 0;
  #watchedAt = Number.NEGATIVE_INFINITY;
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
    this.#watchAll(fetchers);
    return await this.sleep(mostMs, deadline);
  }

  /**
   * For who is busy with some: has those watched that are at their end, or nothing of them would be heard of until all
   * are. Most calls do nothing.
   */
  watchMeanwhile(fetchers: readonly PartitionFetcher[]): void {
    const now = this.#elapsed();
    if (now - this.#watchedAt >= SWEEP_MS) this.#watchAll(fetchers);
  }

  #watchAll(fetchers: readonly PartitionFetcher[]): void {
    this.#watchedAt = this.#elapsed();
    for (const fetcher of fetchers) {
      if (!fetcher.isAtEnd || fetcher.isPaused || fetcher.isDone || fetcher.isDeleted) continue;
      if (this.#known.has(fetcher)) continue;
      this.#known.add(fetcher);
      this.#inTurn.add(fetcher);
    }
    if (this.#known.size > WATCHED_PARTITIONS) for (const fetcher of this.#inTurn) this.#listenTo(fetcher);
    this.#watchNext();
    this.#startSweep();
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
    if (this.#told.size === this.#inTurn.size) return;
    for (const fetcher of this.#inTurn) {
      if (this.#watching >= WATCHED_PARTITIONS) return;
      if (!this.#told.has(fetcher)) this.#watchClosely(fetcher);
    }
  }

  #watchClosely(fetcher: PartitionFetcher): void {
    this.#leaveTurn(fetcher);
    void this.#watch(fetcher);
  }

  async #watch(fetcher: PartitionFetcher): Promise<void> {
    this.#watching++;
    try {
      const isWaiting = () => !this.#ending.aborted && this.#known.has(fetcher);
      const turnMs = () => (this.#known.size > WATCHED_PARTITIONS ? TURN_MS : LONG_TURN_MS);
      while (!(await fetcher.waitForMore(this.#ending, turnMs())) && isWaiting()) {
        if (turnMs() > TURN_MS) continue;
        this.#inTurn.add(fetcher);
        this.#listenTo(fetcher);
        break;
      }
      if (isWaiting() && !this.#inTurn.has(fetcher)) this.#found(fetcher);
    } catch (error) {
      if (this.#known.has(fetcher)) this.#failed(error);
    }
    this.#watching--;
    if (this.#ending.aborted) return;
    this.#watchNext();
    this.#startSweep();
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
    this.#unsafe.delete(fetcher);
    return this.#inTurn.delete(fetcher);
  }

  #startSweep(): void {
    if (this.#inTurn.size > 0 && !this.#isSweeping) void this.#sweep();
  }

  async #sweep(): Promise<void> {
    this.#isSweeping = true;
    try {
      for (let lookedAt = this.#elapsed(); this.#inTurn.size > 0 && !this.#ending.aborted; ) {
        const isAllTold = this.#told.size === this.#inTurn.size;
        const pauseMs = isAllTold ? SLICE_MS : SWEEP_MS;
        const looked = new Set(this.#touched);
        this.#touched.clear();
        if (this.#elapsed() - lookedAt >= pauseMs) {
          lookedAt = this.#elapsed();
          for (const fetcher of [...this.#unsafe]) {
            if (this.#watching < WATCHED_PARTITIONS) this.#watchClosely(fetcher);
          }
          for (const fetcher of isAllTold ? this.#slice() : this.#inTurn) looked.add(fetcher);
        }
        await this.#lookAt(looked);
        if (this.#touched.size === 0) await this.#untilTouched(pauseMs);
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#isSweeping = false;
  }

  /** The next ones of the round. */
  #slice(): PartitionFetcher[] {
    const some: PartitionFetcher[] = [];
    for (const most = Math.ceil(this.#inTurn.size / SLICES); some.length < most; ) {
      const { done, value } = this.#round.next();
      if (done !== true) some.push(value);
      else if (some.length > 0) break;
      else this.#round = this.#inTurn.values();
    }
    return some;
  }

  async #lookAt(fetchers: Iterable<PartitionFetcher>): Promise<void> {
    let looks = 0;
    for (const fetcher of fetchers) {
      if (this.#ending.aborted) return;
      // Its turn to be watched may have come meanwhile.
      if (!this.#inTurn.has(fetcher)) continue;
      const beyond = await this.#beyond(fetcher);
      if (beyond === 'unsafe' && this.#inTurn.has(fetcher)) this.#unsafe.add(fetcher);
      else this.#unsafe.delete(fetcher);
      if (beyond === 'more' && this.#leaveTurn(fetcher)) this.#found(fetcher);
      if (++looks % LOOKS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
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

  async #beyond(fetcher: PartitionFetcher): Promise<'nothing' | 'unsafe' | 'more'> {
    try {
      return await fetcher.beyond();
    } catch (error) {
      if (this.#known.has(fetcher)) throw error;
      return 'nothing';
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
