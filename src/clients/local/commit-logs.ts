import type { TopicPartition } from '../client.js';
import type { LocalStore, PartitionReader } from './local-store.js';

/** A partition of `__consumer_offsets`, up to an offset. */
export interface CommitLog {
  readonly reader: PartitionReader;
  readonly endOffset: number;
}

const OFFSETS_TOPIC = '__consumer_offsets';

/** They are made one by one, when they are first used: only these have anything in them. */
export async function usedOffsetsPartitions(store: LocalStore): Promise<TopicPartition[]> {
  const used: TopicPartition[] = [];
  const partitions = (await store.topic(OFFSETS_TOPIC))?.partitions ?? 0;
  for (let partition = 0; partition < partitions; partition++) {
    const { segments } = await store.partitionSize(OFFSETS_TOPIC, partition);
    if (segments > 0) used.push({ topic: OFFSETS_TOPIC, partition });
  }
  return used;
}
