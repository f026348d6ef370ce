import type { TopicPartitions } from '../../format/coordinator/consumer-protocol.js';
import { byText } from './member-order.js';

/** The partitions to be assigned, numbered by topic, then partition: what is computed with is the number. */
export class PartitionTable {
  /** In order. */
  readonly topics: readonly string[];
  readonly size: number;
  readonly #topics: number[] = [];
  readonly #firsts = new Map<string, number>();
  readonly #counts = new Map<string, number>();

  /** All partitions of the subscribed topics that exist. */
  constructor(subscribed: Iterable<string>, partitionCounts: ReadonlyMap<string, number>) {
    const topics = [...new Set(subscribed)].filter((topic) => (partitionCounts.get(topic) ?? 0) > 0).sort(byText);
    for (const [index, topic] of topics.entries()) {
      const count = partitionCounts.get(topic)!;
      this.#firsts.set(topic, this.#topics.length);
      this.#counts.set(topic, count);
      for (let partition = 0; partition < count; partition++) this.#topics.push(index);
    }
    this.topics = topics;
    this.size = this.#topics.length;
  }

  has(topic: string): boolean {
    return this.#firsts.has(topic);
  }

  /** The numbers of a topic's partitions. */
  ofTopic(topic: string): number[] {
    const first = this.#firsts.get(topic) ?? 0;
    return Array.from({ length: this.#counts.get(topic) ?? 0 }, (_, partition) => first + partition);
  }

  topicOf(number: number): string {
    return this.topics[this.#topics[number]!]!;
  }

  partitionOf(number: number): number {
    return number - this.#firsts.get(this.topicOf(number))!;
  }

  /** The numbers of those that exist, each once. */
  numbersOf(owned: readonly TopicPartitions[]): number[] {
    const numbers = new Set<number>();
    for (const { topic, partitions } of owned) {
      const first = this.#firsts.get(topic);
      if (first === undefined) continue;
      for (const partition of partitions) {
        if (partition >= 0 && partition < this.#counts.get(topic)!) numbers.add(first + partition);
      }
    }
    return [...numbers];
  }

  /** The way back. */
  grouped(numbers: Iterable<number>): TopicPartitions[] {
    const topics: { topic: string; partitions: number[] }[] = [];
    for (const number of [...numbers].sort((a, b) => a - b)) {
      const topic = this.topicOf(number);
      if (topics.at(-1)?.topic !== topic) topics.push({ topic, partitions: [] });
      topics.at(-1)!.partitions.push(this.partitionOf(number));
    }
    return topics;
  }
}
