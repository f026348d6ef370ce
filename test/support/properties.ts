/**
 * What the property tests try, set up for every test file: the same in every run of the suite, so that a rare
 * counterexample does not turn up in somebody else's change. `npm run properties -- --seed S --runs N` tries others,
 * and N times as many.
 */
import fc from 'fast-check';

const SEED = 20261122;

const factor = Number(process.env.PROPERTY_RUNS ?? 1);

/** How many inputs to try where `usual` are tried in an ordinary run. */
export function runs(usual: number): number {
  return Math.ceil(usual * factor);
}

fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? SEED), numRuns: runs(100) });
