/** Topics that come, grow or go while a consumer waits for them or follows them. */
import { KlogError } from '../../errors.js';
import type { ConsumerOptions, PartitionRange, PatternSelection, TopicSelection } from '../consumer.js';
import type { Assignment } from './assignment.js';
import { planPartitions } from './consumer-plan.js';
import type { Follower } from './follower.js';
import type { LocalStore, StoredTopic } from './local-store.js';
import { isDeletion, type PartitionFetcher } from './partition-fetcher.js';
import { fits } from './topic-pattern.js';

/** Between two looks for a topic that is waited for. */
const POLL_MS = 100;

/** Waits until all topics are there; false when they did not come in time. */
export async function waitForTopics(
  store: LocalStore,
  { topics }: Pick<ConsumerOptions, 'topics'>,
  follower: Follower,
  deadline: number,
): Promise<boolean> {
  for (const selection of topics) {
    const name = nameOf(selection);
    while ((await store.topic(name)) === undefined) {
      if (!(await follower.sleep(POLL_MS, deadline))) return false;
    }
  }
  return true;
}

/** What a consumer reads by name, and by pattern. */
export class TopicWatch {
  readonly #store: LocalStore;
  readonly #options: ConsumerOptions;
  readonly #patterns: readonly { readonly isFit: (topic: string) => boolean; readonly of: PatternSelection }[];

  constructor(store: LocalStore, options: ConsumerOptions) {
    this.#store = store;
    this.#options = options;
    const patterns = (options.patterns ?? []).map((one) => (one instanceof RegExp ? { pattern: one } : one));
    this.#patterns = patterns.map((of) => ({ isFit: fits(of.pattern), of }));
  }

  /** Whether it is read because of a pattern. */
  matches(topic: string): boolean {
    return this.#patterns.some(({ isFit }) => isFit(topic));
  }

  /** What is to be read of the topics that there are. */
  async topics(): Promise<(string | TopicSelection)[]> {
    const named = new Set(this.#options.topics.map(nameOf));
    const matching = (await this.#matching()).filter((topic) => !named.has(topic));
    const selected = matching.map((topic) => {
      const { partitions } = this.#patterns.find(({ isFit }) => isFit(topic))!.of;
      return partitions === undefined ? topic : { topic, partitions };
    });
    return [...this.#options.topics, ...selected];
  }

  /**
   * Assigns what has come meanwhile, to be read from its beginning: partitions of followed topics, and topics that
   * match. Those that match and were deleted are read no more.
   * @throws KlogError UNKNOWN_TOPIC_OR_PARTITION for a named topic that was deleted, perhaps made anew: its files alone
   * would just fall silent
   */
  async look(assignment: Assignment, maxBytes: number, onGone: (fetcher: PartitionFetcher) => void): Promise<void> {
    for (const [topic, topicId] of [...assignment.topicIds]) {
      const found = await this.#store.topic(topic);
      if (found?.topicId === topicId) await this.#assignAdded(found, assignment, maxBytes);
      else if (this.matches(topic)) await letGo(topic, assignment, onGone);
      else throw deleted(topic);
    }
    for (const topic of await this.#matching()) {
      const found = assignment.topicIds.has(topic) ? undefined : await this.#store.topic(topic);
      if (found !== undefined) await this.#assignAdded(found, assignment, maxBytes);
    }
  }

  async #assignAdded({ topic, partitions }: StoredTopic, assignment: Assignment, maxBytes: number): Promise<void> {
    const read = assignment.partitionsOf(topic);
    const isAdded = (range: PartitionRange) => range.partition < partitions && !read.has(range.partition);
    const added = this.#laterRanges(topic, partitions).filter(isAdded);
    if (added.length === 0) return;
    const fromStart: ConsumerOptions = { ...this.#options, topics: [{ topic, partitions: added }], from: 'start' };
    const plan = planPartitions(this.#store, fromStart, true).catch((error: unknown) => {
      // Deleted since it was looked at.
      if (this.matches(topic) && isDeletion(error)) return [];
      throw error;
    });
    for (const planned of await plan) {
      // The consumer may have let go of its partitions while these were opened.
      if (assignment.isClosed) await planned.reader.close();
      else assignment.add(planned, maxBytes);
    }
  }

  /**
   * What is read of a topic however late it comes. Of one that is named with some of its partitions nothing is added.
   */
  #laterRanges(topic: string, count: number): PartitionRange[] {
    const matching = this.#patterns.filter(({ isFit }) => isFit(topic)).map(({ of }) => of.partitions);
    const named = this.#options.topics.filter((one) => nameOf(one) === topic);
    const isWhole = named.some((one) => typeof one === 'string' || one.partitions === undefined);
    if (isWhole || matching.includes(undefined))
      return Array.from({ length: count }, (_, partition) => ({ partition }));
    const ranges = matching.flatMap((partitions) => partitions ?? []);
    return ranges.map((one) => (typeof one === 'number' ? { partition: one } : { ...one, from: 'start' }));
  }

  async #matching(): Promise<string[]> {
    if (this.#patterns.length === 0) return [];
    const names = (await this.#store.topics.list({})).map(({ topic }) => topic);
    return names.filter((topic) => this.matches(topic)).sort();
  }
}

async function letGo(
  topic: string,
  assignment: Assignment,
  onGone: (fetcher: PartitionFetcher) => void,
): Promise<void> {
  assignment.topicIds.delete(topic);
  for (const fetcher of assignment.fetchers.filter((one) => one.topic === topic)) {
    fetcher.isDeleted = true;
    fetcher.pause();
    onGone(fetcher);
    await assignment.remove(fetcher);
  }
}

function nameOf(selection: string | TopicSelection): string {
  return typeof selection === 'string' ? selection : selection.topic;
}

function deleted(topic: string): KlogError {
  return new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} was deleted while it was read`, { topic });
}
