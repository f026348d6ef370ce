/**
 * Holds a process to so much memory, by the strictest means there is: a memory cgroup (v2, v1, or through systemd), in
 * which the kernel ends what needs more; else a limit of V8's heap, and a look at the resident memory from time to
 * time.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MemoryLimit {
  /** For the report. */
  readonly by: string;
  /** The command that runs `command` within the limit. */
  wrap(command: readonly string[]): readonly string[];
  /** Largest use so far in bytes, where the limit knows it. */
  peakBytes(): number | undefined;
  close(): void;
}

const MIB = 1024 * 1024;

/** @param name of a cgroup of its own */
export function limitMemory(megabytes: number, name: string): MemoryLimit {
  const bytes = megabytes * MIB;
  return (
    inGroup('cgroup v2', join('/sys/fs/cgroup', name), ['memory.max', 'memory.peak'], bytes) ??
    inGroup('cgroup v1', join('/sys/fs/cgroup/memory', name), V1_FILES, bytes) ??
    inScope(bytes) ??
    byLooking(megabytes)
  );
}

const V1_FILES = ['memory.limit_in_bytes', 'memory.max_usage_in_bytes'] as const;

function inGroup(
  kind: string,
  path: string,
  [limit, peak]: readonly [string, string],
  bytes: number,
): MemoryLimit | undefined {
  try {
    mkdirSync(path);
  } catch {
    return undefined;
  }
  const close = (): void => {
    try {
      rmdirSync(path);
    } catch {
      // A process in it is still ending; an empty group costs nothing.
    }
  };
  try {
    // A group without a controller has no such file.
    if (!existsSync(join(path, limit))) throw new Error('no memory controller');
    writeFileSync(join(path, limit), String(bytes));
    // Without swap: the limit would only make it slow.
    const swap = join(path, 'memory.swap.max');
    if (existsSync(swap)) writeFileSync(swap, '0');
  } catch {
    close();
    return undefined;
  }
  return {
    by: `${kind} ${path}`,
    wrap: (command) => ['/bin/sh', '-c', `echo $$ > ${path}/cgroup.procs && exec "$@"`, 'sh', ...command],
    peakBytes: () => {
      try {
        return Number(readFileSync(join(path, peak), 'utf8'));
      } catch {
        return undefined;
      }
    },
    close,
  };
}

function inScope(bytes: number): MemoryLimit | undefined {
  const command = ['systemd-run', '--user', '--scope', '--quiet', '-p', `MemoryMax=${bytes}`, '-p', 'MemorySwapMax=0'];
  const { status } = spawnSync(command[0]!, [...command.slice(1), 'true'], { stdio: 'ignore' });
  if (status !== 0) return undefined;
  const close = (): void => {};
  return { by: 'systemd-run --user --scope', wrap: (more) => [...command, ...more], peakBytes: () => undefined, close };
}

/** V8's heap may take what is left by the program itself; the rest is for who watches. */
function byLooking(megabytes: number): MemoryLimit {
  const [node, ...rest] = [process.execPath, `--max-old-space-size=${Math.max(64, megabytes - 96)}`];
  return {
    by: '--max-old-space-size and looks at the resident memory: no cgroup could be made',
    wrap: ([program, ...args]) => (program === node ? [node!, ...rest, ...args] : [program!, ...args]),
    peakBytes: () => undefined,
    close: () => {},
  };
}
