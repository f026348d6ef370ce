import { KlogError } from '../../errors.js';
import type { GroupMember } from '../../groups/group-member.js';
import type { MemberCommit } from '../../groups/member-worker.js';
import type { GroupOptions, OffsetToCommit } from '../group-consumer.js';
import { closed } from './consumer-life.js';
import type { GroupPartitions } from './group-partitions.js';

const DEFAULT_INTERVAL_MS = 5000;

/** When a member commits what: by itself now and then what was handled, and whatever the application asks for. */
export class GroupCommits {
  readonly #partitions: GroupPartitions;
  readonly #options: GroupOptions;
  readonly #onFailure: (error: unknown) => void;
  #member: GroupMember | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isOver = false;

  /** @param onFailure a commit that nobody has asked for has failed */
  constructor(partitions: GroupPartitions, options: GroupOptions, onFailure: (error: unknown) => void) {
    if (!((options.autoCommitIntervalMs ?? 1) > 0)) throw new TypeError('autoCommitIntervalMs must be positive');
    this.#partitions = partitions;
    this.#options = options;
    this.#onFailure = onFailure;
  }

  begin(member: GroupMember): void {
    this.#member = member;
    if ((this.#options.commit ?? 'auto') === 'auto') this.#commitLater();
  }

  /** Resolves when none is under way that nobody has asked for, and none will be. */
  async end(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Everything that was handed out, what is in hand included. */
  async commitAll(): Promise<void> {
    const { fetchers } = this.#partitions.assignment;
    await this.#commit(fetchers.map((fetcher) => this.#partitions.commitOf(fetcher, fetcher.position)));
  }

  /** @throws KlogError OFFSET_OUT_OF_RANGE beyond what was handed out */
  async commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    await this.#commit(offsets.map((offset) => this.#checked(offset)));
  }

  #commitLater(): void {
    if (this.#isOver) return;
    const { autoCommitIntervalMs = DEFAULT_INTERVAL_MS } = this.#options;
    this.#timer = setTimeout(() => {
      const { dirty } = this.#partitions;
      this.#running = this.#commit(dirty.map((one) => this.#partitions.commitOf(one, one.offset)))
        .catch(this.#onFailure)
        .finally(() => this.#commitLater());
    }, autoCommitIntervalMs);
    // Who waits for records keeps the process alive.
    this.#timer.unref();
  }

  async #commit(commits: readonly MemberCommit[]): Promise<void> {
    if (commits.length === 0) return;
    if (this.#member === undefined) throw closed();
    // What is read of a partition that has gone and come back meanwhile is not what was committed.
    const fetchers = commits.map((one) => this.#partitions.assignment.find(one));
    await this.#member.commit(commits);
    for (const [i, { commit }] of commits.entries()) {
      const fetcher = fetchers[i];
      if (fetcher !== undefined) this.#partitions.committed(fetcher, commit.offset);
    }
  }

  #checked({ topic, partition, offset, metadata }: OffsetToCommit): MemberCommit {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new TypeError(`not an offset: ${offset}`);
    const most = this.#partitions.assignment.find({ topic, partition })?.position ?? Number.POSITIVE_INFINITY;
    if (offset <= most) return this.#partitions.commitOf({ topic, partition }, offset, metadata);
    const message = `offset ${offset} of ${topic}:${partition} cannot be committed: only what lies below ${most} was handed out`;
    throw new KlogError('OFFSET_OUT_OF_RANGE', message, { topic, partition, offset });
  }
}
