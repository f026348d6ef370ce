/**
 * A worker and who watches it: an input that takes over a second, an error that is no KlogError, a process that dies or
 * needs more memory than it may is a finding. After an input that ended the process another one goes on behind it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { type FuzzFinding, LIMIT_MS } from './fuzz-inputs.js';
import type { MemoryLimit } from './memory-limit.js';

const LOOK_MS = 200;
/** At so many inputs a worker says which one is under way: a system call costs as much as a small input. */
export const BLOCK = 64;
/** Loading the targets, before the first input. */
const START_MS = 120_000;

/** Inputs met, and milliseconds they took, by target. */
export type FuzzCounts = Record<string, { readonly inputs: number; readonly ms: number }>;

/** A line of a worker. */
export interface FuzzMessage {
  readonly finding?: FuzzFinding;
  /** Since the last such line. */
  readonly counts?: FuzzCounts;
}

export interface WatchOptions {
  readonly worker: string;
  readonly seed: number;
  /** Inputs `from`, `from + step`, … below `end`. */
  readonly from: number;
  readonly step: number;
  readonly end: number;
  /** A file of its own, which says which input is under way. */
  readonly progress: string;
  readonly limit: MemoryLimit;
  readonly megabytes: number;
  readonly targets?: readonly string[] | undefined;
  /** A hang, in milliseconds of the input's own time. A busy machine is not a hang. */
  readonly stuckMs?: number;
  /** True: enough. */
  readonly onFinding: (finding: FuzzFinding) => boolean;
  readonly onMemory: (bytes: number) => void;
  readonly onCounts?: (counts: FuzzCounts) => void;
  /** Aborted: enough. */
  readonly signal?: AbortSignal | undefined;
}

interface Part {
  readonly from: number;
  readonly end: number;
  readonly exact: boolean;
}

/** How a worker has ended. */
type Ended =
  | { readonly how: 'done' | 'enough' }
  | { readonly how: 'died'; readonly index: number; readonly problem: string };

export async function watchInputs(options: WatchOptions): Promise<void> {
  const { from, step, end, onFinding } = options;
  const target = 'the process';
  for (let next = from; next < end; ) {
    const ended = await watchOne(options, { from: next, end, exact: false });
    if (ended.how !== 'died') return;
    // One of a block: each of them is said before it begins, this time.
    const blockEnd = Math.min(end, ended.index + BLOCK * step);
    const again = await watchOne(options, { from: ended.index, end: blockEnd, exact: true });
    if (again.how === 'enough') return;
    next = again.how === 'died' ? again.index + step : blockEnd;
    const { index, problem } =
      again.how === 'died'
        ? again
        : { ...ended, problem: `${ended.problem}, by the inputs before it: not again alone` };
    if (onFinding({ index, target, problem })) return;
  }
}

/** Until it is done or has to be ended. */
async function watchOne(options: WatchOptions, { from, end, exact }: Part): Promise<Ended> {
  const { seed, step, progress, worker, limit, targets, stuckMs = 5 * LIMIT_MS } = options;
  rmSync(progress, { force: true });
  const plan = JSON.stringify({ seed, from, step, end, exact, progress, targets });
  const [program, ...args] = limit.wrap([process.execPath, worker, plan]);
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let enough = false;
  const stop = (): void => {
    enough = true;
    child.kill('SIGKILL');
  };
  options.signal?.addEventListener('abort', stop);
  const tell = (finding: FuzzFinding): void => {
    if (options.onFinding(finding)) stop();
  };
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const line of lines) {
      const { finding, counts } = JSON.parse(line) as FuzzMessage;
      if (finding !== undefined) tell(finding);
      if (counts !== undefined) options.onCounts?.(counts);
    }
  });
  let reason: string | undefined;
  let last = -1;
  let since = performance.now();
  let cpu = 0;
  const timer = setInterval(() => {
    const index = current(progress);
    if (index !== last) {
      last = index;
      since = performance.now();
      cpu = cpuMilliseconds(child.pid!) ?? 0;
    } else {
      const spent = (cpuMilliseconds(child.pid!) ?? Number.POSITIVE_INFINITY) - cpu;
      const waited = performance.now() - since;
      // Time of its own, where that is known: elsewhere the clock's.
      if (index < 0 ? waited > START_MS : waited > stuckMs && (spent > stuckMs || waited > 20 * stuckMs)) {
        reason ??= 'hangs';
      }
    }
    const resident = residentBytes(child.pid!);
    options.onMemory(resident);
    if (resident > options.megabytes * 1024 * 1024) reason ??= `has ${Math.round(resident / 1024 / 1024)} MiB`;
    if (reason !== undefined) child.kill('SIGKILL');
  }, LOOK_MS);
  const [code, signal] = await closed(child);
  clearInterval(timer);
  options.signal?.removeEventListener('abort', stop);
  options.onMemory(limit.peakBytes() ?? 0);
  if (code === 0) return { how: 'done' };
  if (enough) return { how: 'enough' };
  const byKernel = signal === 'SIGKILL' || code === 137;
  const how = byKernel ? `was ended by the kernel: over ${options.megabytes} MiB` : `ended with ${signal ?? code}`;
  return { how: 'died', index: Math.max(from, current(progress)), problem: reason ?? how };
}

function closed(child: ChildProcess): Promise<[number | null, string | null]> {
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve([code, signal]));
  });
}

function current(progress: string): number {
  try {
    const bytes = readFileSync(progress);
    return bytes.length < 8 ? -1 : bytes.readDoubleBE(0);
  } catch {
    return -1;
  }
}

/** User and system time, from Linux, of all its threads; a tick is 10 ms everywhere that Node runs. */
function cpuMilliseconds(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return undefined;
  }
}

/** The peak, from Linux; elsewhere 0. */
function residentBytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
