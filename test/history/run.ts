/**
 * `npm run histories -- [--seed S] [--rounds N] [--from I] [--ms D] [--jobs J] [--library DIST]`: recorded histories of real
 * processes through the checker. Exit status 1 after any anomaly; the directory of such a round is kept.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { planRound } from './round-plan.js';
import { runRound } from './run-round.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '100' },
    from: { type: 'string', default: '0' },
    ms: { type: 'string', default: '400' },
    jobs: { type: 'string', default: '1' },
    library: { type: 'string' },
  },
});
const [seed, rounds, from, durationMs, jobs] = [values.seed, values.rounds, values.from, values.ms, values.jobs].map(
  Number,
);

const totals = { rounds: 0, operations: 0, acknowledged: 0, killed: 0, anomalies: 0 };
const start = performance.now();
let next = from!;

async function work(): Promise<void> {
  while (next < from! + rounds!) {
    const index = next++;
    const plan = planRound(seed!, index, durationMs!);
    const directory = mkdtempSync(join(tmpdir(), `klog-history-${seed}-${index}-`));
    const result = await runRound(plan, directory, values.library);
    totals.rounds++;
    totals.operations += result.operations;
    totals.acknowledged += result.acknowledged;
    totals.killed += result.killed;
    totals.anomalies += result.anomalies.length;
    for (const { kind, log, message } of result.anomalies.slice(0, 20)) {
      print(`round ${index} (${plan.name}): ${kind}${log === undefined ? '' : ` in ${log}`}: ${message}`);
    }
    if (result.anomalies.length === 0) rmSync(directory, { recursive: true, force: true });
    else
      print(
        `kept ${directory}; again: npm run histories -- --seed ${seed} --from ${index} --rounds 1 --ms ${durationMs}`,
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

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await Promise.all(Array.from({ length: jobs! }, work));
if (totals.rounds % 50 !== 0) report();
// A wait for a lock that was given up may still have a thread.
process.exit(totals.anomalies === 0 ? 0 : 1);
