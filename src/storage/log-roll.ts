/** Beginning a new segment (Kafka: `UnifiedLog.maybeRoll`, `LogSegment.shouldRoll`). */
import type { RecordBatch } from '../format/record-batch.js';
import type { ControlRecord } from './control-record.js';
import { syncing } from './failed-sync.js';
import { isDiskFull } from './file-system.js';
import type { LogContext } from './log-context.js';
import { segmentFileName } from './log-files.js';
import type { LogSegment } from './log-segment.js';
import { settle } from './log-settle.js';
import { checkpointAt } from './log-sync.js';
import { EMPTY_SNAPSHOT, writeProducerSnapshot } from './producer-snapshot.js';
import { EMPTY_INDEX_STATE, type IndexState, indexesAreFull, MAX_RELATIVE_OFFSET } from './segment-index-writer.js';

const MAX_POSITION = 0x7fffffff;

/** Whether a batch that goes behind A, and will end at `lastOffset`, belongs in a new segment. */
export function shouldRoll(
  context: Pick<LogContext, 'config' | 'clock'>,
  appended: ControlRecord,
  batch: RecordBatch,
  lastOffset = appended.offset + batch.lastOffsetDelta,
): boolean {
  const { config } = context;
  if (appended.position === 0) return false;
  if (appended.position > Math.min(config.segmentBytes, MAX_POSITION) - batch.sizeInBytes) return true;
  if (timeInSegment(context, appended, batch) > maxSegmentMs(config) - jitterOf(context, appended)) return true;
  if (indexesAreFull(appended.index, config.segmentIndexBytes)) return true;
  return lastOffset - appended.segmentBase > MAX_RELATIVE_OFFSET;
}

/**
 * Only what is in a closed segment can be compacted: `max.compaction.lag.ms` closes it in time (Kafka:
 * `LogConfig.maxSegmentMs`).
 */
function maxSegmentMs({ cleanupPolicy, maxCompactionLagMs, segmentMs }: LogContext['config']): number {
  const isCompacted = cleanupPolicy !== 'delete' && maxCompactionLagMs > 0;
  return isCompacted ? Math.min(maxCompactionLagMs, segmentMs) : segmentMs;
}

function timeInSegment(context: Pick<LogContext, 'clock'>, appended: ControlRecord, batch: RecordBatch): number {
  if (appended.firstTimestamp >= 0 && batch.maxTimestamp >= 0) return batch.maxTimestamp - appended.firstTimestamp;
  return context.clock.now() - appended.segmentCreatedMs;
}

/** Drawn per segment, and the same for every process that writes to it. */
function jitterOf({ config }: Pick<LogContext, 'config'>, { segmentCreatedMs }: ControlRecord): number {
  const most = Math.min(config.segmentJitterMs, config.segmentMs);
  return most <= 0 ? 0 : (Math.imul(segmentCreatedMs % 0x7fffffff, 0x9e3779b1) >>> 0) % most;
}

/**
 * The append lock is held, the log is settled, A is written. Answers the new A.
 *
 * The old segment is synced, and S says so on the disk with an odd layout, *before* the new name exists: whatever
 * stands before the last segment is safe, also after a power loss between any two of these calls.
 */
export async function roll(context: LogContext, before: ControlRecord): Promise<ControlRecord> {
  const { control, locks, segments } = context;
  await locks.sync.acquire();
  try {
    let appended = before;
    let { safe, syncing: leaderDied } = await control.read();
    if (leaderDied || safe === undefined) {
      ({ appended, safe } = await settle(context));
      // Everything in the segment was lost: it is there to be written to.
      if (appended.position === 0) return appended;
    }
    await control.setSyncing(true);
    const old = await segments.get(appended.segmentBase);
    const index = await closeIndexes(context, old, appended.index);
    await syncing(context, () => old.log.sync());
    await syncing(context, () => old.syncIndexes());
    await writeEmptySnapshot(context, appended.offset);
    const own = { bootId: context.bootId, identity: control.identity };
    const closed = { ...appended, ...own, index, layoutVersion: safe.layoutVersion + 1 };
    await control.writeSafe({ ...closed, ...checkpointAt(closed, context.clock.now()) });
    await syncing(context, () => control.sync());
    await segments.create(appended.offset);
    await syncing(context, () => context.fs.syncDirectory(context.directory));
    const next = beginsAt(appended, safe.layoutVersion + 2, context.clock.now());
    await control.writeAppended(next);
    await control.writeSafe({ ...next, ...own });
    await control.setSyncing(false);
    return next;
  } finally {
    locks.sync.release();
  }
}

/**
 * On a full disk there may be no block for it, but closing a segment is how a trim makes space. Without a snapshot
 * Kafka looks for producers in the log itself, and finds as many. Its name is synced with those of the new segment: a
 * failed sync of the directory is more than a full disk, and nobody may pass over it.
 */
async function writeEmptySnapshot({ fs, directory }: LogContext, offset: number): Promise<void> {
  try {
    await writeProducerSnapshot(fs, directory, offset, EMPTY_SNAPSHOT);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    await fs.unlink(`${directory}/${segmentFileName(offset, '.snapshot')}.tmp`);
  }
}

async function closeIndexes(context: LogContext, segment: LogSegment, state: IndexState): Promise<IndexState> {
  const writer = segment.indexWriter(context.config.indexIntervalBytes);
  writer.restore(state);
  writer.addTimeEntry();
  await segment.flushIndexes(writer);
  await segment.trimIndexes(writer.state);
  return writer.state;
}

function beginsAt(appended: ControlRecord, layoutVersion: number, nowMs: number): ControlRecord {
  return {
    ...appended,
    segmentBase: appended.offset,
    position: 0,
    transactionIndexSize: 0,
    layoutVersion,
    firstTimestamp: -1,
    segmentCreatedMs: nowMs,
    index: EMPTY_INDEX_STATE,
    checkpointPosition: 0,
    checkpointIndex: EMPTY_INDEX_STATE,
    checkpointMs: nowMs,
  };
}
