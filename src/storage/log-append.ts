/**
 * Appending: batches are written behind A, then A is moved behind them (Kafka: `UnifiedLog.append`). Nothing of it is
 * durable or visible before a sync has made S of A (log-sync.ts).
 */
import { KlogError } from '../errors.js';
import { MAGIC_V2, RecordBatch } from '../format/record-batch.js';
import type { ControlRecord } from './control-record.js';
import { writeFully } from './file-system.js';
import type { LogContext } from './log-context.js';
import type { Decision, LogTail } from './log-decide.js';
import { roll, shouldRoll } from './log-roll.js';
import { settledState } from './log-settle.js';
import { type Appended, onceWritten, outcomeUnknown } from './log-sync.js';
import { MAX_RELATIVE_OFFSET } from './segment-index-writer.js';

export interface AppendOptions {
  /**
   * The batches have offsets, ascending and perhaps with gaps, and keep them, and their times (Kafka:
   * `appendAsFollower`). Default false.
   */
  readonly keepOffsets?: boolean;
}

/**
 * The append lock is held. `onRoll` is called for each segment that is begun. After an error all of it is taken back,
 * except whole batches before a roll in the middle of it.
 */
export async function append(
  context: LogContext,
  batches: readonly Uint8Array[],
  { keepOffsets = false }: AppendOptions,
  onRoll: () => void,
): Promise<Appended> {
  return await appendBehind(context, (await settledState(context)).appended, batches, keepOffsets, onRoll);
}

/** The append lock is held. Appends what is decided on the log as it ends; `undefined`: nothing. */
export async function appendDecided(
  context: LogContext,
  tail: LogTail,
  decide: Decision,
  onRoll: () => void,
): Promise<Appended | undefined> {
  const state = await settledState(context);
  const batches = await decide(await tail.at(state));
  return batches.length === 0 ? undefined : await appendBehind(context, state.appended, batches, false, onRoll);
}

async function appendBehind(
  context: LogContext,
  settled: ControlRecord,
  batches: readonly Uint8Array[],
  keepOffsets: boolean,
  onRoll: () => void,
): Promise<Appended> {
  const { config, clock } = context;
  if (context.failure !== undefined) throw context.failure;
  if (keepOffsets) assertAscending(context, settled, batches);
  const appendTime = config.messageTimestampType === 'LogAppendTime' && !keepOffsets ? clock.now() : -1;
  const batch = new RecordBatch();
  let inFile = settled;
  let next: ControlRecord = { ...settled };
  let bytes = 0;
  let baseOffset = settled.offset;
  try {
    for (const buffer of batches) {
      batch.reset(buffer, 0);
      const lastOffset = keepOffsets ? batch.lastOffset : next.offset + batch.lastOffsetDelta;
      if (shouldRoll(context, next, batch, lastOffset)) {
        await context.control.writeAppended(next);
        // The roll makes them safe: should it fail then, they stay.
        inFile = next;
        const rolled = await roll(context, next);
        onRoll();
        if (rolled.offset !== next.offset) {
          // It had to settle, and what a failed sync had lost was cut off.
          if (bytes > 0) throw outcomeUnknown(context, baseOffset, next.offset - 1);
          baseOffset = rolled.offset;
        }
        next = { ...rolled };
        inFile = next;
      }
      if (!keepOffsets) batch.setBaseOffset(next.offset);
      // Kept as they were, batches may be of a format without epochs.
      if (batch.magic === MAGIC_V2) batch.setPartitionLeaderEpoch(next.leaderEpoch);
      if (appendTime >= 0) batch.setLogAppendTime(appendTime);
      next = await writeBatch(context, next, batch, buffer);
      bytes += buffer.length;
    }
    await context.control.writeAppended(next);
  } catch (error) {
    await takeBack(context, inFile);
    throw inFile.offset > baseOffset ? onceWritten(context, error, baseOffset, inFile.offset - 1) : error;
  }
  const { cutCount, leaderEpoch } = next;
  return { baseOffset, lastOffset: next.offset - 1, bytes, appendTime, cutCount, leaderEpoch };
}

/** Writes `buffer`, which is `batch`, behind `before`. Answers what A becomes. */
async function writeBatch(
  context: LogContext,
  before: ControlRecord,
  batch: RecordBatch,
  buffer: Uint8Array,
): Promise<ControlRecord> {
  const { lastOffset, maxTimestamp } = batch;
  const { position } = before;
  const segment = await context.segments.get(before.segmentBase);
  await writeFully(segment.log, buffer, 0, buffer.length, position);
  const index = segment.indexWriter(context.config.indexIntervalBytes);
  index.restore(before.index);
  index.add(position, buffer.length, lastOffset, maxTimestamp);
  await segment.flushIndexes(index);
  return {
    ...before,
    offset: lastOffset + 1,
    position: position + buffer.length,
    lastStableOffset: before.firstUnstableProducerId === -1 ? lastOffset + 1 : before.lastStableOffset,
    firstTimestamp: position === 0 ? maxTimestamp : before.firstTimestamp,
    index: index.state,
  };
}

/** Nothing is written unless all of it can be. */
function assertAscending(
  { topic, partition }: LogContext,
  settled: ControlRecord,
  batches: readonly Uint8Array[],
): void {
  const batch = new RecordBatch();
  let offset = settled.offset;
  for (const buffer of batches) {
    batch.reset(buffer, 0);
    if (batch.baseOffset < offset) {
      throw new KlogError(
        'OFFSET_OUT_OF_RANGE',
        `a batch of ${topic}:${partition} begins at offset ${batch.baseOffset}, and the log has come to ${offset}`,
        { topic, partition, offset: batch.baseOffset },
      );
    }
    if (batch.lastOffset - offset > MAX_RELATIVE_OFFSET) {
      throw new KlogError(
        'KLOG_UNSUPPORTED',
        `offsets ${offset} to ${batch.lastOffset} of ${topic}:${partition} are too many to be left out`,
        { topic, partition, offset },
      );
    }
    offset = batch.nextOffset;
  }
}

/** Bytes behind A are nobody's: taken back while the lock is held, so that a full disk leaves nothing to settle. */
async function takeBack(context: LogContext, inFile: ControlRecord): Promise<void> {
  try {
    const segment = await context.segments.get(inFile.segmentBase);
    if ((await segment.log.stat()).size > inFile.position) await segment.log.truncate(inFile.position);
  } catch {
    // Then the next holder of the lock finds the file longer than A, and settles.
  }
}
