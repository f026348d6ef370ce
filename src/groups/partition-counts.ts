import { type PartitionCounts, topicsOf, unknownTopics } from './decisions/rebalance.js';
import type { Change, GroupDecision, GroupLog } from './group-log.js';
import type { GroupView } from './group-table.js';

/** What topics there are. */
export interface TopicsView {
  /** 0: there is no such topic. */
  partitionCounts(topics: Iterable<string>): Promise<Map<string, number>>;
  names(): Promise<readonly string[]>;
  /** Of those of these topics that there are: what tells one from another that had its name before. */
  ids(topics: Iterable<string>): Promise<ReadonlyMap<string, string>>;
}

/**
 * Takes decisions that share partitions out. How many each topic has is looked up before the lock is taken; should the
 * group by then want a topic that was not looked up, nothing is said, and it is looked up, too.
 */
export class CountedDecisions {
  readonly #log: GroupLog;
  readonly #topics: TopicsView;
  readonly #groupId: string;
  #counts: PartitionCounts = new Map();

  constructor(log: GroupLog, topics: TopicsView, groupId: string) {
    this.#log = log;
    this.#topics = topics;
    this.#groupId = groupId;
  }

  /** As they were when they were last looked up. */
  get counts(): PartitionCounts {
    return this.#counts;
  }

  async lookUp(topics: Iterable<string>): Promise<PartitionCounts> {
    const counts = await this.#topics.partitionCounts(topics);
    this.#counts = new Map([...this.#counts, ...counts]);
    return counts;
  }

  /**
   * Answers what it was taken by, all of it looked up for it: what was known of a topic that nobody wanted for a while
   * may be long past. @param topics that the decision adds @param before awaited under the append lock
   */
  async decide(
    topics: readonly string[],
    decide: (group: GroupView, counts: PartitionCounts) => Change | undefined,
    before?: () => Promise<void>,
  ): Promise<PartitionCounts> {
    let counts = await this.lookUp(new Set([...topics, ...topicsOf(this.#log.state(this.#groupId))]));
    for (;;) {
      let missing: readonly string[] = [];
      const counted: GroupDecision = (group) => {
        missing = unknownTopics(group.state, counts);
        return missing.length > 0 ? undefined : decide(group, counts);
      };
      await this.#log.decide(this.#groupId, counted, { before });
      if (missing.length === 0) return counts;
      counts = new Map([...counts, ...(await this.lookUp(missing))]);
    }
  }
}
