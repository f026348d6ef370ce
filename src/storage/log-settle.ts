/**
 * Settling: brings a partition whose last writer died, whose sync failed or whose machine lost power to a state in
 * which everything that is there is safe. Part of opening; costs what was not synced, not the log. May itself be killed
 * at any call: the next one begins again.
 *
 * It starts at S, below which everything is on the disk, and goes through every later segment: whole batches are
 * verified and *written again* (after a failed sync the kernel takes lost pages for clean; only bytes written anew are
 * synced), a torn tail is kept aside as `<segment>.cut-<position>` and cut off. After a power loss A proves nothing, so
 * it is not looked at. Without S of this very file (a copy, a broker's directory) the last segment is gone through from
 * its base.
 */
import { KlogError } from '../errors.js';
import { BatchScanner, SEQUENTIAL_WINDOW_BYTES } from './batch-scanner.js';
import { clockReference } from './clock-guard.js';
import { type ControlRecord, firstControlRecord } from './control-record.js';
import { withoutOverlaps } from './covered-segments.js';
import { syncing } from './failed-sync.js';
import { isDiskFull } from './file-system.js';
import { finishLayoutChange } from './layout-recovery.js';
import {
  areSameEpochs,
  cutLeaderEpochs,
  LEADER_EPOCH_CHECKPOINT,
  readLeaderEpochs,
  writeLeaderEpochs,
} from './leader-epoch-checkpoint.js';
import { lockGate } from './lock-gate.js';
import {
  isAppendable,
  isOdd,
  isOfThisBoot,
  isSettled,
  type LogContext,
  lookAt,
  type SettledState,
} from './log-context.js';
import type { LogSegment } from './log-segment.js';
import { EMPTY_INDEX_STATE, MAX_RELATIVE_OFFSET, type SegmentIndexWriter } from './segment-index-writer.js';
import { cutOff } from './torn-tail.js';

export interface SettleOptions {
  /** Between the offsets behind S; else what does not follow is not what was written there last. Default false. */
  readonly mayHaveGaps?: boolean;
  /**
   * Who is about to make room must not need any: what the disk has no room for is then not kept aside. Nobody was told
   * that it is safe. Default false.
   */
  readonly makesRoom?: boolean;
}

/** Settles unless somebody has done so meanwhile. The append and sync locks are held. */
export async function settleIfNeeded(context: LogContext): Promise<SettledState> {
  const { state, logSize } = await lookAt(context);
  if (isSettled(context, state, logSize)) return state;
  // Where nobody has died, and no sync has failed, all that was appended is there: A may have passed over offsets that
  // were kept.
  return await settle(context, { mayHaveGaps: isAppendable(context, state, logSize) && !state.syncing });
}

/** The append lock is held. A as it may be appended behind, and S: settled, if the one before died in the middle. */
export async function settledState(context: LogContext, options: SettleOptions = {}): Promise<SettledState> {
  const { state, logSize } = await lookAt(context);
  if (isAppendable(context, state, logSize)) return state;
  await context.locks.sync.acquire();
  try {
    return await settle(context, options);
  } finally {
    context.locks.sync.release();
  }
}

/** What an opener, or a follower at its poll, does: settles if that is needed and nobody is busy with the partition. */
export async function trySettle(context: LogContext): Promise<void> {
  await lockGate.run(() => settleIfFree(context));
}

async function settleIfFree(context: LogContext): Promise<void> {
  const { append, sync } = context.locks;
  if (!append.tryAcquire()) return;
  try {
    if (!(await context.control.isCurrent(context.fs)) || !sync.tryAcquire()) return;
    try {
      await settleIfNeeded(context);
    } finally {
      sync.release();
    }
  } finally {
    append.release();
  }
}

/** The append and sync locks are held. Answers the A and S it has written. */
export async function settle(
  context: LogContext,
  { mayHaveGaps = false, makesRoom = false }: SettleOptions = {},
): Promise<SettledState> {
  const { control, segments } = context;
  await control.setSyncing(true);
  const { appended, safe } = await control.read();
  await finishLayoutChange(context, safe);
  const bases = await segmentsToSettle(context, safe);
  const origin = startingPoint(context, safe, bases);
  const end: ControlRecord = { ...origin.record };
  const walked: LogSegment[] = [];
  let cut = false;
  for (const baseOffset of bases) {
    if (baseOffset < end.segmentBase) continue;
    if (baseOffset > end.segmentBase) {
      // Its name survived, the bytes before it did not; or nothing was ever written to it.
      if (baseOffset !== end.offset) {
        await segments.remove(baseOffset);
        cut = true;
        continue;
      }
      beginSegment(end, baseOffset, context.clock.now());
    }
    const segment = await segments.get(baseOffset);
    if (await settleSegment(context, segment, end, origin, origin.trusted && !mayHaveGaps)) {
      await cutOff(context.fs, segment.log, end.position, makesRoom);
      cut = true;
    }
    walked.push(segment);
  }
  // Wherever the cut count will be raised: waiters look into the epoch file for where each cut began.
  const goesBack = appended !== undefined && end.offset < appended.offset;
  end.leaderEpoch = await raiseEpoch(context, end, cut || goesBack, makesRoom && !goesBack);
  await syncAll(context, walked);
  const cutCount = Math.max(appended?.cutCount ?? 0, safe?.cutCount ?? 0);
  end.cutCount = goesBack ? cutCount + 1 : cutCount;
  if (end.firstUnstableProducerId === -1) end.lastStableOffset = end.offset;
  Object.assign(end, clockReference(context.clock, context.bootId, end));
  end.swappedBase = -1;
  // Of a copy S does not know whether files were being exchanged, and some have been now.
  if (isOdd(end.layoutVersion)) end.layoutVersion++;
  else if (!origin.trusted) end.layoutVersion += 2;
  const newAppended = { ...end };
  await control.writeAppended(newAppended);
  const newSafe = { ...end, bootId: context.bootId, identity: control.identity };
  await control.writeSafe(newSafe);
  if (!origin.sameBoot) await syncing(context, () => control.sync());
  await control.setSyncing(false);
  return { appended: newAppended, safe: newSafe, syncing: false };
}

/** In a copy, segments that were exchanged while it was made may stand beside the one they have become part of. */
async function segmentsToSettle(context: LogContext, safe: ControlRecord | undefined): Promise<number[]> {
  const { control, directory, fs, segments } = context;
  const bases = await segments.list();
  if (safe === undefined || safe.identity === control.identity) return bases;
  const kept = await withoutOverlaps(fs, directory, bases);
  for (const base of bases) if (!kept.includes(base)) await segments.remove(base);
  return kept;
}

interface StartingPoint {
  readonly record: ControlRecord;
  /** S is this file's own: what is below it is safe. */
  readonly trusted: boolean;
  readonly sameBoot: boolean;
}

function startingPoint(context: LogContext, safe: ControlRecord | undefined, bases: readonly number[]): StartingPoint {
  if (safe !== undefined && safe.identity === context.control.identity) {
    if (!bases.includes(safe.segmentBase)) {
      throw damaged(context, `the segment with base offset ${safe.segmentBase} is missing`, safe.offset);
    }
    return { record: safe, trusted: true, sameBoot: isOfThisBoot(context, safe) };
  }
  const lastBase = bases.at(-1);
  if (lastBase === undefined) throw damaged(context, 'there is no segment', 0);
  // Of which of its segments S says that they were compacted nobody knows: some were copied before.
  const record = { ...(safe ?? firstControlRecord(bases[0]!, context.clock.now())), firstDirtyOffset: 0 };
  beginSegment(record, lastBase, context.clock.now());
  return { record, trusted: false, sameBoot: false };
}

function beginSegment(record: ControlRecord, baseOffset: number, nowMs: number): void {
  record.segmentBase = baseOffset;
  record.offset = baseOffset;
  record.position = 0;
  record.transactionIndexSize = 0;
  record.firstTimestamp = -1;
  record.segmentCreatedMs = nowMs;
  record.index = EMPTY_INDEX_STATE;
  record.checkpointPosition = 0;
  record.checkpointIndex = EMPTY_INDEX_STATE;
}

/** Goes on from `end` to the last whole batch of the segment. True: what lies behind that is to be cut off. */
async function settleSegment(
  context: LogContext,
  segment: LogSegment,
  end: ControlRecord,
  origin: StartingPoint,
  isDense: boolean,
): Promise<boolean> {
  const { log } = segment;
  const { size } = await log.stat();
  if (size < end.position) {
    throw damaged(context, `${log.path} has ${size} bytes, but ${end.position} were safe`, end.offset);
  }
  const index = segment.indexWriter(context.config.indexIntervalBytes);
  if (origin.sameBoot) index.restore(end.index);
  else await rebuildIndexes(segment, index, end);
  const from = { from: end.position, minOffset: end.offset, windowBytes: SEQUENTIAL_WINDOW_BYTES };
  const scanner = new BatchScanner(log, size, from);
  while ((await scanner.next()) && (await scanner.isValid())) {
    const { baseOffset, lastOffset, position } = scanner;
    if (isDense && baseOffset !== end.offset) break;
    if (lastOffset - segment.baseOffset > MAX_RELATIVE_OFFSET) break;
    await scanner.rewriteBatch();
    // It was read again to be written: bytes that a failed sync lost may have left the page cache in between.
    if (!(await scanner.isValid())) break;
    const { maxTimestamp } = scanner.batch;
    index.add(position, scanner.size, lastOffset, maxTimestamp);
    if (end.position === 0) end.firstTimestamp = maxTimestamp;
    end.position = position + scanner.size;
    end.offset = scanner.nextOffset;
  }
  await segment.flushIndexes(index);
  end.index = index.state;
  return end.position < size;
}

/** After another boot only what a checkpoint covered is sure to be in the index files: the rest is added again. */
async function rebuildIndexes(segment: LogSegment, index: SegmentIndexWriter, end: ControlRecord): Promise<void> {
  index.restore(end.checkpointIndex);
  const from = { from: end.checkpointPosition, windowBytes: SEQUENTIAL_WINDOW_BYTES };
  const scanner = new BatchScanner(segment.log, end.position, from);
  while (await scanner.next()) {
    index.add(scanner.position, scanner.size, scanner.lastOffset, scanner.batch.maxTimestamp);
  }
}

/**
 * The epoch to write with from now on. A new one begins wherever something was cut off, so that others can tell.
 *
 * @param mayDoWithout where the disk has no room for it, and nobody waits for what was cut off
 */
async function raiseEpoch(
  { fs, directory }: LogContext,
  end: ControlRecord,
  cut: boolean,
  mayDoWithout: boolean,
): Promise<number> {
  const epochs = await readLeaderEpochs(fs, directory);
  const latest = epochs.at(-1)?.epoch ?? 0;
  const epoch = Math.max(end.leaderEpoch, latest) + (cut ? 1 : 0);
  const left = cutLeaderEpochs(epochs, end.logStartOffset, end.offset).filter((each) => each.startOffset < end.offset);
  // One that had begun at the end, or in a copy behind it, begins there.
  const begins = cut || (epochs.length > 0 && left.at(-1)?.epoch !== latest);
  if (begins) left.push({ epoch, startOffset: end.offset });
  // The directory is synced with the segments: should that fail, it must be as any other sync that failed.
  if (areSameEpochs(left, epochs)) return epoch;
  try {
    await writeLeaderEpochs(fs, directory, left, { syncsName: false });
    return epoch;
  } catch (error) {
    if (!mayDoWithout || !isDiskFull(error)) throw error;
    await fs.unlink(`${directory}/${LEADER_EPOCH_CHECKPOINT}.tmp`);
    return Math.max(end.leaderEpoch, latest);
  }
}

async function syncAll(context: LogContext, segments: readonly LogSegment[]): Promise<void> {
  await syncing(context, async () => {
    // Asked for anew: of many segments the first ones have been closed meanwhile.
    for (const { baseOffset } of segments) await (await context.segments.get(baseOffset)).log.sync();
    await context.fs.syncDirectory(context.directory);
  });
}

function damaged(context: LogContext, what: string, offset: number): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `the log of ${context.topic}:${context.partition} is damaged: ${what}`, {
    topic: context.topic,
    partition: context.partition,
    offset,
    file: context.directory,
    hint: 'Run `klog log check` on it.',
  });
}
