import { setMaxListeners } from 'node:events';
import { KlogError } from '../../errors.js';
import type { ConsumerBatch, TopicPartition } from '../client.js';
import type { Consumer, ConsumerOptions, ConsumerRecord, OffsetSpec } from '../consumer.js';
import type { BatchOrder } from './batch-order.js';
import type { ClientSeams } from './client-seams.js';
import { type PlannedPartition, planPartitions } from './consumer-plan.js';
import { Follower } from './follower.js';
import type { LocalBatch } from './local-batch.js';
import type { LocalStore } from './local-store.js';
import { isOutOfRange, outOfRange, resolveOffset } from './offset-range.js';
import { type FetcherOptions, PartitionFetcher } from './partition-fetcher.js';
import { PartitionOrder } from './partition-order.js';
import { RecordIterator } from './record-iterator.js';
import { TimeOrder } from './time-order.js';

const DEFAULT_FETCH_BYTES = 1024 * 1024;
/** All partitions that are merged by time hold their blocks at the same time: two each, within this together. */
const MERGE_BUFFER_BYTES = 32 * 1024 * 1024;
const LEAST_FETCH_BYTES = 16 * 1024;
/** Between two looks for a topic that is waited for, and at topics that are followed. */
const TOPIC_POLL_MS = 100;
const TOPICS_POLL_MS = 1000;

export class LocalConsumer implements Consumer {
  readonly #store: LocalStore;
  readonly #options: ConsumerOptions;
  readonly #seams: ClientSeams;
  readonly #onClose: () => void;
  readonly #isFollowing: boolean;
  readonly #fetchers: PartitionFetcher[] = [];
  readonly #backlogEnds = new Map<PartitionFetcher, number>();
  readonly #topicIds = new Map<string, string>();
  /** Paused before it was known what is assigned. */
  readonly #pausedBefore = new Map<string, TopicPartition>();
  readonly #follower: Follower;
  readonly #ending = new AbortController();
  readonly #end = (): void => this.#ending.abort();
  #order: BatchOrder | undefined;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #isIterated = false;
  /** Raised by seek, pause and resume: what an order has found before may no longer be all there is. */
  #changes = 0;
  #lookedAtTopics = 0;

  /** `onClose` is called when closing begins. */
  constructor(store: LocalStore, options: ConsumerOptions, seams: ClientSeams, onClose: () => void = () => {}) {
    const { timeoutMs, order = 'partition' } = options;
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw new TypeError(`timeoutMs must not be negative: ${timeoutMs}`);
    }
    if (order !== 'partition' && order !== 'time') throw new TypeError(`order must be partition or time: ${order}`);
    this.#store = store;
    this.#options = options;
    this.#seams = seams;
    this.#onClose = onClose;
    this.#isFollowing = options.follow === true || timeoutMs !== undefined;
    // Each partition that is waited for listens: a thousand are no leak.
    setMaxListeners(0, this.#ending.signal);
    this.#follower = new Follower(this.#ending.signal, seams.elapsed);
    const { signal } = options;
    if (signal?.aborted) this.#end();
    else signal?.addEventListener('abort', this.#end, { once: true });
  }

  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord, undefined> {
    this.#beginIteration();
    return new RecordIterator({ next: () => this.#nextOrClose(), close: () => this.close() });
  }

  batches(): AsyncIterable<ConsumerBatch> {
    return {
      [Symbol.asyncIterator]: (): AsyncIterator<ConsumerBatch, undefined> => {
        this.#beginIteration();
        return {
          next: async () => {
            const value = await this.#nextOrClose();
            return value === undefined ? { done: true, value } : { done: false, value };
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
    return this.#fetchers.map(({ topic, partition }) => ({ topic, partition }));
  }

  async position(partition: TopicPartition): Promise<number> {
    await this.#start();
    return this.#assigned(partition).position;
  }

  async seek(partition: TopicPartition, to: OffsetSpec): Promise<void> {
    this.#mustBeOpen();
    await this.#start();
    const fetcher = this.#assigned(partition);
    const { reader } = fetcher;
    const marks = await reader.marks();
    fetcher.marks = marks;
    const offset = await resolveOffset(to, { reader, marks, visibleEnd: fetcher.visibleEnd });
    if (isOutOfRange(to, marks)) throw outOfRange(fetcher.topic, fetcher.partition, offset, marks);
    fetcher.seek(offset);
    this.#changed();
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const fetcher = this.#find(partition);
      if (fetcher === undefined) this.#pausedBefore.set(nameOf(partition), partition);
      else fetcher.pause();
    }
    this.#changed();
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      this.#pausedBefore.delete(nameOf(partition));
      const fetcher = this.#find(partition);
      if (fetcher !== undefined) fetcher.isPaused = false;
    }
    this.#changed();
  }

  paused(): TopicPartition[] {
    const paused = this.#fetchers.filter(({ isPaused }) => isPaused);
    return [...this.#pausedBefore.values(), ...paused.map(({ topic, partition }) => ({ topic, partition }))];
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#onClose();
    this.#end();
    this.#options.signal?.removeEventListener('abort', this.#end);
    await this.#starting?.catch(() => {});
    await Promise.all(this.#fetchers.map(({ reader }) => reader.close()));
  }

  #beginIteration(): void {
    if (this.#closing !== undefined) throw closed();
    if (this.#isIterated) throw new TypeError('a consumer is iterated once: make another one');
    this.#isIterated = true;
  }

  /** At its end, and after an error, an iteration lets go of everything. */
  async #nextOrClose(): Promise<LocalBatch | undefined> {
    let batch: LocalBatch | undefined;
    try {
      batch = await this.#next();
    } finally {
      if (batch === undefined) await this.close();
    }
    return batch;
  }

  async #next(): Promise<LocalBatch | undefined> {
    const { signal } = this.#ending;
    const { timeoutMs = Number.POSITIVE_INFINITY } = this.#options;
    const deadline = this.#seams.elapsed() + timeoutMs;
    try {
      if (!signal.aborted) await this.#start(deadline);
      while (!signal.aborted) {
        const changes = this.#changes;
        const batch = await this.#order!.next();
        if (signal.aborted) return undefined;
        if (batch !== undefined) {
          if (this.#isFollowing) await this.#lookAtTopics();
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

  /** Waits for what may come. False: nothing will, or not in time. */
  async #more(deadline: number): Promise<boolean> {
    const hasPaused = this.#fetchers.some((fetcher) => fetcher.isPaused && !fetcher.isDone);
    if (!this.#isFollowing) return hasPaused && (await this.#follower.wait([], deadline, Number.POSITIVE_INFINITY));
    if (this.#order instanceof TimeOrder) {
      if (this.#isBacklogPaused()) return await this.#follower.wait([], deadline, Number.POSITIVE_INFINITY);
      // From here on records come as they are written.
      for (const fetcher of this.#fetchers) fetcher.isAtEnd = false;
      this.#order = new PartitionOrder(this.#fetchers, new Map());
      return true;
    }
    if (this.#fetchers.length > 0 && this.#fetchers.every((fetcher) => fetcher.isDone)) return false;
    const isInTime = await this.#follower.wait(this.#fetchers, deadline, TOPICS_POLL_MS);
    if (isInTime) await this.#lookAtTopics();
    return isInTime;
  }

  #isBacklogPaused(): boolean {
    return this.#fetchers.some(
      (fetcher) => fetcher.isPaused && !fetcher.hasPassed(this.#backlogEnds.get(fetcher) ?? Number.POSITIVE_INFINITY),
    );
  }

  #start(deadline = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#closing !== undefined && this.#starting === undefined) return Promise.reject(closed());
    this.#starting ??= this.#startNow(deadline);
    return this.#starting;
  }

  async #startNow(deadline: number): Promise<void> {
    if (this.#options.waitForTopics === true && !(await this.#topicsExist(deadline))) return;
    const planned = await planPartitions(this.#store, this.#options, this.#isFollowing);
    const { order, maxFetchBytes = DEFAULT_FETCH_BYTES } = this.#options;
    const share = Math.floor(MERGE_BUFFER_BYTES / 2 / Math.max(1, planned.length));
    const isMerged = order === 'time' && planned.length > 1;
    const maxBytes = isMerged ? Math.min(maxFetchBytes, Math.max(LEAST_FETCH_BYTES, share)) : maxFetchBytes;
    for (const partition of planned) this.#backlogEnds.set(this.#add(partition, maxBytes), partition.backlogEnd);
    this.#order = isMerged
      ? new TimeOrder(this.#fetchers, this.#backlogEnds)
      : new PartitionOrder(this.#fetchers, this.#backlogEnds);
    this.#lookedAtTopics = this.#seams.elapsed();
  }

  #add({ topic, topicId, partition, reader, marks, from, end }: PlannedPartition, maxBytes: number): PartitionFetcher {
    const { isolationLevel, skipCorrupt = false, onCorrupt } = this.#options;
    const options: FetcherOptions = { isCommittedOnly: isolationLevel !== 'read_uncommitted', skipCorrupt, onCorrupt };
    const fetcher = new PartitionFetcher(topic, partition, reader, marks, { from, end }, maxBytes, options);
    if (this.#pausedBefore.delete(nameOf(fetcher))) fetcher.pause();
    this.#fetchers.push(fetcher);
    this.#topicIds.set(topic, topicId);
    return fetcher;
  }

  /** False when they did not come in time. */
  async #topicsExist(deadline: number): Promise<boolean> {
    const names = this.#options.topics.map((selection) =>
      typeof selection === 'string' ? selection : selection.topic,
    );
    for (const name of names) {
      while ((await this.#store.topic(name)) === undefined) {
        if (!(await this.#follower.sleep(TOPIC_POLL_MS, deadline))) {
          this.#order = new PartitionOrder([], new Map());
          this.#end();
          return false;
        }
      }
    }
    return true;
  }

  /**
   * Looks at followed topics again, once in a while: partitions that were added are read from their beginning, and a topic
   * that was deleted, perhaps made anew, ends the iteration with an error; its files alone would just fall silent.
   */
  async #lookAtTopics(): Promise<void> {
    const now = this.#seams.elapsed();
    if (now - this.#lookedAtTopics < TOPICS_POLL_MS) return;
    this.#lookedAtTopics = now;
    for (const [topic, topicId] of this.#topicIds) {
      const found = await this.#store.topic(topic);
      if (found?.topicId !== topicId) {
        throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} was deleted while it was read`, { topic });
      }
      if (!this.#readsAllOf(topic)) continue;
      const read = new Set(this.#fetchers.filter((one) => one.topic === topic).map(({ partition }) => partition));
      const added = Array.from({ length: found.partitions }, (_, i) => i).filter((partition) => !read.has(partition));
      if (added.length === 0) continue;
      const options: ConsumerOptions = { ...this.#options, topics: [{ topic, partitions: added }], from: 'start' };
      const maxBytes = this.#options.maxFetchBytes ?? DEFAULT_FETCH_BYTES;
      for (const planned of await planPartitions(this.#store, options, true)) this.#add(planned, maxBytes);
    }
  }

  #readsAllOf(topic: string): boolean {
    return this.#options.topics.some((selection) =>
      typeof selection === 'string'
        ? selection === topic
        : selection.topic === topic && selection.partitions === undefined,
    );
  }

  #changed(): void {
    this.#changes++;
    if (this.#order instanceof TimeOrder) this.#order.changed();
    this.#follower.wake();
  }

  #find({ topic, partition }: TopicPartition): PartitionFetcher | undefined {
    return this.#fetchers.find((fetcher) => fetcher.partition === partition && fetcher.topic === topic);
  }

  #assigned(partition: TopicPartition): PartitionFetcher {
    const fetcher = this.#find(partition);
    if (fetcher !== undefined) return fetcher;
    const name = nameOf(partition);
    throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `${name} is not assigned to this consumer`, { ...partition });
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

function closed(): KlogError {
  return new KlogError('KLOG_CLOSED', 'the consumer is closed');
}
