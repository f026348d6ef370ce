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
    const random = new FuzzRandom((Math.imul(seed, 0x9e37_79b1) ^ Math.imul(index, 0x85eb_ca6b)) >>> 0);
    const target = chooseTarget(targets, random);
    const start = performance.now();
    try {
      await expectKlogErrorFrom(async () => target.run(random));
    } catch (error) {
      const { stack = String(error) } = error as Error;
      onFinding({ index, target: target.name, problem: stack });
    }
    const took = performance.now() - start;
    if (took > LIMIT_MS) onFinding({ index, target: target.name, problem: `took ${Math.round(took)} ms` });
  }
}
