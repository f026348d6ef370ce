/** A real disk of 16 MiB is filled to its last block, read, freed and written again. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { whyNotHere } from './real.js';
import type { Rig } from './rig.js';
import { run } from './run-tool.js';

const PART = 'diskfull';

export async function diskFull(rig: Rig): Promise<void> {
  const why = await whyNotHere('ext4');
  if (why !== undefined) return rig.report.skip(PART, why);
  const work = await mkdtemp(join(rig.work, 'disk-'));
  const [image, mount, out] = [join(work, 'image'), join(work, 'mount'), join(work, 'stdout')];
  await mkdir(mount);
  await must('truncate', ['-s', '16M', image]);
  // No blocks are kept back for root: full is full.
  await must('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
  await must('mount', ['-o', 'loop', image, mount]);
  try {
    await run('rmdir', [join(mount, 'lost+found')]);
    const filled = await run(process.execPath, [rig.programs.scenario, 'disk-full', mount, `${rig.seed}`], {
      KLOG_CRASH_ROUNDS: `${rig.size.diskFullRounds}`,
    });
    await writeFile(out, filled.text);
    const judged = await run(process.execPath, [rig.programs.judge, mount, out], {
      CRASH_MODE: 'diskfull',
      CRASH_RC: `${filled.code}`,
    });
    const rounds = filled.text.split('\nround ').length - 1;
    const isGood = filled.code === 0 && judged.code === 0 && rounds === rig.size.diskFullRounds;
    const acks = filled.text.split('\nack ').length - 1;
    const details = `${filled.text.slice(-1500)}\n${judged.text}`;
    const again = [`npm run torture -- --seed ${rig.seed} --rounds ${rig.size.diskFullRounds} ${PART}`];
    rig.report.result(PART, 'ext4 of 16 MiB', isGood, `${rounds} rounds, ${acks} records acknowledged`, details, again);
  } finally {
    await run('umount', [mount]);
    await rm(work, { recursive: true, force: true });
  }
}

async function must(file: string, args: readonly string[]): Promise<void> {
  const { code, text } = await run(file, args);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${text}`);
}
