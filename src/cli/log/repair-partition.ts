/**
 * Repairs one partition. Every byte is kept; good batches behind damage stay in the log with their offsets, and what
 * was damaged becomes a gap.
 *
 * In a directory that klog writes to, damage is first brought behind the last segment: the log is settled, and a
 * damaged segment that is being written to is closed, so that A and S keep their meaning. Then each damaged segment is
 * exchanged for one without the bad bytes (storage/segment-swap.ts), beside readers and under the partition's locks.
 * The repair may be killed at any call: the next opener finishes or undoes the exchange, and the next repair goes on.
 *
 * Where klog.end says nothing (a broker's directory, a copy), nobody else can be working on it: the files are exchanged
 * the same way, without A and S.
 */
import { basename, join } from 'node:path';
import { CONTROL_FILE_NAME } from '../../storage/control-file.js';
import type { ControlRecord } from '../../storage/control-record.js';
import { syncing } from '../../storage/failed-sync.js';
import { type OpenFile, writeFully } from '../../storage/file-system.js';
import { withSettledLog } from '../../storage/layout-change.js';
import { putInPlace } from '../../storage/layout-recovery.js';
import { readLeaderEpochs, writeLeaderEpochs } from '../../storage/leader-epoch-checkpoint.js';
import { type FileContext, isOdd, type LogContext, type SettledState } from '../../storage/log-context.js';
import { parseSegmentFileName, segmentFileName } from '../../storage/log-files.js';
import { listSegments } from '../../storage/log-segments.js';
import { settle } from '../../storage/log-settle.js';
import { raiseLogStart } from '../../storage/log-trim.js';
import { SegmentFiles } from '../../storage/segment-files.js';
import { EMPTY_INDEX_STATE } from '../../storage/segment-index-writer.js';
import { swapIn } from '../../storage/segment-swap.js';
import { TransactionTracker } from '../../storage/transaction-tracker.js';
import type { PartitionCheck, Severity } from './check-report.js';
import { emptyBatch, rewriteSegment, type SegmentRange, visitPieces } from './repair-segment.js';
import { damagedSideFiles, repairSideFiles } from './repair-side-files.js';

/** Base offsets of the segments with a file that has such a problem. */
export function segmentsWith(check: PartitionCheck, severities: readonly Severity[]): Set<number> {
  const bases = check.problems
    .filter(({ severity }) => severities.includes(severity))
    .map(({ file }) => parseSegmentFileName(basename(file)))
    .filter((name) => name !== undefined && name.state === undefined && name.suffix !== '.snapshot')
    .map((name) => name!.baseOffset);
  return new Set(bases);
}

/** A partition with a control file. `check` is of now: the upkeep lock is held since before. */
export async function repairOwn(context: LogContext, check: PartitionCheck): Promise<void> {
  const damaged = segmentsWith(check, ['damage']);
  const isControlDamaged = check.problems.some(
    ({ severity, file }) => severity === 'damage' && basename(file) === CONTROL_FILE_NAME,
  );
  const isTrusted = await underBothLocks(context, async () => {
    await repairSideFiles(context, damagedSideFiles(check));
    const { safe, appended } = await context.control.read();
    if (safe === undefined || safe.identity !== context.control.identity) {
      // Before it is settled: that would cut off everything behind the first bad batch of the last segment.
      await exchangeAll(context, damaged);
      await settle(context);
      if (isControlDamaged) await settle(context);
      return false;
    }
    if (await contradicts(context, safe)) await beginBehind(context, safe, appended);
    // Each time the slot that does not hold the newest record is written.
    if (isControlDamaged) await settle(context);
    return true;
  });
  if (!isTrusted) return;
  await withSettledLog(context, (state) => beginAtFirstSegment(context, state), {
    rollFirst: (appended) => damaged.has(appended.segmentBase) && 'must',
  });
  await eachRange(context, async (range, tracker) => {
    if (!damaged.has(range.baseOffset)) return false;
    await swapIn(context, await rewriteSegment(context, range, tracker));
    return true;
  });
}

/** A partition that no klog writes to, held under the broker's lock. */
export async function repairForeign(context: FileContext, check: PartitionCheck): Promise<void> {
  await repairSideFiles(context, damagedSideFiles(check));
  await exchangeAll(context, segmentsWith(check, ['damage', 'torn']));
}

async function exchangeAll(context: FileContext, bases: ReadonlySet<number>): Promise<void> {
  await finishExchanges(context);
  await eachRange(context, async (range, tracker) => {
    if (!bases.has(range.baseOffset)) return false;
    const { baseOffset } = await rewriteSegment(context, range, tracker);
    const files = await SegmentFiles.list(context.fs, context.directory);
    for (const suffix of ['.index', '.timeindex', '.txnindex', '.log'] as const) {
      if (files.has(baseOffset, suffix, '.cleaned')) await files.rename(baseOffset, suffix, '.cleaned', '.swap');
    }
    await context.fs.syncDirectory(context.directory);
    await putInPlace(context, files, baseOffset);
    return true;
  });
}

/** What an interrupted repair has left: the log becomes `.swap` last, so one that is, is whole. */
async function finishExchanges(context: FileContext): Promise<void> {
  const files = await SegmentFiles.list(context.fs, context.directory);
  for (const base of files.bases('.swap')) {
    if (files.has(base, '.log', '.cleaned')) await files.unlinkSegment(base, '.swap');
    else await putInPlace(context, files, base);
  }
  for (const base of files.bases('.cleaned')) await files.unlinkSegment(base, '.cleaned');
}

/** `work` answers whether it has tracked the segment's transactions itself. */
async function eachRange(
  context: FileContext,
  work: (range: SegmentRange, tracker: TransactionTracker) => Promise<boolean>,
): Promise<void> {
  const { fs, directory } = context;
  const tracker = new TransactionTracker();
  const bases = await listSegments(fs, directory);
  let minOffset = 0;
  for (const [i, baseOffset] of bases.entries()) {
    const range = { baseOffset, minOffset: Math.max(minOffset, baseOffset), maxOffset: bases[i + 1] };
    const isTracked = await work(range, tracker);
    const log = await fs.open(join(directory, segmentFileName(baseOffset, '.log')), 'read');
    try {
      const track = isTracked
        ? {}
        : {
            good: async (walk: { track(tracker: TransactionTracker): Promise<unknown> }) =>
              void (await walk.track(tracker)),
          };
      minOffset = await visitPieces(log, range, (await log.stat()).size, track);
    } finally {
      await log.close();
    }
  }
}

/** Where the first segments are gone the log begins behind them: nothing is left that could be read there. */
async function beginAtFirstSegment(context: LogContext, state: SettledState): Promise<void> {
  const [first] = await listSegments(context.fs, context.directory);
  if (first !== undefined && first > state.safe.logStartOffset) await raiseLogStart(context, state, first, {});
}

async function underBothLocks<T>(context: LogContext, work: () => Promise<T>): Promise<T> {
  const { locks } = context;
  await locks.acquireAppend();
  try {
    await locks.sync.acquire();
    try {
      return await work();
    } finally {
      locks.sync.release();
    }
  } finally {
    locks.append.release();
  }
}

/** Bytes that were safe are gone. */
async function contradicts({ fs, directory }: LogContext, safe: ControlRecord): Promise<boolean> {
  const stat = await fs.stat(join(directory, segmentFileName(safe.segmentBase, '.log')));
  return stat === undefined || stat.size < safe.position;
}

/**
 * The end that was safe stays the end: what is gone becomes a gap, and no offset is given out twice. A segment that is
 * too short is closed, one that is missing is made again.
 */
async function beginBehind(
  context: LogContext,
  safe: ControlRecord,
  appended: ControlRecord | undefined,
): Promise<void> {
  const { control, fs, directory, clock } = context;
  const { offset } = safe;
  await control.setSyncing(true);
  const isMissing = (await fs.stat(join(directory, segmentFileName(safe.segmentBase, '.log')))) === undefined;
  const segmentBase = isMissing ? safe.segmentBase : offset;
  await context.segments.forget(segmentBase);
  const { log } = await context.segments.create(segmentBase);
  await log.truncate(0);
  const position = segmentBase === offset ? 0 : await writeGap(log, segmentBase, safe);
  await syncing(context, () => log.sync());
  await syncing(context, () => fs.syncDirectory(directory));
  const goesBack = appended !== undefined && appended.offset > offset;
  const now = clock.now();
  const index = { ...EMPTY_INDEX_STATE, bytesSinceIndex: position };
  const next: ControlRecord = {
    ...safe,
    segmentBase,
    position,
    transactionIndexSize: 0,
    leaderEpoch: await epochBehind(context, safe, goesBack),
    cutCount: Math.max(safe.cutCount, appended?.cutCount ?? 0) + (goesBack ? 1 : 0),
    layoutVersion: safe.layoutVersion + (isOdd(safe.layoutVersion) ? 1 : 2),
    firstTimestamp: -1,
    segmentCreatedMs: now,
    index,
    checkpointPosition: position,
    checkpointIndex: index,
    checkpointMs: now,
  };
  await control.writeAppended({ ...next, bootId: new Uint8Array(16), identity: 0 });
  await control.writeSafe({ ...next, bootId: context.bootId, identity: control.identity });
  await syncing(context, () => control.sync());
  await control.setSyncing(false);
}

/** Answers the position behind it. */
async function writeGap(log: OpenFile, segmentBase: number, safe: ControlRecord): Promise<number> {
  const bytes = emptyBatch(segmentBase, safe.offset, safe.leaderEpoch);
  return writeFully(log, bytes, 0, bytes.length, 0);
}

/** A new epoch where something that was appended is cut off, so that others can tell. */
async function epochBehind({ fs, directory }: LogContext, safe: ControlRecord, goesBack: boolean): Promise<number> {
  const epochs = await readLeaderEpochs(fs, directory);
  const latest = Math.max(safe.leaderEpoch, epochs.at(-1)?.epoch ?? 0);
  if (!goesBack) return latest;
  const kept = epochs.filter(({ startOffset }) => startOffset < safe.offset);
  await writeLeaderEpochs(fs, directory, [...kept, { epoch: latest + 1, startOffset: safe.offset }]);
  return latest + 1;
}
