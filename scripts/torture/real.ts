/** Power losses on real file systems. */
import type { Programs } from './programs.js';
import { scenarioCommand } from './recording.js';
import { countIn, type Rig } from './rig.js';
import { type Ran, run, runTool } from './run-tool.js';

const PART = 'powerloss-real';
/** A machine may be slow to begin: the topic is there by then, and something is acknowledged. */
const AFTER_LINES = 4;
const FROM_MS = 0;
const TO_MS = 400;

export async function realPowerLoss(rig: Rig): Promise<void> {
  for (const fs of ['ext4', 'xfs']) {
    const why = await whyNotHere(fs);
    if (why !== undefined) {
      rig.report.skip(PART, `${fs}: ${why}`);
      continue;
    }
    const { code, text } = await losePower(rig, fs, rig.programs, rig.size.powerLosses);
    const lines = countIn(text, /(\d+) lines had been printed/);
    const figures = `${rig.size.powerLosses} power losses, ${lines} lines had been printed`;
    // A run that had promised nothing shows nothing.
    const isGood = code === 0 && lines > rig.size.powerLosses;
    rig.report.result(PART, fs, isGood, figures, text, [`npm run torture -- --seed ${rig.seed} ${PART}`]);
  }
}

/** @param maxFails after so many failures no more is tried; 0: all runs, whatever they show. */
export function losePower(rig: Rig, fs: string, programs: Programs, runs: number, maxFails = 0): Promise<Ran> {
  return runTool('powerloss', [
    ...['--fs', fs, '--runs', `${runs}`, '--max-fails', `${maxFails}`, '--seed', `${rig.seed}`, '--work', rig.work],
    ...['--after-lines', `${AFTER_LINES}`, '--from-ms', `${FROM_MS}`, '--to-ms', `${TO_MS}`],
    ...['--check', `'${process.execPath}' '${programs.judge}' {dir} {out}`],
    ...scenarioCommand(programs, 'endless', '{dir}', rig.seed),
  ]);
}

/** `undefined`: images of this file system can be made and mounted. */
export async function whyNotHere(fs: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can mount';
  try {
    await run(`mkfs.${fs}`, ['-V']);
  } catch {
    return `there is no mkfs.${fs}`;
  }
  const { code } = await run('losetup', ['-f']);
  return code === 0 ? undefined : 'there is no free loop device';
}
