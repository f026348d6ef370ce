import { KlogError } from '../../errors.js';
import type { GroupMember } from '../../groups/group-member.js';
import type { Groups, Joined } from '../../groups/groups.js';
import type { HoldUp } from '../../groups/hold-ups.js';
import type { MemberWorker } from '../../groups/member-worker.js';
import type { TopicPartition } from '../client.js';
import type { GroupConsumerOptions, GroupShare, OffsetToCommit } from '../group-consumer.js';
import { closed } from './consumer-life.js';
import { fits } from './topic-pattern.js';

type Subscription = Pick<GroupConsumerOptions, 'topics' | 'patterns' | 'group'>;

/** A consumer's part in its group: how it joins and leaves, and how the group stands by the last record. */
export class GroupMembership {
  readonly #groups: () => Promise<Groups>;
  readonly #subscription: Subscription;
  readonly #worker: MemberWorker;
  readonly #onChange: (() => void) | undefined;
  #joined: Joined | undefined;

  /** @param onChange the group has changed, or what this member does by it */
  constructor(
    groups: () => Promise<Groups>,
    subscription: Subscription,
    worker: MemberWorker,
    onChange: (() => void) | undefined,
  ) {
    const { topics = [], patterns = [] } = subscription;
    if (topics.length === 0 && patterns.length === 0) throw new TypeError('a consumer needs topics or patterns');
    this.#groups = groups;
    this.#subscription = subscription;
    this.#worker = worker;
    this.#onChange = onChange;
  }

  /** @throws KlogError INVALID_GROUP_ID, UNRELEASED_INSTANCE_ID, INCONSISTENT_GROUP_PROTOCOL */
  async join(): Promise<void> {
    const { topics = [], patterns = [], group } = this.#subscription;
    const { id: groupId, instanceId, clientId, assignor } = group;
    const groups = await this.#groups();
    const onHeldUp = ({ memberId, pid, isStopped, partitions }: HoldUp): void =>
      group.onHeldUp?.({ memberId, pid, state: isStopped ? 'stalled' : 'alive', partitions: [...partitions] });
    const identity = { groupId, instanceId, clientId, assignor };
    const listeners = { worker: this.#worker, onChange: this.#onChange, onHeldUp };
    this.#joined = await groups.join({ ...identity, topics, wants: wanting(patterns), ...listeners });
  }

  async leave(): Promise<void> {
    await this.#joined?.runtime.leave(this.#joined.member);
  }

  /** @throws KlogError KLOG_CLOSED where it was over before it could join */
  get member(): GroupMember {
    return this.#here.member;
  }

  /** Throws why it is no member any more. */
  assertMember(): void {
    const error = this.#joined?.member.error;
    if (error !== undefined) throw error;
  }

  /** Whether it reads all that is assigned to it, and nothing is on its way to it or from it. */
  get isSettled(): boolean {
    const { member, runtime } = this.#here;
    if (member.isBusy) return false;
    const assigned = runtime.state.members.get(member.memberId)?.assigned;
    return assigned?.equals(member.working) === true;
  }

  get share(): GroupShare {
    const { member, runtime } = this.#here;
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

  async committed(partitions: readonly TopicPartition[]): Promise<(OffsetToCommit | undefined)[]> {
    const { id } = this.#subscription.group;
    const log = await (await this.#groups()).logOf(id);
    await log.refresh();
    const group = log.group(id);
    return partitions.map(({ topic, partition }) => {
      const found = group.committed({ topic, partition });
      return found === undefined ? undefined : { topic, partition, offset: found.offset, metadata: found.metadata };
    });
  }

  /** Why there was nothing for it to read. */
  noPartition(): KlogError {
    const { groupId, members, partitions } = this.share;
    if (partitions === 0) {
      return new KlogError(
        'KLOG_NO_PARTITION',
        `group '${groupId}' has no partitions: there is no topic that it wants`,
      );
    }
    const others = members === 2 ? 'another member' : `${members - 1} other members`;
    const message = `${others} of group '${groupId}' own${members === 2 ? 's' : ''} all of its ${partitions} partitions`;
    const hint = 'A group has work for as many members as its topics have partitions';
    return new KlogError('KLOG_NO_PARTITION', message, { hint });
  }

  get #here(): Joined {
    if (this.#joined === undefined) throw closed();
    return this.#joined;
  }
}

/** Whether the whole name of a topic fits one of the patterns. */
function wanting(patterns: readonly RegExp[]): ((topic: string) => boolean) | undefined {
  if (patterns.length === 0) return undefined;
  const tests = patterns.map(fits);
  return (topic) => tests.some((isFit) => isFit(topic));
}
