import { KlogError } from '../errors.js';

/** What is said of a partition that a topic does not have. */
export function unknownPartition(topic: string, partition: number, count: number): KlogError {
  const known = count === 1 ? 'partition 0 only' : `partitions 0 to ${count - 1}`;
  return new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} has no partition ${partition}: it has ${known}`, {
    topic,
    partition,
  });
}
