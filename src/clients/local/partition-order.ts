import type { BatchOrder } from './batch-order.js';
import type { LocalBatch } from './local-batch.js';
import type { PartitionFetcher } from './partition-fetcher.js';

/**
 * One partition after the other while there is a backlog, which makes the order of a bounded read the same every time;
 * then a batch of each in turn, so that a busy partition does not hold up the others.
 */
export class PartitionOrder implements BatchOrder {
  readonly #fetchers: readonly PartitionFetcher[];
  /** Where the backlog of each partition ends; by fetcher, because partitions may be added while following. */
  readonly #backlogEnds: ReadonlyMap<PartitionFetcher, number>;
  #isBacklog: boolean;
  #last = -1;

  constructor(fetchers: readonly PartitionFetcher[], backlogEnds: ReadonlyMap<PartitionFetcher, number>) {
    this.#fetchers = fetchers;
    this.#backlogEnds = backlogEnds;
    this.#isBacklog = backlogEnds.size > 0;
  }

  async next(): Promise<LocalBatch | undefined> {
    if (this.#isBacklog) {
      const batch = await this.#nextOfBacklog();
      if (batch !== undefined) return batch;
    }
    return await this.#nextInTurn();
  }

  async #nextOfBacklog(): Promise<LocalBatch | undefined> {
    let isLeft = false;
    for (const fetcher of this.#fetchers) {
      const end = this.#backlogEnds.get(fetcher) ?? 0;
      if (fetcher.isAtEnd || fetcher.hasPassed(end)) continue;
      isLeft ||= fetcher.isPaused;
      const batch = await nextOf(fetcher, end);
      if (batch !== undefined) return batch;
    }
    this.#isBacklog = isLeft;
    return undefined;
  }

  async #nextInTurn(): Promise<LocalBatch | undefined> {
    const count = this.#fetchers.length;
    for (let i = 1; i <= count; i++) {
      const index = (this.#last + i) % count;
      const fetcher = this.#fetchers[index];
      // A member of a group may have lost some meanwhile.
      if (fetcher === undefined || fetcher.isAtEnd) continue;
      const batch = await nextOf(fetcher, fetcher.end);
      if (batch === undefined) continue;
      this.#last = index;
      return batch;
    }
    return undefined;
  }
}

/**
 * The next batch of this partition, unless all below `end` has been handed out. Its position moves when the batch is.
 */
async function nextOf(fetcher: PartitionFetcher, end: number): Promise<LocalBatch | undefined> {
  while (!fetcher.isPaused) {
    const batch = fetcher.take();
    if (batch !== undefined) return batch;
    if (fetcher.hasPassed(end) || !(await fetcher.fill())) {
      fetcher.rest();
      return undefined;
    }
  }
  return undefined;
}
