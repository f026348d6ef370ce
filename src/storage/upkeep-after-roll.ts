/** What a producer does for the log when it has begun a new segment: retention, and compaction if it is due. */
import { compactLocked } from './log-compaction.js';
import type { LogContext } from './log-context.js';
import { applyRetention } from './log-retention.js';

export interface UpkeepDone {
  /** The wall clock jumped: nothing was deleted by its age, nothing compacted. */
  readonly skipped: 'clock' | undefined;
}

/** Goes on beside appends. A log that another process is compacting is left to it. */
export async function upkeepAfterRoll(context: LogContext, signal: AbortSignal): Promise<UpkeepDone> {
  const { skipped } = await applyRetention(context, { sparesFresh: true });
  if (context.config.cleanupPolicy === 'delete' || signal.aborted) return { skipped };
  const { upkeep } = context.locks;
  if (!upkeep.tryAcquire()) return { skipped };
  try {
    const compacted = await compactLocked(context, { signal });
    return { skipped: skipped ?? (compacted.skipped === 'clock' ? 'clock' : undefined) };
  } finally {
    upkeep.release();
  }
}
