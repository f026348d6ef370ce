/**
 * Compaction of a partition: of the records with the same key only the last stays (Kafka: `LogCleaner`, FORMAT §15).
 *
 * One process at a time, under the upkeep lock. Both passes read closed segments, which do not change, so no writer and
 * no reader is held up; only the exchange of each finished group of segments takes the append and sync locks, for the
 * time of a few directory syncs. How far the log was compacted is a field of the control record: Kafka's own
 * `cleaner-offset-checkpoint` is one file for all partitions, which would need a lock for all of them.
 *
 * Two things are done otherwise than by Kafka, neither of which a reader notices: each new segment keeps its last
 * batch, if only as a header, so that its range of offsets can be read from it (layout-recovery.ts); and an aborted
 * transaction stays in the index as long as its marker does, so that a reader which fetched from the files of before
 * still finds it.
 */
import { KlogError } from '../errors.js';
import { BatchFilter } from './batch-filter.js';
import { Breather } from './breather.js';
import { CleanedSegmentWriter } from './cleaned-segment-writer.js';
import { CleanedTransactions } from './cleaned-transactions.js';
import { judgeClock } from './clock-guard.js';
import {
  type ClosedSegment,
  type CompactionRange,
  findCompactionRange,
  isCompactionDue,
  sizeOf,
} from './compaction-range.js';
import { CompactionRules } from './compaction-rules.js';
import { collectDirtyKeys } from './dirty-keys.js';
import { withSettledLog, writeChange } from './layout-change.js';
import type { LogContext, SettledState } from './log-context.js';
import { type SegmentSuffix, segmentFileName } from './log-files.js';
import { listSegments } from './log-segments.js';
import { segmentBatches } from './segment-batches.js';
import { groupSegments } from './segment-groups.js';
import { swapIn } from './segment-swap.js';
import { type AbortedTransaction, TransactionIndex } from './transaction-index.js';

export interface CompactOptions {
  /**
   * Whatever the dirty ratio and the clock say, and the segment written to as well: it is closed first. Default false.
   */
  readonly force?: boolean | undefined;
  /** Says what would come of it (of a first pass, where the map of keys is too small for one), and changes nothing. */
  readonly validateOnly?: boolean | undefined;
  /** Gives up, between two batches, when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Bound of the map of keys. Default 64 MiB: two million keys a pass. */
  readonly mapBytes?: number | undefined;
}

export interface Compacted {
  readonly skipped: 'nothing to do' | 'below the dirty ratio' | 'clock' | undefined;
  /** Below it every record was held against all others below it. */
  readonly firstDirtyOffset: number;
  readonly recordsBefore: number;
  readonly recordsAfter: number;
  /** Segments gone through, whether or not they changed; what became of them. */
  readonly segmentsBefore: number;
  readonly segmentsAfter: number;
  readonly sizeBefore: number;
  readonly sizeAfter: number;
}

/** Times that files which were removed (trimmed) in the middle of it are looked for anew. */
const TRIES = 5;

/** The upkeep lock is held. @throws KlogError INVALID_CONFIG, CORRUPT_MESSAGE, KLOG_DISK_FULL, KLOG_SYNC_FAILED */
export async function compactLocked(context: LogContext, options: CompactOptions): Promise<Compacted> {
  const { clock, config, topic, partition } = context;
  if (config.cleanupPolicy === 'delete') {
    throw new KlogError('INVALID_CONFIG', `topic ${topic} is not compacted: its cleanup.policy is delete`, {
      topic,
      partition,
      hint: 'Set it to compact, or to compact,delete',
    });
  }
  const { force = false, validateOnly = false } = options;
  let done: Compacted | undefined;
  for (let tries = 1; ; ) {
    const state = await withSettledLog(context, async (settled) => settled, {
      rollFirst: () => force && !validateOnly && done === undefined,
    });
    if (!force && !judgeClock(clock, context.bootId, state.safe).believed) return skipped('clock', state);
    try {
      const range = await findCompactionRange(context, state, clock.now(), force && validateOnly);
      const isFirst = done === undefined;
      if (range.dirty.length === 0 && (!force || !isFirst || range.clean.length === 0)) {
        return done ?? skipped('nothing to do', state);
      }
      if (isFirst && !force && !(await isCompactionDue(context, range, clock.now()))) {
        return skipped('below the dirty ratio', state);
      }
      const pass = await compactOnce(context, state, range, options);
      done = done === undefined ? pass : together(done, pass);
      // The map was full before the end.
      const end = range.dirty.at(-1)?.endOffset ?? range.firstDirtyOffset;
      if (done.firstDirtyOffset >= end || validateOnly) return done;
    } catch (error) {
      if (!wentAway(error) || tries++ === TRIES) throw error;
    }
  }
}

function wentAway(error: unknown): boolean {
  return error === SEGMENTS_WENT || (error as NodeJS.ErrnoException).code === 'ENOENT';
}

const SEGMENTS_WENT = new KlogError('KAFKA_STORAGE_ERROR', 'segments were removed while they were compacted');

async function compactOnce(
  context: LogContext,
  state: SettledState,
  range: CompactionRange,
  options: CompactOptions,
): Promise<Compacted> {
  const { clock, config } = context;
  const { validateOnly = false } = options;
  const breather = new Breather(options.signal);
  const nowMs = clock.now();
  const aborted = await abortedTransactions(context, state);
  const dirty = await collectDirtyKeys(context, range, aborted, { nowMs, mapBytes: options.mapBytes, breather });
  const { upperBound } = dirty;
  const rules = new CompactionRules({
    ...dirty,
    nowMs,
    deleteRetentionMs: config.deleteRetentionMs,
    transactions: new CleanedTransactions(aborted.filter(({ firstOffset }) => firstOffset < upperBound)),
  });
  const segments = [...range.clean, ...range.dirty].filter(
    ({ baseOffset }) => baseOffset < upperBound || range.dirty.length === 0,
  );
  const total = { recordsBefore: 0, recordsAfter: 0, segmentsAfter: 0, sizeAfter: 0 };
  for (const group of groupSegments(segments, config)) {
    const cleaned = await cleanGroup(context, group, rules, breather, validateOnly);
    total.recordsBefore += cleaned.recordsBefore;
    total.recordsAfter += cleaned.recordsAfter;
    total.sizeAfter += cleaned.sizeAfter;
    total.segmentsAfter++;
  }
  if (!validateOnly) {
    await withSettledLog(context, (settled) => writeChange(context, settled, { firstDirtyOffset: upperBound }));
  }
  return {
    ...total,
    skipped: undefined,
    firstDirtyOffset: upperBound,
    segmentsBefore: segments.length,
    sizeBefore: sizeOf(segments),
  };
}

async function cleanGroup(
  context: LogContext,
  group: readonly ClosedSegment[],
  rules: CompactionRules,
  breather: Breather,
  validateOnly: boolean,
): Promise<{ recordsBefore: number; recordsAfter: number; sizeAfter: number }> {
  const { fs, directory, control } = context;
  // Files are made by their path: that must not have come to mean another topic's partition.
  if (!(await control.isCurrent(fs))) throw SEGMENTS_WENT;
  const [first] = group;
  const writer = validateOnly ? undefined : await CleanedSegmentWriter.create(context, first!.baseOffset);
  const filter = new BatchFilter();
  const lastWithBytes = group.findLast(({ sizeInBytes }) => sizeInBytes > 0);
  const total = { recordsBefore: 0, recordsAfter: 0, sizeAfter: 0 };
  let changed = group.length > 1;
  let suffixes: readonly SegmentSuffix[];
  try {
    for (const segment of group) {
      const { baseOffset, endOffset, sizeInBytes } = segment;
      for await (const { bytes, isLast } of segmentBatches(fs, directory, baseOffset, endOffset, sizeInBytes)) {
        await breather.breathe();
        const plan = rules.planFor(bytes, isLast && segment === lastWithBytes);
        const filtered = await filter.filter(bytes, plan);
        total.recordsBefore += filtered.recordsBefore;
        total.recordsAfter += filtered.recordsAfter;
        if (filtered.bytes !== bytes) changed = true;
        if (filtered.bytes === undefined) {
          if (plan.dataMet) writer?.addAborted(plan.aborted!);
          continue;
        }
        total.sizeAfter += filtered.bytes.length;
        await writer?.append(filtered.bytes);
        if (plan.aborted !== undefined) writer?.addAborted(plan.aborted);
      }
    }
    if (writer === undefined) return total;
    const oldIndexes = await transactionIndexes(context, group);
    if (!changed) {
      await writer.discard();
      return total;
    }
    suffixes = await writer.finish(oldIndexes > 0);
  } catch (error) {
    await writer?.discard().catch(() => {});
    throw error;
  }
  const sources = group.map(({ baseOffset }) => baseOffset);
  if (!(await swapIn(context, { baseOffset: first!.baseOffset, sources, suffixes }))) throw SEGMENTS_WENT;
  return total;
}

/** How many of the segments have one. */
async function transactionIndexes({ fs, directory }: LogContext, group: readonly ClosedSegment[]): Promise<number> {
  let count = 0;
  for (const { baseOffset } of group) {
    if ((await fs.stat(`${directory}/${segmentFileName(baseOffset, '.txnindex')}`)) !== undefined) count++;
  }
  return count;
}

/** Of the whole log, up to what is safe. */
export async function abortedTransactions(
  { fs, directory }: LogContext,
  { safe }: SettledState,
): Promise<AbortedTransaction[]> {
  const found: AbortedTransaction[] = [];
  for (const baseOffset of await listSegments(fs, directory)) {
    if (baseOffset > safe.segmentBase) break;
    const path = `${directory}/${segmentFileName(baseOffset, '.txnindex')}`;
    if ((await fs.stat(path)) === undefined) continue;
    const file = await fs.open(path, 'read');
    try {
      const size = baseOffset === safe.segmentBase ? safe.transactionIndexSize : (await file.stat()).size;
      for await (const entry of new TransactionIndex(file).entries(size)) found.push(entry);
    } finally {
      await file.close();
    }
  }
  return found;
}

function skipped(why: NonNullable<Compacted['skipped']>, { safe }: SettledState): Compacted {
  return {
    skipped: why,
    firstDirtyOffset: safe.firstDirtyOffset,
    recordsBefore: 0,
    recordsAfter: 0,
    segmentsBefore: 0,
    segmentsAfter: 0,
    sizeBefore: 0,
    sizeAfter: 0,
  };
}

/** A later pass goes through the same segments again: before is before the first, after is after the last. */
function together(first: Compacted, last: Compacted): Compacted {
  const { recordsBefore, sizeBefore, segmentsBefore } = first;
  const came = last.recordsBefore - first.recordsAfter;
  return {
    ...last,
    recordsBefore: recordsBefore + Math.max(0, came),
    sizeBefore: sizeBefore + Math.max(0, last.sizeBefore - first.sizeAfter),
    segmentsBefore: segmentsBefore + Math.max(0, last.segmentsBefore - first.segmentsAfter),
  };
}

/** Waits for the upkeep lock: KLOG_LOCKED, if another process is compacting this partition for too long. */
export async function compact(context: LogContext, options: CompactOptions): Promise<Compacted> {
  const { upkeep } = context.locks;
  await upkeep.acquire();
  try {
    return await compactLocked(context, options);
  } finally {
    upkeep.release();
  }
}
