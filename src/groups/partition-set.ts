import type { TopicPartitions } from '../format/coordinator/consumer-protocol.js';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** As it is written on the command line: `orders:0`. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

/** A set of partitions, never changed: what changes is another set. */
export class PartitionSet implements Iterable<TopicPartition> {
  static readonly empty = new PartitionSet(new Map());

  readonly size: number;
  readonly #topics: ReadonlyMap<string, ReadonlySet<number>>;

  private constructor(topics: ReadonlyMap<string, ReadonlySet<number>>) {
    let size = 0;
    for (const partitions of topics.values()) size += partitions.size;
    this.size = size;
    this.#topics = topics;
  }

  static of(partitions: Iterable<TopicPartition>): PartitionSet {
    const topics = new Map<string, Set<number>>();
    for (const { topic, partition } of partitions) setOf(topics, topic).add(partition);
    return new PartitionSet(topics);
  }

  static from(grouped: readonly TopicPartitions[]): PartitionSet {
    const topics = new Map<string, Set<number>>();
    for (const { topic, partitions } of grouped) {
      for (const partition of partitions) setOf(topics, topic).add(partition);
    }
    return new PartitionSet(topics);
  }

  has({ topic, partition }: TopicPartition): boolean {
    return this.#topics.get(topic)?.has(partition) === true;
  }

  /** Adds how many there are of each topic. */
  countInto(counts: Map<string, number>): void {
    for (const [topic, partitions] of this.#topics) counts.set(topic, (counts.get(topic) ?? 0) + partitions.size);
  }

  union(others: Iterable<TopicPartition>): PartitionSet {
    return PartitionSet.of([...this, ...others]);
  }

  without(others: PartitionSet): PartitionSet {
    return this.filter((partition) => !others.has(partition));
  }

  and(others: PartitionSet): PartitionSet {
    return this.filter((partition) => others.has(partition));
  }

  filter(keep: (partition: TopicPartition) => boolean): PartitionSet {
    return PartitionSet.of([...this].filter(keep));
  }

  equals(other: PartitionSet): boolean {
    if (this.size !== other.size) return false;
    for (const partition of this) if (!other.has(partition)) return false;
    return true;
  }

  /** By topic, then number: the same set is always the same bytes. */
  grouped(): TopicPartitions[] {
    return [...this.#topics]
      .filter(([, partitions]) => partitions.size > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([topic, partitions]) => ({ topic, partitions: [...partitions].sort((a, b) => a - b) }));
  }

  *[Symbol.iterator](): IterableIterator<TopicPartition> {
    for (const [topic, partitions] of this.#topics) for (const partition of partitions) yield { topic, partition };
  }
}

function setOf(topics: Map<string, Set<number>>, topic: string): Set<number> {
  let partitions = topics.get(topic);
  if (partitions === undefined) {
    partitions = new Set();
    topics.set(topic, partitions);
  }
  return partitions;
}
