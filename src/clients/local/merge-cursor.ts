import { RecordCursor, type RecordRun } from '../../format/record-cursor.js';

/** Larger than the deltas that a run's reader knows. */
const EVERY_DELTA = 2 ** 31 - 1;

/**
 * A cursor that can look at the next record before anybody takes it, and stop before one that has to wait for its turn:
 * that is how batches of many partitions are merged by time without an object per record.
 */
export class MergeCursor extends RecordCursor {
  #isHeld = false;
  #limit = Number.POSITIVE_INFINITY;

  /** Whether the record in the fields has been looked at, but not been handed out. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** A new batch: nothing is held, nothing bounds it. */
  restart(): void {
    this.#isHeld = false;
    this.#limit = Number.POSITIVE_INFINITY;
  }

  /** Loads the next record into the fields without handing it out; false when there is none. */
  peek(): boolean {
    if (!this.#isHeld) this.#isHeld = super.next();
    return this.#isHeld;
  }

  /** Goes back before the record that was looked at. Nothing bounds the cursor any more. */
  unpeek(): void {
    if (this.#isHeld) this.stepBack();
    this.restart();
  }

  /** From now on {@link next} stops before records of this time or a later one. */
  stopAt(timestamp: number): void {
    this.#limit = timestamp;
  }

  override restOf(run: RecordRun): void {
    super.restOf(run);
    if (this.#limit === Number.POSITIVE_INFINITY && !this.#isHeld) return;
    // What has been looked at is next() to hand out.
    if (this.#isHeld || run.hasAppendTime) run.count = 0;
    const last = this.#limit - 1;
    run.lastTimestampDelta = Math.max(-EVERY_DELTA, Math.min(EVERY_DELTA, last - run.baseTimestamp));
  }

  override next(): boolean {
    if (this.#isHeld) this.#isHeld = false;
    else if (!super.next()) return false;
    if (this.timestamp < this.#limit) return true;
    this.#isHeld = true;
    return false;
  }
}
