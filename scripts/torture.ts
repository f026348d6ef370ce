/**
 * npm run torture -- [--seed S] [--size small|nightly|release] [--states N] [--points N] [--losses N] [--rounds N]
 *                    [--only NAME,…] [--work DIR] [--jobs N] [PART…]
 * npm run torture -- --check DIRECTORY STDOUT
 *
 * The proof of klog's durability promises (RELIABILITY.md): programs that use klog (test/crash/scenarios) lose their
 * power, are killed, or have their file calls fail at every moment, and what is left on the disk is judged. Parts,
 * default all: powerloss-simulated, killpoints, errors, powerloss-real, diskfull, flaws. With --check a state that was
 * kept is judged once more.
 *
 * Exits 1 when something failed, 2 for wrong arguments, and 3 where the tools cannot run (Linux on x86-64, Python 3,
 * ptrace). Defaults: seed 1, small, in /dev/shm where there is one, as many jobs as there are CPUs.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { diskFull } from './torture/disk-full.js';
import { plantedFlaws } from './torture/flaws.js';
import { Judges } from './torture/judges.js';
import { errors, killPoints } from './torture/kill-points.js';
import { buildPrograms } from './torture/programs.js';
import { realPowerLoss } from './torture/real.js';
import { Report } from './torture/report.js';
import type { Rig } from './torture/rig.js';
import { run, whyNoTools } from './torture/run-tool.js';
import { simulatedPowerLoss } from './torture/simulated.js';
import { SIZES, type Size } from './torture/sizes.js';

const PARTS: Readonly<Record<string, (rig: Rig) => Promise<void>>> = {
  'powerloss-simulated': simulatedPowerLoss,
  killpoints: killPoints,
  errors,
  'powerloss-real': realPowerLoss,
  diskfull: diskFull,
  flaws: plantedFlaws,
};

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = readArguments();
  if (asked === undefined) return 2;
  const { values, operands } = asked;
  const why = await whyNoTools();
  if (why !== undefined) {
    console.error(`torture: ${why}`);
    return 3;
  }
  const parent = values.work ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
  const work = await mkdtemp(join(parent, 'klog-torture-'));
  const kept = join(tmpdir(), 'klog-torture-kept', `${process.pid}`);
  // What is killed leaves its temporary folders behind.
  process.env.TMPDIR = work;
  let judges: Judges | undefined;
  try {
    const programs = await buildPrograms(work, 'right');
    if (values.check) {
      const judged = await run(process.execPath, [programs.judge, ...operands]);
      console.log(judged.code === 0 ? 'ok' : judged.text.trim());
      return judged.code;
    }
    await mkdir(kept, { recursive: true });
    const size = sizeOf(values);
    judges = new Judges(programs, work, size);
    const rig: Rig = {
      seed: Number(values.seed),
      size,
      work,
      kept,
      programs,
      judges,
      report: new Report(),
      only: values.only?.split(','),
      atOnce: Number(values.jobs ?? availableParallelism()),
    };
    for (const part of operands.length === 0 ? Object.keys(PARTS) : operands) await PARTS[part]!(rig);
    return rig.report.end();
  } finally {
    judges?.close();
    await rm(work, { recursive: true, force: true });
    await removeEmpty(kept);
  }
}

interface SizeOptions {
  readonly size: string;
  readonly states?: string | undefined;
  /** Calls, of each scenario and mode, at which there is a real kill or a real error. */
  readonly points?: string | undefined;
  readonly losses?: string | undefined;
  readonly rounds?: string | undefined;
}

/** Of the size that is asked for, but for what is asked for by itself. */
function sizeOf({ size, states, points, losses, rounds }: SizeOptions): Size {
  return {
    ...SIZES[size]!,
    ...(states === undefined ? {} : { states: Number(states) }),
    ...(points === undefined
      ? {}
      : { killPoints: Number(points), killOnePoints: Number(points), errorPoints: Number(points) }),
    ...(losses === undefined ? {} : { powerLosses: Number(losses) }),
    ...(rounds === undefined ? {} : { diskFullRounds: Number(rounds) }),
  };
}

/** Folders of runs in which nothing failed. */
async function removeEmpty(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && (await readdir(path)).length === 0) await rm(path, { recursive: true });
  }
  if ((await readdir(directory)).length === 0) await rm(directory, { recursive: true });
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        seed: { type: 'string', default: '1' },
        size: { type: 'string', default: 'small' },
        states: { type: 'string' },
        points: { type: 'string' },
        losses: { type: 'string' },
        rounds: { type: 'string' },
        only: { type: 'string' },
        work: { type: 'string' },
        jobs: { type: 'string' },
        check: { type: 'boolean', default: false },
      },
    });
    if (!Number.isSafeInteger(Number(values.seed))) throw new Error(`--seed ${values.seed} is not a whole number`);
    if (SIZES[values.size] === undefined)
      throw new Error(`--size ${values.size} is none of ${Object.keys(SIZES).join(', ')}`);
    for (const name of ['states', 'points', 'losses', 'rounds', 'jobs'] as const) {
      const count = Number(values[name] ?? 1);
      if (!Number.isSafeInteger(count) || count < 1)
        throw new Error(`--${name} ${values[name]} is not a number from 1 on`);
    }
    const unknown = values.check ? [] : positionals.filter((part) => PARTS[part] === undefined);
    if (unknown.length > 0) throw new Error(`there is no part ${unknown[0]}: ${Object.keys(PARTS).join(', ')}`);
    if (values.check && positionals.length !== 2) throw new Error('--check wants a directory and a file');
    return { values, operands: positionals };
  } catch (error) {
    console.error(`torture: ${(error as Error).message}`);
    return undefined;
  }
}
