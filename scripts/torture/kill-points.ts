/** The process is killed, or a call fails, at every one of its file calls. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SCENARIOS } from '../../test/crash/scenarios/index.js';
import type { Scenario } from '../../test/crash/scenarios/scenario.js';
import { crashedStarts, scenarioCommand, serverCommand } from './recording.js';
import { countIn, type Rig } from './rig.js';
import { inParallel, ROOT, runTool } from './run-tool.js';

const KILLS = ['kill-before', 'kill-after', 'kill-torn', 'kill-one'];
const ERRORS = ['enospc', 'eio', 'edquot', 'emfile', 'erofs', 'short', 'full'];

export async function killPoints(rig: Rig): Promise<void> {
  const { killed, killPoints: points } = rig.size;
  await inParallel(
    chosen(rig, killed).map(
      (scenario) => (worker) => disturb(rig, worker, 'killpoints', scenario, KILLS, points, false),
    ),
    rig.atOnce,
  );
}

export async function errors(rig: Rig): Promise<void> {
  const { failed, errorPoints: points } = rig.size;
  const tasks = chosen(rig, failed).flatMap((scenario) => [
    (worker: number) => disturb(rig, worker, 'errors', scenario, ERRORS, points, false),
    (worker: number) => disturb(rig, worker, 'errors', scenario, ERRORS, points, true),
  ]);
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
  const kept = join(rig.kept, `${part}-${scenario.name}${isLasting ? '-lasting' : ''}`);
  await mkdir(kept, { recursive: true });
  const start = await startOf(rig, scenario);
  const args = [
    ...['--modes', modes.join(','), '--seed', `${rig.seed}`, '--work', rig.work, '--keep', kept],
    ...(points === undefined ? [] : ['--sample', `${points}`]),
    ...(isLasting ? ['--lasting'] : []),
    ...(start === undefined ? [] : ['--start', start.directory]),
    // Where the machine was started again, the judge has to be told, too: one of its own.
    ...['--server', start === undefined ? await rig.judges.of(worker) : serverCommand(rig.programs)],
    ...scenarioCommand(rig.programs, scenario.name, '{dir}', rig.seed),
  ];
  const { code, text } = await runTool('killpoints', args, { KLOG_CRASH_ROOT: ROOT, ...start?.env });
  const runs = countIn(text, /(\d+) runs/) || 0;
  if (part === 'killpoints') rig.report.kills += runs;
  else rig.report.errors += runs;
  const settleKills = countIn(text, /(\d+) trials/) || 0;
  rig.report.settleKills += settleKills;
  const calls = countIn(text, /(\d+) calls on the directory/);
  const name = isLasting ? `${scenario.name}, lasting` : scenario.name;
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

async function startOf(rig: Rig, { after }: Scenario) {
  if (after === undefined) return undefined;
  const base = SCENARIOS.find(({ name }) => name === after)!;
  return (await crashedStarts(rig.programs, base, rig.seed, 1, rig.work))[0]!;
}
