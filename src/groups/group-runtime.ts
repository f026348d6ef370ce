/**
 * All members of one group in this process. They share one look at the records, one timer and one set of probes, so
 * that many of them cost little more than one.
 */
import type { FileSystem } from '../storage/file-system.js';
import { CurrentTopics } from './current-topics.js';
import { DeathWatch } from './death-watch.js';
import { type JoiningMember, join, leave, subscribe } from './decisions/membership.js';
import { checkCommit } from './decisions/offsets.js';
import {
  type Here,
  isDead,
  isOutdated,
  type PartitionCounts,
  type RebalanceFacts,
  rebalance,
  topicsOf,
  unknownTopics,
} from './decisions/rebalance.js';
import type { Change, GroupLog } from './group-log.js';
import { commitsOf, GroupMember } from './group-member.js';
import { type GroupState, partitionsOf } from './group-state.js';
import type { GroupView } from './group-table.js';
import { type HoldUp, HoldUps } from './hold-ups.js';
import { MemberLock } from './lock-files.js';
import type { MemberWorker } from './member-worker.js';
import { CountedDecisions, type TopicsView } from './partition-counts.js';

const RING_POLL_MS = 50;
const POLL_MS = 100;
const LOCKS_POLL_MS = 500;
const TOPICS_POLL_MS = 1000;

export interface RuntimeOptions {
  readonly groupId: string;
  /** Of the lock files. */
  readonly directory: string;
  readonly here: Here;
  readonly fs: FileSystem;
  readonly topics: TopicsView;
  /** Milliseconds that never go back. */
  readonly elapsed: () => number;
  /** Calls once after so many milliseconds; the answer takes that back. */
  readonly schedule: (ms: number, call: () => void) => () => void;
  /** There is no member in this process any more. */
  readonly onEmpty: () => void;
}

export interface JoinOptions {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly assignor: string | undefined;
  readonly topics: readonly string[];
  /** Which other topics it wants. */
  readonly wants: ((topic: string) => boolean) | undefined;
  readonly worker: MemberWorker;
  /** The group has changed, or what this member does by it. */
  readonly onChange?: (() => void) | undefined;
  /** Another does not let go of what is this member's to read. */
  readonly onHeldUp?: ((holdUp: HoldUp) => void) | undefined;
}

interface Local {
  readonly member: GroupMember;
  readonly options: JoinOptions;
  readonly holdUps: HoldUps;
}

export class GroupRuntime {
  readonly groupId: string;
  readonly #log: GroupLog;
  readonly #options: RuntimeOptions;
  readonly #deaths: DeathWatch;
  readonly #locals = new Map<string, Local>();
  readonly #decisions: CountedDecisions;
  #joining = 0;
  #stopListening: (() => void) | undefined;
  #cancelTick: (() => void) | undefined;
  #polledAt = Number.NEGATIVE_INFINITY;
  #locksAt = Number.NEGATIVE_INFINITY;
  #topicsAt = Number.NEGATIVE_INFINITY;
  #isPolling = false;
  #isStepping = false;
  #mustStep = false;

  constructor(log: GroupLog, options: RuntimeOptions) {
    this.groupId = options.groupId;
    this.#log = log;
    this.#options = options;
    this.#deaths = new DeathWatch({
      fs: options.fs,
      directory: options.directory,
      pid: options.here.pid,
      state: () => this.state,
      isOwn: (memberId) => this.#locals.has(memberId),
      onFree: () => this.#wake(),
    });
    this.#decisions = new CountedDecisions(log, options.topics, options.groupId);
  }

  get state(): GroupState {
    return this.#log.state(this.groupId);
  }

  /** @throws KlogError UNRELEASED_INSTANCE_ID, INCONSISTENT_GROUP_PROTOCOL */
  async join(options: JoinOptions): Promise<GroupMember> {
    const { fs, directory, here } = this.#options;
    const { memberId, instanceId, clientId, clientHost, assignor, worker } = options;
    const topics = await this.#topicsFor(options);
    const lock = await MemberLock.take(fs, directory, memberId);
    const place = { ...here, inode: lock.inode };
    const committer = { groupId: this.groupId, memberId, instanceId };
    const member = new GroupMember(this.#log, committer, lock, worker, this.#options.topics, this.#wake);
    this.#joining++;
    try {
      await this.#log.refresh();
      // The first one here asks who is dead; from then on the polls tell.
      if (this.#locals.size === 0) await this.#deaths.lookAround();
      const namesakes = this.#deaths.others.filter((other) => other.instanceId === instanceId);
      if (instanceId !== null) await this.#deaths.lookAt(namesakes);
      const joining: JoiningMember = { memberId, instanceId, clientId, clientHost, topics, place, assignor };
      const counts = await this.#decide(topics, ({ state }, facts) => ({ state: join(state, joining, facts) }));
      const topicIds = await this.#options.topics.ids(topics);
      const first = [...topicIds].map(
        ([topic, topicId]) => [topic, { topicId, partitions: counts.get(topic) ?? 0 }] as const,
      );
      member.topicsAtFirst = new Map(first);
      // From here on the record names it: to be missing from it means to be evicted.
      this.#locals.set(memberId, { member, options, holdUps: new HoldUps(fs) });
      this.#deaths.ownChanged();
    } catch (error) {
      // Whether a record that names it is in the log is not always known: then the free lock of that file has to tell.
      const { code } = error as { readonly code?: string };
      const isRefused = code === 'UNRELEASED_INSTANCE_ID' || code === 'INCONSISTENT_GROUP_PROTOCOL';
      await (isRefused ? lock.remove() : lock.release());
      throw error;
    } finally {
      this.#joining--;
      await this.#forget(undefined);
    }
    this.#stopListening ??= this.#log.listen(this.#wake);
    this.#cancelTick ??= this.#options.schedule(RING_POLL_MS, this.#tick);
    this.#wake();
    return member;
  }

  async leave(member: GroupMember): Promise<void> {
    const { memberId, groupId } = member;
    try {
      await member.leave((stopped) => {
        const topics = new CurrentTopics(this.#options.topics, commitsOf(stopped));
        const decide = ({ state }: GroupView, facts: RebalanceFacts) => {
          const { commits } = topics;
          if (commits.length > 0) checkCommit(state, { groupId, memberId, instanceId: member.instanceId }, commits);
          const next = leave(state, memberId, facts);
          return next === undefined ? undefined : { commits, state: next };
        };
        return this.#decide([], decide, topics.lookUp);
      });
    } finally {
      await this.#forget(memberId);
    }
  }

  async #forget(memberId: string | undefined): Promise<void> {
    if (memberId !== undefined) this.#locals.delete(memberId);
    this.#deaths.ownChanged();
    if (this.#locals.size > 0 || this.#joining > 0) return;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    this.#stopListening?.();
    this.#stopListening = undefined;
    await this.#deaths.close();
    this.#options.onEmpty();
  }

  readonly #wake = (): void => {
    this.#mustStep = true;
    if (!this.#isStepping) void this.#step();
  };

  /** Everything that the latest records ask this process's members for. */
  async #step(): Promise<void> {
    this.#isStepping = true;
    try {
      while (this.#mustStep && this.#locals.size > 0) {
        this.#mustStep = false;
        this.#log.assertReadable();
        for (const { member } of this.#locals.values()) member.follow();
        await this.#rebalanceIfNeeded();
        for (const { options } of this.#locals.values()) options.onChange?.();
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#isStepping = false;
  }

  async #rebalanceIfNeeded(): Promise<void> {
    const { here } = this.#options;
    const { state } = this;
    if (!this.#hasMember()) return;
    const facts = { here, freeLocks: this.#deaths.free };
    const dead = [...state.members.values()].filter((member) => isDead(member, facts));
    const missing = unknownTopics(state, this.#decisions.counts);
    if (missing.length > 0) await this.#decisions.lookUp(missing);
    if (dead.length === 0 && !isOutdated(state, this.#decisions.counts)) return;
    await this.#decide([], (group, all) => asChange(rebalance(group.state, all)));
    for (const member of dead) await this.#deaths.bury(member);
  }

  /** Only members decide for a group. */
  #hasMember(): boolean {
    const { members } = this.state;
    for (const { member } of this.#locals.values()) if (members.has(member.memberId) && !member.isLeaving) return true;
    return false;
  }

  async #decide(
    topics: readonly string[],
    decide: (group: GroupView, facts: RebalanceFacts) => Change | undefined,
    before?: () => Promise<void>,
  ): Promise<PartitionCounts> {
    const { here } = this.#options;
    const counted = (group: GroupView, counts: PartitionCounts) =>
      decide(group, { here, freeLocks: this.#deaths.free, counts });
    return await this.#decisions.decide(topics, counted, before);
  }

  /** Most ticks find nothing, and cost little. */
  readonly #tick = (): void => {
    const pauseMs = this.#deaths.others.length > 0 ? RING_POLL_MS : POLL_MS;
    this.#cancelTick = this.#options.schedule(pauseMs, this.#tick);
    const isDue = this.#options.elapsed() - this.#polledAt >= POLL_MS - RING_POLL_MS / 2;
    if (this.#isPolling || (!isDue && this.#deaths.predecessorLives)) return;
    this.#isPolling = true;
    this.#poll(isDue)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#isPolling = false;
      });
  };

  async #poll(isDue: boolean): Promise<void> {
    await this.#deaths.lookAtPredecessor();
    if (!isDue) return;
    const now = this.#options.elapsed();
    this.#polledAt = now;
    await this.#deaths.lookAround();
    await this.#keepLocks();
    if (now - this.#topicsAt < TOPICS_POLL_MS) return;
    this.#topicsAt = now;
    await this.#deaths.forgetFormer();
    this.#tellHoldUps(now);
    await this.#lookAtTopics();
  }

  #tellHoldUps(now: number): void {
    const { state } = this;
    for (const { member, options, holdUps } of this.#locals.values()) {
      if (member.isLeaving) continue;
      for (const holdUp of holdUps.look(state, member.memberId, now)) options.onHeldUp?.(holdUp);
    }
  }

  async #keepLocks(): Promise<void> {
    const now = this.#options.elapsed();
    if (now - this.#locksAt < LOCKS_POLL_MS) return;
    this.#locksAt = now;
    const { fs, directory } = this.#options;
    for (const { member } of this.#locals.values()) {
      await member.keepLock(() => MemberLock.take(fs, directory, member.memberId));
    }
  }

  async #lookAtTopics(): Promise<void> {
    await this.#decisions.lookUp(topicsOf(this.state));
    for (const { member, options } of this.#locals.values()) {
      await member.stopDeleted();
      const self = this.state.members.get(member.memberId);
      if (options.wants === undefined || self === undefined || member.isLeaving) continue;
      const topics = await this.#topicsFor(options);
      if (topics.join('\n') === self.topics.join('\n')) continue;
      await this.#decide(topics, ({ state }, facts) => ({
        state: subscribe(state, this.groupId, member.memberId, topics, facts),
      })).catch((error: unknown) => member.lose(error));
    }
    this.#wake();
  }

  async #topicsFor({ topics, wants }: JoinOptions): Promise<readonly string[]> {
    if (wants === undefined) return topics;
    const names = await this.#options.topics.names();
    return [...new Set([...topics, ...names.filter(wants)])].sort();
  }

  /** What keeps this process from following the group ends all its members. */
  #failed(error: unknown): void {
    for (const { member } of this.#locals.values()) member.lose(error);
  }

  /** Partitions of the group in all. */
  get partitions(): number {
    return partitionsOf(this.state).size;
  }
}

function asChange(state: GroupState | undefined): Change | undefined {
  return state === undefined ? undefined : { state };
}
