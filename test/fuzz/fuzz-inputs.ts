/**
 * Inputs one after the other. Everything about input `index` comes from the seed and the index: it can be repeated
 * alone.
 */
import { expectKlogErrorFrom } from './expect-klog-error.js';
import { FuzzRandom } from './fuzz-random.js';
import type { FuzzTarget } from './fuzz-target.js';
import { chooseTarget } from './targets/all-targets.js';

/** No input may take longer. */
export const LIMIT_MS = 1000;

/** Inputs between two turns of the event loop. */
const TURN_AFTER = 16;

export interface FuzzFinding {
  readonly index: number;
  readonly target: string;
  readonly problem: string;
}

export interface FuzzRange {
  readonly seed: number;
  /** Inputs `from`, `from + step` (default 1), … below `end`. */
  readonly from: number;
  readonly end: number;
  readonly step?: number;
  /** Called before each input. */
  readonly onInput?: (index: number) => void;
  /** Called after each input. */
  readonly onMet?: (target: FuzzTarget, tookMs: number) => void;
  readonly onFinding: (finding: FuzzFinding) => void;
}

export async function fuzzInputs(targets: readonly FuzzTarget[], range: FuzzRange): Promise<void> {
  const { stackTraceLimit } = Error;
  try {
    await meetAll(targets, range, stackTraceLimit);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function meetAll(targets: readonly FuzzTarget[], range: FuzzRange, stackTraceLimit: number): Promise<void> {
  const { seed, from, end, step = 1, onInput, onMet, onFinding } = range;
  for (let index = from; index < end; index += step) {
    onInput?.(index);
    // What a failed stream of node:zlib holds is let go by an event: without a turn they would all be kept.
    if ((index - from) % TURN_AFTER === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
    const target = chooseTarget(targets, inputRandom(seed, index));
    const start = performance.now();
    // Most inputs end in an error, and most of its time would go into its stack.
    Error.stackTraceLimit = 0;
    let problem = await meet(target, seed, index);
    const tookMs = performance.now() - start;
    onMet?.(target, tookMs);
    if (problem === undefined && tookMs <= LIMIT_MS) continue;
    Error.stackTraceLimit = stackTraceLimit;
    const { user: userBefore, system: systemBefore } = process.cpuUsage();
    problem = (await meet(target, seed, index)) ?? problem;
    if (problem !== undefined) onFinding({ index, target: target.name, problem });
    // A busy machine takes its time; an input takes the processor's, and does so again.
    const { user, system } = process.cpuUsage();
    const busyMs = Math.round((user - userBefore + system - systemBefore) / 1000);
    if (tookMs > LIMIT_MS && busyMs > LIMIT_MS) onFinding({ index, target: target.name, problem: `took ${busyMs} ms` });
  }
}

/** What is wrong with how it was met, if anything. */
async function meet(target: FuzzTarget, seed: number, index: number): Promise<string | undefined> {
  const random = inputRandom(seed, index);
  // The draw that chose the target.
  random.next();
  try {
    await expectKlogErrorFrom(async () => target.run(random));
    return undefined;
  } catch (error) {
    return (error as Error).stack ?? String(error);
  }
}

function inputRandom(seed: number, index: number): FuzzRandom {
  return new FuzzRandom((Math.imul(seed, 0x9e37_79b1) ^ Math.imul(index, 0x85eb_ca6b)) >>> 0);
}
