/**
 * Exchanges segments for one that was written anew from them (compaction, erasing). Kafka's names tell at each moment
 * how far it has come (layout-recovery.ts), and a broker that finds them goes on from there as well:
 *
 * ```
 * before, without locks   X.*.cleaned written and synced, their names too
 * S odd, names X          on the disk, with `syncing` set
 * decided                 X.index X.timeindex X.txnindex X.log: .cleaned → .swap, names synced
 * in place                .swap → the plain names, over the old files, names synced
 * the others              the files of the other exchanged segments are unlinked, names synced
 * A, then S even
 * ```
 *
 * Readers that have the old files open go on reading them; others find a name missing, or the layout changed, and look
 * again. At no moment is a record that stays missing from the plain names.
 */
import { changeLayout, syncDirectory, withSettledLog } from './layout-change.js';
import { putInPlace, removeSegment } from './layout-recovery.js';
import type { LogContext, SettledState } from './log-context.js';
import type { SegmentSuffix } from './log-files.js';
import { SegmentFiles } from './segment-files.js';

/** A segment that waits under `.cleaned` names to take the place of others. */
export interface CleanedSegment {
  /** Of the first segment it replaces. */
  readonly baseOffset: number;
  /** Base offsets of the segments it was made of, itself the first. */
  readonly sources: readonly number[];
  /** The files that it has. */
  readonly suffixes: readonly SegmentSuffix[];
}

/** False: a segment it was made of has gone meanwhile (trimmed), so the new one was thrown away. */
export async function swapIn(context: LogContext, cleaned: CleanedSegment): Promise<boolean> {
  const { baseOffset, sources, suffixes } = cleaned;
  let hasBegun = false;
  const exchange = async (state: SettledState): Promise<boolean> => {
    const files = await SegmentFiles.list(context.fs, context.directory);
    const whole = suffixes.every((suffix) => files.has(baseOffset, suffix, '.cleaned'));
    if (!whole || sources.some((source) => !files.has(source, '.log') || source >= state.safe.segmentBase)) {
      await files.unlinkSegment(baseOffset, '.cleaned');
      return false;
    }
    hasBegun = true;
    await changeLayout(context, state, { swappedBase: baseOffset }, async () => {
      // The log last: with it the exchange is decided.
      for (const suffix of ['.index', '.timeindex', '.txnindex', '.log'] as const) {
        if (files.has(baseOffset, suffix, '.cleaned')) await files.rename(baseOffset, suffix, '.cleaned', '.swap');
      }
      await syncDirectory(context);
      await putInPlace(context, files, baseOffset);
      for (const source of sources) if (source !== baseOffset) await removeSegment(context, files, source);
      await syncDirectory(context);
    });
    return true;
  };
  try {
    return await withSettledLog(context, exchange);
  } catch (error) {
    // One that has begun is undone, or finished, by who settles: that goes by which of its files are there.
    if (!hasBegun) await takeAway(context, baseOffset).catch(() => {});
    throw error;
  }
}

async function takeAway({ fs, directory }: LogContext, baseOffset: number): Promise<void> {
  await (await SegmentFiles.list(fs, directory)).unlinkSegment(baseOffset, '.cleaned');
}
