import { KlogError } from '../../errors.js';
import {
  type GroupDetails,
  type GroupSummary,
  type NewCommit,
  GroupAdmin as StoredGroupAdmin,
} from '../../groups/group-admin.js';
import type { Groups } from '../../groups/groups.js';
import type { TopicPartition } from '../client.js';
import type {
  ChangeGroupOptions,
  CopyGroupOptions,
  GroupAdmin,
  GroupDescription,
  GroupListing,
  GroupMemberDescription,
  GroupOffset,
  NewGroupOffset,
} from '../group-admin.js';
import { byPartition, partitionName } from '../partition-name.js';
import { unknownPartition } from '../unknown-partition.js';
import { partitionLags } from './group-lag.js';
import type { LocalStore } from './local-store.js';

/** Groups in a directory. */
export class LocalGroupAdmin implements GroupAdmin {
  readonly #store: LocalStore;
  readonly #groups: StoredGroupAdmin;
  readonly #now: () => number;

  constructor(store: LocalStore, groups: Groups, now: () => number) {
    this.#store = store;
    this.#groups = new StoredGroupAdmin(groups);
    this.#now = now;
  }

  async listGroups(): Promise<GroupListing[]> {
    return (await this.#groups.list()).map(listingOf);
  }

  async describeGroups(groupIds: readonly string[]): Promise<GroupDescription[]> {
    const descriptions: GroupDescription[] = [];
    for (const groupId of groupIds) descriptions.push(await this.#describe(await this.#groups.describe(groupId)));
    return descriptions;
  }

  async alterGroupOffsets(
    groupId: string,
    offsets: readonly NewGroupOffset[],
    options: ChangeGroupOptions = {},
  ): Promise<void> {
    const commitTimestamp = this.#now();
    const commits: NewCommit[] = [];
    for (const one of offsets) {
      const { topic, partition, offset, metadata = '', replaces } = one;
      const topicId = await this.#check(one);
      const commit = { offset, leaderEpoch: -1, metadata, commitTimestamp, expireTimestamp: -1 };
      commits.push({ topic, partition, topicId: one.topicId ?? topicId, replaces, commit });
    }
    await this.#groups.alterOffsets(groupId, commits, options);
  }

  async deleteGroup(groupId: string, options: ChangeGroupOptions = {}): Promise<void> {
    await this.#groups.delete(groupId, options);
  }

  async deleteGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: ChangeGroupOptions = {},
  ): Promise<TopicPartition[]> {
    return await this.#groups.deleteOffsets(groupId, partitions, options);
  }

  async copyGroup(from: string, to: string, options: CopyGroupOptions = {}): Promise<NewGroupOffset[]> {
    const { topics, ...change } = options;
    const { committed } = await this.#groups.describe(from);
    const offsets: NewGroupOffset[] = [];
    for (const { topic, partition, commit } of committed.toSorted(byPartition)) {
      if (topics !== undefined && !topics.includes(topic)) continue;
      // What it has of a topic that is no more is nobody's.
      if (partition >= ((await this.#store.topic(topic))?.partitions ?? 0)) continue;
      offsets.push({ topic, partition, offset: commit.offset, metadata: commit.metadata });
    }
    await this.alterGroupOffsets(to, offsets, change);
    return offsets;
  }

  async evictGroupMember(
    groupId: string,
    member: string,
    options: Pick<ChangeGroupOptions, 'validateOnly'> = {},
  ): Promise<string> {
    return await this.#groups.evict(groupId, member, options);
  }

  /** Answers the topic's id. */
  async #check({ topic, partition, offset }: NewGroupOffset): Promise<string> {
    const { topicId, partitions } = await this.#store.topics.get(topic);
    if (!(Number.isInteger(partition) && partition >= 0 && partition < partitions)) {
      throw unknownPartition(topic, partition, partitions);
    }
    const reader = await this.#store.partitionReader(topic, partition);
    try {
      const { highWatermark } = await reader.marks();
      if (Number.isSafeInteger(offset) && offset >= 0 && offset <= highWatermark) return topicId;
      throw new KlogError(
        'OFFSET_OUT_OF_RANGE',
        `${topic}:${partition} has no offset ${offset}: it ends at ${highWatermark}`,
        {
          topic,
          partition,
          offset,
        },
      );
    } finally {
      await reader.close();
    }
  }

  async #describe(group: GroupDetails): Promise<GroupDescription> {
    const { state, lives } = group;
    const commits = new Map(group.committed.map((one) => [partitionName(one), one.commit]));
    const places = new Map<string, TopicPartition & { readonly memberId: string | null }>();
    const know = ({ topic, partition }: TopicPartition, memberId: string | null) =>
      places.set(partitionName({ topic, partition }), { topic, partition, memberId });
    for (const partition of group.committed) know(partition, null);
    for (const { memberId, assigned } of state.members.values()) {
      if (lives.get(memberId) !== 'dead') for (const partition of assigned) know(partition, memberId);
    }
    const sorted = [...places.values()].sort(byPartition);
    const now = this.#now();
    const lags = await partitionLags(
      this.#store,
      sorted.map((place) => ({ ...place, committed: commits.get(partitionName(place))?.offset })),
      now,
    );
    const offsets = sorted.map((place, i): GroupOffset => {
      const commit = commits.get(partitionName(place));
      return {
        topic: place.topic,
        partition: place.partition,
        committedOffset: commit?.offset ?? -1,
        leaderEpoch: commit?.leaderEpoch ?? -1,
        metadata: commit?.metadata ?? '',
        commitTimestamp: commit?.commitTimestamp ?? -1,
        ...lags[i]!,
        memberId: place.memberId,
      };
    });
    const { generation, protocol } = state;
    return { ...listingOf(group), generation, protocol, memberDetails: membersOf(group), offsets };
  }
}

function listingOf({ groupId, state, stateName, lives }: GroupSummary): GroupListing {
  return {
    groupId,
    state: stateName,
    protocolType: state.generation < 0 ? '' : 'consumer',
    members: [...lives.values()].filter((life) => life !== 'dead').length,
  };
}

function membersOf({ state, lives }: GroupSummary): GroupMemberDescription[] {
  return [...state.members.values()].map((member) => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    clientId: member.clientId,
    host: member.clientHost,
    pid: member.place?.pid ?? -1,
    state: lives.get(member.memberId) ?? 'unknown',
    topics: member.topics,
    assigned: [...member.assigned].sort(byPartition),
    held: [...member.held].sort(byPartition),
  }));
}
