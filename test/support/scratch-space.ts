/**
 * Vitest's global setup: the temporary directories of a run lie in memory (`/dev/shm`) where there is enough of it.
 * Making, renaming and removing small files is most of what the tests do, and on a disk it is most of what they wait
 * for. What is about the disk itself lies in {@link realDisk}. With TMPDIR set, all of it is there.
 */
import { chmodSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const PREFIX = 'klog-test-';
const ENOUGH_BYTES = 1024 ** 3;

/** For tests that want a disk's own file system, and syncs that take their time. */
export function realDisk(): string {
  return process.env.TEST_DISK ?? tmpdir();
}

export function setup(): (() => void) | undefined {
  process.env.TEST_DISK ??= tmpdir();
  if (process.env.TMPDIR !== undefined || !hasMemory()) return undefined;
  sweep();
  const scratch = join(MEMORY, `${PREFIX}${process.pid}`);
  mkdirSync(scratch);
  // Some tests are other users in between.
  chmodSync(scratch, 0o1777);
  process.env.TMPDIR = scratch;
  return () => rmSync(scratch, { recursive: true, force: true });
}

function hasMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}

/** Of runs that were killed. */
function sweep(): void {
  for (const name of readdirSync(MEMORY)) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length)) : Number.NaN;
    if (Number.isInteger(pid) && !isAlive(pid)) rmSync(join(MEMORY, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
