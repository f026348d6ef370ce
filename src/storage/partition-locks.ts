/**
 * The locks of a partition, kernel locks on byte ranges of `klog.end` past its data: whoever dies frees them.
 *
 * - *queue*: a turnstile before *append*. Take queue, take append, release queue. Without it the kernel may hand a
 *   freed append lock to the same busy writer again and again, and another waits for seconds.
 * - *append*: held while a batch and then A are written; also by who settles, rolls or deletes.
 * - *sync*: held while data is synced and S is written.
 * - *upkeep*: held for as long as a compaction or an erasure runs, so that there is one at a time. Writers never ask
 *   for it.
 *
 * The order is always upkeep, queue, append, sync. Who holds sync and wants append lets go of sync first. Behind them
 * lie the gates (leader-gates.ts), which only say that a sync is through.
 */
import { KlogError } from '../errors.js';
import { CONTROL_FILE_SIZE } from './control-file.js';
import type { LockRange, OpenFile } from './file-system.js';
import { fulfilledWithin } from './fulfilled-within.js';
import { LeaderGates } from './leader-gates.js';

export const QUEUE_RANGE: LockRange = { start: CONTROL_FILE_SIZE, length: 1 };
export const APPEND_RANGE: LockRange = { start: CONTROL_FILE_SIZE + 1, length: 1 };
export const SYNC_RANGE: LockRange = { start: CONTROL_FILE_SIZE + 2, length: 1 };
export const UPKEEP_RANGE: LockRange = { start: CONTROL_FILE_SIZE + 3, length: 1 };

/**
 * One kernel lock of one open file. The kernel knows only open files, so the tasks of this process that share one are
 * put in a row here first; waiting in it counts as waiting for the lock.
 */
export class KernelLock {
  readonly #file: OpenFile;
  readonly #range: LockRange;
  readonly #name: string;
  readonly #waitMs: number;
  readonly #row: (() => void)[] = [];
  #taken = false;

  constructor(file: OpenFile, range: LockRange, name: string, waitMs: number) {
    this.#file = file;
    this.#range = range;
    this.#name = name;
    this.#waitMs = waitMs;
  }

  /** Takes the lock if that needs no waiting. */
  tryAcquire(): boolean {
    if (this.#taken || !this.#file.tryLock(this.#range)) return false;
    this.#taken = true;
    return true;
  }

  /**
   * True: it is held. Where another open file has it, `unless` is asked before it is waited for; answers that true, the
   * lock is not taken, and the answer here is false. KLOG_LOCKED when it was not to be had in time.
   */
  async acquire(unless?: () => Promise<boolean>): Promise<boolean> {
    const start = performance.now();
    if (this.#taken) await this.#waitInRow();
    else this.#taken = true;
    let granted: Promise<void> | undefined;
    let inTime: boolean;
    try {
      if (this.#file.tryLock(this.#range)) return true;
      if (unless !== undefined && (await unless())) {
        this.#next();
        return false;
      }
      granted = this.#file.waitLock(this.#range);
      inTime = await fulfilledWithin(granted, this.#waitMs - (performance.now() - start));
    } catch (error) {
      this.#next();
      throw error;
    }
    if (inTime) return true;
    // The kernel may still grant it: hand it back then, and only then let the next task of this process try.
    granted.then(
      () => this.release(),
      () => this.#next(),
    );
    throw this.#locked();
  }

  release(): void {
    try {
      this.#file.unlock(this.#range);
    } finally {
      this.#next();
    }
  }

  /**
   * Behind other tasks of this process, one of which may have stopped waiting for a lock that it is still to be
   * granted.
   */
  async #waitInRow(): Promise<void> {
    let turn = () => {};
    const come = new Promise<void>((resolve) => {
      turn = resolve;
    });
    this.#row.push(turn);
    if (await fulfilledWithin(come, this.#waitMs)) return;
    const at = this.#row.indexOf(turn);
    // Not in the row any more: the turn has come just now.
    if (at < 0) return;
    this.#row.splice(at, 1);
    throw this.#locked();
  }

  /** Passes the turn on directly: a newcomer must not slip in before the task whose turn it is. */
  #next(): void {
    const turn = this.#row.shift();
    if (turn === undefined) this.#taken = false;
    else turn();
  }

  #locked(): KlogError {
    const pid = this.#file.lockHolder?.(this.#range);
    const holder = pid === undefined ? 'another process' : pid === process.pid ? 'this process' : `process ${pid}`;
    return new KlogError(
      'KLOG_LOCKED',
      `the ${this.#name} lock was not free within ${this.#waitMs} ms: ${holder} holds it`,
      { file: this.#file.path, hint: 'Continue or end that process; `klog doctor` shows who holds which lock.' },
    );
  }
}

export class PartitionLocks {
  readonly queue: KernelLock;
  readonly append: KernelLock;
  readonly sync: KernelLock;
  readonly upkeep: KernelLock;
  readonly gates: LeaderGates;

  /** `waitMs`: longest wait for a lock; `Infinity` waits for ever. */
  constructor(controlFile: OpenFile, waitMs: number) {
    this.queue = new KernelLock(controlFile, QUEUE_RANGE, 'queue', waitMs);
    this.append = new KernelLock(controlFile, APPEND_RANGE, 'append', waitMs);
    this.sync = new KernelLock(controlFile, SYNC_RANGE, 'sync', waitMs);
    this.upkeep = new KernelLock(controlFile, UPKEEP_RANGE, 'upkeep', waitMs);
    this.gates = new LeaderGates(controlFile, waitMs);
  }

  /** Takes the append lock through the turnstile. */
  async acquireAppend(): Promise<void> {
    await this.queue.acquire();
    try {
      await this.append.acquire();
    } finally {
      this.queue.release();
    }
  }
}
