import type { RecordCursor } from '../../format/record-cursor.js';
import type { ConsumerBatch, TopicPartition } from '../client.js';
import type { Consumer, ConsumerBatches, ConsumerOptions, ConsumerRecord, OffsetSpec } from '../consumer.js';
import { Assignment } from './assignment.js';
import type { BatchOrder } from './batch-order.js';
import type { ClientSeams } from './client-seams.js';
import { ConsumerLife } from './consumer-life.js';
import { planPartitions } from './consumer-plan.js';
import { Follower } from './follower.js';
import type { LocalBatch } from './local-batch.js';
import type { LocalStore } from './local-store.js';
import { soughtOffset } from './offset-range.js';
import { PartitionOrder } from './partition-order.js';
import { RecordIterator } from './record-iterator.js';
import { TimeOrder } from './time-order.js';
import { TopicWatch, waitForTopics } from './topic-watch.js';

const DEFAULT_FETCH_BYTES = 1024 * 1024;
/** All partitions that are merged by time hold their blocks at the same time: two each, within this together. */
const MERGE_BUFFER_BYTES = 32 * 1024 * 1024;
const LEAST_FETCH_BYTES = 16 * 1024;
/** Between two looks at topics that are followed. */
const TOPICS_POLL_MS = 1000;

export class LocalConsumer implements Consumer {
  readonly #store: LocalStore;
  readonly #options: ConsumerOptions;
  readonly #seams: ClientSeams;
  readonly #life: ConsumerLife;
  readonly #isFollowing: boolean;
  readonly #assignment: Assignment;
  readonly #follower: Follower;
  readonly #topics: TopicWatch;
  #order: BatchOrder | undefined;
  /** Calls that look for the next batch. */
  #asking = 0;
  #isByRecord = false;
  /** By batch: what the application has. */
  #inHand: LocalBatch | undefined;
  /** A run of a merge that was in hand when its partition was paused. */
  #pausedRun: LocalBatch | undefined;
  /** Raised by seek, pause and resume: what an order has found before may no longer be all there is. */
  #changes = 0;
  #lookedAtTopics = 0;

  /** `onClose` is called when closing begins, with its end. */
  constructor(
    store: LocalStore,
    options: ConsumerOptions,
    seams: ClientSeams,
    onClose: (closing: Promise<void>) => void = () => {},
  ) {
    const { timeoutMs, order = 'partition' } = options;
    this.#life = new ConsumerLife(options, onClose);
    if (order !== 'partition' && order !== 'time') throw new TypeError(`order must be partition or time: ${order}`);
    this.#store = store;
    this.#options = options;
    this.#seams = seams;
    this.#isFollowing = options.follow === true || timeoutMs !== undefined;
    this.#topics = new TopicWatch(store, options);
    this.#assignment = new Assignment(options, (topic) => this.#isFollowing && this.#topics.matches(topic));
    this.#follower = new Follower(this.#life.signal, seams.elapsed);
  }

  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord, undefined> {
    this.#life.beginIteration();
    this.#isByRecord = true;
    return new RecordIterator({ next: () => this.#nextOrClose(), close: () => this.close() });
  }

  batches(): ConsumerBatches {
    return {
      nextNow: () => this.#nextNow(),
      mergeNow: (take) => this.#mergeNow(take),
      [Symbol.asyncIterator]: (): AsyncIterator<ConsumerBatch, undefined> => {
        this.#life.beginIteration();
        return {
          next: () => {
            try {
              const value = this.#nextNow();
              if (value !== undefined) return Promise.resolve({ done: false, value });
            } catch (error) {
              return this.close().then(() => Promise.reject(error));
            }
            return this.#nextResult();
          },
          return: async () => {
            await this.close();
            return { done: true, value: undefined };
          },
        };
      },
    };
  }

  async assignment(): Promise<TopicPartition[]> {
    await this.#start();
    return this.#assignment.partitions();
  }

  async position(partition: TopicPartition): Promise<number> {
    await this.#start();
    return this.#assignment.get(partition).position;
  }

  async seek(partition: TopicPartition, to: OffsetSpec): Promise<void> {
    this.#life.mustBeOpen();
    await this.#start();
    const fetcher = this.#assignment.get(partition);
    const offset = await soughtOffset(to, fetcher);
    fetcher.seek(offset);
    if (this.#pausedRun?.from === fetcher) this.#pausedRun = undefined;
    this.#changed();
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      if (this.#order instanceof TimeOrder && this.#inHand?.from === this.#assignment.find(partition)) {
        this.#pausedRun = this.#inHand;
      }
      this.#assignment.pause(partition);
    }
    this.#changed();
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#assignment.resume(partition);
    this.#changed();
  }

  paused(): TopicPartition[] {
    return this.#assignment.paused();
  }

  close(): Promise<void> {
    return this.#life.close(() => this.#assignment.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Whether nothing else goes on: what comes next can be had without waiting. */
  get #isAlone(): boolean {
    return this.#asking === 0 && !this.#isFollowing && !this.#life.isEnding;
  }

  /** What comes next without waiting for anything; `undefined`: {@link #next} tells. */
  #nextNow(): LocalBatch | undefined {
    const batch = this.#isAlone ? this.#order?.nextNow?.() : undefined;
    if (batch !== undefined) this.#inHand = batch;
    return batch;
  }

  #mergeNow(take: (cursors: readonly RecordCursor[]) => void): boolean {
    if (!this.#isAlone || this.#order?.mergeNow?.(take) !== true) return false;
    this.#inHand = undefined;
    return true;
  }

  async #nextResult(): Promise<IteratorResult<ConsumerBatch, undefined>> {
    const value = await this.#nextOrClose();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  /** At its end, and after an error, an iteration lets go of everything. */
  async #nextOrClose(): Promise<LocalBatch | undefined> {
    let batch: LocalBatch | undefined;
    this.#asking++;
    try {
      batch = await this.#next();
    } finally {
      this.#asking--;
      if (batch === undefined) await this.close();
    }
    return batch;
  }

  async #next(): Promise<LocalBatch | undefined> {
    const { signal } = this.#life;
    const { timeoutMs = Number.POSITIVE_INFINITY } = this.#options;
    const deadline = this.#seams.elapsed() + timeoutMs;
    try {
      if (!signal.aborted) await this.#start(deadline);
      this.#endPausedRun();
      // The order ends the run that it was before it waits for anything.
      this.#inHand = undefined;
      while (!signal.aborted) {
        const changes = this.#changes;
        const batch = await this.#order!.next();
        if (signal.aborted) return undefined;
        if (batch !== undefined) {
          if (this.#isFollowing) await this.#lookAtTopics();
          if (this.#isFollowing && !(this.#order instanceof TimeOrder)) {
            this.#follower.watchMeanwhile(this.#assignment.fetchers);
          }
          // Paused or sent elsewhere while it was on its way: it comes again, or not at all.
          if (batch.generation !== batch.from.generation) continue;
          if (!this.#isByRecord) this.#handOut(batch);
          return batch;
        }
        if (changes !== this.#changes) continue;
        if (!(await this.#more(deadline))) return undefined;
      }
    } catch (error) {
      // What is closed under a running call is no failure of that call.
      if (!signal.aborted) throw error;
    }
    return undefined;
  }

  /** How far a run of a merge goes is known only when the next is asked for. */
  #handOut(batch: LocalBatch): void {
    this.#inHand = batch;
    if (!(this.#order instanceof TimeOrder)) batch.from.position = batch.nextOffset;
  }

  /** The application had all of it, whatever it took: its partition goes on behind it. */
  #endPausedRun(): void {
    const run = this.#pausedRun;
    if (run === undefined) return;
    this.#pausedRun = undefined;
    while (run.cursor.next());
    run.from.seek(run.endOfRun());
  }

  /** Waits for what may come. False: nothing will, or not in time. */
  async #more(deadline: number): Promise<boolean> {
    const assignment = this.#assignment;
    if (!this.#isFollowing)
      return assignment.isHeldUp && (await this.#follower.wait([], deadline, Number.POSITIVE_INFINITY));
    if (this.#order instanceof TimeOrder) {
      if (assignment.isBacklogHeldUp) return await this.#follower.wait([], deadline, Number.POSITIVE_INFINITY);
      // From here on records come as they are written.
      for (const fetcher of assignment.fetchers) fetcher.isAtEnd = false;
      this.#order = new PartitionOrder(assignment.fetchers, new Map());
      return true;
    }
    if (assignment.isDone) return false;
    const isInTime = await this.#follower.wait(assignment.fetchers, deadline, TOPICS_POLL_MS);
    if (isInTime) await this.#lookAtTopics();
    return isInTime;
  }

  #start(deadline = Number.POSITIVE_INFINITY): Promise<void> {
    return this.#life.start(() => this.#startNow(deadline));
  }

  async #startNow(deadline: number): Promise<void> {
    const { order, waitForTopics: waits, maxFetchBytes = DEFAULT_FETCH_BYTES } = this.#options;
    if (waits === true && !(await waitForTopics(this.#store, this.#options, this.#follower, deadline))) {
      this.#order = new PartitionOrder([], new Map());
      this.#life.end();
      return;
    }
    const selected = { ...this.#options, topics: await this.#topics.topics() };
    const planned = await planPartitions(this.#store, selected, this.#isFollowing);
    const share = Math.floor(MERGE_BUFFER_BYTES / 2 / Math.max(1, planned.length));
    const isMerged = order === 'time' && planned.length > 1;
    const maxBytes = isMerged ? Math.min(maxFetchBytes, Math.max(LEAST_FETCH_BYTES, share)) : maxFetchBytes;
    const { backlogEnds, fetchers } = this.#assignment;
    for (const partition of planned) backlogEnds.set(this.#assignment.add(partition, maxBytes), partition.backlogEnd);
    this.#order = isMerged ? new TimeOrder(fetchers, backlogEnds) : new PartitionOrder(fetchers, backlogEnds);
    this.#lookedAtTopics = this.#seams.elapsed();
  }

  /** Looks at followed topics again, once in a while. */
  async #lookAtTopics(): Promise<void> {
    const now = this.#seams.elapsed();
    if (now - this.#lookedAtTopics < TOPICS_POLL_MS) return;
    this.#lookedAtTopics = now;
    const maxBytes = this.#options.maxFetchBytes ?? DEFAULT_FETCH_BYTES;
    let isGone = false;
    await this.#topics.look(this.#assignment, maxBytes, (fetcher) => {
      isGone = true;
      this.#follower.forget(fetcher);
    });
    if (isGone) this.#changed();
  }

  #changed(): void {
    this.#changes++;
    if (this.#order instanceof TimeOrder) this.#order.changed();
    this.#follower.wake();
  }
}
