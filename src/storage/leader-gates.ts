/**
 * Waiting for a sync that another process leads, without asking for the sync lock: that only one can have, so all whom
 * the sync has covered would be let in one after the other, each woken by the one before.
 *
 * ```
 * 4100  gates, one byte each    exclusively with who leads a sync, or is to lead the next one; waited for shared
 * ```
 *
 * Whoever gets the gate of a sync that has not begun is its leader to be, and waits for the sync lock. All others wait
 * for the gate, are let in at once when that sync is through, or its leader has died, and look at S, which needs no
 * lock. The sync that turns S of sequence n into n + 1 has gate n modulo {@link GATES}: who was let in, and still holds
 * one, is not in the way.
 *
 * Nothing is decided by gates. With a wrong one, or none, somebody looks once more, or waits for the sync lock.
 */
import { CONTROL_FILE_SIZE } from './control-file.js';
import type { LockRange, OpenFile } from './file-system.js';
import { fulfilledWithin } from './fulfilled-within.js';

const GATES = 8;
export const GATES_RANGE: LockRange = { start: CONTROL_FILE_SIZE + 4, length: GATES };

/**
 * By then most syncs are through; and who has the gate may have been stopped, which must not keep others from leading.
 */
const LONGEST_WAIT_MS = 1000;

/** The gates as one process sees them, of whose tasks one at a time asks for them. */
export class LeaderGates {
  readonly #file: OpenFile;
  readonly #waitMs: number;
  #held: LockRange | undefined;
  /** Waits that go on, by where the gate is: they cannot be taken back, only given up. */
  readonly #waits = new Map<number, { readonly passed: Promise<void>; isGivenUp: boolean }>();

  /** `waitMs`: of the locks, for which half of it is left; `Infinity` waits for ever here, too. */
  constructor(file: OpenFile, waitMs: number) {
    this.#file = file;
    this.#waitMs = waitMs === Number.POSITIVE_INFINITY ? waitMs : Math.min(waitMs / 2, LONGEST_WAIT_MS);
  }

  /**
   * Takes the gate of the sync that goes on from S of this sequence, and lets go of another. False: it is another's.
   */
  take(sequence: number): boolean {
    const gate = gateOf(sequence);
    if (this.#held?.start === gate.start) return true;
    this.letGo();
    if (!this.#file.tryLock(gate)) return false;
    this.#held = gate;
    return true;
  }

  letGo(): void {
    const gate = this.#held;
    this.#held = undefined;
    if (gate !== undefined) this.#file.unlock(gate);
  }

  /**
   * Resolves when nobody has the gate of that sync any more, or false when that takes long. Who has stopped has its
   * gate through all later syncs, of which every eighth comes back to it: that is waited for once.
   */
  async passed(sequence: number): Promise<boolean> {
    const gate = gateOf(sequence);
    let wait = this.#waits.get(gate.start);
    if (wait === undefined) {
      wait = { passed: this.#pass(gate), isGivenUp: false };
      this.#waits.set(gate.start, wait);
    }
    if (wait.isGivenUp) return false;
    const isPassed = await fulfilledWithin(wait.passed, this.#waitMs);
    wait.isGivenUp = !isPassed;
    return isPassed;
  }

  async #pass(gate: LockRange): Promise<void> {
    try {
      await this.#file.waitLock(gate, { shared: true });
      this.#file.unlock(gate);
    } finally {
      this.#waits.delete(gate.start);
    }
  }
}

function gateOf(sequence: number): LockRange {
  return { start: GATES_RANGE.start + (sequence % GATES), length: 1 };
}
