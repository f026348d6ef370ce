import { join } from 'node:path';
import type { FileSystem } from '../../storage/file-system.js';
import { nodeFileSystem } from '../../storage/file-system-node.js';
import { segmentBaseOffsets, segmentFileName } from '../../storage/log-files.js';
import { storageError, systemErrorCode } from '../../store/system-error.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { counted, printJson } from '../listing.js';
import { forEachOperand } from '../operands.js';
import { Progress } from '../progress.js';
import { confirm } from '../prompts.js';
import { sizeText } from '../size-text.js';
import { escapeLine } from '../terminal-text.js';
import { checkPartition } from './check-partition.js';
import type { PartitionCheck } from './check-report.js';
import type { FoundPartition } from './dump-targets.js';
import { partitionsOf, placeOf, requireOperand } from './log-operands.js';
import { withHeldPartition } from './repair-context.js';
import { repairForeign, repairOwn, segmentsWith } from './repair-partition.js';
import { type BadRange, visitPieces } from './repair-segment.js';
import { firstDamage, isGood, nameOf, problemText } from './run-log-check.js';

export interface LogRepairOptions extends GlobalOptions {
  readonly operands: readonly string[];
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

interface PlannedRange extends Pick<BadRange, 'position' | 'reason' | 'offset'> {
  readonly file: string;
  readonly bytes: number;
}

interface RepairPlan {
  readonly partition: FoundPartition;
  readonly check: PartitionCheck;
  /** Moved aside, out of the log. */
  readonly ranges: readonly PlannedRange[];
}

/** CORRUPT_MESSAGE: something is damaged still. */
export async function runLogRepair(
  options: LogRepairOptions,
  context: CliContext,
  fs: FileSystem = nodeFileSystem,
): Promise<ExitCode> {
  requireOperand(options.operands, 'log repair');
  const results: unknown[] = [];
  let [bytes, current] = [0, ''];
  const progress = new Progress(options, context, () => `looking at ${current}: ${sizeText(bytes)}`);
  const onBytes = (more: number) => {
    bytes += more;
  };
  const { signal } = context.signals;
  const checkOptions = { fs, deep: false, onBytes, isStopped: () => signal.aborted };
  const isShown = !options.json;
  try {
    return await forEachOperand(options.operands, options, context, async (operand) => {
      for (const partition of await partitionsOf(fs, [operand], placeOf(options, context))) {
        current = partition.directory.shown;
        const check = await checkPartition(partition, checkOptions);
        if (!check.isComplete) return;
        const plan = await planOf(fs, partition, check);
        const isNeeded = plan.check.problems.some(({ severity }) => severity !== 'note');
        if (isShown) context.stdout.appendText(planText(plan, isNeeded));
        await context.stdout.flush();
        if (isNeeded && options.dryRun !== true) {
          await confirm(`repair ${nameOf(plan.check)} in ${partition.directory.path}`, options, context);
          await repair(plan, options, context, fs);
        }
        const done = isNeeded && options.dryRun !== true;
        const after = done ? await checkPartition(partition, checkOptions) : plan.check;
        results.push(resultOf(plan, after, done));
        if (done && isShown) context.stdout.appendText(`  repaired: ${verdictOf(after)}\n`);
        const error = done ? firstDamage([after]) : undefined;
        if (error !== undefined) throw error;
      }
    });
  } catch (error) {
    throw systemErrorCode(error) === undefined ? error : storageError(error, 'cannot repair the log');
  } finally {
    progress.stop();
    if (options.json) printJson(context, results);
    await context.stdout.drain();
  }
}

async function repair(
  { partition }: RepairPlan,
  options: LogRepairOptions,
  { clock }: CliContext,
  fs: FileSystem,
): Promise<void> {
  const held = { fs, clock, allowNetworkFileSystem: options.allowNetworkFs === true };
  await withHeldPartition(partition, held, async (owned) => {
    // Nobody but writers changes anything now: what was planned may have been repaired by another.
    const check = await checkPartition(partition, { fs, deep: false, onBytes: () => {}, isStopped: () => false });
    if (owned.kind === 'own') await repairOwn(owned.context, check);
    else await repairForeign(owned.context, check);
  });
}

async function planOf(fs: FileSystem, partition: FoundPartition, check: PartitionCheck): Promise<RepairPlan> {
  const { path, shown } = partition.directory;
  const bases = segmentBaseOffsets(await fs.readDirectory(path));
  const damaged = segmentsWith(check, ['damage']);
  const ranges: PlannedRange[] = [];
  let minOffset = 0;
  for (const [i, baseOffset] of bases.entries()) {
    if (!damaged.has(baseOffset)) continue;
    const name = segmentFileName(baseOffset, '.log');
    const log = await fs.open(join(path, name), 'read');
    try {
      const range = { baseOffset, minOffset: Math.max(minOffset, baseOffset), maxOffset: bases[i + 1] };
      minOffset = await visitPieces(log, range, (await log.stat()).size, {
        bad: async ({ position, end, reason, offset }) => {
          ranges.push({ file: join(shown, name), position, bytes: end - position, reason, offset });
        },
      });
    } finally {
      await log.close();
    }
  }
  return { partition, check, ranges };
}

function planText({ check, ranges }: RepairPlan, isNeeded: boolean): string {
  const name = escapeLine(nameOf(check));
  if (!isNeeded) return `${name}: ok, nothing to repair\n`;
  const bytes = ranges.reduce((sum, range) => sum + range.bytes, 0);
  const kept = check.batches === 1 ? '1 good batch stays' : `${check.batches} good batches stay`;
  const moved =
    ranges.length === 0
      ? 'no bytes go aside'
      : `${counted(bytes, 'byte')} in ${counted(ranges.length, 'place')} go aside`;
  const lines = [
    `${name}: ${kept}, ${moved}`,
    ...check.problems.filter(({ severity }) => severity !== 'note').map(problemText),
    ...ranges.map((range) =>
      escapeLine(
        `  aside   ${range.file}.damaged-${range.position}: ${counted(range.bytes, 'byte')}, from offset ${range.offset} on`,
      ),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function verdictOf(after: PartitionCheck): string {
  if (after.isDamaged) return 'damaged still';
  return after.isComplete ? 'ok' : 'interrupted before all of it was looked at again';
}

function resultOf({ check, ranges }: RepairPlan, after: PartitionCheck, isRepaired: boolean): unknown {
  const { topic, partition, directory, problems } = check;
  return {
    topic,
    partition,
    directory,
    repaired: isRepaired,
    ok: isGood(after),
    batches: after.batches,
    aside: ranges,
    problems,
  };
}
