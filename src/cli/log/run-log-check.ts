import { dirname, join } from 'node:path';
import { KlogError } from '../../errors.js';
import type { FileSystem } from '../../storage/file-system.js';
import { nodeFileSystem } from '../../storage/file-system-node.js';
import { storageError, systemErrorCode } from '../../store/system-error.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { counted, printJson } from '../listing.js';
import { forEachOperand } from '../operands.js';
import { Progress } from '../progress.js';
import { resolveDirectory } from '../resolve-directory.js';
import { sizeText } from '../size-text.js';
import { styleFor } from '../style.js';
import { escapeLine } from '../terminal-text.js';
import { checkPartition } from './check-partition.js';
import { type PartitionCheck, type Problem, Problems } from './check-report.js';
import { allPartitions, type FoundPartition, findCheckTargets, isPath, readPartitionOperand } from './dump-targets.js';
import { findMissingPartitions, type MissingPartition } from './missing-partitions.js';

export interface LogCheckOptions extends GlobalOptions {
  /** `T`, `T:P`, or paths of directories; none: the whole log. */
  readonly operands: readonly string[];
  readonly deep?: boolean;
}

/** Looks and changes nothing. CORRUPT_MESSAGE, after everything was told, if something is damaged. */
export async function runLogCheck(
  options: LogCheckOptions,
  context: CliContext,
  fs: FileSystem = nodeFileSystem,
): Promise<ExitCode> {
  const checks: PartitionCheck[] = [];
  let [bytes, current] = [0, ''];
  const progress = new Progress(options, context, () => `checking ${current}: ${sizeText(bytes)}`);
  const { signal } = context.signals;
  const isStopped = () => signal.aborted || context.stdout.isClosed;
  const checkOptions = { fs, deep: options.deep === true, onBytes: (more: number) => (bytes += more), isStopped };
  const directory = async () => (await resolveDirectory(options, context)).directory;
  const place = { cwd: context.cwd, dataDirectory: directory };
  const style = await styleFor(context.stdout, context.env);
  let ok = false;
  try {
    const operands = options.operands.length === 0 ? [undefined] : options.operands;
    const code = await forEachOperand(operands, options, context, async (operand) => {
      try {
        const mine: PartitionCheck[] = [];
        const tell = async (check: PartitionCheck) => {
          mine.push(check);
          checks.push(check);
          if (options.json) return;
          context.stdout.appendText(partitionText(check, style.warning));
          if (!context.stdout.endRecord()) await context.stdout.drain();
        };
        const missing = (await missingOf(fs, operand, directory)).map(missingCheck);
        for (const check of missing) await tell(check);
        const found =
          operand === undefined ? allPartitions(fs, await directory()) : findCheckTargets(fs, operand, place);
        for await (const partition of missing.length > 0 ? whatIsThere(found) : found) {
          if (isStopped()) break;
          current = nameOf({
            topic: partition.owner?.topic,
            partition: partition.owner?.partition,
            directory: partition.directory.shown,
          });
          await tell(await checkPartition(partition, checkOptions));
        }
        throwFirst(mine);
      } catch (error) {
        throw systemErrorCode(error) === undefined ? error : storageError(error, `cannot read ${operand ?? 'the log'}`);
      }
    });
    ok = code === 0 && checks.every(isGood) && !isStopped();
    return code;
  } finally {
    progress.stop();
    if (options.json) printJson(context, documentOf(ok, checks));
    await context.stdout.drain();
  }
}

/** Partitions that the list of topics has and the disk has not: of a topic, a partition, or the whole log. */
async function missingOf(
  fs: FileSystem,
  operand: string | undefined,
  directory: () => Promise<string>,
): Promise<MissingPartition[]> {
  if (operand === undefined) return findMissingPartitions(fs, await directory());
  return isPath(operand) ? [] : findMissingPartitions(fs, await directory(), readPartitionOperand(operand));
}

function missingCheck({ topic, partition, path }: MissingPartition): PartitionCheck {
  const problems = new Problems();
  problems.damage(path, 'the directory is missing');
  const empty = { segments: 0, batches: 0, records: undefined, bytes: 0 };
  return {
    topic,
    partition,
    directory: path,
    ...empty,
    problems: problems.list,
    omitted: 0,
    isDamaged: true,
    isComplete: true,
  };
}

/** That nothing else of it is there was told with what is missing. */
async function* whatIsThere(found: AsyncGenerator<FoundPartition>): AsyncGenerator<FoundPartition> {
  try {
    yield* found;
  } catch (error) {
    if (!(error instanceof KlogError) || error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
  }
}

/** What is printed with `--json`. */
function documentOf(ok: boolean, checks: readonly PartitionCheck[]): unknown {
  return {
    ok,
    partitions: checks.map(({ isDamaged, isComplete, omitted, ...check }) => ({
      ...check,
      ok: isGood({ isDamaged, isComplete }),
      ...(omitted > 0 ? { omittedProblems: omitted } : {}),
    })),
  };
}

/** Whoever was stopped before the end does not know. */
export function isGood({ isDamaged, isComplete }: Pick<PartitionCheck, 'isDamaged' | 'isComplete'>): boolean {
  return isComplete && !isDamaged;
}

/** `orders:0`, or the directory where its name is not that of a partition. */
export function nameOf(check: Pick<PartitionCheck, 'topic' | 'partition' | 'directory'>): string {
  return check.topic === undefined ? check.directory : `${check.topic}:${check.partition}`;
}

function partitionText(check: PartitionCheck, warn: (text: string) => string): string {
  const counts = [
    counted(check.segments, 'segment'),
    check.batches === 1 ? '1 batch' : `${check.batches} batches`,
    ...(check.records === undefined ? [] : [counted(check.records, 'record')]),
    counted(check.bytes, 'byte'),
  ].join(', ');
  const verdict = check.isDamaged ? warn('damaged') : check.isComplete ? 'ok' : 'interrupted';
  const lines = [`${escapeLine(nameOf(check))}: ${verdict}, ${counts}`, ...check.problems.map(problemText)];
  if (check.omitted > 0) lines.push(`  … and ${check.omitted} more`);
  return `${lines.join('\n')}\n`;
}

export function problemText({ severity, file, position, offset, reason }: Problem): string {
  const place = [
    ...(position === undefined ? [] : [`position ${position}`]),
    ...(offset === undefined ? [] : [`offset ${offset}`]),
  ].join(', ');
  return escapeLine(`  ${severity.padEnd(6)}  ${file}${place === '' ? '' : ` at ${place}`}: ${reason}`);
}

export function firstDamage(checks: readonly PartitionCheck[]): KlogError | undefined {
  const damaged = checks.flatMap((check) =>
    check.problems.filter(({ severity }) => severity === 'damage').map((problem) => ({ check, problem })),
  );
  const [first] = damaged;
  if (first === undefined) return undefined;
  const { topic, partition } = first.check;
  const { file, position, offset, reason } = first.problem;
  const others = damaged.length === 1 ? '' : `; the first of ${damaged.length} damaged places`;
  return new KlogError(
    'CORRUPT_MESSAGE',
    `${file} is damaged${position === undefined ? '' : ` at position ${position}`}: ${reason}${others}`,
    { topic, partition, file, position, offset, hint: adviceFor(first) },
  );
}

function adviceFor({ check, problem }: { check: PartitionCheck; problem: Problem }): string {
  const isGone = problem.file === check.directory;
  if (isGone) return 'Bring it back from a copy, or delete the topic';
  // The topic's own file: what it says is nowhere else.
  if (dirname(problem.file) !== dirname(join(check.directory, '.log')))
    return 'It can be restored from a backup; the records are not in it';
  return `\`klog log repair ${nameOf(check)}\` keeps what is good`;
}

function throwFirst(checks: readonly PartitionCheck[]): void {
  const error = firstDamage(checks);
  if (error !== undefined) throw error;
}
