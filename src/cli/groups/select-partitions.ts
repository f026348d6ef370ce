import type { Admin } from '../../clients/admin.js';
import type { TopicPartition } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import { parsePartitionOperand } from '../values/parse-partition.js';

export interface PartitionSelection {
  /** `T` or `T:P`. */
  readonly topics: readonly string[];
  /** `-p`: only these of each topic. */
  readonly partitions?: readonly number[];
}

/** Before a log is looked for. KLOG_USAGE. */
export function checkPartitions({ topics }: PartitionSelection): void {
  for (const text of topics) {
    const { offset } = parsePartitionOperand(text, { now: 0 });
    if (offset !== undefined) throw new KlogError('KLOG_USAGE', `'${text}' is a record: a topic or T:P is wanted`);
  }
}

/**
 * Those the operands mean; without operands those of `known`, which the group has. With `-p` these of each topic.
 * UNKNOWN_TOPIC_OR_PARTITION.
 */
export async function selectPartitions(
  admin: Admin,
  { topics, partitions }: PartitionSelection,
  known: readonly TopicPartition[],
): Promise<TopicPartition[]> {
  if (topics.length === 0) return known.filter(({ partition }) => partitions?.includes(partition) ?? true);
  const selected = new Map<string, TopicPartition>();
  for (const text of topics) {
    const { topic, partition } = parsePartitionOperand(text, { now: 0 });
    const wanted = partition === undefined ? partitions : [partition];
    for (const one of await admin.listOffsets(topic, 'end', wanted)) {
      selected.set(`${topic}:${one.partition}`, { topic, partition: one.partition });
    }
  }
  return [...selected.values()];
}
