/** Recordings of scenarios by crashsim.py, and the directories they start from. */
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SCENARIOS } from '../../test/crash/scenarios/index.js';
import type { Scenario } from '../../test/crash/scenarios/scenario.js';
import type { Programs } from './programs.js';
import type { Rig } from './rig.js';
import { type Ran, ROOT, runTool } from './run-tool.js';

/** A later start of the machine than the one that wrote the files a recovery begins with. */
const BOOT_OF_RECOVERY = '9';

/** On a machine that has other things to do a recording is slow, which is no failure. */
const LONGEST_SECONDS = 600;

export interface Start {
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
}

export function serverCommand(programs: Programs): string {
  return `'${process.execPath}' '${programs.judge}'`;
}

export function scenarioCommand(programs: Programs, name: string, directory: string, seed: number): string[] {
  return ['--', process.execPath, programs.scenario, name, directory, `${seed}`];
}

/** Runs the scenario in an empty directory, or one that begins as `start`. The trace is in `trace` afterwards. */
export async function record(
  programs: Programs,
  scenario: Scenario,
  seed: number,
  trace: string,
  start?: Start,
  longestSeconds = LONGEST_SECONDS,
): Promise<Ran> {
  const directory = join(trace, 'directory');
  await mkdir(trace, { recursive: true });
  if (start === undefined) await mkdir(directory);
  else await cp(start.directory, directory, { recursive: true });
  try {
    const command = scenarioCommand(programs, scenario.name, directory, seed);
    const args = ['record', '--dir', directory, '--trace', trace, '--run-timeout', `${longestSeconds}`, ...command];
    return await runTool('crashsim', args, { KLOG_CRASH_ROOT: ROOT, ...start?.env });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Crash states of `base`, to recover from. */
export async function crashedStarts(
  programs: Programs,
  base: Scenario,
  seed: number,
  count: number,
  work: string,
): Promise<Start[]> {
  const trace = await mkdtemp(join(work, 'base-'));
  const into = join(trace, 'states');
  const recorded = await record(programs, base, seed, trace);
  if (recorded.code !== 0) throw new Error(`${base.name} could not be recorded: ${recorded.text}`);
  const sampled = await runTool('crashsim', [
    ...['sample', '--trace', trace, '--into', into, '--states', `${count * SPREAD}`, '--seed', `${seed}`],
  ]);
  if (sampled.code !== 0) throw new Error(`${base.name} could not be sampled: ${sampled.text}`);
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const state = join(into, `${n * SPREAD + (n % SPREAD)}`);
      const said = await readFile(join(state, 'stdout'), 'latin1');
      // The power went: what was only written is no promise any more.
      const promised = said.replace(/^(written .*|done)\n/gm, '');
      return {
        directory: join(state, 'dir'),
        env: { KLOG_CRASH_BOOT: BOOT_OF_RECOVERY, KLOG_CRASH_PROMISED: promised },
      };
    }),
  );
}

/** What a scenario starts from; `undefined`: nothing. */
export async function startOf({ programs, seed, work }: Rig, { after }: Scenario): Promise<Start | undefined> {
  if (after === undefined) return undefined;
  const base = SCENARIOS.find(({ name }) => name === after)!;
  return (await crashedStarts(programs, base, seed, 1, work))[0]!;
}

/** Neighbours in the order of states are of a kind: every third is taken. */
const SPREAD = 3;
