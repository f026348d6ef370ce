/**
 * `npm run group-histories -- [--seed S] [--rounds N] [--ms D]`: members of a group as real processes, that are killed,
 * stopped, evicted, robbed of their lock files, stopped gracefully, while records and partitions come; then everything
 * is accounted for. Exit status 1 after any anomaly; the directory and the events of such a round are kept.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildLibrary } from '../support/build-library.js';
import { runGroupRound } from './run-group-round.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '20' },
    ms: { type: 'string', default: '3000' },
  },
});
const [seed, rounds, durationMs] = [values.seed, values.rounds, values.ms].map(Number) as [number, number, number];

const library = await buildLibrary(mkdtempSync(join(tmpdir(), 'klog-group-library-')), ['index']);
const totals: Record<string, number> = {};
let bad = 0;
for (let round = 0; round < rounds; round++) {
  const { anomalies, counts, directory, events } = await runGroupRound({ library, seed: seed + round, durationMs });
  for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
  if (anomalies.length === 0) continue;
  bad++;
  writeFileSync(
    join(directory, 'events.txt'),
    events.map(({ at, member, what, words }) => `${at} ${member} ${what} ${words.join(' ')}`).join('\n'),
  );
  process.stdout.write(
    `round of seed ${seed + round}, kept in ${directory}:\n  ${anomalies.slice(0, 8).join('\n  ')}\n`,
  );
}
const sums = Object.entries(totals).map(([name, count]) => `${count} ${name}`);
process.stdout.write(`${rounds} rounds, ${bad} with anomalies: ${sums.join(', ')}\n`);
rmSync(library, { recursive: true, force: true });
process.exit(bad === 0 ? 0 : 1);
