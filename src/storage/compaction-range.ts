/**
 * What of a log is to be compacted, and whether it is time (Kafka: `LogCleanerManager.cleanableOffsets`, `LogToClean`).
 */
import { BatchScanner } from './batch-scanner.js';
import type { ControlRecord } from './control-record.js';
import type { LogContext, SettledState } from './log-context.js';
import { segmentFileName } from './log-files.js';
import { largestTimestamp } from './log-retention.js';
import { listSegments } from './log-segments.js';

/** A segment that nothing is appended to any more. */
export interface ClosedSegment {
  readonly baseOffset: number;
  /** Base offset of the next one. */
  readonly endOffset: number;
  /** So much of its `.log` counts: all of it. */
  readonly sizeInBytes: number;
  /** Of its offset index and its time index, the larger one. */
  readonly indexBytes: number;
}

export interface CompactionRange {
  /** Compacted before: only what the dirty ones have later goes out of them. */
  readonly clean: readonly ClosedSegment[];
  readonly dirty: readonly ClosedSegment[];
  readonly firstDirtyOffset: number;
}

/**
 * Only whole segments that are closed, stable (no open transaction reaches into them) and old enough.
 * @param asIfRolled the segment written to counts as if it had just been closed
 */
export async function findCompactionRange(
  context: LogContext,
  { safe }: SettledState,
  nowMs: number,
  asIfRolled = false,
): Promise<CompactionRange> {
  const { minCompactionLagMs } = context.config;
  const closed = await closedSegments(context, safe.segmentBase);
  if (asIfRolled && safe.position > 0) closed.push(activeSegment(safe));
  const first = closed[0]?.baseOffset ?? 0;
  const checkpoint = safe.firstDirtyOffset;
  const inRange = checkpoint >= Math.max(safe.logStartOffset, first) && checkpoint <= safe.offset;
  const firstDirtyOffset = inRange ? checkpoint : Math.max(safe.logStartOffset, first);
  const clean = closed.filter((segment) => segment.endOffset <= firstDirtyOffset);
  const dirty: ClosedSegment[] = [];
  for (const segment of closed.slice(clean.length)) {
    if (segment.endOffset > safe.lastStableOffset) break;
    if (minCompactionLagMs > 0) {
      const isActive = segment.baseOffset === safe.segmentBase;
      // The files of the one written to do not yet tell.
      const newest = isActive ? safe.index.maxTimestamp : await largestTimestamp(context, segment.baseOffset);
      if ((newest >= 0 ? newest : await lastWritten(context, segment)) > nowMs - minCompactionLagMs) break;
    }
    dirty.push(segment);
  }
  return { clean, dirty, firstDirtyOffset };
}

/** Whether the dirty share, or the age of a dirty record, asks for it. */
export async function isCompactionDue(context: LogContext, range: CompactionRange, nowMs: number): Promise<boolean> {
  const { minCleanableDirtyRatio, maxCompactionLagMs } = context.config;
  const dirty = sizeOf(range.dirty);
  if (dirty === 0) return false;
  if (dirty / (sizeOf(range.clean) + dirty) > minCleanableDirtyRatio) return true;
  if (maxCompactionLagMs === Number.POSITIVE_INFINITY) return false;
  for (const segment of range.dirty) {
    const oldest = await firstTimestamp(context, segment);
    if (oldest >= 0 && oldest < nowMs - maxCompactionLagMs) return true;
  }
  return false;
}

export function sizeOf(segments: readonly ClosedSegment[]): number {
  let size = 0;
  for (const { sizeInBytes } of segments) size += sizeInBytes;
  return size;
}

async function closedSegments({ fs, directory }: LogContext, last: number): Promise<ClosedSegment[]> {
  const bases = (await listSegments(fs, directory)).filter((base) => base <= last);
  const found: ClosedSegment[] = [];
  for (let i = 0; i + 1 < bases.length; i++) {
    const baseOffset = bases[i]!;
    const size = async (suffix: '.log' | '.index' | '.timeindex') =>
      (await fs.stat(`${directory}/${segmentFileName(baseOffset, suffix)}`))?.size ?? 0;
    const indexBytes = Math.max(await size('.index'), await size('.timeindex'));
    found.push({ baseOffset, endOffset: bases[i + 1]!, sizeInBytes: await size('.log'), indexBytes });
  }
  return found;
}

function activeSegment({ segmentBase, offset, position, index }: ControlRecord): ClosedSegment {
  const indexBytes = Math.max(index.offsetIndexSize, index.timeIndexSize);
  return { baseOffset: segmentBase, endOffset: offset, sizeInBytes: position, indexBytes };
}

/** Stands for when the youngest record was made where none has a timestamp. */
async function lastWritten({ fs, directory }: LogContext, { baseOffset }: ClosedSegment): Promise<number> {
  return (await fs.stat(`${directory}/${segmentFileName(baseOffset, '.log')}`))?.modifiedMs ?? -1;
}

/** Largest timestamp of the first batch, which stands for the age of the segment's oldest record; -1: none. */
async function firstTimestamp({ fs, directory }: LogContext, { baseOffset }: ClosedSegment): Promise<number> {
  const log = await fs.open(`${directory}/${segmentFileName(baseOffset, '.log')}`, 'read');
  try {
    const scanner = new BatchScanner(log, (await log.stat()).size);
    return (await scanner.next()) ? scanner.batch.maxTimestamp : -1;
  } finally {
    await log.close();
  }
}
