import type { Client, TopicPartition } from '../../clients/client.js';

export const OFFSETS_TOPIC = '__consumer_offsets';

/** What the group has committed of these, in their order; `undefined`: nothing. Joins nothing, and makes nothing. */
export async function committedOffsets(
  client: Client,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<(number | undefined)[]> {
  const topics = await client.admin().listTopics({ internal: true });
  if (!topics.some(({ topic }) => topic === OFFSETS_TOPIC)) return partitions.map(() => undefined);
  const names = [...new Set(partitions.map(({ topic }) => topic))];
  await using consumer = client.consumer({ topics: names, group: { id: groupId } });
  return (await consumer.committed(partitions)).map((one) => one?.offset);
}
