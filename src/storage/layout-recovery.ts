/**
 * Finishing, or undoing, a change of the files that was interrupted: part of settling. The guide is Kafka's `LogLoader`
 * (FORMAT §13): what is only `.cleaned` was never finished and goes; what is `.swap` is whole and takes its place.
 *
 * In the order in which an exchange goes on (segment-swap.ts), with a sync of the directory after each step:
 *
 * | found | the exchange had | what is done |
 * |---|---|---|
 * | `X.log.cleaned` | not been decided | everything `.cleaned` and `.swap` of X goes; the old files are untouched |
 * | `X.log.swap` | been decided | indexes, then the log, take their names |
 * | neither, S names X | put the new log in place | indexes still `.swap` take their names; segments that X covers go |
 *
 * Each step may itself be interrupted: the next settling finds one of these states again.
 */
import type { ControlRecord } from './control-record.js';
import { coveredBy } from './covered-segments.js';
import { syncing } from './failed-sync.js';
import { type FileContext, isOdd, type LogContext } from './log-context.js';
import { SegmentFiles } from './segment-files.js';

/** The append and sync locks are held, `syncing` is set. */
export async function finishLayoutChange(context: LogContext, safe: ControlRecord | undefined): Promise<void> {
  const files = await SegmentFiles.list(context.fs, context.directory);
  const swapped = files.bases('.swap');
  const interrupted = safe !== undefined && isOdd(safe.layoutVersion);
  if (swapped.length > 0 || interrupted) {
    const bases = new Set(swapped);
    if (interrupted && safe.swappedBase >= 0) bases.add(safe.swappedBase);
    const last = safe?.segmentBase ?? Number.POSITIVE_INFINITY;
    for (const baseOffset of bases) await finishSwap(context, files, baseOffset, last);
  }
  if (interrupted) await finishRemoval(context, files, safe);
  await sweep(context, files);
}

async function finishSwap(context: LogContext, files: SegmentFiles, baseOffset: number, last: number): Promise<void> {
  if (files.has(baseOffset, '.log', '.cleaned')) {
    // The logs last: as long as one is there, the indexes beside it are known to be of no use.
    for (const state of ['.cleaned', '.swap'] as const) await files.unlinkIndexes(baseOffset, state);
    await syncNames(context);
    await files.unlink(baseOffset, '.log', '.swap');
    await files.unlink(baseOffset, '.log', '.cleaned');
    return;
  }
  if (files.bases('.swap').includes(baseOffset)) await putInPlace(context, files, baseOffset);
  await removeCovered(context, files, baseOffset, last);
}

/** The exchanged segment takes its names. */
export async function putInPlace(context: FileContext, files: SegmentFiles, baseOffset: number): Promise<void> {
  await context.segments.forget(baseOffset);
  for (const suffix of ['.index', '.timeindex', '.txnindex', '.log'] as const) {
    if (files.has(baseOffset, suffix, '.swap')) await files.rename(baseOffset, suffix, '.swap', '');
  }
  await syncNames(context);
}

/** Segments before the `last` one whose offsets have become part of `baseOffset`. */
async function removeCovered(
  context: LogContext,
  files: SegmentFiles,
  baseOffset: number,
  last: number,
): Promise<void> {
  const covered = await coveredBy(context.fs, context.directory, baseOffset, files.bases(''), last);
  for (const base of covered) await removeSegment(context, files, base);
}

export async function removeSegment(context: LogContext, files: SegmentFiles, baseOffset: number): Promise<void> {
  await context.segments.forget(baseOffset);
  await files.unlinkSegment(baseOffset);
}

/** Segments below the log start that S has announced. Nobody reads them any more. */
async function finishRemoval(context: LogContext, files: SegmentFiles, safe: ControlRecord): Promise<void> {
  const bases = files.bases('');
  for (const [i, base] of bases.entries()) {
    const next = bases[i + 1];
    if (next === undefined || next > safe.logStartOffset || base >= safe.segmentBase) break;
    await removeSegment(context, files, base);
  }
  for (const base of files.orphans()) await files.unlinkIndexes(base);
  const first = files.bases('')[0] ?? 0;
  for (const offset of files.snapshots()) if (offset < first) await files.unlink(offset, '.snapshot');
}

/**
 * What a compaction or an erasure that died had not finished, if none is under way now; and what a broker had deleted.
 */
async function sweep(context: LogContext, files: SegmentFiles): Promise<void> {
  for (const base of files.bases('.deleted')) await files.unlinkSegment(base, '.deleted');
  if (files.bases('.cleaned').length === 0 || !context.locks.upkeep.tryAcquire()) return;
  try {
    for (const base of files.bases('.cleaned')) await files.unlinkSegment(base, '.cleaned');
  } finally {
    context.locks.upkeep.release();
  }
}

async function syncNames(context: FileContext): Promise<void> {
  await syncing(context, () => context.fs.syncDirectory(context.directory));
}
