/** Inputs one after the other. Everything about input `index` comes from the seed and the index: it can be repeated alone. */
import { expectKlogErrorFrom } from './expect-klog-error.js';
import { FuzzRandom } from './fuzz-random.js';
import type { FuzzTarget } from './fuzz-target.js';
import { chooseTarget } from './targets/all-targets.js';

/** No input may take longer. */
export const LIMIT_MS = 1000;

export interface FuzzFinding {
  readonly index: number;
  readonly target: string;
  readonly problem: string;
}

export interface FuzzRange {
  readonly seed: number;
  readonly from: number;
  readonly inputs: number;
  /** Called before each input. */
  readonly onInput?: (index: number) => void;
  readonly onFinding: (finding: FuzzFinding) => void;
}

export async function fuzzInputs(targets: readonly FuzzTarget[], range: FuzzRange): Promise<void> {
  const { seed, from, inputs, onInput, onFinding } = range;
  for (let index = from; index < from + inputs; index++) {
    onInput?.(index);
    const target = chooseTarget(targets, inputRandom(seed, index));
    const took = await meet(target, seed, index, onFinding);
    // A busy machine takes its time; an input does so again.
    if (took > LIMIT_MS && (await meet(target, seed, index, () => {})) > LIMIT_MS) {
      onFinding({ index, target: target.name, problem: `took ${Math.round(took)} ms` });
    }
  }
}

/** Milliseconds. */
async function meet(
  target: FuzzTarget,
  seed: number,
  index: number,
  onFinding: (finding: FuzzFinding) => void,
): Promise<number> {
  const random = inputRandom(seed, index);
  // The draw that chose the target.
  random.next();
  const start = performance.now();
  try {
    await expectKlogErrorFrom(async () => target.run(random));
  } catch (error) {
    const { stack = String(error) } = error as Error;
    onFinding({ index, target: target.name, problem: stack });
  }
  return performance.now() - start;
}

function inputRandom(seed: number, index: number): FuzzRandom {
  return new FuzzRandom((Math.imul(seed, 0x9e37_79b1) ^ Math.imul(index, 0x85eb_ca6b)) >>> 0);
}
