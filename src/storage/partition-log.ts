/**
 * The writing side of a partition, shared by any number of processes through kernel locks (partition-locks.ts).
 *
 * Append, sync and publish are three steps. *Append* writes a batch behind A and moves A, under the append lock. *Sync*
 * makes it durable and moves S, under the sync lock, for whoever has appended meanwhile too (log-sync.ts). Readers see
 * what lies below S, and nothing else. At every acquisition of the append lock the log may have been left half-written
 * by a process that died while we waited: then it is settled first (log-settle.ts).
 */
import { KlogError } from '../errors.js';
import { ControlFile } from './control-file.js';
import { type FileSystem, isDiskFull } from './file-system.js';
import { lockGate } from './lock-gate.js';
import { type AppendOptions, append, appendDecided } from './log-append.js';
import type { Compacted, CompactOptions } from './log-compaction.js';
import type { LogConfig } from './log-config.js';
import { type Clock, type LogContext, wasDeleted } from './log-context.js';
import type { Decision, LogTail } from './log-decide.js';
import type { Erased, EraseOptions, EraseSelection } from './log-erase.js';
import type { Retained, RetentionOptions } from './log-retention.js';
import { LogSegments } from './log-segments.js';
import { trySettle } from './log-settle.js';
import { type Appended, awaitDurable, checkpointOnClose } from './log-sync.js';
import type { Trimmed, TrimOptions } from './log-trim.js';
import { PartitionLocks } from './partition-locks.js';
import type { UpkeepDone } from './upkeep-after-roll.js';

export type { AppendOptions } from './log-append.js';
export type { Decision, LogEnd } from './log-decide.js';
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

const DEFAULT_LOCK_WAIT_MS = 30_000;

export class PartitionLog {
  readonly #context: LogContext;
  readonly #onRoll: (() => void) | undefined;
  #tail: LogTail | undefined;
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
      // Whatever needs it settled tries again, and can say better what there is no room for; or makes room.
      if (isDiskFull(error)) return log;
      await log.close().catch(() => {});
      throw error;
    }
    return log;
  }

  /**
   * Appends complete v2 batches with one hold of the lock. Base offsets, leader epoch and, with LogAppendTime, the time
   * are filled in in place. The records are in the log, but neither durable nor visible before {@link durable}.
   *
   * UNKNOWN_TOPIC_OR_PARTITION when the topic was deleted meanwhile, KLOG_LOCKED, KLOG_DISK_FULL, KLOG_SYNC_FAILED;
   * OFFSET_OUT_OF_RANGE for offsets to be kept that the log already has. After
   * an error nothing of the call is in the log, except whole batches before a roll in the middle of it: then what could
   * be tried again otherwise is KLOG_OUTCOME_UNKNOWN.
   */
  async append(batches: readonly Uint8Array[], options: AppendOptions = {}): Promise<Appended> {
    this.#assertOpen();
    return await this.#underAppendLock((onRoll) => append(this.#context, batches, options, onRoll));
  }

  /**
   * Appends what `decide` answers to the log as it is, up to what was appended last: nobody appends in between.
   * `undefined`: it answered nothing. What `decide` throws is thrown as it is. Else as {@link append}.
   */
  async appendDecided(decide: Decision): Promise<Appended | undefined> {
    // Few decide: who only appends does without the reading side.
    const { LogTail } = await import('./log-decide.js');
    this.#assertOpen();
    this.#tail ??= new LogTail(this.#context);
    const tail = this.#tail;
    return await this.#underAppendLock((onRoll) => appendDecided(this.#context, tail, decide, onRoll));
  }

  async #underAppendLock<T>(work: (onRoll: () => void) => Promise<T>): Promise<T> {
    return await lockGate.run(() => this.#withAppendLock(work));
  }

  async #withAppendLock<T>(work: (onRoll: () => void) => Promise<T>): Promise<T> {
    const { locks } = this.#context;
    let hasRolled = false;
    await locks.acquireAppend();
    try {
      await this.#assertCurrent();
      return await work(() => {
        hasRolled = true;
      });
    } catch (error) {
      throw this.#storageError(error, 'append to');
    } finally {
      locks.append.release();
      if (hasRolled) this.#onRoll?.();
    }
  }

  /** Resolves when the batches survive a power loss, and readers see them. KLOG_SYNC_FAILED, KLOG_OUTCOME_UNKNOWN. */
  async durable(appended: Appended): Promise<void> {
    this.#assertOpen();
    await lockGate.run(async () => {
      await awaitDurable(this.#context, appended);
    });
  }

  /** Settles what a process that died has left, unless somebody is busy with the partition. */
  async trySettle(): Promise<void> {
    this.#assertOpen();
    await trySettle(this.#context);
  }

  /**
   * Raises the log start to `beforeOffset` (-1: the high watermark) and deletes the segments below it. Kafka:
   * `DeleteRecords`. OFFSET_OUT_OF_RANGE beyond the high watermark; KLOG_LOCKED, KLOG_SYNC_FAILED.
   */
  async trim(beforeOffset: number, options: TrimOptions = {}): Promise<Trimmed> {
    return await this.#upkeep('trim', ({ trim }) => trim(this.#context, beforeOffset, options));
  }

  /** Deletes whole segments, the oldest first, that the log start, their size or their age say may go. */
  async applyRetention(options: RetentionOptions = {}): Promise<Retained> {
    return await this.#upkeep('apply the retention of', ({ applyRetention }) => applyRetention(this.#context, options));
  }

  /** Keeps the last record of each key, by Kafka's rules. KLOG_LOCKED: another process is at it. */
  async compact(options: CompactOptions = {}): Promise<Compacted> {
    return await this.#upkeep('compact', ({ compact }) => compact(this.#context, options));
  }

  /** Writes the segments with the selected records anew without them, and unlinks the old bytes. */
  async erase(selection: EraseSelection, options: EraseOptions = {}): Promise<Erased> {
    return await this.#upkeep('erase records of', ({ erase }) => erase(this.#context, selection, options));
  }

  /** Retention, and compaction if it is due: what `onRoll` asks for, in the background. */
  async upkeepAfterRoll(signal: AbortSignal): Promise<UpkeepDone> {
    return await this.#upkeep('clean up', ({ upkeepAfterRoll }) => upkeepAfterRoll(this.#context, signal));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await checkpointOnClose(this.#context);
    } finally {
      await this.#tail?.close();
      await this.#context.segments.close();
      await this.#context.control.close();
    }
  }

  async #upkeep<T>(what: string, work: (upkeep: typeof import('./log-upkeep.js')) => Promise<T>): Promise<T> {
    const upkeep = await import('./log-upkeep.js');
    this.#assertOpen();
    try {
      return await work(upkeep);
    } catch (error) {
      throw this.#storageError(error, what);
    }
  }

  /** What the system refused, as a KlogError. */
  #storageError(error: unknown, what: string): unknown {
    if (error instanceof KlogError) return error;
    const { topic, partition, directory } = this.#context;
    const place = { topic, partition, file: directory, cause: error };
    if (isDiskFull(error)) {
      return new KlogError('KLOG_DISK_FULL', `no space to ${what} ${topic}:${partition}`, {
        ...place,
        hint: 'Free some space and try again; what is in the log is safe.',
      });
    }
    return new KlogError(
      'KAFKA_STORAGE_ERROR',
      `cannot ${what} ${topic}:${partition}: ${(error as Error).message}`,
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
