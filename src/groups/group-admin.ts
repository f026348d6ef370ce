/**
 * Groups from outside: what they are, and changes to them that are no member's. Each change is a decision under the
 * append lock of the group's partition, as those of members are; so what it is refused for is so at that moment.
 */
import { KlogError } from '../errors.js';
import type { OffsetCommit } from '../format/coordinator/offset-commit.js';
import { type FreeLocks, isDead, withoutDead } from './decisions/rebalance.js';
import { evictMember } from './evict.js';
import type { GroupLog } from './group-log.js';
import { type GroupState, type MemberState, readableBy } from './group-state.js';
import type { CommittedOffset, GroupView } from './group-table.js';
import type { Groups } from './groups.js';
import { LockProbe } from './lock-files.js';
import { PartitionSet, type TopicPartition } from './partition-set.js';

export type MemberLife = 'alive' | 'stalled' | 'dead' | 'unknown';

export interface GroupSummary {
  readonly groupId: string;
  readonly state: GroupState;
  readonly stateName: 'Empty' | 'Stable' | 'PreparingRebalance';
  /** By member id. */
  readonly lives: ReadonlyMap<string, MemberLife>;
}

export interface GroupDetails extends GroupSummary {
  readonly committed: readonly CommittedOffset[];
}

export interface ChangeOptions {
  readonly force?: boolean;
  readonly validateOnly?: boolean;
}

export interface NewCommit extends TopicPartition {
  readonly commit: OffsetCommit;
  readonly topicId: string;
  /** What has to be committed now; -1: nothing. */
  readonly replaces?: number | undefined;
}

export class GroupAdmin {
  readonly #groups: Groups;

  constructor(groups: Groups) {
    this.#groups = groups;
  }

  async list(): Promise<GroupSummary[]> {
    const summaries: GroupSummary[] = [];
    for (const log of await this.#groups.existingLogs()) {
      await log.refresh();
      for (const groupId of log.table.groupIds()) summaries.push(await this.#summaryOf(log, groupId));
    }
    return summaries.sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
  }

  /** @throws KlogError GROUP_ID_NOT_FOUND */
  async describe(groupId: string): Promise<GroupDetails> {
    const log = await this.#existing(groupId);
    await log.refresh();
    const committed = log.group(groupId).allCommitted();
    if (log.state(groupId).generation < 0 && committed.length === 0) throw notFound(groupId);
    return { ...(await this.#summaryOf(log, groupId)), committed };
  }

  /** @throws KlogError NON_EMPTY_GROUP, KLOG_CONFLICT */
  async alterOffsets(groupId: string, commits: readonly NewCommit[], options: ChangeOptions = {}): Promise<void> {
    // What is only looked at leaves nothing behind.
    const writes = options.validateOnly !== true && commits.length > 0;
    const log = writes ? await this.#groups.logOf(groupId) : await this.#groups.existingLogOf(groupId);
    if (log === undefined) return;
    const living = await this.#livingIn(log, groupId);
    const wanted = PartitionSet.of(commits);
    let ids: ReadonlyMap<string, string> = new Map();
    const lookUp = async () => {
      ids = await this.#groups.topics.ids(new Set(commits.map(({ topic }) => topic)));
    };
    const decide = (group: GroupView) => {
      const owner = ownerOf(living(group.state), wanted);
      if (owner !== undefined && options.force !== true) throw owned(groupId, owner, 'NON_EMPTY_GROUP');
      for (const commit of commits) checkStands(groupId, group, commit, ids);
      return options.validateOnly === true ? undefined : { commits };
    };
    // Who sees a topic under the append lock may commit: whatever deletes it comes later, and forgets that.
    await log.decide(groupId, decide, { before: lookUp });
  }

  /** @throws KlogError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP */
  async delete(groupId: string, options: ChangeOptions = {}): Promise<void> {
    const log = await this.#existing(groupId);
    const living = await this.#livingIn(log, groupId);
    await log.decide(groupId, (group) => {
      if (!isKnown(group)) throw notFound(groupId);
      const [member] = living(group.state).members.values();
      if (member !== undefined && options.force !== true) throw owned(groupId, { member }, 'NON_EMPTY_GROUP');
      if (options.validateOnly === true) return undefined;
      const commits = group.allCommitted().map(({ topic, partition }) => ({ topic, partition, commit: null }));
      return { state: null, commits };
    });
  }

  /** @throws KlogError GROUP_ID_NOT_FOUND, GROUP_SUBSCRIBED_TO_TOPIC */
  async deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: ChangeOptions = {},
  ): Promise<TopicPartition[]> {
    const log = await this.#existing(groupId);
    const living = await this.#livingIn(log, groupId);
    const wanted = PartitionSet.of(partitions);
    let deleted: TopicPartition[] = [];
    await log.decide(groupId, (group) => {
      if (!isKnown(group)) throw notFound(groupId);
      const owner = ownerOf(living(group.state), wanted);
      if (owner !== undefined && options.force !== true) throw owned(groupId, owner, 'GROUP_SUBSCRIBED_TO_TOPIC');
      deleted = partitions.filter((partition) => group.committed(partition) !== undefined);
      if (options.validateOnly === true) return undefined;
      return { commits: deleted.map(({ topic, partition }) => ({ topic, partition, commit: null })) };
    });
    return deleted;
  }

  /** @returns the member's id @throws KlogError GROUP_ID_NOT_FOUND, KLOG_NOT_FOUND */
  async evict(groupId: string, member: string, options: Pick<ChangeOptions, 'validateOnly'> = {}): Promise<string> {
    const log = await this.#existing(groupId);
    await log.refresh();
    if (!isKnown(log.group(groupId))) throw notFound(groupId);
    const evicted = await evictMember(log, this.#groups.topics, groupId, member, options);
    if (options.validateOnly !== true) await this.#removeFreeLock(groupId, evicted);
    return evicted.memberId;
  }

  async #existing(groupId: string): Promise<GroupLog> {
    const log = await this.#groups.existingLogOf(groupId);
    if (log === undefined) throw notFound(groupId);
    return log;
  }

  /** Takes the dead out of the group as it will be when the decision is taken, by the locks that are free now. */
  async #livingIn(log: GroupLog, groupId: string): Promise<(state: GroupState) => GroupState> {
    await log.refresh();
    const freeLocks = await this.#freeLocks(groupId, log.state(groupId));
    const here = await this.#groups.here();
    return (state) => withoutDead(state, { here, freeLocks });
  }

  async #summaryOf(log: GroupLog, groupId: string): Promise<GroupSummary> {
    const state = log.state(groupId);
    const here = await this.#groups.here();
    const freeLocks = await this.#freeLocks(groupId, state);
    const lives = new Map<string, MemberLife>();
    for (const member of state.members.values()) {
      const life = isDead(member, { here, freeLocks }) ? 'dead' : await this.#lifeOf(groupId, member);
      lives.set(member.memberId, life);
    }
    return { groupId, state, stateName: stateNameOf(state, lives), lives };
  }

  /** Of one that is not proved to be dead. */
  async #lifeOf(groupId: string, { memberId, place }: MemberState): Promise<MemberLife> {
    if (place === undefined) return 'unknown';
    const isHeld = await this.#probing(groupId, async (probe) => {
      // A look opens the file if it is the recorded one; then its lock is seen to be held.
      await probe.isFree(memberId, place.inode);
      return probe.isHeld(memberId, place.inode);
    });
    if (!isHeld) return 'unknown';
    return this.#groups.fileSystem.isProcessStopped?.(place.pid) === true ? 'stalled' : 'alive';
  }

  async #freeLocks(groupId: string, state: GroupState): Promise<FreeLocks> {
    const free = new Map<string, number>();
    await this.#probing(groupId, async (probe) => {
      for (const { memberId, place } of state.members.values()) {
        if (place !== undefined && (await probe.isFree(memberId, place.inode))) free.set(memberId, place.inode);
      }
    });
    return free;
  }

  /** What a dead one has left; a living one takes its file away itself. */
  async #removeFreeLock(groupId: string, { memberId, place }: MemberState): Promise<void> {
    if (place === undefined) return;
    await this.#probing(groupId, async (probe) => {
      if (await probe.isFree(memberId, place.inode)) await probe.removeFile(memberId, place.inode);
    });
  }

  async #probing<T>(groupId: string, look: (probe: LockProbe) => Promise<T>): Promise<T> {
    const probe = new LockProbe(this.#groups.fileSystem, this.#groups.directoryOf(groupId));
    try {
      return await look(probe);
    } finally {
      await probe.close();
    }
  }
}

interface Owner {
  readonly member: MemberState;
  readonly partition?: TopicPartition;
}

function isKnown(group: GroupView): boolean {
  return group.state.generation >= 0 || group.allCommitted().length > 0;
}

function stateNameOf(state: GroupState, lives: ReadonlyMap<string, MemberLife>): GroupSummary['stateName'] {
  if ([...lives.values()].every((life) => life === 'dead')) return 'Empty';
  const isSettled = ({ memberId, assigned, held }: MemberState) =>
    lives.get(memberId) !== 'dead' && held.equals(assigned) && readableBy(state, memberId).equals(assigned);
  return [...state.members.values()].every(isSettled) ? 'Stable' : 'PreparingRebalance';
}

/** Who is to have one of the partitions, or has not let go of it. */
function ownerOf(state: GroupState, partitions: PartitionSet): Owner | undefined {
  for (const member of state.members.values()) {
    const [partition] = member.assigned.union(member.held).and(partitions);
    if (partition !== undefined) return { member, partition };
  }
  return undefined;
}

function checkStands(
  groupId: string,
  group: GroupView,
  { topic, partition, topicId, replaces }: NewCommit,
  ids: ReadonlyMap<string, string>,
): void {
  const place = { topic, partition, group: groupId };
  if (ids.get(topic) !== topicId) {
    throw new KlogError('KLOG_CONFLICT', `topic ${topic} was deleted meanwhile: nothing was changed`, place);
  }
  const committed = group.committed({ topic, partition })?.offset ?? -1;
  if (replaces === undefined || replaces === committed) return;
  const now = committed < 0 ? 'nothing' : committed;
  const message = `group '${groupId}' has committed ${now} of ${topic}:${partition} by now: nothing was changed`;
  throw new KlogError('KLOG_CONFLICT', message, { ...place, hint: 'Look again' });
}

function notFound(groupId: string): KlogError {
  return new KlogError('GROUP_ID_NOT_FOUND', `there is no group '${groupId}'`, { group: groupId });
}

function owned(
  groupId: string,
  { member, partition }: Owner,
  code: 'NON_EMPTY_GROUP' | 'GROUP_SUBSCRIBED_TO_TOPIC',
): KlogError {
  const { memberId, place } = member;
  const who = `member ${memberId}${place === undefined ? '' : ` (process ${place.pid})`}`;
  const what = partition === undefined ? `has ${who}` : `is reading ${partition.topic}:${partition.partition} (${who})`;
  return new KlogError(code, `group '${groupId}' ${what}`, {
    ...partition,
    group: groupId,
    hint: 'Stop its members first, or override with --force',
  });
}
