/**
 * Raising the log start, and deleting the segments below it (Kafka: `DeleteRecords`,
 * `UnifiedLog.maybeIncrementLogStartOffset`).
 *
 * The new log start is on the disk, in an odd S, before the first file goes: whoever is killed in between has the rest
 * done by the next settling. Offsets are never reset: where everything goes, an empty segment is begun at the end
 * first.
 */
import { KlogError } from '../errors.js';
import type { ControlRecord } from './control-record.js';
import { changeLayout, type LogChange, syncDirectory, withSettledLog, writeChange } from './layout-change.js';
import { removeSegment } from './layout-recovery.js';
import { trimLeaderEpochs } from './leader-epoch-checkpoint.js';
import type { LogContext, SettledState } from './log-context.js';
import { segmentFileName } from './log-files.js';
import { SegmentFiles } from './segment-files.js';

export interface TrimOptions {
  /** Says what would go, and changes nothing. Default false. */
  readonly validateOnly?: boolean | undefined;
}

export interface Trimmed {
  /** From now on. */
  readonly logStartOffset: number;
  /** By how much it was raised. */
  readonly offsets: number;
  /** Segments that went. */
  readonly segments: number;
  /** Bytes of their `.log` files. */
  readonly sizeInBytes: number;
}

/** @param beforeOffset -1: the high watermark. @throws KlogError OFFSET_OUT_OF_RANGE beyond it */
export async function trim(context: LogContext, beforeOffset: number, options: TrimOptions): Promise<Trimmed> {
  const validateOnly = options.validateOnly === true;
  const work = async (state: SettledState): Promise<Trimmed> => {
    const highWatermark = state.safe.offset;
    const wanted = beforeOffset === -1 ? highWatermark : beforeOffset;
    if (!(Number.isSafeInteger(wanted) && wanted >= 0 && wanted <= highWatermark)) {
      throw outOfRange(context, beforeOffset, state.safe);
    }
    return await raiseLogStart(context, state, wanted, { validateOnly });
  };
  return await withSettledLog(context, work, {
    rollFirst: ({ offset }) => !validateOnly && (beforeOffset === -1 || beforeOffset === offset),
    makesRoom: true,
  });
}

export interface RaiseOptions {
  readonly validateOnly?: boolean;
  /** Written with it. */
  readonly change?: LogChange;
}

/** The append and sync locks are held. */
export async function raiseLogStart(
  context: LogContext,
  state: SettledState,
  toOffset: number,
  { validateOnly = false, change = {} }: RaiseOptions,
): Promise<Trimmed> {
  const before = state.safe.logStartOffset;
  const logStartOffset = Math.max(before, toOffset);
  const files = await SegmentFiles.list(context.fs, context.directory);
  const removed = below(files.bases(''), logStartOffset, state.safe.segmentBase);
  let sizeInBytes = 0;
  for (const base of removed) sizeInBytes += await sizeOf(context, base);
  const trimmed = { logStartOffset, offsets: logStartOffset - before, segments: removed.length, sizeInBytes };
  if (validateOnly) return trimmed;
  if (removed.length > 0) {
    await changeLayout(context, state, { ...change, logStartOffset }, async () => {
      for (const base of removed) await removeSegment(context, files, base);
      await syncDirectory(context);
    });
  } else if (logStartOffset > before) {
    await writeChange(context, state, { ...change, logStartOffset });
    // Whoever deleted records must not see them again after a power loss.
    await context.control.sync();
  } else if (Object.keys(change).length > 0) {
    await writeChange(context, state, change);
  }
  await trimLeaderEpochs(context.fs, context.directory, logStartOffset);
  return trimmed;
}

/** Segments with nothing at or above the log start; never the one that is written to. */
function below(bases: readonly number[], logStartOffset: number, last: number): number[] {
  return bases.filter((base, i) => base < last && (bases[i + 1] ?? Number.POSITIVE_INFINITY) <= logStartOffset);
}

async function sizeOf(context: LogContext, baseOffset: number): Promise<number> {
  return (await context.fs.stat(`${context.directory}/${segmentFileName(baseOffset, '.log')}`))?.size ?? 0;
}

function outOfRange({ topic, partition }: LogContext, offset: number, safe: ControlRecord): KlogError {
  return new KlogError(
    'OFFSET_OUT_OF_RANGE',
    `offset ${offset} of ${topic}:${partition} cannot be the new log start: the log begins at ${safe.logStartOffset} and ends at ${safe.offset}`,
    { topic, partition, offset },
  );
}
