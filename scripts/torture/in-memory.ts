/** Scenarios in memory (test/crash/run-faults.ts), with a fault at every one of their file calls. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scenario } from '../../test/crash/scenarios/scenario.js';
import type { Programs } from './programs.js';
import { type Start, startOf } from './recording.js';
import { countIn, type Rig } from './rig.js';
import { type Ran, run } from './run-tool.js';

/** As test/crash/rig/fault-point.ts has them. */
export const MEMORY_KILLS = ['kill-one', 'kill-one-torn'];

interface Faults {
  readonly kinds: readonly string[];
  /** Calls of each kind; `undefined`: every one. */
  readonly calls: number | undefined;
  /** Of so many distinct outcomes one is settled with a kill at each of its calls. */
  readonly settleEvery: number;
  readonly keep?: string;
  readonly mostFails?: number;
}

export async function meetInMemory(
  rig: Rig,
  part: 'killpoints' | 'errors',
  scenario: Scenario,
  faults: Omit<Faults, 'keep' | 'calls'>,
): Promise<void> {
  const keep = join(rig.kept, `${part}-memory-${scenario.name}`);
  await mkdir(keep, { recursive: true });
  const start = await startOf(rig, scenario);
  const { code, text } = await runFaults(
    rig,
    rig.programs,
    scenario,
    { ...faults, calls: rig.size.faultCalls, keep },
    start,
  );
  const runs = countIn(text, /(\d+) runs/) || 0;
  const settleKills = countIn(text, /(\d+) kills of settling/) || 0;
  rig.report.memoryFaults += runs;
  rig.report.settleKills += settleKills;
  const [, calls = '?', looks = '?'] = /(\d+) calls that change something and (\d+) that look/.exec(text) ?? [];
  const distinct = countIn(text, /(\d+) distinct outcomes/);
  rig.report.result(
    part,
    `${scenario.name}, in memory`,
    code === 0 && runs > 0,
    `${runs} runs, ${calls} + ${looks} calls, ${distinct} distinct outcomes, ${settleKills} kills of settling`,
    text,
    [`npm run torture -- --seed ${rig.seed} --size nightly --only ${scenario.name} ${part}`],
  );
}

export function runFaults(
  rig: Rig,
  programs: Programs,
  { name }: Scenario,
  { kinds, calls, settleEvery, keep, mostFails }: Faults,
  start?: Start,
): Promise<Ran> {
  const args = [
    ...[programs.faults, name, '--judge', programs.judgeTree, '--seed', `${rig.seed}`, '--kinds', kinds.join(',')],
    ...['--settle-every', `${settleEvery}`],
    ...(calls === undefined ? [] : ['--sample', `${calls}`]),
    ...(keep === undefined ? [] : ['--keep', keep]),
    ...(mostFails === undefined ? [] : ['--max-fails', `${mostFails}`]),
    ...(start === undefined ? [] : ['--start', start.directory]),
  ];
  return run(process.execPath, ['--max-semi-space-size=32', ...args], start?.env);
}
