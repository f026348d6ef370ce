import { evict } from './decisions/membership.js';
import type { GroupLog } from './group-log.js';
import type { MemberState } from './group-state.js';
import { CountedDecisions, type TopicsView } from './partition-counts.js';

/**
 * Ends a member, whether it lives, hangs or is dead, by its member or instance id. It commits nothing from then on, and
 * what it held is shared out among the others. @returns who it was @throws KlogError KLOG_NOT_FOUND
 */
export async function evictMember(
  log: GroupLog,
  topics: TopicsView,
  groupId: string,
  name: string,
  { validateOnly = false }: { readonly validateOnly?: boolean } = {},
): Promise<MemberState> {
  let evicted: MemberState | undefined;
  await new CountedDecisions(log, topics, groupId).decide([], ({ state }, counts) => {
    const next = evict(state, name, counts);
    evicted = [...state.members.values()].find(({ memberId }) => !next.members.has(memberId));
    return validateOnly ? undefined : { state: next };
  });
  return evicted!;
}
