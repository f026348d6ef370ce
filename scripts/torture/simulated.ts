/** Power losses, simulated: recordings of every scenario, and the states their disks could have held at any moment. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SCENARIOS } from '../../test/crash/scenarios/index.js';
import type { Scenario } from '../../test/crash/scenarios/scenario.js';
import { crashedStarts, record, type Start } from './recording.js';
import { countIn, type Rig } from './rig.js';
import { inParallel, runTool } from './run-tool.js';

const PART = 'powerloss-simulated';

interface Tally {
  states: number;
  recordings: number;
  settleKills: number;
  /** That the exploring took, without the recording. */
  seconds: number;
  failed: number;
  details: string;
  again: string[];
}

export async function simulatedPowerLoss(rig: Rig): Promise<void> {
  const scenarios = SCENARIOS.filter(({ name, isCommand }) => isCommand !== true && (rig.only?.includes(name) ?? true));
  const wanted = Math.ceil(rig.size.states / scenarios.length);
  const begun = performance.now();
  await inParallel(
    scenarios.map((scenario) => (worker) => tortureOne(rig, worker, scenario, wanted)),
    rig.atOnce,
  );
  rig.report.stateSeconds += (performance.now() - begun) / 1000;
}

async function tortureOne(rig: Rig, worker: number, scenario: Scenario, wanted: number): Promise<void> {
  const tally: Tally = { states: 0, recordings: 0, settleKills: 0, seconds: 0, failed: 0, details: '', again: [] };
  for (let round = 0; tally.states < wanted && tally.failed === 0; round++) {
    const seed = rig.seed + round;
    const before = tally.states;
    const count = Math.min(rig.size.statesPerRecording, wanted - tally.states);
    if (scenario.after === undefined) await explore(rig, worker, scenario, seed, count, undefined, tally);
    else {
      const base = SCENARIOS.find(({ name }) => name === scenario.after)!;
      const starts = await crashedStarts(rig.programs, base, seed, rig.size.startsPerRecording, rig.work);
      for (const start of starts) {
        await explore(rig, worker, scenario, seed, Math.ceil(count / starts.length), start, tally);
      }
    }
    if (tally.states === before) break;
  }
  rig.report.states += tally.states;
  rig.report.settleKills += tally.settleKills;
  const speed = Math.round(tally.states / Math.max(tally.seconds, 0.1));
  const figures = `${tally.states} states of ${tally.recordings} recordings, ${speed}/s, ${tally.settleKills} kills of settling`;
  rig.report.result(PART, scenario.name, tally.failed === 0 && tally.states > 0, figures, tally.details, tally.again);
}

async function explore(
  rig: Rig,
  worker: number,
  scenario: Scenario,
  seed: number,
  states: number,
  start: Start | undefined,
  tally: Tally,
): Promise<void> {
  const trace = await mkdtemp(join(rig.work, 'trace-'));
  tally.recordings++;
  const recorded = await record(rig.programs, scenario, seed, trace, start);
  if (recorded.code !== 0) {
    tally.failed++;
    tally.details += recorded.text;
    return;
  }
  const kept = join(rig.kept, `${scenario.name}-${seed}-${tally.recordings}`);
  const args = [
    ...['explore', '--trace', trace, '--states', `${states}`, '--seed', `${seed}`, '--work', rig.work],
    ...['--keep', kept, '--max-fails', '20', '--server', await rig.judges.of(worker)],
  ];
  const explored = await runTool('crashsim', args);
  tally.settleKills += countIn(explored.text, /(\d+) trials/) || 0;
  tally.seconds += countIn(explored.text, /([\d.]+) s\s*$/) || 0;
  tally.states += countIn(explored.text, /(\d+) crash states checked/) || 0;
  if (explored.code === 0) {
    await rm(trace, { recursive: true, force: true });
    return;
  }
  tally.failed++;
  tally.details += explored.text;
  tally.again.push(`npm run torture -- --check ${join(kept, 'fail-0001', 'dir')} ${join(kept, 'fail-0001', 'stdout')}`);
}
