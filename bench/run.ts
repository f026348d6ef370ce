/**
 * npm run bench -- [PART…] [--records N] [--rounds R] [--save]
 *
 * Whole commands, as a user runs them, applications on the library, and processes beside each other; bench/README.md
 * tells what each part asks. Default all parts. Every round runs each command once (short ones a few times), so that a
 * machine that slows down does so for all alike. Prints tables of medians, then what has a target and whether it is
 * met; a run of all parts, or --save, writes bench/results/<date>-<machine>-<commit>.md. Defaults: 5e6 records, 5
 * rounds.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BenchPart } from './bench-part.js';
import { codecs } from './cases/codecs.js';
import { consume } from './cases/consume.js';
import { growth } from './cases/growth.js';
import { library } from './cases/library.js';
import { produce } from './cases/produce.js';
import { scale } from './cases/scale.js';
import { seek } from './cases/seek.js';
import { start } from './cases/start.js';
import { visible } from './cases/visible.js';
import { writers } from './cases/writers.js';
import { commit, load, machineDescription, machineName } from './machine.js';
import { type Verdict, verdictTable } from './verdict.js';
import { createWorkspace } from './workspace.js';

const PARTS: readonly BenchPart[] = [start, seek, produce, consume, codecs, library, visible, writers, scale, growth];
const HERE = dirname(fileURLToPath(import.meta.url));

const TARGETS = 'Ratios are of medians within this run, by wall clock; beside them the same by CPU time.';

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
  const begun = performance.now();
  const head = { commit: commit(), load: load() };
  const workspace = await createWorkspace(records, parts.includes(seek));
  // A run that is interrupted leaves gigabytes otherwise.
  process.once('SIGINT', () => {
    rmSync(workspace.folder, { recursive: true, force: true });
    process.exit(130);
  });
  try {
    const facts = [
      machineDescription(workspace.folder),
      `commit ${head.commit}; ${records} records of 104 bytes, ${rounds} rounds; load at the beginning ${head.load}`,
    ];
    for (const fact of facts) console.log(fact);
    const sections: string[] = [];
    const verdicts: Verdict[] = [];
    for (const part of parts) {
      const { shown, raw, verdicts: judged } = await part.run(workspace, rounds);
      const section = `## ${part.name}\n\n${part.question}\n\n${shown}\n`;
      console.log(`\n${section}`);
      sections.push(raw === undefined ? section : `${section}\n\`\`\`text\n${raw}\n\`\`\`\n`);
      verdicts.push(...judged);
    }
    const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
    facts.push(`load at the end ${load()}; ${minutes} minutes in all`);
    const targets = `## targets\n\n${TARGETS}\n\n${verdictTable(verdicts)}\n`;
    console.log(`\n${targets}\n${facts.at(-1)}`);
    if (isSaved) save(head.commit, facts, [targets, ...sections]);
  } finally {
    rmSync(workspace.folder, { recursive: true, force: true });
  }
}

function save(hash: string, facts: readonly string[], sections: readonly string[]): void {
  const date = new Date().toISOString().slice(0, 10);
  const file = join(HERE, 'results', `${date}-${machineName()}-${hash.replaceAll(' ', '-')}.md`);
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
      records: { type: 'string', default: '5e6' },
      rounds: { type: 'string', default: '5' },
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
      `usage: npm run bench -- [${PARTS.map(({ name }) => name).join('|')} …] [--records N] [--rounds R] [--save]`,
    );
    return undefined;
  }
}

function countOf(flag: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`${flag} ${text} is not a count`);
  return count;
}
