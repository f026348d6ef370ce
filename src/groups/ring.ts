import type { GroupState, MemberState } from './group-state.js';

/**
 * Whom this process looks at more often than at others: a member of the process before it in the ring of the group's
 * processes. All members of a process die together, so one of them stands for it. `undefined`: there is no other
 * process.
 */
export function predecessorOf(state: GroupState, pid: number): MemberState | undefined {
  const first = new Map<number, MemberState>();
  for (const member of state.members.values()) {
    if (member.place !== undefined && !first.has(member.place.pid)) first.set(member.place.pid, member);
  }
  const pids = [...first.keys()].sort((a, b) => a - b);
  const at = pids.indexOf(pid);
  const before = pids.at(at - 1);
  return at < 0 || before === undefined || before === pid ? undefined : first.get(before);
}
