import { setMaxListeners } from 'node:events';
import { KlogError } from '../../errors.js';
import type { GroupMember } from '../../groups/group-member.js';
import type { Groups, Joined } from '../../groups/groups.js';
import type { ConsumerBatch, TopicPartition } from '../client.js';
import type { ConsumerRecord, OffsetSpec } from '../consumer.js';
import type { GroupConsumer, GroupConsumerOptions, GroupShare, OffsetToCommit } from '../group-consumer.js';
import type { ClientSeams } from './client-seams.js';
import { Follower } from './follower.js';
import { GroupPartitions } from './group-partitions.js';
import type { LocalBatch } from './local-batch.js';
import type { LocalStore } from './local-store.js';
import { isOutOfRange, outOfRange, resolveOffset } from './offset-range.js';
import type { PartitionFetcher } from './partition-fetcher.js';
import { PartitionOrder } from './partition-order.js';
import { RecordIterator } from './record-iterator.js';
import { waitForTopics } from './topic-watch.js';

const DEFAULT_FETCH_BYTES = 1024 * 1024;
const DEFAULT_COMMIT_INTERVAL_MS = 5000;
/** Records are handed out one by one on a look at the group's record that is no older. */
const LOOK_MS = 50;

/** A member of a consumer group. */
export class LocalGroupConsumer implements GroupConsumer {
  readonly #store: LocalStore;
  readonly #options: GroupConsumerOptions;
  readonly #seams: ClientSeams;
  readonly #groups: () => Promise<Groups>;
  readonly #onClose: () => void;
  readonly #isFollowing: boolean;
  readonly #partitions: GroupPartitions;
  readonly #order: PartitionOrder;
  readonly #follower: Follower;
  readonly #ending = new AbortController();
  readonly #end = (): void => this.#ending.abort();
  #joined: Joined | undefined;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Nothing can be committed any more. */
  #hasLeft = false;
  #isIterated = false;
  #isByRecord = false;
  #commitTimer: NodeJS.Timeout | undefined;
  #committing: Promise<void> = Promise.resolve();
  #failure: unknown;
  #changes = 0;
  #lookedAt = 0;

  /** `onClose` is called when closing begins. */
  constructor(
    store: LocalStore,
    options: GroupConsumerOptions,
    seams: ClientSeams,
    groups: () => Promise<Groups>,
    onClose: () => void = () => {},
  ) {
    const { timeoutMs, signal, group, topics = [], patterns = [], maxFetchBytes = DEFAULT_FETCH_BYTES } = options;
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw new TypeError(`timeoutMs must not be negative: ${timeoutMs}`);
    }
    if (topics.length === 0 && patterns.length === 0) throw new TypeError('a consumer needs topics or patterns');
    if (!((group.autoCommitIntervalMs ?? 1) > 0)) throw new TypeError('autoCommitIntervalMs must be positive');
    this.#store = store;
    this.#options = options;
    this.#seams = seams;
    this.#groups = groups;
    this.#onClose = onClose;
    this.#isFollowing = options.follow === true || timeoutMs !== undefined;
    this.#follower = new Follower(this.#ending.signal, seams.elapsed);
    this.#partitions = new GroupPartitions(store, seams, {
      consumer: options,
      isFollowing: this.#isFollowing,
      maxFetchBytes,
      onChange: () => this.#changed(),
      onForget: (fetcher) => this.#follower.forget(fetcher),
    });
    this.#order = new PartitionOrder(this.#partitions.assignment.fetchers, new Map());
    // Each partition that is waited for listens; and each consumer to a signal that may be for all of them.
    setMaxListeners(0, this.#ending.signal, ...(signal === undefined ? [] : [signal]));
    if (signal?.aborted) this.#end();
    else signal?.addEventListener('abort', this.#end, { once: true });
  }

  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord, undefined> {
    this.#beginIteration();
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
    return this.#partitions.assignment.partitions();
  }

  async position(partition: TopicPartition): Promise<number> {
    await this.#start();
    return this.#partitions.assignment.get(partition).position;
  }

  async seek(partition: TopicPartition, to: OffsetSpec): Promise<void> {
    this.#mustBeOpen();
    await this.#start();
    const fetcher = this.#partitions.assignment.get(partition);
    const { reader } = fetcher;
    const marks = await reader.marks();
    fetcher.marks = marks;
    const offset = await resolveOffset(to, { reader, marks, visibleEnd: fetcher.visibleEnd });
    if (isOutOfRange(to, marks)) throw outOfRange(fetcher.topic, fetcher.partition, offset, marks);
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
    const commits =
      offsets === undefined ? this.#everythingHandedOut() : offsets.map((offset) => this.#checkedCommit(offset));
    await this.#commit(commits);
  }

  async committed(partitions: readonly TopicPartition[]): Promise<(OffsetToCommit | undefined)[]> {
    const log = await (await this.#groups()).logOf(this.#options.group.id);
    await log.refresh();
    const group = log.group(this.#options.group.id);
    return partitions.map(({ topic, partition }) => {
      const found = group.committed({ topic, partition });
      return found === undefined ? undefined : { topic, partition, offset: found.offset, metadata: found.metadata };
    });
  }

  async share(): Promise<GroupShare> {
    await this.#start();
    const { member, runtime } = this.#joined!;
    const { state } = runtime;
    return {
      groupId: member.groupId,
      memberId: member.memberId,
      generation: state.generation,
      members: state.members.size,
      partitions: runtime.partitions,
      assigned: state.members.get(member.memberId)?.assigned.size ?? 0,
    };
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
    clearTimeout(this.#commitTimer);
    this.#partitions.close();
    try {
      await this.#committing.catch(() => {});
      if (this.#joined !== undefined) await this.#joined.runtime.leave(this.#joined.member);
    } finally {
      this.#hasLeft = true;
      await this.#partitions.assignment.close();
    }
  }

  #beginIteration(): void {
    if (this.#closing !== undefined) throw closed();
    if (this.#isIterated) throw new TypeError('a consumer is iterated once: make another one');
    this.#isIterated = true;
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
    const { signal } = this.#ending;
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
    const { member } = this.#joined!;
    const isMine = await member.look(from);
    this.#lookedAt = this.#seams.elapsed();
    // Paused, stopped or moved meanwhile: where it goes on has been settled then.
    if (from.generation !== generation || this.#ending.signal.aborted) return false;
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
    const isMine = await this.#joined!.member.look(fetcher);
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
      throw noPartition(await this.share());
    }
    const { fetchers } = this.#partitions.assignment;
    return await this.#follower.wait(this.#isFollowing ? fetchers : [], deadline, Number.POSITIVE_INFINITY);
  }

  /** Whether it has read all of what is its own, and nothing is on its way to it. */
  #isDone(): boolean {
    const { member, runtime } = this.#joined!;
    if (member.isBusy) return false;
    const assigned = runtime.state.members.get(member.memberId)?.assigned;
    if (assigned === undefined || !assigned.equals(member.working)) return false;
    return this.#partitions.assignment.fetchers.every((fetcher) => fetcher.isDone);
  }

  #start(deadline = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#closing !== undefined && this.#starting === undefined) return Promise.reject(closed());
    this.#starting ??= this.#startNow(deadline);
    return this.#starting;
  }

  async #startNow(deadline: number): Promise<void> {
    const { topics = [], patterns = [], waitForTopics: waits, group } = this.#options;
    if (waits === true && !(await waitForTopics(this.#store, { topics }, this.#follower, deadline))) {
      this.#end();
      return;
    }
    for (const topic of topics) await this.#store.topics.get(topic);
    const wants = patterns.length === 0 ? undefined : (topic: string) => patterns.some((one) => fits(one, topic));
    const { id: groupId, instanceId, clientId, assignor } = group;
    const groups = await this.#groups();
    const options = { groupId, instanceId, clientId, assignor, topics, wants, worker: this.#partitions };
    this.#joined = await groups.join(options);
    this.#commitLater();
  }

  #commitLater(): void {
    const { commit = 'auto', autoCommitIntervalMs = DEFAULT_COMMIT_INTERVAL_MS } = this.#options.group;
    if (commit !== 'auto' || this.#ending.signal.aborted) return;
    this.#commitTimer = setTimeout(() => {
      this.#committing = this.#commit(this.#partitions.dirty())
        .catch((error: unknown) => this.#failed(error))
        .finally(() => this.#commitLater());
    }, autoCommitIntervalMs);
    // Who waits for records keeps the process alive.
    this.#commitTimer.unref();
  }

  async #commit(commits: ReturnType<GroupPartitions['dirty']>): Promise<void> {
    if (commits.length === 0) return;
    await this.#joined!.member.commit(commits);
    for (const { commit, ...partition } of commits) this.#partitions.committed(partition, commit.offset);
  }

  #everythingHandedOut() {
    const partitions = this.#partitions;
    return partitions.assignment.fetchers.map((fetcher: PartitionFetcher) => ({
      topic: fetcher.topic,
      partition: fetcher.partition,
      commit: partitions.commitOf(fetcher.position),
    }));
  }

  #checkedCommit({ topic, partition, offset, metadata }: OffsetToCommit) {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new TypeError(`not an offset: ${offset}`);
    const most = this.#partitions.assignment.find({ topic, partition })?.position ?? Number.POSITIVE_INFINITY;
    if (offset > most) {
      const message = `offset ${offset} of ${topic}:${partition} cannot be committed: only what lies below ${most} was handed out`;
      throw new KlogError('OFFSET_OUT_OF_RANGE', message, { topic, partition, offset });
    }
    return { topic, partition, commit: this.#partitions.commitOf(offset, metadata) };
  }

  #mustBeMember(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const member: GroupMember | undefined = this.#joined?.member;
    if (member?.error !== undefined) throw member.error;
  }

  #failed(error: unknown): void {
    this.#failure ??= error;
    this.#changed();
  }

  #changed(): void {
    this.#changes++;
    this.#follower.wake();
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }
}

function fits(pattern: RegExp, topic: string): boolean {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, '')).test(topic);
}

function noPartition({ groupId, members, partitions }: GroupShare): KlogError {
  const message = `the other ${members - 1} members of group ${groupId} own all of its ${partitions} partitions`;
  return new KlogError('KLOG_NO_PARTITION', message, {
    hint: 'A group has work for as many members as its topics have partitions',
  });
}

function closed(): KlogError {
  return new KlogError('KLOG_CLOSED', 'the consumer is closed');
}
