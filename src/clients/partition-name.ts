import type { TopicPartition } from './client.js';

/** `orders:0`, as it is written on the command line. No topic's name has a colon. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

/** For sorting: by topic, then partition. */
export function byPartition(a: TopicPartition, b: TopicPartition): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1;
}
