/**
 * Who holds which kernel lock, on Linux, without taking any: `/proc/<pid>/fdinfo/<fd>` shows the locks of each open
 * file (storage/lock-holder.ts has the layout). Gone through once for all partitions. Only processes of the same user
 * are seen (root: all).
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';

/** A lock that a process holds. */
export interface HeldLock {
  readonly pid: number;
  readonly device: number;
  readonly inode: number;
  /** First byte, and the one behind the last. */
  readonly start: number;
  readonly end: number;
  readonly isExclusive: boolean;
}

export interface LockOwner {
  readonly pid: number;
  /** As it was started. */
  readonly command: string;
  /** By SIGSTOP, Ctrl-Z or a debugger: it keeps its locks and does nothing. */
  readonly isStopped: boolean;
}

const LOCK_LINE =
  /^lock:\s+\d+: +(?:OFDLCK|POSIX|FLOCK) +\S+ +(READ|WRITE) +-?\d+ +[0-9a-f]+:[0-9a-f]+:(\d+) (\d+) (\d+|EOF)$/gm;

/** All locks on files whose inodes are asked for. */
export function readLockTable(inodes: ReadonlySet<number>): HeldLock[] {
  const held: HeldLock[] = [];
  for (const name of attempt(() => readdirSync('/proc')) ?? []) {
    if (!/^\d+$/.test(name)) continue;
    for (const fd of attempt(() => readdirSync(`/proc/${name}/fdinfo`)) ?? []) {
      const info = attempt(() => readFileSync(`/proc/${name}/fdinfo/${fd}`, 'latin1'));
      if (info === undefined || !info.includes('lock:')) continue;
      for (const [, kind, inode, first, last] of info.matchAll(LOCK_LINE)) {
        if (!inodes.has(Number(inode))) continue;
        const open = attempt(() => statSync(`/proc/${name}/fd/${fd}`));
        if (open === undefined || open.ino !== Number(inode)) continue;
        const end = last === 'EOF' ? Number.POSITIVE_INFINITY : Number(last) + 1;
        held.push({
          pid: Number(name),
          device: open.dev,
          inode: open.ino,
          start: Number(first),
          end,
          isExclusive: kind === 'WRITE',
        });
      }
    }
  }
  return held;
}

export function ownerOf(pid: number): LockOwner {
  const line = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
  const status = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? '';
  // The name of the program stands in parentheses and may hold some itself.
  const state = status.slice(status.lastIndexOf(')') + 2, status.lastIndexOf(')') + 3);
  const command = line
    .split('\0')
    .filter((word) => word !== '')
    .join(' ');
  return { pid, command: command === '' ? '?' : command, isStopped: state === 'T' || state === 't' };
}

/** A process may end, or be another user's, between the listing and the look. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
