/**
 * `npm run fuzz -- [--seed S] [--inputs N] [--from I] [--seconds T] [--jobs J] [--megabytes M] [--target NAME]
 * [--flaws]`: inputs that nobody vouches for, through everything that reads them, in J processes (default 2) of at most
 * M MiB (default 256), until there were N or T seconds have passed. What is found is named by seed and index; exit
 * status 1 after any. With `--flaws` klog is wrong on purpose, and each flaw must be found.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildWorker } from './build-worker.js';
import type { FuzzFinding } from './fuzz-inputs.js';
import { limitMemory } from './memory-limit.js';
import { runFlaws } from './run-flaws.js';
import { watchInputs } from './watched-worker.js';

/** Between two lines about how far it has come. */
const TELL_MS = 60_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    inputs: { type: 'string', default: '100000' },
    from: { type: 'string', default: '0' },
    seconds: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    megabytes: { type: 'string', default: '256' },
    target: { type: 'string' },
    flaws: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const [seed, inputs, from, jobs, megabytes] = [
  values.seed,
  values.inputs,
  values.from,
  values.jobs,
  values.megabytes,
].map(Number) as [number, number, number, number, number];

const work = mkdtempSync(join(tmpdir(), 'klog-fuzz-run-'));
let ok: boolean;
try {
  ok = values.flaws ? await runFlaws({ seed, jobs, megabytes, work, only: values.only, print }) : await run();
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(ok ? 0 : 1);

async function run(): Promise<boolean> {
  const start = performance.now();
  const worker = await buildWorker(work);
  let findings = 0;
  let peakBytes = 0;
  const counts = new Map<string, { inputs: number; ms: number }>();
  const limits = Array.from({ length: jobs }, (_, i) => limitMemory(megabytes, `klog-fuzz-${process.pid}-${i}`));
  const targets = values.target === undefined ? undefined : [values.target];
  const state = (): string => {
    const met = [...counts.values()].reduce((sum, { inputs }) => sum + inputs, 0);
    const seconds = (performance.now() - start) / 1000;
    return (
      `${met} inputs (seed ${seed}) in ${Math.round(seconds)} s, ${Math.round(met / seconds)} a second: ` +
      `${findings} findings; at most ${Math.round(peakBytes / 1024 / 1024)} of ${megabytes} MiB (${limits[0]!.by})`
    );
  };
  const signal = values.seconds === undefined ? undefined : AbortSignal.timeout(1000 * Number(values.seconds));
  const telling = setInterval(() => print(state()), TELL_MS);
  await Promise.all(
    limits.map((limit, i) =>
      watchInputs({
        ...{ worker, seed, from: from + i, step: jobs, end: from + inputs, limit, megabytes, targets },
        signal,
        progress: join(work, `progress${i}`),
        onFinding: (finding) => {
          findings++;
          printFinding(finding);
          return false;
        },
        onMemory: (bytes) => {
          peakBytes = Math.max(peakBytes, bytes);
        },
        onCounts: (more) => {
          for (const [name, { inputs, ms }] of Object.entries(more)) {
            const before = counts.get(name) ?? { inputs: 0, ms: 0 };
            counts.set(name, { inputs: before.inputs + inputs, ms: before.ms + ms });
          }
        },
      }),
    ),
  );
  clearInterval(telling);
  for (const limit of limits) limit.close();
  for (const [name, { inputs, ms }] of [...counts].sort(([, a], [, b]) => b.ms - a.ms)) {
    print(`${name}: ${inputs} inputs, ${Math.round((1000 * inputs) / ms)} a second of a worker`);
  }
  print(state());
  return findings === 0;
}

function printFinding({ index, target, problem }: FuzzFinding): void {
  const only = values.target === undefined ? '' : ` --target '${values.target}'`;
  print(
    `input ${index} (${target}): ${problem.slice(0, 1500)}\n` +
      `  again: npm run fuzz -- --seed ${seed} --from ${index} --inputs 1 --jobs 1${only}`,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
