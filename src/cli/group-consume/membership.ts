import type { Client, TopicPartition } from '../../clients/client.js';
import type {
  GroupConsumer,
  GroupConsumerOptions,
  HeldUpPartitions,
  OffsetToCommit,
} from '../../clients/group-consumer.js';
import { partitionName } from '../../clients/partition-name.js';
import type { CliContext } from '../cli-context.js';
import { counted } from '../listing.js';
import { detail, type Loudness, notice } from '../notices.js';
import { OffsetCommits } from './offset-commits.js';

export interface MembershipTask {
  readonly client: Client;
  readonly groupId: string;
  readonly options: Omit<GroupConsumerOptions, 'group'>;
  /** Looks only. */
  readonly commitsNothing: boolean;
  /**
   * Brings what is in hand of these partitions to its end; answers how far they have come, where that may be committed.
   */
  readonly release: (partitions: readonly TopicPartition[], consumer: GroupConsumer) => Promise<OffsetToCommit[]>;
  /** These were taken away. */
  readonly lost: (partitions: readonly TopicPartition[]) => void;
}

/** A member of a group, and what is told of the group. */
export class Membership {
  readonly consumer: GroupConsumer;
  readonly commits: OffsetCommits;
  readonly #task: MembershipTask;
  readonly #loudness: Loudness;
  readonly #context: Pick<CliContext, 'stderr'>;
  /** What was committed of these does not count, and they are not assigned yet. */
  readonly #reset = new Set<string>();
  #others = 0;

  constructor(task: MembershipTask, loudness: Loudness, context: Pick<CliContext, 'stderr'>) {
    this.#task = task;
    this.#loudness = loudness;
    this.#context = context;
    const { client, groupId, options } = task;
    this.consumer = client.consumer({
      ...options,
      group: {
        id: groupId,
        commit: 'none',
        onAssigned: (partitions) => this.#assigned(partitions),
        onRevoked: (partitions) => this.#revoked(partitions),
        onLost: (partitions) => this.#lost(partitions),
        onHeldUp: (heldUp) => this.#heldUp(heldUp),
        onTopicDeleted: (topic) => {
          const next = options.follow === true ? '. Reading on if there is another of its name' : '';
          notice(loudness, context, `group '${groupId}': topic ${topic} was deleted${next}`);
        },
        onReset: ({ topic, partition, committed, offset }) => {
          this.#reset.add(partitionName({ topic, partition }));
          notice(
            loudness,
            context,
            `warning: ${topic}:${partition}: group '${groupId}' has committed ${committed}, which is out of range: going on at ${offset}`,
          );
        },
      },
    });
    this.commits = new OffsetCommits((offsets) => this.consumer.commit(offsets));
  }

  /** What others own: for who has read all of its own. */
  reportOthers(): void {
    if (this.#others === 0) return;
    const { groupId } = this.#task;
    notice(
      this.#loudness,
      this.#context,
      `other members of group '${groupId}' own ${counted(this.#others, 'partition')}`,
    );
  }

  #assigned(partitions: readonly OffsetToCommit[]): void {
    const { options, groupId, commitsNothing } = this.#task;
    const isStart = options.from === undefined || options.from === 'start';
    for (const one of partitions) {
      if (!this.#reset.delete(partitionName(one)) && isStart) this.commits.begin(one);
      // A group that begins elsewhere remembers where, even if nothing comes.
      else if (!commitsNothing) this.commits.put(one);
    }
    const places = partitions.map(({ topic, partition, offset }) => `${topic}:${partition} from ${offset}`);
    detail(this.#loudness, this.#context, `group '${groupId}': reading ${places.join(', ')}`);
  }

  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const { release, groupId, commitsNothing } = this.#task;
    const share = await this.consumer.share();
    this.#others = share.partitions - share.assigned;
    const done = await release(partitions, this.consumer);
    if (!commitsNothing) {
      for (const place of done) this.commits.put(place);
      await this.commits.flush();
    }
    this.commits.drop(partitions);
    detail(this.#loudness, this.#context, `group '${groupId}': released ${partitions.map(partitionName).join(', ')}`);
  }

  #heldUp({ memberId, pid, state, partitions }: HeldUpPartitions): void {
    const { groupId } = this.#task;
    const who = `member ${memberId}${pid < 0 ? '' : ` (process ${pid})`}`;
    const why = state === 'stalled' ? `from ${who}, which is stopped` : `until ${who} has finished what it has in hand`;
    const evict = `klog group evict ${shellWord(groupId)} ${shellWord(memberId)}`;
    const text = `group '${groupId}': waiting for ${partitions.map(partitionName).join(', ')} ${why}`;
    const hint = state === 'stalled' ? `Continue it, or end its membership: ${evict}` : `If it hangs: ${evict}`;
    notice(this.#loudness, this.#context, `${text}. ${hint}`);
  }

  #lost(partitions: readonly TopicPartition[]): void {
    this.#task.lost(partitions);
    this.commits.drop(partitions);
    const { groupId } = this.#task;
    notice(this.#loudness, this.#context, `group '${groupId}': lost ${partitions.map(partitionName).join(', ')}`);
  }
}

/** Bare where no shell would take it for something else. */
function shellWord(text: string): string {
  return /^[\w.,:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
