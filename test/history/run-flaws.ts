/** The checker on trial: rounds with a klog that is wrong on purpose. A flaw that goes unnoticed fails the run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildLibrary } from '../support/build-library.js';
import { PLANTED, type PlantedFlaw } from './flaws.js';
import { planRoundOf } from './round-planner.js';
import { NEVER_ENDED, runRound } from './run-round.js';

/** What the actors and a round load. */
export const LIBRARY_ENTRIES = [
  'index',
  'store/node-file-system',
  'store/store',
  'clients/local/local-client',
  'clients/local/client-seams',
  'storage/control-record',
];
/** A flaw has so many chances. */
const MOST_ROUNDS = 20;
/** A klog that is wrong may well wait for ever. */
const PATIENCE_MS = 8_000;

export interface FlawsRun {
  readonly seed: number;
  readonly durationMs: number;
  readonly jobs: number;
  /** The name of one of them. */
  readonly only?: string | undefined;
  readonly print: (line: string) => void;
}

/** True: all were noticed. */
export async function runFlaws(run: FlawsRun): Promise<boolean> {
  const planted = PLANTED.filter(({ name }) => run.only === undefined || run.only === name);
  const work = mkdtempSync(join(tmpdir(), 'klog-history-flaws-'));
  const start = performance.now();
  const right = await buildLibrary(join(work, 'right'), LIBRARY_ENTRIES);
  const queue = [...planted];
  let noticed = 0;
  const trials = Array.from({ length: run.jobs }, async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      if (await isNoticed(run, one, work, right)) noticed++;
    }
  });
  await Promise.all(trials);
  rmSync(work, { recursive: true, force: true });
  const seconds = Math.round((performance.now() - start) / 1000);
  run.print(`${noticed} of ${planted.length} planted flaws noticed in ${seconds} s`);
  return noticed === planted.length && planted.length > 0;
}

async function isNoticed(run: FlawsRun, planted: PlantedFlaw, work: string, right: string): Promise<boolean> {
  const { seed, durationMs, print } = run;
  const { name, round, roles } = planted;
  const library = await buildLibrary(join(work, name), LIBRARY_ENTRIES, planted.flaws);
  for (let index = 0; index < MOST_ROUNDS; index++) {
    const plan = planRoundOf(round, seed, index, durationMs);
    const directory = mkdtempSync(join(work, 'round-'));
    const flawed = { library, roles };
    const { anomalies } = await runRound(plan, directory, { library: right, flawed, patienceMs: PATIENCE_MS });
    rmSync(directory, { recursive: true, force: true });
    // On a busy machine, a process that takes long proves nothing.
    const telling = anomalies.filter(({ message }) => !message.includes(NEVER_ENDED));
    const [first] = telling;
    if (first === undefined) continue;
    const kinds = [...new Set(telling.map(({ kind }) => kind))].join(', ');
    print(`${name}: noticed in round ${index + 1} (${round}): ${kinds}; ${first.message.slice(0, 120)}`);
    return true;
  }
  print(`${name}: NOT NOTICED in ${MOST_ROUNDS} rounds (${round})`);
  return false;
}
