/**
 * `npm run histories -- [--seed S] [--rounds N] [--from I] [--ms D] [--jobs J] [--library DIRECTORY] [--only NAME]
 * [--flaws]`: recorded histories of real processes through the checker. Exit status 1 after any anomaly, the directory
 * of such a round is kept; and when a kind of round hardly ever was what its name says. `--only` takes one kind of
 * round, or one flaw. With `--flaws` klog is wrong on purpose, and each flaw must be noticed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildLibrary } from '../support/build-library.js';
import { ActorPool } from './actor-process.js';
import { ROUND_NAMES, type RoundName } from './round-plan.js';
import { planRound, planRoundOf } from './round-planner.js';
import { LIBRARY_ENTRIES, runFlaws } from './run-flaws.js';
import { runRound } from './run-round.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '100' },
    from: { type: 'string', default: '0' },
    ms: { type: 'string', default: '400' },
    jobs: { type: 'string', default: '1' },
    library: { type: 'string' },
    flaws: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const [seed, rounds, from, durationMs, jobs] = [values.seed, values.rounds, values.from, values.ms, values.jobs].map(
  Number,
) as [number, number, number, number, number];

const only = values.only as RoundName | undefined;

/** Rounds of a kind after which it must have come about in at least a third of them. */
const ENOUGH = 8;

const totals = { rounds: 0, operations: 0, acknowledged: 0, killed: 0, anomalies: 0 };
const kinds = new Map<RoundName, { rounds: number; inRounds: number; times: number }>(
  ROUND_NAMES.map((name) => [name, { rounds: 0, inRounds: 0, times: 0 }]),
);
const start = performance.now();

if (values.flaws) {
  // A wait for a lock that was given up may still have a thread.
  process.exit((await runFlaws({ seed, durationMs, jobs, only: values.only, print })) ? 0 : 1);
}

const built = mkdtempSync(join(tmpdir(), 'klog-history-library-'));
const library = values.library ?? (await buildLibrary(built, LIBRARY_ENTRIES));
const pool = new ActorPool();
let next = from;
await Promise.all(Array.from({ length: jobs }, work));
if (totals.rounds % 50 !== 0) report();
const isAsNamed = reportKinds();
pool.close();
rmSync(built, { recursive: true, force: true });
process.exit(totals.anomalies === 0 && isAsNamed ? 0 : 1);

async function work(): Promise<void> {
  while (next < from + rounds) {
    const index = next++;
    const plan = only === undefined ? planRound(seed, index, durationMs) : planRoundOf(only, seed, index, durationMs);
    const directory = mkdtempSync(join(tmpdir(), `klog-history-${seed}-${index}-`));
    const result = await runRound(plan, directory, { library, pool });
    totals.rounds++;
    totals.operations += result.operations;
    totals.acknowledged += result.acknowledged;
    totals.killed += result.killed;
    totals.anomalies += result.anomalies.length;
    const kind = kinds.get(plan.name)!;
    kind.rounds++;
    kind.times += result.cameAbout;
    if (result.cameAbout > 0) kind.inRounds++;
    for (const { kind, log, message } of result.anomalies.slice(0, 20)) {
      print(`round ${index} (${plan.name}): ${kind}${log === undefined ? '' : ` in ${log}`}: ${message}`);
    }
    if (result.anomalies.length === 0) rmSync(directory, { recursive: true, force: true });
    else
      print(
        `kept ${directory}; again: npm run histories -- --seed ${seed} --from ${index} --rounds 1 --ms ${durationMs}${only === undefined ? '' : ` --only '${only}'`}`,
      );
    if (totals.rounds % 50 === 0) report();
  }
}

function report(): void {
  const seconds = Math.round((performance.now() - start) / 1000);
  const { rounds, operations, acknowledged, killed, anomalies } = totals;
  print(
    `${rounds} rounds in ${seconds} s: ${operations} operations, ${acknowledged} records acknowledged, ` +
      `${killed} processes killed, ${anomalies} anomalies`,
  );
}

/** False: a kind of round does not show what its name says. */
function reportKinds(): boolean {
  let isAsNamed = true;
  for (const [name, { rounds, inRounds, times }] of kinds) {
    if (rounds === 0) continue;
    const isRare = rounds >= ENOUGH && inRounds < rounds / 3;
    if (isRare) isAsNamed = false;
    print(`${name}: ${times} times, in ${inRounds} of ${rounds} rounds${isRare ? ': TOO FEW' : ''}`);
  }
  return isAsNamed;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
