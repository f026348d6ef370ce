/** The fuzzer on trial: inputs for a klog that is wrong on purpose. A flaw that is not found fails the run. */
import { join } from 'node:path';
import { buildWorker } from './build-worker.js';
import { PLANTED, type PlantedFlaw } from './flaws.js';
import type { FuzzFinding } from './fuzz-inputs.js';
import { limitMemory } from './memory-limit.js';
import { watchInputs } from './watched-worker.js';

/** A flaw has so many chances, of the target that is to find it. */
const MOST_INPUTS = 40_000;
/** It need not be as patient as with a klog that is right. */
const STUCK_MS = 2_000;

export interface FlawsRun {
  readonly seed: number;
  readonly jobs: number;
  readonly megabytes: number;
  readonly work: string;
  /** The name of one of them. */
  readonly only?: string | undefined;
  readonly print: (line: string) => void;
}

/** True: all were found. */
export async function runFlaws(run: FlawsRun): Promise<boolean> {
  const planted = PLANTED.filter(({ name }) => run.only === undefined || run.only === name);
  const start = performance.now();
  const queue = [...planted];
  let found = 0;
  const trials = Array.from({ length: run.jobs }, async (_, job) => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) if (await isFound(run, one, job)) found++;
  });
  await Promise.all(trials);
  const seconds = Math.round((performance.now() - start) / 1000);
  run.print(`${found} of ${planted.length} planted flaws found in ${seconds} s`);
  return found === planted.length && planted.length > 0;
}

async function isFound(run: FlawsRun, { name, flaws, target }: PlantedFlaw, job: number): Promise<boolean> {
  const { seed, megabytes, work, print } = run;
  const worker = await buildWorker(join(work, name), flaws);
  const limit = limitMemory(megabytes, `klog-fuzz-${process.pid}-${job}`);
  let first: FuzzFinding | undefined;
  await watchInputs({
    ...{ worker, seed, from: 0, step: 1, end: MOST_INPUTS, limit, megabytes, targets: [target], stuckMs: STUCK_MS },
    progress: join(work, name, 'progress'),
    onFinding: (finding) => {
      first ??= finding;
      return true;
    },
    onMemory: () => {},
  });
  limit.close();
  if (first === undefined) print(`${name}: NOT FOUND in ${MOST_INPUTS} inputs (${target})`);
  else print(`${name}: found at input ${first.index} (${target}): ${first.problem.split('\n')[0]!.slice(0, 120)}`);
  return first !== undefined;
}
