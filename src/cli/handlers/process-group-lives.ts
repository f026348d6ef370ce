import { readdirSync, readFileSync } from 'node:fs';

/**
 * Whether a process of the group still runs. The kernel counts its dead, too, until somebody waits for them, which in a
 * container without an init nobody does; so their states are looked at.
 */
export function processGroupLives(groupId: number): boolean {
  try {
    process.kill(-groupId, 0);
  } catch {
    return false;
  }
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && runsIn(groupId, name));
}

/** `pid (name) state parent group …`; the name may hold anything. */
function runsIn(groupId: number, processId: string): boolean {
  let fields: string[];
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'latin1');
    fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 3);
  } catch {
    // It has ended since.
    return false;
  }
  const [state, , group] = fields;
  return Number(group) === groupId && state !== 'Z' && state !== 'X';
}
