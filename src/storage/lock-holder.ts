/**
 * Who holds a kernel lock, on Linux. `/proc/locks` names no process for open-file-description locks (its pid is -1),
 * but each process's `fdinfo` shows the locks of its descriptors:
 *
 * ```
 * lock:	1: OFDLCK ADVISORY  WRITE -1 fe:00:9978657 0 EOF
 *                              kind  pid maj:min:inode first last
 * ```
 * Only processes of the same user can be looked at (root: all). It is for messages: by the time it is read it may be
 * somebody else's.
 */
export interface ProcReader {
  readdirSync(path: string): string[];
  readFileSync(path: string, encoding: 'latin1'): string;
  statSync(path: string): { readonly dev: number; readonly ino: number };
}

export interface LockedFile {
  readonly device: number;
  readonly inode: number;
}

const LOCK_LINE =
  /^lock:\s+\d+: +(?:OFDLCK|POSIX|FLOCK) +\S+ +(?:READ|WRITE) +-?\d+ +[0-9a-f]+:[0-9a-f]+:(\d+) (\d+) (\d+|EOF)$/gm;

/** The pid of a process with a lock on any byte of the range (length 0: to the end); `undefined`: none to be seen. */
export function findLockHolder(proc: ProcReader, file: LockedFile, start: number, length: number): number | undefined {
  const end = length === 0 ? Number.POSITIVE_INFINITY : start + length;
  for (const pid of attempt(() => proc.readdirSync('/proc')) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of attempt(() => proc.readdirSync(`/proc/${pid}/fdinfo`)) ?? []) {
      const info = attempt(() => proc.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'));
      if (info === undefined || !locksRange(info, file.inode, start, end)) continue;
      const open = attempt(() => proc.statSync(`/proc/${pid}/fd/${fd}`));
      if (open?.ino === file.inode && open.dev === file.device) return Number(pid);
    }
  }
  return undefined;
}

/** Whether the process is stopped, as by SIGSTOP or Ctrl-Z. `undefined`: there is none, or it cannot be looked at. */
export function isProcessStopped(proc: ProcReader, pid: number): boolean | undefined {
  const stat = attempt(() => proc.readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // Behind the name, which may hold anything: the state.
  const state = stat?.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state === undefined || state === 'Z' || state === 'X' ? undefined : state === 'T' || state === 't';
}

function locksRange(info: string, inode: number, start: number, end: number): boolean {
  for (const [, lockedInode, first, last] of info.matchAll(LOCK_LINE)) {
    const lockedEnd = last === 'EOF' ? Number.POSITIVE_INFINITY : Number(last) + 1;
    if (Number(lockedInode) === inode && Number(first) < end && lockedEnd > start) return true;
  }
  return false;
}

/** A process may end, or be another user's, between the listing and the look. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
