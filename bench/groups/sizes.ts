/** Groups of many members, and over many partitions: how long until everybody reads. */
import { monotonicUs } from '../../test/group-history/member-process.js';
import { onStage, until } from './stage.js';

const PROCESSES = 8;
const MEMBERS = 200;
const PARTITIONS = 1000;

/** 200 members in 8 processes on 200 partitions: milliseconds from the last join until each reads one. */
export async function balancing(library: string): Promise<number> {
  return await onStage(library, MEMBERS, async ({ ownership, start }) => {
    for (let i = 0; i < PROCESSES; i++) start({ name: `p${i}`, members: MEMBERS / PROCESSES, quiet: true });
    await until(() => ownership.joined === MEMBERS && ownership.busyMembers === MEMBERS);
    return Math.max(0, ownership.lastAssignAt - ownership.lastJoinAt) / 1000;
  });
}

/** A member of a group over 1,000 partitions: milliseconds from the start of its process until all of them are read. */
export async function startOfMany(library: string): Promise<number> {
  return await onStage(library, PARTITIONS, async ({ ownership, start }) => {
    const from = monotonicUs();
    start({ name: 'p', quiet: true });
    await until(() => ownership.owners.size === PARTITIONS);
    return (ownership.lastAssignAt - from) / 1000;
  });
}
