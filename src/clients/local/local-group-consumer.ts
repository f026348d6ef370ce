import { KlogError } from '../../errors.js';
import type { Groups } from '../../groups/groups.js';
import type { ConsumerBatch, TopicPartition } from '../client.js';
import type { ConsumerRecord, OffsetSpec } from '../consumer.js';
import type { GroupConsumer, GroupConsumerOptions, GroupShare, OffsetToCommit } from '../group-consumer.js';
import type { ClientSeams } from './client-seams.js';
import { ConsumerLife, closed } from './consumer-life.js';
import { Follower } from './follower.js';
import { GroupCommits } from './group-commits.js';
import { GroupMembership } from './group-membership.js';
import { GroupPartitions } from './group-partitions.js';
import type { LocalBatch } from './local-batch.js';
import type { LocalStore } from './local-store.js';
import { soughtOffset } from './offset-range.js';
import { PartitionOrder } from './partition-order.js';
import { RecordIterator } from './record-iterator.js';
import { waitForTopics } from './topic-watch.js';

const DEFAULT_FETCH_BYTES = 1024 * 1024;
/** Records are handed out one by one on a look at the group's record that is no older. */
const LOOK_MS = 50;
/** Whatever changes wakes; this is for what has not. */
const LONGEST_WAIT_MS = 1000;

/** A member of a consumer group. */
export class LocalGroupConsumer implements GroupConsumer {
  readonly #store: LocalStore;
  readonly #options: GroupConsumerOptions;
  readonly #seams: ClientSeams;
  readonly #life: ConsumerLife;
  readonly #isFollowing: boolean;
  readonly #partitions: GroupPartitions;
  readonly #membership: GroupMembership;
  readonly #commits: GroupCommits;
  readonly #order: PartitionOrder;
  readonly #follower: Follower;
  /** Nothing can be committed any more. */
  #hasLeft = false;
  #isByRecord = false;
  #failure: unknown;
  #changes = 0;
  #lookedAt = 0;

  /** `onClose` is called when closing begins, with its end. */
  constructor(
    store: LocalStore,
    options: GroupConsumerOptions,
    seams: ClientSeams,
    groups: () => Promise<Groups>,
    onClose: (closing: Promise<void>) => void = () => {},
  ) {
    const { timeoutMs, maxFetchBytes = DEFAULT_FETCH_BYTES } = options;
    this.#life = new ConsumerLife(options, onClose);
    this.#store = store;
    this.#options = options;
    this.#seams = seams;
    this.#isFollowing = options.follow === true || timeoutMs !== undefined;
    this.#follower = new Follower(this.#life.signal, seams.elapsed);
    this.#partitions = new GroupPartitions(store, seams, {
      consumer: options,
      isFollowing: this.#isFollowing,
      maxFetchBytes,
      onChange: () => this.#changed(),
      onForget: (fetcher) => this.#follower.forget(fetcher),
    });
    // Who follows hears of partitions that come and go; whether all is read depends on what goes to others, too.
    const onChange = this.#isFollowing ? undefined : () => this.#changed();
    this.#membership = new GroupMembership(groups, options, this.#partitions, onChange);
    this.#commits = new GroupCommits(this.#partitions, options.group, (error) => this.#failed(error));
    this.#order = new PartitionOrder(this.#partitions.assignment.fetchers, new Map());
  }

  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord, undefined> {
    this.#life.beginIteration();
    this.#isByRecord = true;
    return new RecordIterator({
      next: () => this.#nextOrClose(),
      close: () => this.close(),
      mustLook: () => this.#seams.elapsed() - this.#lookedAt >= LOOK_MS,
      look: () => this.#lookAgain(),
    });
  }

  batches(): AsyncIterable<ConsumerBatch> {
    return {
      [Symbol.asyncIterator]: (): AsyncIterator<ConsumerBatch, undefined> => {
        this.#life.beginIteration();
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
    return this.#partitions.assignment.partitions();
  }

  async position(partition: TopicPartition): Promise<number> {
    await this.#start();
    return this.#partitions.assignment.get(partition).position;
  }

  async seek(partition: TopicPartition, to: OffsetSpec): Promise<void> {
    this.#life.mustBeOpen();
    await this.#start();
    const fetcher = this.#partitions.assignment.get(partition);
    const offset = await soughtOffset(to, fetcher);
    this.#partitions.seek(fetcher, offset);
    this.#changed();
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#partitions.pause(partition);
    this.#changed();
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#partitions.resume(partition);
    this.#changed();
  }

  paused(): TopicPartition[] {
    return this.#partitions.paused();
  }

  async commit(offsets?: readonly OffsetToCommit[]): Promise<void> {
    // While it leaves, what it lets go of may still be committed.
    if (this.#hasLeft) throw closed();
    await this.#start();
    if (offsets === undefined) await this.#commits.commitAll();
    else await this.#commits.commit(offsets);
  }

  async committed(partitions: readonly TopicPartition[]): Promise<(OffsetToCommit | undefined)[]> {
    return await this.#membership.committed(partitions);
  }

  async share(): Promise<GroupShare> {
    await this.#start();
    return this.#membership.share;
  }

  close(): Promise<void> {
    return this.#life.close(() => this.#leave());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #leave(): Promise<void> {
    this.#partitions.close();
    try {
      await this.#commits.end();
      await this.#membership.leave();
    } finally {
      this.#hasLeft = true;
      await this.#partitions.assignment.close();
    }
  }

  /** At its end, and after an error, an iteration leaves the group. */
  async #nextOrClose(): Promise<LocalBatch | undefined> {
    let batch: LocalBatch | undefined;
    try {
      batch = await this.#next();
    } catch (error) {
      // Why it ended says more than what then goes wrong with leaving.
      await this.close().catch(() => {});
      throw error;
    }
    if (batch === undefined) await this.close();
    return batch;
  }

  async #next(): Promise<LocalBatch | undefined> {
    const { signal } = this.#life;
    const { timeoutMs = Number.POSITIVE_INFINITY } = this.#options;
    const deadline = this.#seams.elapsed() + timeoutMs;
    this.#partitions.handled();
    try {
      if (!signal.aborted) await this.#start(deadline);
      while (!signal.aborted) {
        this.#mustBeMember();
        const changes = this.#changes;
        const batch = await this.#nextInOrder(changes);
        if (signal.aborted) return undefined;
        if (batch !== undefined) {
          if (this.#isFollowing) this.#follower.watchMeanwhile(this.#partitions.assignment.fetchers);
          if (await this.#mayHandOut(batch)) return batch;
        } else if (changes === this.#changes && !(await this.#more(deadline))) return undefined;
      }
    } catch (error) {
      // What is closed under a running call is no failure of that call.
      if (!signal.aborted || this.#failure !== undefined) throw error;
    }
    return undefined;
  }

  async #nextInOrder(changes: number): Promise<LocalBatch | undefined> {
    try {
      return await this.#order.next();
    } catch (error) {
      // The partition was let go of while it was read.
      if (changes !== this.#changes && error instanceof KlogError && error.code === 'KLOG_CLOSED') return undefined;
      throw error;
    }
  }

  /** Looks at the group's record before each batch. */
  async #mayHandOut(batch: LocalBatch): Promise<boolean> {
    const { from, generation } = batch;
    const isMine = await this.#membership.member.look(from);
    this.#lookedAt = this.#seams.elapsed();
    // Paused, stopped or moved meanwhile: where it goes on has been settled then.
    if (from.generation !== generation || this.#life.signal.aborted) return false;
    if (!isMine) {
      // It is about to be stopped; until then nothing of it comes.
      from.pause();
      return false;
    }
    this.#partitions.handOut(from, this.#isByRecord);
    if (!this.#isByRecord) from.position = batch.nextOffset;
    return true;
  }

  /** Between two records of a batch. */
  async #lookAgain(): Promise<void> {
    const fetcher = this.#partitions.inHand;
    this.#partitions.handled();
    this.#mustBeMember();
    if (fetcher === undefined) return;
    const { generation } = fetcher;
    const isMine = await this.#membership.member.look(fetcher);
    this.#lookedAt = this.#seams.elapsed();
    if (fetcher.generation !== generation) return;
    if (isMine) this.#partitions.handOut(fetcher, true);
    else fetcher.pause();
  }

  /** Waits for what may come. False: nothing will, or not in time. */
  async #more(deadline: number): Promise<boolean> {
    this.#mustBeMember();
    if (!this.#isFollowing && this.#isDone()) {
      if (this.#partitions.hasOwned) return false;
      throw this.#membership.noPartition();
    }
    const { fetchers } = this.#partitions.assignment;
    return await this.#follower.wait(this.#isFollowing ? fetchers : [], deadline, LONGEST_WAIT_MS);
  }

  /** Whether it has read all of what is its own, and nothing is on its way to it. */
  #isDone(): boolean {
    return this.#membership.isSettled && this.#partitions.assignment.fetchers.every((fetcher) => fetcher.isDone);
  }

  #start(deadline = Number.POSITIVE_INFINITY): Promise<void> {
    return this.#life.start(() => this.#startNow(deadline));
  }

  async #startNow(deadline: number): Promise<void> {
    const { topics = [], waitForTopics: waits } = this.#options;
    if (waits === true && !(await waitForTopics(this.#store, { topics }, this.#follower, deadline))) {
      this.#life.end();
      return;
    }
    for (const topic of topics) await this.#store.topics.get(topic);
    await this.#membership.join();
    this.#commits.begin(this.#membership.member);
  }

  #mustBeMember(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#membership.assertMember();
  }

  #failed(error: unknown): void {
    this.#failure ??= error;
    this.#changed();
  }

  #changed(): void {
    this.#changes++;
    this.#follower.wake();
  }
}
