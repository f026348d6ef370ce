/** Inputs one after the other. Everything about input `index` comes from the seed and the index: it can be repeated alone. */
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
  readonly onFinding: (finding: FuzzFinding) => void;
}

export async function fuzzInputs(targets: readonly FuzzTarget[], range: FuzzRange): Promise<void> {
  const { seed, from, end, step = 1, onInput, onFinding } = range;
  for (let index = from; index < end; index += step) {
    onInput?.(index);
    // What a failed stream of node:zlib holds is let go by an event: without a turn they would all be kept.
    if ((index - from) % TURN_AFTER === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
    const target = chooseTarget(targets, inputRandom(seed, index));
    const { tookMs } = await meet(target, seed, index, onFinding);
    if (tookMs <= LIMIT_MS) continue;
    // A busy machine takes its time; an input takes the processor's, and does so again.
    const { busyMs } = await meet(target, seed, index, () => {});
    if (busyMs > LIMIT_MS) onFinding({ index, target: target.name, problem: `took ${Math.round(busyMs)} ms` });
  }
}

async function meet(
  target: FuzzTarget,
  seed: number,
  index: number,
  onFinding: (finding: FuzzFinding) => void,
): Promise<{ readonly tookMs: number; readonly busyMs: number }> {
  const random = inputRandom(seed, index);
  // The draw that chose the target.
  random.next();
  const start = performance.now();
  const cpu = process.cpuUsage();
  try {
    await expectKlogErrorFrom(async () => target.run(random));
  } catch (error) {
    const { stack = String(error) } = error as Error;
    onFinding({ index, target: target.name, problem: stack });
  }
  const { user, system } = process.cpuUsage(cpu);
  return { tookMs: performance.now() - start, busyMs: (user + system) / 1000 };
}

function inputRandom(seed: number, index: number): FuzzRandom {
  return new FuzzRandom((Math.imul(seed, 0x9e37_79b1) ^ Math.imul(index, 0x85eb_ca6b)) >>> 0);
}
