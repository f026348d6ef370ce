/**
 * The three locks of a partition, kernel locks on byte ranges of `klog.end` past its data: whoever dies frees them.
 *
 * - *queue*: a turnstile before *append*. Take queue, take append, release queue. Without it the kernel may hand a freed
 *   append lock to the same busy writer again and again, and another waits for seconds.
 * - *append*: held while a batch and then A are written; also by who settles, rolls or deletes.
 * - *sync*: held while data is synced and S is written.
 *
 * The order is always queue, append, sync. Who holds sync and wants append lets go of sync first.
 */
import { KlogError } from '../errors.js';
import { CONTROL_FILE_SIZE } from './control-file.js';
import type { LockRange, OpenFile } from './file-system.js';

export const QUEUE_RANGE: LockRange = { start: CONTROL_FILE_SIZE, length: 1 };
export const APPEND_RANGE: LockRange = { start: CONTROL_FILE_SIZE + 1, length: 1 };
export const SYNC_RANGE: LockRange = { start: CONTROL_FILE_SIZE + 2, length: 1 };

/**
 * One kernel lock of one open file. The kernel knows only open files, so the tasks of this process that share one are put
 * in a row here first.
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

  /** KLOG_LOCKED when it was not to be had in time. */
  async acquire(): Promise<void> {
    if (this.#taken) await new Promise<void>((turn) => this.#row.push(turn));
    else this.#taken = true;
    if (this.#file.tryLock(this.#range)) return;
    const granted = this.#file.waitLock(this.#range);
    if (this.#waitMs === Number.POSITIVE_INFINITY) return granted.catch((error) => this.#giveUp(error));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, this.#waitMs, 'late');
    });
    const outcome = await Promise.race([granted.catch((error) => this.#giveUp(error)), late]);
    clearTimeout(timer);
    if (outcome !== 'late') return;
    // The kernel may still grant it: hand it back then, and only then let the next task of this process try.
    granted.then(
      () => this.release(),
      () => this.#next(),
    );
    throw this.#locked();
  }

  release(): void {
    this.#file.unlock(this.#range);
    this.#next();
  }

  /** Passes the turn on directly: a newcomer must not slip in before the task whose turn it is. */
  #next(): void {
    const turn = this.#row.shift();
    if (turn === undefined) this.#taken = false;
    else turn();
  }

  #giveUp(error: unknown): never {
    this.#next();
    throw error;
  }

  #locked(): KlogError {
    const pid = this.#file.lockHolder?.(this.#range);
    return new KlogError(
      'KLOG_LOCKED',
      `the ${this.#name} lock was not free within ${this.#waitMs} ms: ${pid === undefined ? 'another process' : `process ${pid}`} holds it`,
      { file: this.#file.path, hint: 'Continue or end that process; `klog doctor` shows who holds which lock.' },
    );
  }
}

export class PartitionLocks {
  readonly queue: KernelLock;
  readonly append: KernelLock;
  readonly sync: KernelLock;

  /** `waitMs`: longest wait for a lock; `Infinity` waits for ever. */
  constructor(controlFile: OpenFile, waitMs: number) {
    this.queue = new KernelLock(controlFile, QUEUE_RANGE, 'queue', waitMs);
    this.append = new KernelLock(controlFile, APPEND_RANGE, 'append', waitMs);
    this.sync = new KernelLock(controlFile, SYNC_RANGE, 'sync', waitMs);
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
