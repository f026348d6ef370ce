import { KlogError } from '../../errors.js';
import type { FileSystem } from '../../storage/file-system.js';
import { nodeFileSystem } from '../../storage/file-system-node.js';
import { storageError, systemErrorCode } from '../../store/system-error.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { printJson } from '../listing.js';
import { allPartitions, type FoundPartition } from '../log/dump-targets.js';
import { Progress } from '../progress.js';
import { resolveDirectory } from '../resolve-directory.js';
import { sizeText } from '../size-text.js';
import { styleFor } from '../style.js';
import { escapeLine } from '../terminal-text.js';
import { checkDirectory } from './directory-checks.js';
import { type Finding, fail, ok } from './finding.js';
import { checkLockHolders } from './lock-checks.js';
import { checkLogs } from './log-checks.js';
import { checkMachine, type Machine, thisMachine } from './machine-checks.js';
import { checkTopics } from './topic-checks.js';

export interface DoctorOptions extends GlobalOptions {
  /** Every record of the log, however many. */
  readonly full?: boolean;
}

/** Looks and changes nothing. 7: the log is damaged. 1: something else fails. */
export async function runDoctor(
  options: DoctorOptions,
  context: CliContext,
  fs: FileSystem = nodeFileSystem,
  machine: Machine = thisMachine,
): Promise<ExitCode> {
  const findings: Finding[] = [];
  const style = await styleFor(context.stdout, context.env);
  const tell = (more: readonly Finding[]) => {
    findings.push(...more);
    if (options.json) return;
    for (const finding of more) context.stdout.appendText(lineOf(finding, context.stdout.isTerminal, style.warning));
    context.stdout.endRecord();
  };
  tell(checkMachine(machine));
  const { directory, exists } = await resolveDirectory(options, context);
  if (exists) {
    tell([ok('directory', directory)]);
    await checkEverything(directory, options, context, { fs, now: machine.now(), tell });
  } else tell([ok('directory', `there is no log at ${directory} yet`)]);
  const isFine = findings.every(({ verdict }) => verdict !== 'fail');
  if (options.json) printJson(context, { ok: isFine, directory, checks: findings.map(jsonOf) });
  await context.stdout.drain();
  const damage = findings.find(({ isDamage }) => isDamage === true);
  if (damage !== undefined) {
    throw new KlogError('CORRUPT_MESSAGE', damage.message, { ...damage.place, hint: damage.hint });
  }
  return isFine ? 0 : 1;
}

interface Look {
  readonly fs: FileSystem;
  readonly now: number;
  readonly tell: (findings: readonly Finding[]) => void;
}

async function checkEverything(
  directory: string,
  options: DoctorOptions,
  context: CliContext,
  { fs, now, tell }: Look,
): Promise<void> {
  let bytes = 0;
  const progress = new Progress(options, context, () => `looking at the log: ${sizeText(bytes)}`);
  const onBytes = (more: number) => {
    bytes += more;
  };
  const { signal } = context.signals;
  const steps: readonly (readonly [string, () => Promise<readonly Finding[]>])[] = [
    ['directory', () => checkDirectory(fs, directory, now)],
    ['holders', async () => checkLockHolders(fs, directory, await partitions())],
    ['topics', async () => checkTopics(fs, directory, await partitions())],
    [
      'log',
      async () =>
        checkLogs(await partitions(), { fs, full: options.full === true, onBytes, isStopped: () => signal.aborted }),
    ],
  ];
  let found: FoundPartition[] | undefined;
  const partitions = async () => {
    if (found === undefined) {
      found = [];
      for await (const partition of allPartitions(fs, directory)) found.push(partition);
    }
    return found;
  };
  try {
    for (const [check, step] of steps) tell(await attempt(check, step));
  } finally {
    progress.stop();
  }
}

/** What may not be read is a finding, and the next check goes on. */
async function attempt(check: string, step: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof KlogError) && systemErrorCode(error) === undefined) throw error;
    const { message, hint } = storageError(error, 'cannot look');
    return [fail(check, message, hint)];
  }
}

function jsonOf({ check, verdict, message, hint, place }: Finding): unknown {
  return { check, verdict, message, hint, ...place };
}

function lineOf(finding: Finding, isTerminal: boolean, warning: (text: string) => string): string {
  const { check, verdict, message, hint } = finding;
  const texts = [message, ...(hint === undefined ? [] : [hint])].map(escapeLine);
  if (!isTerminal) return `${[verdict, check, ...texts].join('\t')}\n`;
  const label = verdict.padEnd(4);
  const advice = texts[1] === undefined ? '' : `. ${texts[1]}`;
  return `${verdict === 'ok' ? label : warning(label)}  ${check.padEnd(12)}  ${texts[0]}${advice}\n`;
}
