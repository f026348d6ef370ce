import type { Client, TopicPartition } from '../../clients/client.js';
import { partitionName } from '../../clients/partition-name.js';
import { KlogError } from '../../errors.js';

/** What the group has committed of these, in their order; `undefined`: nothing. */
export async function committedOffsets(
  client: Client,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<(number | undefined)[]> {
  const offsets = (await offsetsOf(client, groupId)).filter(({ committedOffset }) => committedOffset >= 0);
  const byPlace = new Map(offsets.map((one) => [partitionName(one), one.committedOffset]));
  return partitions.map((partition) => byPlace.get(partitionName(partition)));
}

/** A group that is not there has committed nothing. */
async function offsetsOf(client: Client, groupId: string) {
  try {
    const [group] = await client.admin().describeGroups([groupId]);
    return group?.offsets ?? [];
  } catch (error) {
    if (error instanceof KlogError && error.code === 'GROUP_ID_NOT_FOUND') return [];
    throw error;
  }
}
