import type { GroupLog } from '../../groups/group-log.js';
import type { Groups } from '../../groups/groups.js';
import type { GroupSnapshot } from '../log-snapshot.js';

/**
 * Makes ready what groups have committed of topics that are about to come; what it answers commits it. That is done
 * under the lock that topics are made under, which whatever has to be made for it would wait for.
 */
export async function preparedOffsets(
  groups: Groups,
  snapshots: readonly GroupSnapshot[],
  now: () => number,
): Promise<() => Promise<void>> {
  const logs: GroupLog[] = [];
  for (const { groupId } of snapshots) logs.push(await groups.logOf(groupId));
  return async () => {
    const commitTimestamp = now();
    const decided = snapshots.map(({ groupId, offsets }, i) => {
      const commits = offsets.map(({ topic, partition, offset, metadata = '' }) => {
        const commit = { offset, leaderEpoch: -1, metadata, commitTimestamp, expireTimestamp: -1 };
        return { topic, partition, commit };
      });
      return logs[i]!.decide(groupId, () => ({ commits }));
    });
    await Promise.all(decided);
  };
}
