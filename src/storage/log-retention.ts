/**
 * Deleting old segments by log start, size and age. What may go is found without locks: closed segments do not change.
 * If it is all of them, the one that is written to is closed first, unless somebody has appended meanwhile.
 */
import { judgeClock } from './clock-guard.js';
import { withSettledLog } from './layout-change.js';
import type { LogContext } from './log-context.js';
import { segmentFileName } from './log-files.js';
import { LogSegment } from './log-segment.js';
import { listSegments } from './log-segments.js';
import { raiseLogStart, type Trimmed } from './log-trim.js';
import { countDeletable, type RetentionSegment } from './retention-rules.js';
import { SegmentLookup } from './segment-lookup.js';

export interface RetentionOptions {
  /** Although the clock seems to have jumped. Default false. */
  readonly force?: boolean | undefined;
  /** Says what would go, and changes nothing. Default false. */
  readonly validateOnly?: boolean | undefined;
  /**
   * A segment's age begins when it was last written to, however old its records say they are: who brings in records of
   * long ago shall find them. Kafka goes by the records alone. Default false.
   */
  readonly sparesFresh?: boolean | undefined;
}

export interface Retained extends Trimmed {
  /** The wall clock jumped, so nothing was deleted by its age. */
  readonly skipped: 'clock' | undefined;
}

/**
 * Tries when segments went while their age was asked for: a trim, a compaction or another retention beside this one.
 */
const TRIES = 5;

export async function applyRetention(context: LogContext, options: RetentionOptions): Promise<Retained> {
  for (let tries = 1; ; tries++) {
    try {
      return await retainOnce(context, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === TRIES) throw error;
    }
  }
}

async function retainOnce(context: LogContext, options: RetentionOptions): Promise<Retained> {
  const { config, clock, control } = context;
  const validateOnly = options.validateOnly === true;
  const { appended, safe } = await control.read();
  if (appended === undefined || safe === undefined) {
    // Nothing is known before it is settled.
    return {
      ...(await withSettledLog(context, async (state) => raiseLogStart(context, state, 0, {}), { makesRoom: true })),
      skipped: undefined,
    };
  }
  const verdict = judgeClock(clock, context.bootId, safe);
  const believed = verdict.believed || options.force === true;
  const segments = await closedAndLast(context, appended, options.sparesFresh === true);
  const count = await countDeletable(segments, {
    logStartOffset: safe.logStartOffset,
    highWatermark: appended.offset,
    deletes: config.cleanupPolicy !== 'compact',
    retentionBytes: config.retentionBytes,
    retentionMs: config.retentionMs,
    nowMs: believed ? clock.now() : undefined,
  });
  const skipped = believed || config.retentionMs < 0 ? undefined : 'clock';
  const newStart = count === 0 ? safe.logStartOffset : segments[count - 1]!.endOffset;
  if (count === 0 && Object.keys(verdict.change).length === 0) {
    return { logStartOffset: safe.logStartOffset, offsets: 0, segments: 0, sizeInBytes: 0, skipped };
  }
  if (validateOnly) return { ...planned(segments.slice(0, count), newStart, safe.logStartOffset), skipped };
  const allGo = count === segments.length;
  const trimmed = await withSettledLog(
    context,
    (state) => {
      const wasCut = newStart > state.safe.offset;
      // Where the last segment stays after all, the log begins with it.
      const start = allGo && state.safe.offset > newStart ? state.safe.segmentBase : newStart;
      return raiseLogStart(context, state, wasCut || count === 0 ? 0 : start, { change: verdict.change });
    },
    { rollFirst: ({ offset }) => allGo && offset === newStart, makesRoom: true },
  );
  return { ...trimmed, skipped };
}

function planned(segments: readonly RetentionSegment[], newStart: number, oldStart: number): Trimmed {
  let sizeInBytes = 0;
  for (const segment of segments) sizeInBytes += segment.sizeInBytes;
  return { logStartOffset: newStart, offsets: newStart - oldStart, segments: segments.length, sizeInBytes };
}

async function closedAndLast(
  context: LogContext,
  appended: {
    readonly segmentBase: number;
    readonly offset: number;
    readonly position: number;
    readonly index: { readonly maxTimestamp: number };
  },
  sparesFresh: boolean,
): Promise<RetentionSegment[]> {
  const { fs, directory } = context;
  const bases = (await listSegments(fs, directory)).filter((base) => base <= appended.segmentBase);
  const segments: RetentionSegment[] = [];
  for (const [i, baseOffset] of bases.entries()) {
    const isLast = baseOffset === appended.segmentBase;
    const stat = await fs.stat(`${directory}/${segmentFileName(baseOffset, '.log')}`);
    if (stat === undefined) continue;
    segments.push({
      baseOffset,
      endOffset: isLast ? appended.offset : (bases[i + 1] ?? appended.offset),
      sizeInBytes: isLast ? appended.position : stat.size,
      isLast,
      largestTimestamp: async () => {
        const largest = isLast ? appended.index.maxTimestamp : await largestTimestamp(context, baseOffset);
        if (largest < 0) return stat.modifiedMs;
        return sparesFresh ? Math.max(largest, stat.modifiedMs) : largest;
      },
    });
  }
  return segments;
}

/** Of a closed segment; -1: no record has one. */
export async function largestTimestamp({ fs, directory }: LogContext, baseOffset: number): Promise<number> {
  const segment = await LogSegment.open(fs, directory, baseOffset, 'read');
  try {
    const beside = (suffix: '.index' | '.timeindex') =>
      segment.beside(suffix).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
    const files = {
      baseOffset,
      log: segment.log,
      offsetIndex: await beside('.index'),
      timeIndex: await beside('.timeindex'),
    };
    const lookup = new SegmentLookup(files);
    const limits = await lookup.limits((await segment.log.stat()).size, files);
    return (await lookup.largestTimestamp(limits, true))?.timestamp ?? -1;
  } finally {
    await segment.close();
  }
}
