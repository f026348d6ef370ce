/**
 * npm run bench-groups -- [PART…] [--kills N] [--seconds S] [--rounds R] [--save]
 *
 * What groups of real processes take: how soon somebody goes on after a kill -9, how soon large groups are at work,
 * what a member costs that waits. Prints what was promised and found; a run of all parts, or --save, writes
 * bench/results/<date>-<machine>-groups.md. Defaults: 400 kills, a minute of idling, 5 rounds of the rest.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildLibrary } from '../test/support/build-library.js';
import { describing, idle, syncsPerCommit } from './groups/costs.js';
import { balancing, startOfMany } from './groups/sizes.js';
import { takeovers } from './groups/takeover.js';
import { histogram, spreadOf } from './histogram.js';
import { commit, load, machineDescription, machineName } from './machine.js';
import { median } from './statistics.js';
import { atMost, type Verdict, verdictTable } from './verdict.js';

interface Found {
  readonly verdicts: readonly Verdict[];
  readonly shown?: string;
}

const PARTS = ['takeover', 'sizes', 'idle', 'commits', 'describe'] as const;
type Part = (typeof PARTS)[number];

const KLOG = join(import.meta.dirname, '..', 'bin', 'klog.js');

const { values, positionals } = parseArgs({
  options: {
    kills: { type: 'string', default: '400' },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '5' },
    save: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const [kills, seconds, rounds] = [values.kills, values.seconds, values.rounds].map(Number) as [number, number, number];
const wanted = positionals.length === 0 ? PARTS : PARTS.filter((part) => positionals.includes(part));
// On Node 20 it costs every start some 40 ms.
delete process.env.NODE_EXTRA_CA_CERTS;

const folder = mkdtempSync(join(tmpdir(), 'klog-group-bench-'));
try {
  await bench(await buildLibrary(folder, ['index']));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function bench(library: string): Promise<void> {
  const run: Record<Part, () => Promise<Found>> = {
    takeover: () => takeoverPart(library),
    sizes: () => sizesPart(library),
    idle: () => idlePart(library),
    commits: () => commitsPart(library),
    describe: () => describePart(library),
  };
  const begun = performance.now();
  const facts = [machineDescription(folder), `commit ${commit()}; load at the beginning ${load()}`];
  const found: Found[] = [];
  for (const part of wanted) {
    const before = load();
    const result = await run[part]();
    found.push(result);
    facts.push(`${part}: load ${before} before, ${load()} after`);
    console.log(`\n${verdictTable(result.verdicts)}${result.shown === undefined ? '' : `\n\n${result.shown}`}`);
  }
  facts.push(`${((performance.now() - begun) / 60_000).toFixed(1)} minutes in all`);
  for (const fact of facts) console.log(fact);
  if (values.save || positionals.length === 0) save(facts, found);
}

async function takeoverPart(library: string): Promise<Found> {
  const took = await takeovers(library, kills);
  const { p50, p90, p99, max } = spreadOf(took);
  const of = [p50, p90, p99, max].map((ms) => ms.toFixed(0));
  const summary = `${took.length} kills; half within ${of[0]} ms, 90 % within ${of[1]}, 99 % within ${of[2]}, all within ${of[3]}:`;
  return {
    verdicts: [atMost('takeover after kill -9, p99', 100, p99, 'ms')],
    shown: `Takeover after kill -9, four processes with three partitions each. ${summary}\n\n\`\`\`text\n${histogram(took, 5)}\n\`\`\``,
  };
}

async function sizesPart(library: string): Promise<Found> {
  const [balanced, started]: number[][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    balanced!.push(await balancing(library));
    started!.push(await startOfMany(library));
  }
  return {
    verdicts: [
      atMost('200 members in 8 processes balance after the last join', 2000, median(balanced!), 'ms'),
      atMost('a group over 1,000 partitions reads, from the start of its process', 1000, median(started!), 'ms'),
    ],
    shown: `Of ${rounds} rounds: balanced after ${list(balanced!, 0)} ms; reading after ${list(started!, 0)} ms.`,
  };
}

async function idlePart(library: string): Promise<Found> {
  const few = await idle(library, 4, 8, seconds);
  const many = await idle(library, 1, 1000, seconds);
  return {
    verdicts: [
      atMost('an idle member of four, percent of a core', 1, Math.max(...few), '%'),
      atMost('an idle member over 1,000 partitions, percent of a core', 1, Math.max(...many), '%'),
    ],
    shown: `User and system time of each of the four over ${seconds} s: ${list(few, 2)} % of a core.`,
  };
}

async function commitsPart(library: string): Promise<Found> {
  return { verdicts: [atMost('syncs of a member per commit interval', 1, await syncsPerCommit(library), 'syncs')] };
}

async function describePart(library: string): Promise<Found> {
  if (spawnSync(process.execPath, [join(import.meta.dirname, '..', 'scripts', 'build.mjs')]).status !== 0) {
    throw new Error('the build has failed');
  }
  const { cpu, wall } = await describing(library, KLOG);
  return {
    verdicts: [atMost('CPU of group describe over 1,000 partitions', 500, cpu, 'ms')],
    shown: `\`klog group describe\` of a group over 1,000 partitions, a record behind in each: ${wall.toFixed(0)} ms by the clock.`,
  };
}

function list(figures: readonly number[], digits: number): string {
  return figures.map((figure) => figure.toFixed(digits)).join(', ');
}

function save(facts: readonly string[], found: readonly Found[]): void {
  const date = new Date().toISOString().slice(0, 10);
  const file = join(import.meta.dirname, 'results', `${date}-${machineName()}-groups.md`);
  const text = [
    `# Groups of real processes, ${date}, ${machineName()}`,
    `\`${`npm run bench-groups -- ${process.argv.slice(2).join(' ')}`.replace(/[ -]+$/, '')}\``,
    facts.map((fact) => `- ${fact}`).join('\n'),
    'A load above the number of CPUs means that others were at work too. Medians, where nothing else is said.',
    verdictTable(found.flatMap(({ verdicts }) => verdicts)),
    ...found.flatMap(({ shown }) => (shown === undefined ? [] : [shown])),
  ];
  mkdirSync(join(import.meta.dirname, 'results'), { recursive: true });
  writeFileSync(file, `${text.join('\n\n')}\n`);
  console.log(`written to ${file}`);
}
