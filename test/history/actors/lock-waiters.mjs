// Who waits for the kernel locks of a partition, as Linux shows it: what makes "while others wait" more than a hope.
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pause } from './recorder.mjs';

/** Lock requests of open files that are not granted yet. -1: not known here. */
export function lockWaiters(partitionDirectory) {
  try {
    const { ino } = statSync(join(partitionDirectory, 'klog.end'));
    const lines = readFileSync('/proc/locks', 'utf8').split('\n');
    return lines.filter((line) => line.includes('->') && line.includes(`:${ino} `)).length;
  } catch {
    return -1;
  }
}

/** Until so many wait, or `withinMs` have passed. Answers how many there were. */
export async function untilWaiters(path, count, withinMs) {
  const directory = dirname(path);
  const end = performance.now() + withinMs;
  for (;;) {
    const waiters = lockWaiters(directory);
    if (waiters >= count || performance.now() > end) return waiters;
    await pause(1);
  }
}

/** Until the name leads to another file. */
export async function untilSwapped(path, withinMs) {
  const inode = () => statSync(path, { throwIfNoEntry: false })?.ino;
  const before = inode();
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (inode() !== before) return true;
    await pause(1);
  }
  return false;
}
