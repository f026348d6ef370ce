/**
 * Changing which files a log consists of (retention, trim, compaction, erasing), beside writers and readers.
 *
 * The append and sync locks are held, everything is settled, `syncing` is set. S goes to the disk with an odd layout
 * and whatever the change is about *before* the first name changes; A and then S are written with the next even layout
 * after the directory has been synced. Whoever finds an odd layout settles, and that finishes or undoes the change.
 *
 * The last segment is never touched, and S and A keep their offsets: nothing that was appended has to be synced for it.
 */
import type { ControlRecord } from './control-record.js';
import { syncing } from './failed-sync.js';
import { isDiskFull } from './file-system.js';
import { lockGate } from './lock-gate.js';
import { isAppendable, isOdd, type LogContext, lookAt, type SettledState, wasDeleted } from './log-context.js';
import { roll } from './log-roll.js';
import { type SettleOptions, settle, settledState } from './log-settle.js';

/** What travels from S to A in a change. */
export type LogChange = Partial<
  Pick<
    ControlRecord,
    'logStartOffset' | 'firstDirtyOffset' | 'upkeepMs' | 'upkeepUptimeMs' | 'upkeepBoot' | 'clockDistrust'
  >
>;

export interface SettledLogOptions extends Pick<SettleOptions, 'makesRoom'> {
  /**
   * Asked, once A is certain, whether the segment being written to is to be closed before. Where the disk has no space
   * for a new one it stays: what is to go may be what fills the disk. Whoever cannot do with that says `'must'`, and it
   * fails.
   */
  readonly rollFirst?: (appended: ControlRecord) => boolean | 'must';
}

/** Runs `work` on a settled log with the append and sync locks held. */
export async function withSettledLog<T>(
  context: LogContext,
  work: (state: SettledState) => Promise<T>,
  options: SettledLogOptions = {},
): Promise<T> {
  return await lockGate.run(() => underBothLocks(context, work, options));
}

async function underBothLocks<T>(
  context: LogContext,
  work: (state: SettledState) => Promise<T>,
  { rollFirst = () => false, ...options }: SettledLogOptions,
): Promise<T> {
  const { control, fs, locks } = context;
  await locks.acquireAppend();
  try {
    if (!(await control.isCurrent(fs))) throw wasDeleted(context);
    if (context.failure !== undefined) throw context.failure;
    const { appended } = await settledState(context, options);
    const rolls = appended.position > 0 && rollFirst(appended);
    if (rolls === 'must') await roll(context, appended);
    else if (rolls) await rollIfThereIsSpace(context, appended);
    await locks.sync.acquire();
    try {
      return await work(await settledUnderBoth(context, options));
    } finally {
      locks.sync.release();
    }
  } finally {
    locks.append.release();
  }
}

/** What a roll that found no space has left is settled next. */
async function rollIfThereIsSpace(context: LogContext, appended: ControlRecord): Promise<void> {
  try {
    await roll(context, appended);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/** The append and sync locks are held: what a dead leader has left is settled too. */
async function settledUnderBoth(context: LogContext, options: SettleOptions): Promise<SettledState> {
  const { state, logSize } = await lookAt(context);
  if (isAppendable(context, state, logSize) && !state.syncing) return state;
  return await settle(context, options);
}

/** Writes A and S anew, with other fields and the same files. Not durable. Both locks are held. */
export async function writeChange(context: LogContext, state: SettledState, change: LogChange): Promise<SettledState> {
  const { control } = context;
  // A first: the next leader makes S of it.
  const appended = { ...state.appended, ...change };
  await control.writeAppended(appended);
  const safe = { ...state.safe, ...change };
  await control.writeSafe(safe);
  return { appended, safe, syncing: state.syncing };
}

/**
 * Runs `work`, which exchanges files and syncs the directory, between an odd and an even layout. Both locks are held.
 */
export async function changeLayout(
  context: LogContext,
  state: SettledState,
  change: LogChange & { readonly swappedBase?: number },
  work: () => Promise<void>,
): Promise<void> {
  const { control } = context;
  await control.setSyncing(true);
  const odd = nextOdd(Math.max(state.safe.layoutVersion, state.appended.layoutVersion));
  await control.writeSafe({ ...state.safe, ...change, layoutVersion: odd });
  await syncing(context, () => control.sync());
  await work();
  const even = { ...change, swappedBase: -1, layoutVersion: odd + 1 };
  await control.writeAppended({ ...state.appended, ...even });
  await control.writeSafe({ ...state.safe, ...even });
  await control.setSyncing(false);
}

function nextOdd(layoutVersion: number): number {
  return isOdd(layoutVersion) ? layoutVersion + 2 : layoutVersion + 1;
}

export async function syncDirectory(context: LogContext): Promise<void> {
  await syncing(context, () => context.fs.syncDirectory(context.directory));
}
