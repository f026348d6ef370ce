import { spawnSync } from 'node:child_process';
import type { BenchPart, PartResult } from './bench-part.js';
import { type Measurement, measure, run } from './measure.js';
import { cpuMs, type Measured, medianOf, peakMib, rawRuns, table, wallMs } from './report.js';
import { atMost, type Verdict } from './verdict.js';
import type { Workspace } from './workspace.js';

/** One whole-process command. Commands are bash; `workspace.measured` stands before the process whose memory counts. */
export interface BenchCase {
  /** Shown in the table: what a user would type, shortened. */
  readonly title: string;
  readonly command: string;
  /** A program that need not be installed: without it the case is left out, and named. */
  readonly needs?: string;
  /** Run before each timed run, not timed. */
  readonly prepare?: string;
  /** Run once, after the first timed run: its output must be `expected`, or the figures are of something else. */
  readonly check?: { readonly command: string; readonly expected: string };
  /** Timed runs in each round. Default 1; short commands need more. */
  readonly runs?: number;
  /** In the first round only: what takes long and does not vary. */
  readonly isOnce?: boolean;
  /** The command prints its own measurement: of what it did, without its start. */
  readonly isSelfTimed?: boolean;
  /** What passes through; undefined: the start counts, not the records. */
  readonly records?: number;
  /** The other cases of the part are shown as multiples of this one. */
  readonly isBaseline?: boolean;
}

/** A promise about a command: beside another one of the same part, or in milliseconds or MiB. */
export type CommandTarget = {
  /** Default the title. */
  readonly what?: string;
  readonly of: string;
  readonly atMost: number;
} & (
  | { readonly beside: string; readonly by?: 'wall' | 'cpu' }
  /** Wall time divided by so many. */
  | { readonly msPer: number }
  | { readonly by: 'peak' }
);

/** A part of whole commands, timed from outside; every round runs each of them. */
export function commandPart(part: {
  readonly name: string;
  readonly question: string;
  cases(workspace: Workspace): readonly BenchCase[];
  targets?(workspace: Workspace): readonly CommandTarget[];
}): BenchPart {
  const { name, question } = part;
  return {
    name,
    question,
    run(workspace, rounds): PartResult {
      const all = part.cases(workspace);
      const missing = new Set(all.flatMap(({ needs }) => (needs === undefined || isInstalled(needs) ? [] : [needs])));
      const results = runCommands(
        all.filter(({ needs }) => needs === undefined || !missing.has(needs)),
        workspace,
        rounds,
      );
      const left = missing.size === 0 ? '' : `\n\nNot installed, and left out: ${[...missing].join(', ')}.`;
      const targets = part.targets?.(workspace) ?? [];
      return {
        shown: table(results) + left,
        raw: rawRuns(results),
        verdicts: targets.map((target) => judge(target, results)),
      };
    },
  };
}

/** Runs the cases in turn, round after round, so that a machine that slows down does so for all alike. */
export function runCommands(cases: readonly BenchCase[], workspace: Workspace, rounds: number): Measured[] {
  const { folder, peakFile } = workspace;
  const results = cases.map((of) => ({ of, runs: [] as Measurement[] }));
  for (let round = 0; round < rounds; round++) {
    const times = Math.max(...cases.map(({ runs }) => runs ?? 1));
    for (let time = 0; time < times; time++) {
      for (const { of, runs } of results) {
        if (time >= (of.runs ?? 1) || (of.isOnce && round > 0)) continue;
        if (of.prepare !== undefined) run(of.prepare, folder);
        runs.push(measure(of.command, folder, peakFile, of.isSelfTimed));
        if (of.check === undefined || runs.length > 1) continue;
        const found = run(of.check.command, folder);
        if (found !== of.check.expected) throw new Error(`${of.title}: ${of.check.command} printed ${found}`);
      }
    }
  }
  return results;
}

function judge(target: CommandTarget, results: readonly Measured[]): Verdict {
  const runsOf = (title: string) => results.find(({ of }) => of.title === title)?.runs ?? [];
  const own = runsOf(target.of);
  if ('msPer' in target) {
    return atMost(target.what ?? target.of, target.atMost, medianOf(own, wallMs) / target.msPer, 'ms');
  }
  if (!('beside' in target)) return atMost(target.what ?? target.of, target.atMost, peakMib(own), 'MiB');
  const beside = runsOf(target.beside);
  const ratio = (figure: (run: Measurement) => number) => medianOf(own, figure) / medianOf(beside, figure);
  const what = target.what ?? `${target.of}, beside ${target.beside}`;
  if (target.by === 'cpu') return atMost(`CPU of ${what}`, target.atMost, ratio(cpuMs));
  return atMost(what, target.atMost, ratio(wallMs), '×', ratio(cpuMs));
}

export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}
