/**
 * The process is killed, or a call fails, at every one of its file calls.
 *
 * - A kill of all processes leaves what the calls up to then have done, for the kernel lives on: a recording tells
 *   every such state without a run for each. Where processes come one after the other (or there is only one), a kill of
 *   one is a kill of all.
 * - One of several at the same time is killed at every call: in memory, and really.
 * - Calls fail in memory, every one in every way.
 *
 * A sample of real kills and errors comes on top: whether memory and recordings are like the machine.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SCENARIOS } from '../../test/crash/scenarios/index.js';
import type { Scenario } from '../../test/crash/scenarios/scenario.js';
import { MEMORY_KILLS, meetInMemory } from './in-memory.js';
import { settleEnv } from './judges.js';
import { record, type Start, scenarioCommand, serverCommand, startOf } from './recording.js';
import { countIn, type Rig } from './rig.js';
import { inParallel, ROOT, runTool } from './run-tool.js';

/** More than there are. */
const ALL = 10_000_000;
const KILLS = ['kill-before', 'kill-after', 'kill-torn'];
const ERRORS = ['enospc', 'eio', 'edquot', 'emfile', 'erofs', 'short', 'full'];
/** With a process killed the others may have to wait for something that comes no more. */
const LONGEST_SECONDS = 60;

export async function killPoints(rig: Rig): Promise<void> {
  const { killed, killPoints: points, killOnePoints } = rig.size;
  const scenarios = chosen(rig, killed);
  const severalAtOnce = chosen(rig, undefined).filter(({ isConcurrent }) => isConcurrent === true);
  const tasks = [
    ...severalAtOnce.map((scenario) => (worker: number) => {
      return disturb(rig, worker, 'killpoints', scenario, ['kill-one'], killOnePoints, false);
    }),
    ...severalAtOnce.map((scenario) => () => {
      return meetInMemory(rig, 'killpoints', scenario, { kinds: MEMORY_KILLS, settleEvery: 1 });
    }),
    ...scenarios.map((scenario) => (worker: number) => everyKill(rig, worker, scenario)),
    ...scenarios.map(
      (scenario) => (worker: number) => disturb(rig, worker, 'killpoints', scenario, KILLS, points, false),
    ),
  ];
  await inParallel(tasks, rig.atOnce);
}

export async function errors(rig: Rig): Promise<void> {
  const { failed, errorPoints: points, settleEvery } = rig.size;
  const tasks = [
    ...chosen(rig, undefined).map((scenario) => () => {
      return meetInMemory(rig, 'errors', scenario, { kinds: [...ERRORS, 'eio-loses'], settleEvery });
    }),
    ...chosen(rig, failed).flatMap((scenario) => [
      (worker: number) => disturb(rig, worker, 'errors', scenario, ERRORS, points, false),
      (worker: number) => disturb(rig, worker, 'errors', scenario, ERRORS, points, true),
    ]),
  ];
  await inParallel(tasks, rig.atOnce);
}

function chosen(rig: Rig, names: readonly string[] | undefined): Scenario[] {
  const wanted = rig.only ?? names;
  return SCENARIOS.filter(({ name }) => wanted?.includes(name) ?? true);
}

async function disturb(
  rig: Rig,
  worker: number,
  part: 'killpoints' | 'errors',
  scenario: Scenario,
  modes: readonly string[],
  points: number | undefined,
  isLasting: boolean,
): Promise<void> {
  const isOne = modes.includes('kill-one');
  const what = `${scenario.name}${isLasting ? '-lasting' : ''}${isOne ? '-one' : ''}`;
  const kept = join(rig.kept, `${part}-${what}`);
  await mkdir(kept, { recursive: true });
  const start = await startOf(rig, scenario);
  const args = [
    ...['--modes', modes.join(','), '--seed', `${rig.seed}`, '--work', rig.work, '--keep', kept],
    ...['--run-timeout', `${LONGEST_SECONDS}`],
    ...(points === undefined ? [] : ['--sample', `${points}`]),
    ...(isLasting ? ['--lasting'] : []),
    ...(start === undefined ? [] : ['--start', start.directory]),
    ...['--server', await judgeFor(rig, worker, start)],
    ...scenarioCommand(rig.programs, scenario.name, '{dir}', rig.seed),
  ];
  const { code, text } = await runTool('killpoints', args, { KLOG_CRASH_ROOT: ROOT, ...start?.env });
  const runs = countIn(text, /(\d+) runs/) || 0;
  if (part === 'killpoints') rig.report.kills += runs;
  else rig.report.errors += runs;
  const settleKills = countIn(text, /(\d+) trials/) || 0;
  rig.report.settleKills += settleKills;
  const calls = countIn(text, /(\d+) calls on the directory/);
  const name = `${scenario.name}${isLasting ? ', lasting' : ''}${isOne ? ', one of several' : ''}`;
  const first = /^FAIL (\S+) at call (\d+)/m.exec(text);
  const state = first === null ? kept : join(kept, `${first[1]}-${first[2]}`);
  const again = `CRASH_MODE=${first?.[1]} npm run torture -- --check ${join(state, 'dir')} ${join(state, 'stdout')}`;
  const repeat = `npm run torture -- --seed ${rig.seed} --only ${scenario.name} ${part}`;
  rig.report.result(
    part,
    name,
    code === 0 && runs > 0,
    `${runs} runs, ${calls} calls, ${settleKills} kills of settling`,
    text,
    [again, repeat],
  );
}

/** All moments at which all processes of the scenario can die. */
async function everyKill(rig: Rig, worker: number, scenario: Scenario): Promise<void> {
  const trace = await mkdtemp(join(rig.work, 'killed-'));
  const kept = join(rig.kept, `killed-${scenario.name}`);
  const start = await startOf(rig, scenario);
  const recorded = await record(rig.programs, scenario, rig.seed, trace, start);
  const args = [
    ...['explore', '--trace', trace, '--models', 'killed', '--states', `${rig.size.killedStates ?? ALL}`],
    ...['--seed', `${rig.seed}`, '--work', rig.work, '--keep', kept, '--max-fails', '20'],
    ...['--server', await judgeFor(rig, worker, start)],
  ];
  const env = { ...settleEnv(rig.size), ...start?.env };
  const { code, text } = recorded.code === 0 ? await runTool('crashsim', args, env) : recorded;
  await rm(trace, { recursive: true, force: true });
  const states = countIn(text, /(\d+) crash states checked/) || 0;
  const settleKills = countIn(text, /(\d+) trials/) || 0;
  rig.report.killedStates += states;
  rig.report.settleKills += settleKills;
  const operations = countIn(recorded.text, /recorded (\d+) operations/);
  const failed = join(kept, 'fail-0001');
  rig.report.result(
    'killpoints',
    `${scenario.name}, recorded`,
    code === 0 && states > 0,
    `${states} states of ${operations} operations, ${settleKills} kills of settling`,
    text,
    [
      `CRASH_MODE=kill-simulated npm run torture -- --check ${join(failed, 'dir')} ${join(failed, 'stdout')}`,
      `npm run torture -- --seed ${rig.seed} --only ${scenario.name} killpoints`,
    ],
  );
}

/** Where the machine was started again, the judge has to be told, too: one of its own. */
async function judgeFor(rig: Rig, worker: number, start: Start | undefined): Promise<string> {
  return start === undefined ? await rig.judges.of(worker) : serverCommand(rig.programs);
}
