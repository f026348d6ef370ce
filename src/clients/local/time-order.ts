/**
 * Merges partitions by timestamp, then topic, partition and offset. Within a partition the order is that of offsets, so
 * a record whose time lies before its predecessor's comes right after that. Every partition holds one block, and its
 * cursor the record that is next; the earliest one hands out a run, which ends where another partition's record is due.
 */
import type { RecordCursor } from '../../format/record-cursor.js';
import type { BatchOrder } from './batch-order.js';
import type { LocalBatch } from './local-batch.js';
import type { PartitionFetcher } from './partition-fetcher.js';
import { Tournament } from './tournament.js';

/** Partitions whose first blocks are read at the same time. */
const CONCURRENT_READS = 8;

interface Head {
  readonly fetcher: PartitionFetcher;
  /** What is merged of the partition. */
  readonly end: number;
  /** The batch whose cursor holds the partition's next record. */
  batch: LocalBatch | undefined;
}

export class TimeOrder implements BatchOrder {
  readonly #heads: readonly Head[];
  /** By the times of the heads' next records; a head's number in it decides between records of the same time. */
  readonly #tournament: Tournament;
  /** Whose run has been handed out. */
  #running: Head | undefined;
  /** The tournament has to be played anew. */
  #isStale = true;

  constructor(fetchers: readonly PartitionFetcher[], ends: ReadonlyMap<PartitionFetcher, number>) {
    const ranked = [...fetchers].sort((a, b) => compareNames(a.topic, b.topic) || a.partition - b.partition);
    this.#heads = ranked.map((fetcher) => ({ fetcher, end: ends.get(fetcher) ?? 0, batch: undefined }));
    this.#tournament = new Tournament(ranked.length);
  }

  /** A partition was paused, resumed, or moved to another place. */
  changed(): void {
    this.#isStale = true;
  }

  async next(): Promise<LocalBatch | undefined> {
    if (this.#running !== undefined) await this.#endRun(this.#running);
    while (this.#isStale) await this.#rebuild();
    return this.#beginRun();
  }

  nextNow(): LocalBatch | undefined {
    return !this.#isStale && this.#isRunOver() ? this.#beginRun() : undefined;
  }

  mergeNow(take: (cursors: readonly RecordCursor[]) => void): boolean {
    if (this.#isStale || !this.#isRunOver()) return false;
    const heads = this.#heads.filter(({ batch }) => batch !== undefined);
    if (heads.length === 0) return false;
    const cursors = heads.map(({ fetcher }) => fetcher.cursor);
    for (const cursor of cursors) cursor.unpeek();
    take(cursors);
    for (const { fetcher, batch } of heads) {
      // Whose batch has ended has to look for another.
      if (!fetcher.cursor.peek()) this.#isStale = true;
      fetcher.position = batch!.endOfRun();
    }
    if (!this.#isStale) this.#play();
    return true;
  }

  /** Puts whoever handed out the last run where its next record belongs. False: that is not known yet. */
  #isRunOver(): boolean {
    const head = this.#running;
    if (head === undefined) return true;
    const { fetcher, batch } = head;
    if (batch === undefined || batch.generation !== fetcher.generation) return false;
    const { cursor } = fetcher;
    // Whoever took only a part of the run does not want the rest.
    while (cursor.next());
    // Whose batch has ended has to look for another.
    if (!cursor.isHeld) return false;
    this.#running = undefined;
    fetcher.position = cursor.offset;
    this.#tournament.replaceWinner(cursor.timestamp);
    return true;
  }

  #beginRun(): LocalBatch | undefined {
    const tournament = this.#tournament;
    const head = this.#heads[tournament.winner];
    this.#running = head;
    if (head === undefined) return undefined;
    head.fetcher.cursor.stopAt(tournament.winnersLimit());
    return head.batch;
  }

  /** Puts whoever handed out the last run where the record that comes after it belongs. */
  async #endRun(head: Head): Promise<void> {
    this.#running = undefined;
    const { fetcher, batch } = head;
    if (batch === undefined || batch.generation !== fetcher.generation) return;
    const { cursor } = fetcher;
    while (cursor.next());
    // At once: should it be paused while it looks for another batch, it goes on there.
    fetcher.position = batch.endOfRun();
    if (!cursor.isHeld) await this.#advance(head);
    if (!this.#isStale) this.#tournament.replaceWinner(timeOf(head));
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
    this.#play();
  }

  #play(): void {
    this.#heads.forEach((head, number) => void this.#tournament.setKey(number, timeOf(head)));
    this.#tournament.playAll();
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
}

/** Of the partition's next record. */
function timeOf({ fetcher, batch }: Head): number {
  return batch === undefined ? Number.POSITIVE_INFINITY : fetcher.cursor.timestamp;
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
