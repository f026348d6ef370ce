/**
 * Group commit across processes: one sync covers whatever all of them have appended.
 *
 * Whoever gets the sync lock and finds its batch not yet covered by S leads: copies A, sets `syncing`, syncs the
 * segment that the copy names, writes the copy as S, clears `syncing`. Those who waited (leader-gates.ts) find
 * themselves covered. Only the holder of the sync lock writes S, so it never goes back, and may be believed without the
 * lock. If the last leader failed or died, `syncing` is still set: no bare sync may follow a failed one, so who finds
 * it lets go, takes all the locks in their order, and settles.
 */
import { KlogError } from '../errors.js';
import type { ControlState } from './control-file.js';
import type { ControlRecord } from './control-record.js';
import { syncing } from './failed-sync.js';
import { readLeaderEpochs } from './leader-epoch-checkpoint.js';
import { lockGate } from './lock-gate.js';
import { isOfThisBoot, type LogContext, pause, wasDeleted } from './log-context.js';
import { settleIfNeeded } from './log-settle.js';

/** S itself, and the indexes, are synced after this much growth … */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;
/** … or after this long, once there is enough that going through it again would be felt. */
const CHECKPOINT_MS = 1000;
const CHECKPOINT_MIN_BYTES = 1024 * 1024;
/** Looks at A while another process writes it, before it is believed to be torn for good. */
const LOOKS = 100;

/** What an append has to show for itself. */
export interface Appended {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** Bytes written. */
  readonly bytes: number;
  /** LogAppendTime, or -1 where records keep their own. */
  readonly appendTime: number;
  /** The cut count and epoch of A under which it was written. */
  readonly cutCount: number;
  readonly leaderEpoch: number;
}

/**
 * Resolves when S covers the batch. KLOG_SYNC_FAILED; KLOG_OUTCOME_UNKNOWN when bytes were cut off meanwhile, a lock
 * was not to be had in time, or the disk is full: the batch is in the log, so that the same call, made again, might
 * double it.
 */
export async function awaitDurable(context: LogContext, appended: Appended): Promise<void> {
  try {
    await untilCovered(context, appended);
  } catch (error) {
    throw onceWritten(context, error, appended.baseOffset, appended.lastOffset);
  }
}

async function untilCovered(context: LogContext, appended: Appended): Promise<void> {
  const { control, locks } = context;
  let { cutCount } = appended;
  for (;;) {
    if (context.failure !== undefined) throw context.failure;
    if (!(await acquireUnlessLed(context, appended, cutCount))) {
      // What stands in S is on the disk, whoever looks.
      if (covers(context, await control.readSafe(), appended, cutCount)) return;
      continue;
    }
    let leaderDied: boolean;
    try {
      const state = await control.read();
      if (covers(context, state.safe, appended, cutCount)) return;
      cutCount = await cutCountNow(context, state, appended, cutCount);
      leaderDied = state.syncing;
      if (!leaderDied && covers(context, await lead(context, state), appended, cutCount)) return;
    } finally {
      locks.sync.release();
      locks.gates.letGo();
    }
    if (leaderDied) await settleInOrder(context);
  }
}

/** Takes the sync lock. False: it was not to be had at once, and another process has meanwhile led a sync, or died. */
async function acquireUnlessLed(context: LogContext, appended: Appended, cutCount: number): Promise<boolean> {
  const { control, locks } = context;
  let isNext = false;
  try {
    return await locks.sync.acquire(async () => {
      const state = await control.read();
      if (covers(context, state.safe, appended, cutCount)) return true;
      // Where bytes were cut off is to be seen only under the lock.
      if (cutCountOf(state, cutCount) !== cutCount) return false;
      // Who leads sets `syncing` when it has copied A: what was appended since is for the next.
      const sequence = (state.safe?.sequence ?? 0) + (state.syncing ? 1 : 0);
      isNext = locks.gates.take(sequence);
      return !isNext && (await locks.gates.passed(sequence));
    });
  } catch (error) {
    if (isNext) locks.gates.letGo();
    throw error;
  }
}

function covers(context: LogContext, safe: ControlRecord | undefined, appended: Appended, cutCount: number): boolean {
  return (
    safe !== undefined && isOfThisBoot(context, safe) && safe.cutCount === cutCount && safe.offset > appended.lastOffset
  );
}

/**
 * Bytes of the log were cut off since the batch was written: was it among them? The epoch file tells where each cut
 * began. In doubt the batch is neither acknowledged nor denied.
 */
async function cutCountNow(
  context: LogContext,
  { appended: a, safe: s }: Omit<ControlState, 'syncing'>,
  appended: Appended,
  cutCount: number,
): Promise<number> {
  const now = cutCountOf({ appended: a, safe: s }, cutCount);
  if (now === cutCount) return cutCount;
  const cuts = (await readLeaderEpochs(context.fs, context.directory)).filter((e) => e.epoch > appended.leaderEpoch);
  // Of what lies before the log start the file does not know any more where it was cut.
  const isKnown = Math.max(a?.logStartOffset ?? 0, s?.logStartOffset ?? 0) <= appended.lastOffset;
  if (isKnown && cuts.length > 0 && cuts.every((epoch) => epoch.startOffset > appended.lastOffset)) return now;
  throw outcomeUnknown(context, appended.baseOffset, appended.lastOffset);
}

function cutCountOf({ appended, safe }: Omit<ControlState, 'syncing'>, otherwise: number): number {
  return Math.max(appended?.cutCount ?? otherwise, safe?.cutCount ?? otherwise);
}

export function outcomeUnknown(
  { topic, partition }: LogContext,
  baseOffset: number,
  lastOffset: number,
  cause?: Error,
): KlogError {
  const records = `records ${baseOffset} to ${lastOffset} of ${topic}:${partition} were written`;
  const why = cause === undefined ? 'the log was cut back before they were safe' : cause.message;
  return new KlogError('KLOG_OUTCOME_UNKNOWN', `${records}, but are not known to be safe: ${why}`, {
    topic,
    partition,
    offset: baseOffset,
    cause,
    hint: 'Read the log from that offset to see whether they are there; sent again they may come twice.',
  });
}

/** What to say of a failure after the records were written: nothing that would have them sent again unseen. */
export function onceWritten(context: LogContext, error: unknown, baseOffset: number, lastOffset: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const invitesRetry =
    error instanceof KlogError
      ? error.retriable && code !== 'UNKNOWN_TOPIC_OR_PARTITION'
      : code === 'ENOSPC' || code === 'EDQUOT';
  return invitesRetry ? outcomeUnknown(context, baseOffset, lastOffset, error as Error) : error;
}

/** The sync lock is held, no sync is under way, none has failed. Answers the S it has written. */
async function lead(context: LogContext, state: ControlState): Promise<ControlRecord> {
  const { control, locks, segments } = context;
  // Before the flag is set: this process could not clear it, and others would settle for nothing.
  if (context.failure !== undefined) throw context.failure;
  const covered = await copyOfAppended(context, state);
  // By its path a file may be opened only while that leads to this partition, not to one made after its deletion.
  const opens = covered.transactionIndexSize > 0 || !segments.isOpen(covered.segmentBase);
  if (opens && !(await control.isCurrent(context.fs))) throw wasDeleted(context);
  locks.gates.take(state.safe?.sequence ?? 0);
  await control.setSyncing(true);
  const segment = await segments.get(covered.segmentBase);
  await syncing(context, () => segment.log.sync());
  if (covered.transactionIndexSize > 0) await syncing(context, async () => (await segment.beside('.txnindex')).sync());
  const checkpoint = isCheckpointDue(covered, state.safe, context.clock.now()) && (await control.isCurrent(context.fs));
  if (checkpoint) await syncing(context, () => segment.syncIndexes());
  const safe = {
    ...covered,
    ...(checkpoint ? checkpointAt(covered, context.clock.now()) : lastCheckpoint(covered, state.safe)),
    sequence: state.safe?.sequence ?? 0,
    bootId: context.bootId,
    identity: control.identity,
  };
  await control.writeSafe(safe);
  if (checkpoint) await syncing(context, () => control.sync());
  await control.setSyncing(false);
  return safe;
}

/** A, read without its lock: again while both of its slots are being written. */
async function copyOfAppended(context: LogContext, state: ControlState): Promise<ControlRecord> {
  let { appended } = state;
  for (let looks = 1; appended === undefined && looks < LOOKS; looks++) {
    await pause(looks);
    appended = (await context.control.read()).appended;
  }
  if (appended !== undefined) return appended;
  throw new KlogError('KAFKA_STORAGE_ERROR', 'the control file lost what was appended', {
    file: context.control.file.path,
    hint: 'Start again: the log is settled when it is opened.',
  });
}

type Checkpoint = Pick<ControlRecord, 'checkpointPosition' | 'checkpointIndex' | 'checkpointMs'>;

/** What may be rebuilt from the log up to here is on the disk. */
export function checkpointAt(record: ControlRecord, nowMs: number): Checkpoint {
  return { checkpointPosition: record.position, checkpointIndex: record.index, checkpointMs: nowMs };
}

/** A's own checkpoint fields date from its segment's beginning: S carries the newer ones on. */
function lastCheckpoint(covered: ControlRecord, safe: ControlRecord | undefined): Checkpoint {
  return safe !== undefined && safe.segmentBase === covered.segmentBase
    ? pickCheckpoint(safe)
    : pickCheckpoint(covered);
}

function pickCheckpoint({ checkpointPosition, checkpointIndex, checkpointMs }: ControlRecord): Checkpoint {
  return { checkpointPosition, checkpointIndex, checkpointMs };
}

function isCheckpointDue(covered: ControlRecord, safe: ControlRecord | undefined, nowMs: number): boolean {
  const { checkpointPosition, checkpointMs } = lastCheckpoint(covered, safe);
  const grown = covered.position - checkpointPosition;
  if (grown >= CHECKPOINT_BYTES) return true;
  return grown >= CHECKPOINT_MIN_BYTES && Math.abs(nowMs - checkpointMs) >= CHECKPOINT_MS;
}

async function settleInOrder(context: LogContext): Promise<void> {
  const { control, fs, locks } = context;
  await locks.acquireAppend();
  try {
    if (!(await control.isCurrent(fs))) throw wasDeleted(context);
    await locks.sync.acquire();
    try {
      await settleIfNeeded(context);
    } finally {
      locks.sync.release();
    }
  } finally {
    locks.append.release();
  }
}

/** On closing: what a recovery after a power loss would have to go through again is kept short. */
export async function checkpointOnClose(context: LogContext): Promise<void> {
  await lockGate.runPerhapsInside(() => checkpoint(context));
}

async function checkpoint(context: LogContext): Promise<void> {
  const { control, fs, locks, segments } = context;
  if (context.failure !== undefined || !locks.sync.tryAcquire()) return;
  try {
    if (!(await control.isCurrent(fs))) return;
    const { safe, syncing: leaderDied } = await control.read();
    if (leaderDied || safe === undefined || !isOfThisBoot(context, safe)) return;
    if (safe.position - safe.checkpointPosition < CHECKPOINT_MIN_BYTES) return;
    const segment = await segments.get(safe.segmentBase);
    await syncing(context, () => segment.syncIndexes());
    await control.writeSafe({ ...safe, ...checkpointAt(safe, context.clock.now()) });
    await syncing(context, () => control.sync());
  } finally {
    locks.sync.release();
  }
}
