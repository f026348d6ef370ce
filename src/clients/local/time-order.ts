/**
 * Merges partitions by timestamp, then topic, partition and offset. Within a partition the order is that of offsets, so a
 * record whose time lies before its predecessor's comes right after that. Every partition holds one block, and its cursor
 * the record that is next; the earliest one hands out a run, which ends where another partition's record is due.
 */
import type { BatchOrder } from './batch-order.js';
import type { LocalBatch } from './local-batch.js';
import type { PartitionFetcher } from './partition-fetcher.js';

/** Partitions whose first blocks are read at the same time. */
const CONCURRENT_READS = 8;

interface Head {
  readonly fetcher: PartitionFetcher;
  /** Decides between records of the same time. */
  readonly rank: number;
  /** What is merged of the partition. */
  readonly end: number;
  /** The batch whose cursor holds the partition's next record. */
  batch: LocalBatch | undefined;
}

export class TimeOrder implements BatchOrder {
  readonly #heads: readonly Head[];
  /** A binary heap of those that have a record, the earliest first. */
  #heap: Head[] = [];
  /** The first of the heap has handed out a run. */
  #isRunning = false;
  /** The heap has to be made anew. */
  #isStale = true;

  constructor(fetchers: readonly PartitionFetcher[], ends: ReadonlyMap<PartitionFetcher, number>) {
    const ranked = [...fetchers].sort((a, b) => compareNames(a.topic, b.topic) || a.partition - b.partition);
    this.#heads = ranked.map((fetcher, rank) => ({ fetcher, rank, end: ends.get(fetcher) ?? 0, batch: undefined }));
  }

  /** A partition was paused, resumed, or moved to another place. */
  changed(): void {
    this.#isStale = true;
  }

  async next(): Promise<LocalBatch | undefined> {
    if (this.#isRunning) await this.#endRun();
    while (this.#isStale) await this.#rebuild();
    return this.#beginRun();
  }

  nextNow(): LocalBatch | undefined {
    if (this.#isStale || !this.#isRunning) return undefined;
    const first = this.#heap[0]!;
    const { fetcher, batch } = first;
    if (batch === undefined || batch.generation !== fetcher.generation) return undefined;
    const { cursor } = fetcher;
    while (cursor.next());
    // Whose batch has ended has to look for another.
    if (!cursor.isHeld) return undefined;
    this.#isRunning = false;
    fetcher.position = cursor.offset;
    this.#siftDown(0);
    return this.#beginRun();
  }

  #beginRun(): LocalBatch | undefined {
    const [first, second, third] = this.#heap;
    if (first === undefined) return undefined;
    const { cursor } = first.fetcher;
    const rival = second !== undefined && third !== undefined && isEarlier(third, second) ? third : second;
    if (rival === undefined) cursor.boundBy(Number.POSITIVE_INFINITY, true);
    else cursor.boundBy(rival.fetcher.cursor.timestamp, first.rank < rival.rank);
    this.#isRunning = true;
    return first.batch;
  }

  /** Puts whoever handed out the last run where the record that comes after it belongs. */
  async #endRun(): Promise<void> {
    this.#isRunning = false;
    const first = this.#heap[0]!;
    const { fetcher, batch } = first;
    if (batch === undefined || batch.generation !== fetcher.generation) return;
    const { cursor } = fetcher;
    // Whoever took only a part of the run does not want the rest.
    while (cursor.next());
    if (cursor.isHeld) fetcher.position = cursor.offset;
    else await this.#advance(first);
    if (this.#isStale) return;
    if (first.batch === undefined) {
      const last = this.#heap.pop()!;
      if (last === first) return;
      this.#heap[0] = last;
    }
    this.#siftDown(0);
  }

  /** Looks at every partition; those that stand where they stood keep their batch. */
  async #rebuild(): Promise<void> {
    this.#isStale = false;
    let next = 0;
    const lookAll = async (): Promise<void> => {
      for (let head = this.#heads[next++]; head !== undefined; head = this.#heads[next++]) {
        const { fetcher, batch } = head;
        const stands = batch?.generation === fetcher.generation && fetcher.cursor.isHeld;
        if (!stands) await this.#advance(head);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_READS }, lookAll));
    this.#heap = this.#heads.filter(({ batch }) => batch !== undefined);
    for (let i = (this.#heap.length >>> 1) - 1; i >= 0; i--) this.#siftDown(i);
  }

  /** Goes to the next batch of the partition that has a record. */
  async #advance(head: Head): Promise<void> {
    const { fetcher, end } = head;
    head.batch = undefined;
    while (!fetcher.isPaused) {
      const batch = fetcher.take(end);
      if (batch !== undefined) {
        if (!fetcher.cursor.peek()) continue;
        fetcher.position = fetcher.cursor.offset;
        head.batch = batch;
        return;
      }
      if (fetcher.hasPassed(end) || !(await fetcher.fill(end))) {
        fetcher.rest();
        return;
      }
    }
  }

  #siftDown(from: number): void {
    const heap = this.#heap;
    const head = heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isEarlier(heap[child + 1]!, heap[child]!)) child++;
      if (!isEarlier(heap[child]!, head)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = head;
  }
}

function isEarlier(a: Head, b: Head): boolean {
  const timeOfA = a.fetcher.cursor.timestamp;
  const timeOfB = b.fetcher.cursor.timestamp;
  return timeOfA < timeOfB || (timeOfA === timeOfB && a.rank < b.rank);
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
