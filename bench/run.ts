/**
 * npm run bench -- [PART…] [--records N] [--rounds R] [--save]
 *
 * Whole commands, as a user runs them: parts are produce, consume, seek, start; visible, the latency of single
 * records; and writers, several processes on one partition.
 * Default all. Every round runs each command once (short ones a few times), so that a machine that slows down does so for all
 * alike. Prints tables of medians; a run of all parts, or --save, writes bench/results/<date>-<machine>.md. Defaults: 1e6
 * records, 3 rounds.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BenchPart, CommandPart } from './bench-case.js';
import { consume } from './cases/consume.js';
import { produce } from './cases/produce.js';
import { seek } from './cases/seek.js';
import { start } from './cases/start.js';
import { visible } from './cases/visible.js';
import { writers } from './cases/writers.js';
import { commit, load, machineDescription, machineName } from './machine.js';
import { type Measurement, measure, run } from './measure.js';
import { latencyTable, type Measured, rawRuns, table, writersTable } from './report.js';
import { createWorkspace, type Workspace } from './workspace.js';

const PARTS: readonly BenchPart[] = [produce, consume, seek, start, visible, writers];
const HERE = dirname(fileURLToPath(import.meta.url));

interface Request {
  readonly parts: readonly BenchPart[];
  readonly records: number;
  readonly rounds: number;
  readonly isSaved: boolean;
}

const request = readArguments();
if (request === undefined) process.exitCode = 2;
else await bench(request);

async function bench({ parts, records, rounds, isSaved }: Request): Promise<void> {
  const built = spawnSync(process.execPath, [join(HERE, '..', 'scripts', 'build.mjs')], { stdio: 'inherit' });
  if (built.status !== 0) throw new Error('the build has failed');
  const head = { commit: commit(), load: load() };
  const workspace = await createWorkspace(records);
  try {
    const facts = [
      machineDescription(workspace.folder),
      `commit ${head.commit}; ${records} records of 104 bytes, ${rounds} rounds; load at the beginning ${head.load}`,
    ];
    for (const fact of facts) console.log(fact);
    const sections: string[] = [];
    for (const part of parts) {
      const { shown, raw } = await runPart(part, workspace, rounds);
      const section = `## ${part.name}\n\n${part.question}\n\n${shown}\n`;
      console.log(`\n${section}`);
      sections.push(raw === undefined ? section : `${section}\n\`\`\`text\n${raw}\n\`\`\`\n`);
    }
    facts.push(`load at the end ${load()}`);
    if (isSaved) save(facts, sections);
  } finally {
    rmSync(workspace.folder, { recursive: true, force: true });
  }
}

/** The table of a part, and every single run where that is not too much. */
async function runPart(
  part: BenchPart,
  workspace: Workspace,
  rounds: number,
): Promise<{ readonly shown: string; readonly raw?: string }> {
  if ('latencies' in part) return { shown: latencyTable(await part.latencies(workspace, rounds)) };
  if ('writers' in part) return { shown: writersTable(await part.writers(workspace, rounds)) };
  const results = runCommands(part, workspace, rounds);
  return { shown: table(results), raw: rawRuns(results) };
}

function runCommands(part: CommandPart, workspace: Workspace, rounds: number): Measured[] {
  const { folder, peakFile } = workspace;
  const cases = part.cases(workspace).map((of) => ({ of, runs: [] as Measurement[] }));
  for (let round = 0; round < rounds; round++) {
    const times = Math.max(...cases.map(({ of }) => of.runs ?? 1));
    for (let time = 0; time < times; time++) {
      for (const { of, runs } of cases) {
        if (time >= (of.runs ?? 1)) continue;
        if (of.prepare !== undefined) run(of.prepare, folder);
        runs.push(measure(of.command, folder, peakFile));
        if (of.check === undefined || runs.length > 1) continue;
        const found = run(of.check.command, folder);
        if (found !== of.check.expected) throw new Error(`${of.title}: ${of.check.command} printed ${found}`);
      }
    }
  }
  return cases;
}

function save(facts: readonly string[], sections: readonly string[]): void {
  const date = new Date().toISOString().slice(0, 10);
  const file = join(HERE, 'results', `${date}-${machineName()}.md`);
  const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`.replace(/[ -]+$/, '');
  const text = [
    `# ${date}, ${machineName()}`,
    `\`${command}\``,
    facts.map((fact) => `- ${fact}`).join('\n'),
    'A load above the number of CPUs means that others were at work too: compare ratios, and CPU rather than wall time.',
    'Medians; "least" is the shortest wall time; ratios are to the first row, of CPU those of user and system together. Below each table every run: wall/user/system ms.',
    ...sections,
  ];
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text.join('\n\n').replaceAll(/\n{3,}/g, '\n\n'));
  console.log(`written to ${file}`);
}

function readArguments(): Request | undefined {
  try {
    const options = {
      records: { type: 'string', default: '1e6' },
      rounds: { type: 'string', default: '3' },
      save: { type: 'boolean', default: false },
    } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const parts = positionals.map((name) => {
      const part = PARTS.find((known) => known.name === name);
      if (part === undefined) throw new Error(`no part '${name}'`);
      return part;
    });
    return {
      parts: parts.length === 0 ? PARTS : parts,
      records: countOf('--records', values.records),
      rounds: countOf('--rounds', values.rounds),
      isSaved: values.save || parts.length === 0,
    };
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    console.error(
      'usage: npm run bench -- [produce|consume|seek|start|visible|writers …] [--records N] [--rounds R] [--save]',
    );
    return undefined;
  }
}

function countOf(flag: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`${flag} ${text} is not a count`);
  return count;
}
