/**
 * One member: follows what the group's records say of it. It starts reading a partition when the record assigns it and
 * names no other holder; when the record gives it to another, it finishes what is in hand and releases it, the last
 * commit and the release in one append. What it does is begun by {@link GroupMember.follow}, and a step at a time per
 * partition.
 */
import { KlogError } from '../errors.js';
import { CurrentTopics } from './current-topics.js';
import { moveLock, notMember } from './decisions/membership.js';
import { type Committer, checkCommit, release } from './decisions/offsets.js';
import type { GroupDecision, GroupLog } from './group-log.js';
import { readableBy } from './group-state.js';
import type { GroupView } from './group-table.js';
import type { MemberLock } from './lock-files.js';
import type { MemberCommit, MemberWorker, StoppedPartition } from './member-worker.js';
import type { TopicsView } from './partition-counts.js';
import { PartitionSet, partitionName, type TopicPartition } from './partition-set.js';

export class GroupMember {
  readonly groupId: string;
  readonly memberId: string;
  readonly instanceId: string | null;
  #lock: MemberLock;
  /** Ends when the lock is in its place again, if it was not. */
  #lockKept: Promise<void> = Promise.resolve();
  /** The topics it wanted that were there when it joined, and how many partitions each had. */
  topicsAtFirst: ReadonlyMap<string, { readonly topicId: string; readonly partitions: number }> = new Map();
  readonly #log: GroupLog;
  readonly #worker: MemberWorker;
  readonly #topics: Pick<TopicsView, 'ids'>;
  readonly #onChange: () => void;
  /** Being read. */
  #working = PartitionSet.empty;
  /** On their way to be read, or to be released. */
  #busy = PartitionSet.empty;
  /** Found to be another's by who was about to read on: it is stopped, even if it is this member's again by then. */
  #refused = PartitionSet.empty;
  readonly #jobs = new Set<Promise<void>>();
  /** Which topic is read in each partition that is: another may have its name by now. `undefined`: there was none. */
  readonly #topicIds = new Map<string, string | undefined>();
  /** Topics whose end was told. */
  readonly #deleted = new Set<string>();
  /**
   * How far was handled what was stopped and became the member's again before it was let go: until it is read again, or
   * let go.
   */
  readonly #positions = new Map<string, { readonly topicId: string | undefined; readonly position: number }>();
  #error: unknown;
  #isLeaving = false;

  /** @param onChange something may have to be looked at again */
  constructor(
    log: GroupLog,
    committer: Committer,
    lock: MemberLock,
    worker: MemberWorker,
    topics: Pick<TopicsView, 'ids'>,
    onChange: () => void,
  ) {
    this.#log = log;
    this.groupId = committer.groupId;
    this.memberId = committer.memberId;
    this.instanceId = committer.instanceId;
    this.#lock = lock;
    this.#worker = worker;
    this.#topics = topics;
    this.#onChange = onChange;
  }

  /** Why it is no member any more. */
  get error(): unknown {
    return this.#error;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** What it reads. */
  get working(): PartitionSet {
    return this.#working;
  }

  /** Whether something is on its way to be read or released. */
  get isBusy(): boolean {
    return this.#busy.size > 0;
  }

  /** Does what the record asks for; does not wait for it. */
  follow(): void {
    if (this.#error !== undefined || this.#isLeaving) return;
    const state = this.#log.state(this.groupId);
    const self = state.members.get(this.memberId);
    if (self === undefined) {
      this.lose(this.#whyNot());
      return;
    }
    const idle = (partitions: PartitionSet) => partitions.without(this.#busy);
    const refused = this.#working.and(this.#refused);
    const leaving = idle(this.#working.union(self.held).without(self.assigned).union(refused));
    if (leaving.size > 0) this.#begin(leaving, () => this.#release(leaving));
    const coming = idle(readableBy(state, this.memberId).without(this.#working));
    if (coming.size > 0) this.#begin(coming, () => this.#start(coming));
  }

  /** What is read of topics that are deleted by now is stopped, and begun anew where there is another of the name. */
  async stopDeleted(): Promise<void> {
    const working = this.#working;
    const ids = await this.#topics.ids(namesOf(working));
    const isFormer = (one: TopicPartition) => this.#topicIds.get(partitionName(one)) !== ids.get(one.topic);
    const former = this.#working.and(working).filter(isFormer);
    if (former.size === 0) return;
    this.#refused = this.#refused.union(former);
    this.#onChange();
  }

  /**
   * Looks at the latest record: whether the partition may be read on. If not, nothing of it is until it is started
   * again.
   */
  async look(partition: TopicPartition): Promise<boolean> {
    await this.#log.refresh();
    if (this.#error !== undefined) throw this.#error;
    const self = this.#log.state(this.groupId).members.get(this.memberId);
    if (self === undefined) {
      this.lose(this.#whyNot());
      throw this.#error;
    }
    if (self.assigned.has(partition)) return true;
    this.#refused = this.#refused.union([partition]);
    this.#onChange();
    return false;
  }

  /** But for what is of deleted topics. @throws KlogError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION */
  async commit(commits: readonly MemberCommit[]): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    try {
      await this.#decideCommit(commits);
    } catch (error) {
      if (isFenced(error)) this.lose(error);
      throw error;
    }
  }

  async #decideCommit(commits: readonly MemberCommit[]): Promise<void> {
    const topics = new CurrentTopics(this.#topics, commits);
    const decide: GroupDecision = ({ state }) => {
      checkCommit(state, this, commits);
      return { commits: topics.commits };
    };
    await this.#log.decide(this.groupId, decide, { before: topics.lookUp });
  }

  /**
   * Where a user has removed its lock file it makes another by `take`, and says so before it lets go of the old one.
   */
  keepLock(take: () => Promise<MemberLock>): Promise<void> {
    if (this.#isLeaving || this.#error !== undefined) return Promise.resolve();
    this.#lockKept = this.#moveLock(take).catch((error: unknown) => this.lose(error));
    return this.#lockKept;
  }

  async #moveLock(take: () => Promise<MemberLock>): Promise<void> {
    const before = this.#lock;
    if (await before.isInPlace()) return;
    const lock = await take();
    try {
      await this.#log.decide(this.groupId, ({ state }) => ({
        state: moveLock(state, this.groupId, this.memberId, lock.inode),
      }));
    } catch (error) {
      await lock.remove();
      throw error;
    }
    this.#lock = lock;
    await before.release();
  }

  /**
   * Finishes what is in hand and says goodbye, by `depart`: all commits and the record without oneself in one append.
   * Then the lock goes. @throws what kept it from committing
   */
  async leave(depart: (stopped: readonly StoppedPartition[]) => Promise<unknown>): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    let isOut = false;
    try {
      await this.#lockKept;
      while (this.#jobs.size > 0) await Promise.all(this.#jobs);
      if (this.#error === undefined) await depart(await this.#worker.stop([...this.#working]));
      // It could not go on, but the record still names it.
      else if (!isFenced(this.#error)) await depart([]);
      this.#working = PartitionSet.empty;
      isOut = true;
    } finally {
      // Of one that the record may still name the free lock of that very file is what tells the others.
      await (isOut ? this.#lock.remove() : this.#lock.release());
    }
  }

  /** It is no member any more, or cannot go on as one. */
  lose(error: unknown): void {
    if (this.#error !== undefined) return;
    this.#error = error ?? new KlogError('KLOG_INTERNAL', 'the member was lost');
    const lost = [...this.#working];
    this.#working = PartitionSet.empty;
    this.#worker.lost(lost, this.#error);
    this.#onChange();
  }

  #begin(partitions: PartitionSet, work: () => Promise<void>): void {
    this.#busy = this.#busy.union(partitions);
    const job = work()
      .catch((error: unknown) => this.lose(error))
      .finally(() => {
        this.#busy = this.#busy.without(partitions);
        this.#jobs.delete(job);
        this.#onChange();
      });
    this.#jobs.add(job);
  }

  async #start(partitions: PartitionSet): Promise<void> {
    // What has only been appended may be cut off again: nobody acts on it before it is safe.
    await this.#log.untilSafe();
    const topicIds = await this.#topics.ids(namesOf(partitions));
    // What was committed of others of these names has been forgotten before there were these.
    await this.#log.refresh();
    const group = this.#log.group(this.groupId);
    const started = readableBy(group.state, this.memberId).and(partitions);
    if (started.size === 0 || this.#error !== undefined) return;
    const starts = [...started].map((partition) => {
      const topicId = topicIds.get(partition.topic);
      const before = this.#positions.get(partitionName(partition));
      const position = before?.topicId === topicId ? before?.position : undefined;
      const offset = position ?? group.committed(partition)?.offset;
      return { ...partition, topicId, offset, isNew: offset === undefined && this.#isNew(partition, group, topicIds) };
    });
    const initial = await this.#worker.start(starts);
    if (initial.length > 0 && this.#error === undefined) await this.#decideCommit(initial);
    if (this.#error !== undefined) return this.#worker.lost([...started], this.#error);
    for (const partition of started) {
      const name = partitionName(partition);
      this.#positions.delete(name);
      this.#topicIds.set(name, topicIds.get(partition.topic));
    }
    this.#working = this.#working.union(started);
  }

  /** Whether the group was reading its topic, or this member would have, before there was this partition. */
  #isNew({ topic, partition }: TopicPartition, group: GroupView, topicIds: ReadonlyMap<string, string>): boolean {
    const first = this.topicsAtFirst.get(topic);
    // Also a topic that was made anew.
    const isThatOne = first !== undefined && first.topicId === topicIds.get(topic);
    return group.hasCommitsOf(topic) || !isThatOne || partition >= first.partitions;
  }

  async #release(partitions: PartitionSet): Promise<void> {
    const own = this.#working.and(partitions);
    await this.#tellDeleted(own);
    const stopped = own.size === 0 ? [] : await this.#worker.stop([...own]);
    this.#refused = this.#refused.without(partitions);
    if (this.#error !== undefined) return;
    const topics = new CurrentTopics(this.#topics, commitsOf(stopped));
    let kept = PartitionSet.empty;
    const decide: GroupDecision = ({ state }) => {
      const { commits } = topics;
      const { held } = checkCommit(state, this, commits);
      const next = release(state, this, partitions);
      // By this very record: when it is durable, others may have had what it lets go of, and given it back.
      kept = next?.members.get(this.memberId)?.held ?? held;
      return { commits, state: next };
    };
    await this.#log.decide(this.groupId, decide, { before: topics.lookUp });
    this.#working = this.#working.without(partitions);
    for (const partition of partitions.without(kept)) {
      const name = partitionName(partition);
      this.#positions.delete(name);
      this.#topicIds.delete(name);
    }
    for (const { position, ...place } of stopped) {
      const name = partitionName(place);
      if (kept.has(place)) this.#positions.set(name, { topicId: this.#topicIds.get(name), position });
    }
  }

  async #tellDeleted(partitions: PartitionSet): Promise<void> {
    const ids = await this.#topics.ids(namesOf(partitions));
    const deleted = new Set<string>();
    for (const { topic, partition } of partitions) {
      const topicId = this.#topicIds.get(partitionName({ topic, partition }));
      if (topicId === undefined || topicId === ids.get(topic) || this.#deleted.has(topicId)) continue;
      this.#deleted.add(topicId);
      deleted.add(topic);
    }
    if (deleted.size > 0) this.#worker.deleted?.([...deleted]);
  }

  #whyNot(): KlogError {
    const { members } = this.#log.state(this.groupId);
    const { instanceId } = this;
    const successor =
      instanceId === null ? undefined : [...members.values()].find((one) => one.instanceId === instanceId);
    return notMember(this.groupId, this.memberId, successor?.memberId);
  }
}

export function commitsOf(stopped: readonly StoppedPartition[]): MemberCommit[] {
  return stopped.flatMap(({ commit }) => commit ?? []);
}

function namesOf(partitions: PartitionSet): Set<string> {
  return new Set([...partitions].map(({ topic }) => topic));
}

function isFenced(error: unknown): boolean {
  return error instanceof KlogError && (error.code === 'UNKNOWN_MEMBER_ID' || error.code === 'FENCED_INSTANCE_ID');
}
