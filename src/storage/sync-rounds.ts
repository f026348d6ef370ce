/**
 * Where those wait whom the sync of another process may serve. They need nothing of the sync lock, only its holder to be done;
 * would each take the lock in order to see that it has been served, they would be woken one after the other.
 *
 * A *round* is one sync, known by the sequence number that S has until it is done. Who wants to lead it holds the round's byte
 * of `klog.end` alone, before it takes the sync lock; the others wait for the byte shared, so that the end of the round wakes
 * all of them at once. Nothing is safe or unsafe because of these locks: whoever gets no answer from them takes the sync lock.
 */
import { CONTROL_FILE_SIZE } from './control-file.js';
import type { LockRange, OpenFile } from './file-system.js';
import { fulfilledWithin } from './time-limit.js';

/** Rounds have different bytes in turn: who is late for the end of one does not hold up the next. */
const ROUNDS = 8;
const FIRST_ROUND_AT = CONTROL_FILE_SIZE + 16;

export class SyncRounds {
  readonly #file: OpenFile;

  constructor(controlFile: OpenFile) {
    this.#file = controlFile;
  }

  /** False: another process leads this round. One task of a process at a time. */
  tryLead(sequence: number): boolean {
    return this.#file.tryLock(rangeOf(sequence));
  }

  end(sequence: number): void {
    this.#file.unlock(rangeOf(sequence));
  }

  /** Resolves at the end of the round that another process leads, or when the time is up. */
  async awaitEnd(sequence: number, mostMs: number): Promise<void> {
    const range = rangeOf(sequence);
    const ended = this.#file.waitLock(range, { shared: true }).then(() => this.#file.unlock(range));
    await fulfilledWithin(ended, mostMs);
  }
}

function rangeOf(sequence: number): LockRange {
  return { start: FIRST_ROUND_AT + (sequence % ROUNDS), length: 1 };
}
