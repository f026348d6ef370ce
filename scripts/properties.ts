/**
 * `npm run properties -- [--seed S] [--seeds K] [--runs N] [FILE…]`: the property tests with other inputs than those of
 * the suite: from K seeds, S and those that follow it (default one, of this moment), N times as many (default 10).
 * Prints what each seed came to; exit status 1 after any counterexample. FILE: only tests whose path contains it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

const { values, positionals } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    seeds: { type: 'string', default: '1' },
    runs: { type: 'string', default: '10' },
  },
  allowPositionals: true,
});
const [first, seeds] = [Number(values.seed), Number(values.seeds)];

const files = propertyTests().filter(
  (file) => positionals.length === 0 || positionals.some((part) => file.includes(part)),
);
let failed = 0;
for (let seed = first; seed < first + seeds; seed++) {
  const env = { ...process.env, PROPERTY_SEED: String(seed), PROPERTY_RUNS: values.runs, NO_COLOR: '1' };
  const args = ['vitest', 'run', '--reporter=dot', '--testTimeout=3600000', ...files];
  const { status, stderr } = spawnSync('npx', args, { cwd: root, env, encoding: 'utf8' });
  const isGood = status === 0;
  if (!isGood) failed++;
  process.stdout.write(`seed ${seed}, ${values.runs} times the runs: ${isGood ? 'ok' : `failed\n${stderr}`}\n`);
}
process.exitCode = failed === 0 ? 0 : 1;

function propertyTests(): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => readFileSync(join(root, file), 'utf8').includes("from 'fast-check'"));
}
