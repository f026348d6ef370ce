/**
 * Times a command as bash's `time` does: the wall clock, and the CPU of all its processes, to the millisecond. Peak
 * memory comes from GNU time before the process in question, where that is installed.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface Measurement {
  readonly wallMs: number;
  readonly userMs: number;
  readonly systemMs: number;
  /** -1: unknown. */
  readonly peakKib: number;
}

/** What takes longer hangs. */
const LONGEST_MS = 600_000;
const GNU_TIME = '/usr/bin/time';

/** What every command runs with: as an ordinary shell has it, without what slows the start of Node. */
const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  LC_ALL: 'C',
  NODE_EXTRA_CA_CERTS: undefined,
  NODE_OPTIONS: undefined,
  KLOG_DIR: undefined,
};

/** Stands before a process: writes its peak memory to `file`. Empty where GNU time is missing. */
export function peakMemoryPrefix(file: string): string {
  const { status } = spawnSync(GNU_TIME, ['-f', '%M', 'true'], { stdio: 'ignore' });
  return status === 0 ? `${GNU_TIME} -o ${quoted(file)} -f %M ` : '';
}

/** Runs a command that must succeed, and answers what it printed. */
export function run(command: string, cwd: string): string {
  return bash(`set -e -o pipefail; ${command}`, cwd);
}

/** @param isSelfTimed the last line that the command prints is its measurement, as JSON */
export function measure(command: string, cwd: string, peakFile: string, isSelfTimed = false): Measurement {
  const times = join(cwd, 'times');
  rmSync(peakFile, { force: true });
  // The command's own standard error is apart from what `time` reports.
  const printed = bash(`set -o pipefail; TIMEFORMAT='%3R %3U %3S'; { time { ${command}; } 2>errors; } 2>times`, cwd);
  if (isSelfTimed) return JSON.parse(printed.trim().split('\n').at(-1)!) as Measurement;
  const [wall, user, system] = readFileSync(times, 'utf8').trim().split(' ').map(Number);
  if (wall === undefined || user === undefined || system === undefined || Number.isNaN(wall + user + system)) {
    throw new Error(`bash's time says: ${readFileSync(times, 'utf8')}`);
  }
  return { wallMs: wall * 1000, userMs: user * 1000, systemMs: system * 1000, peakKib: peakOf(peakFile) };
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function peakOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').trim().split('\n').at(-1));
  } catch {
    return -1;
  }
}

function bash(script: string, cwd: string): string {
  const options = {
    cwd,
    env: ENVIRONMENT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: LONGEST_MS,
  } as const;
  const { status, stdout, stderr, error } = spawnSync('bash', ['--norc', '-c', script], options);
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`exit code ${status} of: ${script}\n${stderr}${errorsOf(cwd)}`);
  return stdout;
}

function errorsOf(cwd: string): string {
  try {
    return readFileSync(join(cwd, 'errors'), 'utf8');
  } catch {
    return '';
  }
}
