/**
 * Partitions as a store hands them out: their files are open while they are used, and closed and opened again as the
 * store's descriptors allow.
 */
import { setMaxListeners } from 'node:events';
import { KlogError } from '../errors.js';
import type { Compacted, CompactOptions } from '../storage/log-compaction.js';
import type { Erased, EraseOptions, EraseSelection } from '../storage/log-erase.js';
import type { Retained, RetentionOptions } from '../storage/log-retention.js';
import type { Trimmed, TrimOptions } from '../storage/log-trim.js';
import type { Appended, AppendOptions, Decision, PartitionLog } from '../storage/partition-log.js';
import type { Damage, FetchedBatches, PartitionMarks, PartitionReader } from '../storage/partition-reader.js';
import type { AbortedTransaction } from '../storage/transaction-index.js';
import type { UpkeepDone } from '../storage/upkeep-after-roll.js';
import type { PartitionSlot } from './partition-pool.js';

/** Between two looks of a reader that had to give its descriptors away. */
const CROWDED_POLL_MS = 25;

/** The writing side of one partition. Kafka: `UnifiedLog`. */
export class StoredPartitionLog {
  readonly identity: string;
  readonly #slot: PartitionSlot<PartitionLog>;
  /** Opening it again must not make a process acknowledge that has met a failed sync. */
  #failure: KlogError | undefined;

  /** @param identity of topic and configs */
  constructor(slot: PartitionSlot<PartitionLog>, identity: string) {
    this.#slot = slot;
    this.identity = identity;
  }

  /** Closes the files unless they are in use; who still holds this log opens them again. */
  async retire(): Promise<void> {
    await this.#slot.closeIfIdle();
  }

  async open(): Promise<void> {
    await this.#use(async () => {});
  }

  /** Waits for what is in use, then closes the files. */
  async close(): Promise<void> {
    await this.#slot.close();
  }

  /** See `PartitionLog.append`. */
  async append(batches: readonly Uint8Array[], options: AppendOptions = {}): Promise<Appended> {
    return await this.#use((log) => log.append(batches, options));
  }

  /** See `PartitionLog.appendDecided`. */
  async appendDecided(decide: Decision): Promise<Appended | undefined> {
    return await this.#use((log) => log.appendDecided(decide));
  }

  /** See `PartitionLog.durable`. */
  async durable(appended: Appended): Promise<void> {
    await this.#use((log) => log.durable(appended));
  }

  async trySettle(): Promise<void> {
    await this.#use((log) => log.trySettle());
  }

  /** See `PartitionLog.trim`. */
  async trim(beforeOffset: number, options: TrimOptions = {}): Promise<Trimmed> {
    return await this.#use((log) => log.trim(beforeOffset, options));
  }

  /** See `PartitionLog.applyRetention`. */
  async applyRetention(options: RetentionOptions = {}): Promise<Retained> {
    return await this.#use((log) => log.applyRetention(options));
  }

  /** See `PartitionLog.compact`. */
  async compact(options: CompactOptions = {}): Promise<Compacted> {
    return await this.#use((log) => log.compact(options));
  }

  /** See `PartitionLog.erase`. */
  async erase(selection: EraseSelection, options: EraseOptions = {}): Promise<Erased> {
    return await this.#use((log) => log.erase(selection, options));
  }

  /** See `PartitionLog.upkeepAfterRoll`. */
  async upkeepAfterRoll(signal: AbortSignal): Promise<UpkeepDone> {
    return await this.#use((log) => log.upkeepAfterRoll(signal));
  }

  async #use<R>(operation: (log: PartitionLog) => Promise<R>): Promise<R> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return await this.#slot.use(operation);
    } catch (error) {
      if (error instanceof KlogError && error.code === 'KLOG_SYNC_FAILED') this.#failure = error;
      throw error;
    }
  }
}

/** The reading side of one partition: everything up to the high watermark, without locks. */
export class StoredPartitionReader {
  readonly #slot: PartitionSlot<PartitionReader>;
  readonly #watch: (listener: () => void) => { close(): void } | undefined;
  #closed = false;

  /** @param watch of the control file */
  constructor(slot: PartitionSlot<PartitionReader>, watch: (listener: () => void) => { close(): void } | undefined) {
    this.#slot = slot;
    this.#watch = watch;
  }

  /**
   * Calls `listener` when something may have been published, until the answer is closed. It keeps no file open, and
   * does not hear of a writer's death. `undefined`: cannot watch here.
   */
  watch(listener: () => void): { close(): void } | undefined {
    this.#assertOpen();
    return this.#watch(listener);
  }

  async open(): Promise<void> {
    await this.#use(async () => {});
  }

  async marks(): Promise<PartitionMarks> {
    return await this.#use((reader) => reader.marks());
  }

  /** See `PartitionReader.fetch`. */
  async fetch(offset: number, maxBytes: number, into?: Buffer): Promise<FetchedBatches> {
    return await this.#use((reader) => reader.fetch(offset, maxBytes, into));
  }

  /** See `PartitionReader.skipDamage`. */
  async skipDamage(offset: number, reason: string): Promise<Damage> {
    return await this.#use((reader) => reader.skipDamage(offset, reason));
  }

  async offsetForTime(timestamp: number): Promise<{ readonly offset: number; readonly timestamp: number } | undefined> {
    return await this.#use((reader) => reader.offsetForTime(timestamp));
  }

  async abortedTransactions(from: number, to: number): Promise<readonly AbortedTransaction[]> {
    return await this.#use((reader) => reader.abortedTransactions(from, to));
  }

  /** Resolves true when there is something beyond the offset, false at the time-out or when aborted. */
  async waitForMore(
    beyondOffset: number,
    options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
  ): Promise<boolean> {
    const { signal, timeoutMs = Number.POSITIVE_INFINITY } = options;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      this.#assertOpen();
      const crowded = new AbortController();
      const abort = () => crowded.abort();
      if (signal !== undefined) {
        // One signal for all the partitions of a consumer is no leak.
        setMaxListeners(0, signal);
        signal.addEventListener('abort', abort);
      }
      let more: boolean;
      try {
        if (signal?.aborted === true) abort();
        const left = Math.max(0, deadline - performance.now());
        more = await this.#slot.useInterruptibly(abort, (reader) =>
          reader.waitForMore(beyondOffset, { signal: crowded.signal, timeoutMs: left }),
        );
      } finally {
        signal?.removeEventListener('abort', abort);
      }
      if (more || this.#closed || signal?.aborted === true || performance.now() >= deadline) return more;
      await new Promise((resolve) => setTimeout(resolve, CROWDED_POLL_MS));
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#slot.close();
  }

  async #use<R>(operation: (reader: PartitionReader) => Promise<R>): Promise<R> {
    this.#assertOpen();
    return await this.#slot.use(operation);
  }

  #assertOpen(): void {
    if (this.#closed) throw new KlogError('KLOG_CLOSED', 'the reader is closed');
  }
}
