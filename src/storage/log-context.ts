/** What the parts of the write protocol share for one partition in one process. */
import { KlogError } from '../errors.js';
import type { ControlFile, ControlState } from './control-file.js';
import type { ControlRecord } from './control-record.js';
import type { FileSystem } from './file-system.js';
import type { LogConfig } from './log-config.js';
import type { LogSegments } from './log-segments.js';
import type { PartitionLocks } from './partition-locks.js';

export interface Clock {
  /** Milliseconds since 1970. Data, never order. */
  now(): number;
  /**
   * Milliseconds since the machine was started, whatever the wall clock says; absent: the clock is believed
   * (clock-guard.ts).
   */
  uptime?(): number;
}

export interface LogContext {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly topic: string;
  readonly partition: number;
  readonly config: LogConfig;
  readonly clock: Clock;
  readonly control: ControlFile;
  readonly locks: PartitionLocks;
  readonly segments: LogSegments;
  readonly bootId: Uint8Array;
  /** Set once a sync of this process failed: it acknowledges nothing from then on. */
  failure: KlogError | undefined;
}

/**
 * What it takes to work on the files alone, where no other process does: no control file, and no locks of a partition.
 */
export type FileContext = Omit<LogContext, 'control' | 'locks'>;

/** Whether S was written in this boot by a process that had this very file: then it is exact. */
export function isOfThisBoot(context: Pick<LogContext, 'bootId' | 'control'>, safe: ControlRecord): boolean {
  return safe.identity === context.control.identity && Buffer.compare(safe.bootId, context.bootId) === 0;
}

export function isOdd(layoutVersion: number): boolean {
  return layoutVersion % 2 === 1;
}

/** A as it must be before a batch may be appended behind it. */
export interface SettledState extends ControlState {
  readonly appended: ControlRecord;
  readonly safe: ControlRecord;
}

/**
 * Whether a writer that has just taken the append lock may append behind A. Not if the file is longer or shorter (a
 * writer was killed in mid-write while we waited), S is missing, a copy's, or of another boot (the bytes below A may be
 * gone), or its layout is odd (a roll was interrupted).
 */
export function isAppendable(context: LogContext, state: ControlState, logSize: number): state is SettledState {
  const { appended, safe } = state;
  if (appended === undefined || safe === undefined) return false;
  return isOfThisBoot(context, safe) && !isOdd(safe.layoutVersion) && logSize === appended.position;
}

/**
 * Whether nothing is left to do for a log at rest: everything appended is safe and no sync is under way or has failed.
 */
export function isSettled(context: LogContext, state: ControlState, logSize: number): state is SettledState {
  return (
    isAppendable(context, state, logSize) &&
    !state.syncing &&
    state.appended.offset === state.safe.offset &&
    state.appended.segmentBase === state.safe.segmentBase
  );
}

/** One look at the control file and at the size of the segment that A names. A lock of the partition is held. */
export async function lookAt(context: LogContext): Promise<{ state: ControlState; logSize: number }> {
  const state = await context.control.read();
  if (state.appended === undefined) return { state, logSize: -1 };
  try {
    const segment = await context.segments.get(state.appended.segmentBase);
    return { state, logSize: (await segment.log.stat()).size };
  } catch {
    return { state, logSize: -1 };
  }
}

/** For who holds a lock of a partition that the path does not lead to any more. */
export function wasDeleted({ topic, partition }: Pick<LogContext, 'topic' | 'partition'>): KlogError {
  const place = { topic, partition };
  return new KlogError(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `${topic}:${partition} was deleted while it was written to`,
    place,
  );
}

/** Lets another process go on with what it is in the middle of: at once at first, then for a millisecond each time. */
export function pause(looks: number): Promise<void> {
  return new Promise((resolve) => {
    if (looks < 10) setImmediate(resolve);
    else setTimeout(resolve, 1);
  });
}
