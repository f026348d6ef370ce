/**
 * The writing side of a partition, shared by any number of processes through kernel locks (partition-locks.ts).
 *
 * Append, sync and publish are three steps. *Append* writes a batch behind A and moves A, under the append lock. *Sync*
 * makes it durable and moves S, under the sync lock, for whoever has appended meanwhile too (log-sync.ts). Readers see what
 * lies below S, and nothing else. At every acquisition of the append lock the log may have been left half-written by a
 * process that died while we waited: then it is settled first (log-settle.ts).
 */
import { KlogError } from '../errors.js';
import { MAGIC_V2, RecordBatch } from '../format/record-batch.js';
import { ControlFile } from './control-file.js';
import type { ControlRecord } from './control-record.js';
import { type FileSystem, writeFully } from './file-system.js';
import { type Compacted, type CompactOptions, compact } from './log-compaction.js';
import type { LogConfig } from './log-config.js';
import { type Clock, isAppendable, type LogContext, lookAt, wasDeleted } from './log-context.js';
import { type Erased, type EraseOptions, type EraseSelection, erase } from './log-erase.js';
import { applyRetention, type Retained, type RetentionOptions } from './log-retention.js';
import { roll, shouldRoll } from './log-roll.js';
import type { LogSegment } from './log-segment.js';
import { LogSegments } from './log-segments.js';
import { settle, trySettle } from './log-settle.js';
import { type Appended, awaitDurable, checkpointOnClose, outcomeUnknown } from './log-sync.js';
import { type Trimmed, type TrimOptions, trim } from './log-trim.js';
import { PartitionLocks } from './partition-locks.js';
import { MAX_RELATIVE_OFFSET } from './segment-index-writer.js';
import { type UpkeepDone, upkeepAfterRoll } from './upkeep-after-roll.js';

export type { Appended } from './log-sync.js';

export interface PartitionLogOptions {
  readonly topic: string;
  readonly partition: number;
  readonly config: LogConfig;
  readonly clock: Clock;
  /** Longest wait for a lock, in milliseconds. Default 30 000. */
  readonly lockWaitMs?: number;
  /** An append has begun a new segment, and let go of its lock. */
  readonly onRoll?: () => void;
}

export interface AppendOptions {
  /**
   * The batches have offsets, ascending and perhaps with gaps, and keep them, and their times (Kafka: `appendAsFollower`).
   * Default false.
   */
  readonly keepOffsets?: boolean;
}

const DEFAULT_LOCK_WAIT_MS = 30_000;

export class PartitionLog {
  readonly #context: LogContext;
  readonly #batch = new RecordBatch();
  readonly #onRoll: (() => void) | undefined;
  #rolled = false;
  #closed = false;

  private constructor(context: LogContext, onRoll: (() => void) | undefined) {
    this.#context = context;
    this.#onRoll = onRoll;
  }

  /** Opens the partition in `directory` and settles it if that is needed and nobody is writing. */
  static async open(fs: FileSystem, directory: string, options: PartitionLogOptions): Promise<PartitionLog> {
    const control = await ControlFile.open(fs, directory, 'create');
    const log = new PartitionLog(
      {
        fs,
        directory,
        topic: options.topic,
        partition: options.partition,
        config: options.config,
        clock: options.clock,
        control,
        locks: new PartitionLocks(control.file, options.lockWaitMs ?? DEFAULT_LOCK_WAIT_MS),
        segments: new LogSegments(fs, directory),
        bootId: fs.bootId(),
        failure: undefined,
      },
      options.onRoll,
    );
    try {
      await trySettle(log.#context);
    } catch (error) {
      await log.close().catch(() => {});
      throw error;
    }
    return log;
  }

  /**
   * Appends complete v2 batches with one hold of the lock. Base offsets, leader epoch and, with LogAppendTime, the time are
   * filled in in place. The records are in the log, but neither durable nor visible before {@link durable}.
   *
   * UNKNOWN_TOPIC_OR_PARTITION when the topic was deleted meanwhile, KLOG_LOCKED, KLOG_DISK_FULL, KLOG_SYNC_FAILED;
   * OFFSET_OUT_OF_RANGE for offsets to be kept that the log already has. After
   * an error nothing of the call is in the log, except whole batches before a roll in the middle of it.
   */
  async append(batches: readonly Uint8Array[], options: AppendOptions = {}): Promise<Appended> {
    const { locks } = this.#context;
    this.#assertOpen();
    await locks.acquireAppend();
    try {
      await this.#assertCurrent();
      return await this.#appendBehind(await this.#settled(), batches, options.keepOffsets === true);
    } catch (error) {
      throw this.#storageError(error);
    } finally {
      locks.append.release();
      if (this.#rolled) this.#onRoll?.();
      this.#rolled = false;
    }
  }

  /** Resolves when the batches survive a power loss, and readers see them. KLOG_SYNC_FAILED, KLOG_OUTCOME_UNKNOWN, KLOG_LOCKED. */
  async durable(appended: Appended): Promise<void> {
    this.#assertOpen();
    await awaitDurable(this.#context, appended);
  }

  /** Settles what a process that died has left, unless somebody is busy with the partition. */
  async trySettle(): Promise<void> {
    this.#assertOpen();
    await trySettle(this.#context);
  }

  /**
   * Raises the log start to `beforeOffset` (-1: the high watermark) and deletes the segments below it. Kafka: `DeleteRecords`.
   * OFFSET_OUT_OF_RANGE beyond the high watermark; KLOG_LOCKED, KLOG_SYNC_FAILED.
   */
  async trim(beforeOffset: number, options: TrimOptions = {}): Promise<Trimmed> {
    this.#assertOpen();
    return await trim(this.#context, beforeOffset, options);
  }

  /** Deletes whole segments, the oldest first, that the log start, their size or their age say may go. */
  async applyRetention(options: RetentionOptions = {}): Promise<Retained> {
    this.#assertOpen();
    return await applyRetention(this.#context, options);
  }

  /** Keeps the last record of each key, by Kafka's rules. KLOG_LOCKED: another process is at it. */
  async compact(options: CompactOptions = {}): Promise<Compacted> {
    this.#assertOpen();
    return await compact(this.#context, options);
  }

  /** Writes the segments with the selected records anew without them, and unlinks the old bytes. */
  async erase(selection: EraseSelection, options: EraseOptions = {}): Promise<Erased> {
    this.#assertOpen();
    return await erase(this.#context, selection, options);
  }

  /** Retention, and compaction if it is due: what `onRoll` asks for, in the background. */
  async upkeepAfterRoll(signal: AbortSignal): Promise<UpkeepDone> {
    this.#assertOpen();
    return await upkeepAfterRoll(this.#context, signal);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await checkpointOnClose(this.#context);
    } finally {
      await this.#context.segments.close();
      await this.#context.control.close();
    }
  }

  /** A, as it may be appended behind. The append lock is held. */
  async #settled(): Promise<ControlRecord> {
    const context = this.#context;
    const { state, logSize } = await lookAt(context);
    if (isAppendable(context, state, logSize)) return state.appended;
    await context.locks.sync.acquire();
    try {
      return (await settle(context)).appended;
    } finally {
      context.locks.sync.release();
    }
  }

  async #appendBehind(settled: ControlRecord, batches: readonly Uint8Array[], keepOffsets: boolean): Promise<Appended> {
    const context = this.#context;
    const { config, clock } = context;
    if (context.failure !== undefined) throw context.failure;
    if (keepOffsets) this.#assertAscending(settled, batches);
    const appendTime = config.messageTimestampType === 'LogAppendTime' && !keepOffsets ? clock.now() : -1;
    let inFile = settled;
    let next: ControlRecord = { ...settled };
    let bytes = 0;
    let baseOffset = settled.offset;
    try {
      for (const buffer of batches) {
        this.#batch.reset(buffer, 0);
        const lastOffset = keepOffsets ? this.#batch.lastOffset : next.offset + this.#batch.lastOffsetDelta;
        if (shouldRoll(context, next, this.#batch, lastOffset)) {
          await context.control.writeAppended(next);
          // The roll makes them safe: should it fail then, they stay.
          inFile = next;
          const rolled = await roll(context, next);
          this.#rolled = true;
          if (rolled.offset !== next.offset) {
            // It had to settle, and what a failed sync had lost was cut off.
            if (bytes > 0) throw outcomeUnknown(context, baseOffset, next.offset - 1);
            baseOffset = rolled.offset;
          }
          next = { ...rolled };
          inFile = next;
        }
        const segment = await context.segments.get(next.segmentBase);
        next = await this.#writeBatch(segment, next, buffer, appendTime, keepOffsets);
        bytes += buffer.length;
      }
      await context.control.writeAppended(next);
    } catch (error) {
      await this.#takeBack(inFile);
      throw error;
    }
    const { cutCount, leaderEpoch } = next;
    return { baseOffset, lastOffset: next.offset - 1, bytes, appendTime, cutCount, leaderEpoch };
  }

  async #writeBatch(
    segment: LogSegment,
    before: ControlRecord,
    buffer: Uint8Array,
    appendTime: number,
    keepOffsets: boolean,
  ): Promise<ControlRecord> {
    const batch = this.#batch;
    if (!keepOffsets) batch.setBaseOffset(before.offset);
    // Kept as they were, batches may be of a format without epochs.
    if (batch.magic === MAGIC_V2) batch.setPartitionLeaderEpoch(before.leaderEpoch);
    if (appendTime >= 0) batch.setLogAppendTime(appendTime);
    const { lastOffset, maxTimestamp } = batch;
    const { position } = before;
    await writeFully(segment.log, buffer, 0, buffer.length, position);
    const index = segment.indexWriter(this.#context.config.indexIntervalBytes);
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
  #assertAscending(settled: ControlRecord, batches: readonly Uint8Array[]): void {
    const { topic, partition } = this.#context;
    let offset = settled.offset;
    for (const buffer of batches) {
      const batch = this.#batch.reset(buffer, 0);
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
  async #takeBack(inFile: ControlRecord): Promise<void> {
    try {
      const segment = await this.#context.segments.get(inFile.segmentBase);
      if ((await segment.log.stat()).size > inFile.position) await segment.log.truncate(inFile.position);
    } catch {
      // Then the next holder of the lock finds the file longer than A, and settles.
    }
  }

  #storageError(error: unknown): unknown {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof KlogError) return error;
    const { topic, partition, directory } = this.#context;
    const place = { topic, partition, file: directory, cause: error };
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      return new KlogError('KLOG_DISK_FULL', `no space to append to ${topic}:${partition}`, {
        ...place,
        hint: 'Free some space and try again; the log is as it was.',
      });
    }
    return new KlogError(
      'KAFKA_STORAGE_ERROR',
      `cannot append to ${topic}:${partition}: ${(error as Error).message}`,
      place,
    );
  }

  /** A delete holds all the locks over its rename: while we hold one, the answer stays true. */
  async #assertCurrent(): Promise<void> {
    const { control, fs } = this.#context;
    if (await control.isCurrent(fs)) return;
    throw wasDeleted(this.#context);
  }

  #assertOpen(): void {
    if (this.#closed) throw new KlogError('KLOG_CLOSED', `${this.#context.topic}:${this.#context.partition} is closed`);
  }
}
