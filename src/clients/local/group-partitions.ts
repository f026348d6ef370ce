/**
 * What a member of a group reads, and how far it has come. What was handed out is *in hand* until the next is asked
 * for, and handled from then on; only what was handled is committed by itself.
 */
import type { MemberCommit, MemberWorker, StartedPartition, StoppedPartition } from '../../groups/member-worker.js';
import type { TopicPartition } from '../client.js';
import type { GroupConsumerOptions } from '../group-consumer.js';
import { partitionName } from '../partition-name.js';
import { Assignment } from './assignment.js';
import type { ClientSeams } from './client-seams.js';
import type { LocalStore, PartitionMarks, PartitionReader } from './local-store.js';
import { isOutOfRange, resolveOffset } from './offset-range.js';
import { isDeletion, type PartitionFetcher } from './partition-fetcher.js';

/** Partitions that are opened at the same time. */
const CONCURRENT_OPENS = 8;

export interface GroupPartitionsOptions {
  readonly consumer: GroupConsumerOptions;
  readonly isFollowing: boolean;
  readonly maxFetchBytes: number;
  /** Something began, ended or was handled. */
  readonly onChange: () => void;
  readonly onForget: (fetcher: PartitionFetcher) => void;
}

/** What the application has: a record, or a batch. */
interface InHand {
  readonly fetcher: PartitionFetcher;
  readonly isByRecord: boolean;
  /** Everything below was handled. */
  handled: number;
}

export class GroupPartitions implements MemberWorker {
  readonly assignment: Assignment;
  readonly #store: LocalStore;
  readonly #seams: ClientSeams;
  readonly #options: GroupPartitionsOptions;
  /** -1: nothing. */
  readonly #committed = new Map<PartitionFetcher, number>();
  /** By partition, of the topic that is read, or was read last: another may have its name by now. */
  readonly #topicIds = new Map<string, string>();
  /** Where partitions ended when they first came: a bounded read goes no further. */
  readonly #ends = new Map<string, number>();
  readonly #pausedByUser = new Set<string>();
  /** Not begun yet, or about to be let go of: nothing of these comes, whatever the user resumes. */
  readonly #heldBack = new Set<PartitionFetcher>();
  #inHand: InHand | undefined;
  readonly #whenHandled: (() => void)[] = [];
  /** Nothing in hand is waited for any more. */
  #isClosing = false;
  /** It has had a partition. */
  hasOwned = false;

  constructor(store: LocalStore, seams: ClientSeams, options: GroupPartitionsOptions) {
    this.#store = store;
    this.#seams = seams;
    this.#options = options;
    this.assignment = new Assignment(options.consumer, () => options.isFollowing);
  }

  async start(partitions: readonly StartedPartition[]): Promise<readonly MemberCommit[]> {
    const opened: { readonly fetcher: PartitionFetcher; readonly from: number }[] = [];
    let next = 0;
    const openSome = async (): Promise<void> => {
      while (next < partitions.length) {
        const one = await this.#open(partitions[next++]!);
        if (one !== undefined) opened.push(one);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_OPENS }, openSome));
    this.hasOwned = true;
    const { onAssigned } = this.#options.consumer.group;
    if (opened.length > 0)
      await onAssigned?.(opened.map(({ fetcher, from }) => ({ ...placeOf(fetcher), offset: from })));
    for (const { fetcher } of opened) {
      this.#heldBack.delete(fetcher);
      fetcher.isPaused = this.#pausedByUser.has(partitionName(fetcher));
    }
    this.#options.onChange();
    const { commit = 'auto' } = this.#options.consumer.group;
    const unknown = opened.filter(({ fetcher }) => this.#committed.get(fetcher) === -1);
    if (commit !== 'auto' || unknown.length === 0) return [];
    return unknown.map(({ fetcher, from }) => {
      this.committed(fetcher, from);
      return this.commitOf(fetcher, from);
    });
  }

  async stop(partitions: readonly TopicPartition[]): Promise<readonly StoppedPartition[]> {
    const stopping = partitions.flatMap((partition) => this.assignment.find(partition) ?? []);
    for (const fetcher of stopping) {
      this.#heldBack.add(fetcher);
      fetcher.pause();
    }
    while (!this.#isClosing && this.#inHand !== undefined && stopping.includes(this.#inHand.fetcher)) {
      await new Promise<void>((resolve) => this.#whenHandled.push(resolve));
    }
    // But for what was lost meanwhile.
    const fetchers = stopping.filter((fetcher) => this.#heldBack.has(fetcher));
    const { commit = 'auto', onRevoked } = this.#options.consumer.group;
    if (fetchers.length > 0) await onRevoked?.(fetchers.map(placeOf));
    const stopped = fetchers.map((fetcher): StoppedPartition => {
      const position = this.handledOf(fetcher);
      const place = { ...placeOf(fetcher), position };
      return commit === 'auto' && this.#isDirty(fetcher)
        ? { ...place, commit: this.commitOf(fetcher, position) }
        : place;
    });
    for (const fetcher of fetchers) await this.#remove(fetcher);
    return stopped;
  }

  deleted(topics: readonly string[]): void {
    for (const topic of topics) this.#options.consumer.group.onTopicDeleted?.(topic);
  }

  lost(partitions: readonly TopicPartition[]): void {
    const fetchers = partitions.flatMap((partition) => this.assignment.find(partition) ?? []);
    for (const fetcher of fetchers) {
      fetcher.pause();
      void this.#remove(fetcher).catch(() => {});
    }
    const { onLost } = this.#options.consumer.group;
    if (fetchers.length > 0) void Promise.resolve(onLost?.(fetchers.map(placeOf))).catch(() => {});
    this.#options.onChange();
  }

  /** From now on what is in hand counts as given up. */
  close(): void {
    this.#isClosing = true;
    this.#settle();
  }

  /** The records of a batch of this partition are with the application. Its position is still before them. */
  handOut(fetcher: PartitionFetcher, isByRecord: boolean): void {
    this.#inHand = { fetcher, isByRecord, handled: fetcher.position };
  }

  get inHand(): PartitionFetcher | undefined {
    return this.#inHand?.fetcher;
  }

  /** The application has asked for the next: what it had is handled. */
  handled(): void {
    if (this.#isClosing) return;
    this.#inHand = undefined;
    this.#settle();
  }

  /** Up to where everything was handled: of records handed out one by one, all but the one in hand. */
  handledOf(fetcher: PartitionFetcher): number {
    if (this.#inHand?.fetcher !== fetcher) return fetcher.position;
    const { handled, isByRecord } = this.#inHand;
    return isByRecord ? Math.max(handled, fetcher.position - 1) : handled;
  }

  /** How far was handled what has not been committed so far. */
  get dirty(): (TopicPartition & { readonly offset: number })[] {
    return this.assignment.fetchers
      .filter((fetcher) => this.#isDirty(fetcher))
      .map((fetcher) => ({ ...placeOf(fetcher), offset: this.handledOf(fetcher) }));
  }

  /** Whether it is a partition of the member's at all is decided on the group's record. */
  commitOf({ topic, partition }: TopicPartition, offset: number, metadata = ''): MemberCommit {
    const topicId = this.#topicIds.get(partitionName({ topic, partition }));
    const commit = { offset, leaderEpoch: -1, metadata, commitTimestamp: this.#seams.now(), expireTimestamp: -1 };
    return { topic, partition, topicId, commit };
  }

  committed(fetcher: PartitionFetcher, offset: number): void {
    // Let go of by now.
    if (!this.#committed.has(fetcher)) return;
    this.#committed.set(fetcher, offset);
    // It has gone back meanwhile: that was before what it has in hand.
    if (this.#inHand?.fetcher !== fetcher || offset > fetcher.position) return;
    // What the application commits it has handled.
    this.#inHand.handled = Math.max(this.#inHand.handled, offset);
  }

  seek(fetcher: PartitionFetcher, offset: number): void {
    fetcher.seek(offset);
    if (this.#inHand?.fetcher === fetcher) this.#inHand = undefined;
    this.#settle();
  }

  pause(partition: TopicPartition): void {
    this.#pausedByUser.add(partitionName(partition));
    this.assignment.find(partition)?.pause();
  }

  resume(partition: TopicPartition): void {
    this.#pausedByUser.delete(partitionName(partition));
    const fetcher = this.assignment.find(partition);
    if (fetcher !== undefined && !this.#heldBack.has(fetcher)) fetcher.isPaused = false;
  }

  paused(): TopicPartition[] {
    return this.assignment.fetchers.filter((fetcher) => this.#pausedByUser.has(partitionName(fetcher))).map(placeOf);
  }

  /** `undefined`: the topic was deleted. */
  async #open({ topic, partition, topicId, offset, isNew }: StartedPartition) {
    let reader: PartitionReader | undefined;
    try {
      reader = await this.#store.partitionReader(topic, partition);
      // Asked behind that: of another of the name everything is to be read.
      if (topicId === undefined || (await this.#store.topic(topic))?.topicId !== topicId) {
        await reader.close();
        return undefined;
      }
      const marks = await reader.marks();
      const from = await this.#firstOffset({ topic, partition, offset, isNew }, reader, marks);
      const visibleEnd = this.#visibleEnd(marks);
      const name = partitionName({ topic, partition });
      // Of a topic that was made anew the end may lie before what it was.
      const end = this.#options.isFollowing
        ? Number.POSITIVE_INFINITY
        : Math.min(this.#ends.get(name) ?? visibleEnd, visibleEnd);
      this.#ends.set(name, end);
      const plan = { topic, topicId, partition, reader, marks, from, end, backlogEnd: end };
      const fetcher = this.assignment.add(plan, this.#options.maxFetchBytes);
      this.#topicIds.set(name, topicId);
      // Nothing comes before the application has heard of it.
      this.#heldBack.add(fetcher);
      fetcher.pause();
      // Where a group begins is remembered, so that it begins there again: but not if that is the beginning anyway.
      const { from: start = 'start' } = this.#options.consumer;
      this.#committed.set(fetcher, offset ?? (start === 'start' ? from : -1));
      return { fetcher, from };
    } catch (error) {
      await reader?.close();
      if (isDeletion(error)) return undefined;
      throw error;
    }
  }

  async #firstOffset(
    { topic, partition, offset, isNew }: Omit<StartedPartition, 'topicId'>,
    reader: PartitionReader,
    marks: PartitionMarks,
  ): Promise<number> {
    if (offset !== undefined && !isOutOfRange(offset, marks)) return offset;
    const { from = 'start', group } = this.#options.consumer;
    const spec = isNew ? 'start' : from;
    const found = await resolveOffset(spec, { reader, marks, visibleEnd: this.#visibleEnd(marks) });
    const start = Math.min(Math.max(found, marks.logStartOffset), marks.logEndOffset);
    if (offset !== undefined) group.onReset?.({ topic, partition, committed: offset, offset: start });
    return start;
  }

  #visibleEnd({ lastStableOffset, highWatermark }: PartitionMarks): number {
    return this.#options.consumer.isolationLevel === 'read_uncommitted' ? highWatermark : lastStableOffset;
  }

  async #remove(fetcher: PartitionFetcher): Promise<void> {
    this.#committed.delete(fetcher);
    this.#heldBack.delete(fetcher);
    if (this.#inHand?.fetcher === fetcher) {
      this.#inHand = undefined;
      this.#settle();
    }
    this.#options.onForget(fetcher);
    this.#options.onChange();
    await this.assignment.remove(fetcher);
  }

  #isDirty(fetcher: PartitionFetcher): boolean {
    return this.handledOf(fetcher) !== this.#committed.get(fetcher);
  }

  #settle(): void {
    for (const resolve of this.#whenHandled.splice(0)) resolve();
  }
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}
