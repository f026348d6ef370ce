import { KlogError } from '../../errors.js';
import type { TopicPartition } from '../client.js';
import type { ConsumerOptions } from '../consumer.js';
import { partitionName } from '../partition-name.js';
import type { PlannedPartition } from './consumer-plan.js';
import { type FetcherOptions, PartitionFetcher } from './partition-fetcher.js';

type ReadOptions = Pick<ConsumerOptions, 'isolationLevel' | 'skipCorrupt' | 'onCorrupt'>;

/** The partitions that a consumer reads, and which of them are paused. */
export class Assignment {
  readonly fetchers: PartitionFetcher[] = [];
  /** Where each partition ended that was there at the beginning. */
  readonly backlogEnds = new Map<PartitionFetcher, number>();
  readonly topicIds = new Map<string, string>();
  /** Nothing is added any more. */
  isClosed = false;
  /** Paused before it was known what is assigned. */
  readonly #pausedBefore = new Map<string, TopicPartition>();
  readonly #options: Omit<FetcherOptions, 'outlivesTopic'>;
  readonly #outlives: (topic: string) => boolean;

  /** @param outlives whether it is no failure that a topic is deleted */
  constructor({ isolationLevel, skipCorrupt = false, onCorrupt }: ReadOptions, outlives: (topic: string) => boolean) {
    const isCommittedOnly = isolationLevel !== 'read_uncommitted';
    this.#options = { isCommittedOnly, skipCorrupt, onCorrupt };
    this.#outlives = outlives;
  }

  /** @param maxBytes of one fetch */
  add({ topic, topicId, partition, reader, marks, from, end }: PlannedPartition, maxBytes: number): PartitionFetcher {
    const options = { ...this.#options, outlivesTopic: this.#outlives(topic) };
    const fetcher = new PartitionFetcher(topic, partition, reader, marks, { from, end }, maxBytes, options);
    if (this.#pausedBefore.delete(partitionName(fetcher))) fetcher.pause();
    this.fetchers.push(fetcher);
    this.topicIds.set(topic, topicId);
    return fetcher;
  }

  /** It is read no more. */
  async remove(fetcher: PartitionFetcher): Promise<void> {
    const at = this.fetchers.indexOf(fetcher);
    if (at >= 0) this.fetchers.splice(at, 1);
    this.backlogEnds.delete(fetcher);
    await fetcher.reader.close();
  }

  /** @throws KlogError UNKNOWN_TOPIC_OR_PARTITION */
  get(partition: TopicPartition): PartitionFetcher {
    const fetcher = this.find(partition);
    if (fetcher !== undefined) return fetcher;
    const name = partitionName(partition);
    throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `${name} is not assigned to this consumer`, { ...partition });
  }

  partitions(): TopicPartition[] {
    return this.fetchers.map(({ topic, partition }) => ({ topic, partition }));
  }

  partitionsOf(topic: string): Set<number> {
    return new Set(this.fetchers.filter((one) => one.topic === topic).map(({ partition }) => partition));
  }

  pause(partition: TopicPartition): void {
    const fetcher = this.find(partition);
    if (fetcher === undefined) this.#pausedBefore.set(partitionName(partition), partition);
    else fetcher.pause();
  }

  resume(partition: TopicPartition): void {
    this.#pausedBefore.delete(partitionName(partition));
    const fetcher = this.find(partition);
    if (fetcher !== undefined) fetcher.isPaused = false;
  }

  paused(): TopicPartition[] {
    const paused = this.fetchers.filter(({ isPaused }) => isPaused);
    return [...this.#pausedBefore.values(), ...paused.map(({ topic, partition }) => ({ topic, partition }))];
  }

  /** Whether a paused partition has something left to read. */
  get isHeldUp(): boolean {
    return this.fetchers.some((fetcher) => fetcher.isPaused && !fetcher.isDone);
  }

  /** The same of what was there at the beginning. */
  get isBacklogHeldUp(): boolean {
    return this.fetchers.some(
      (fetcher) => fetcher.isPaused && !fetcher.hasPassed(this.backlogEnds.get(fetcher) ?? Number.POSITIVE_INFINITY),
    );
  }

  /** Whether nothing will ever come any more from any of its partitions; false without partitions. */
  get isDone(): boolean {
    return this.fetchers.length > 0 && this.fetchers.every((fetcher) => fetcher.isDone);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.fetchers.map(({ reader }) => reader.close()));
  }

  find({ topic, partition }: TopicPartition): PartitionFetcher | undefined {
    return this.fetchers.find((fetcher) => fetcher.partition === partition && fetcher.topic === topic);
  }
}
