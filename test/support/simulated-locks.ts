import type { LockRange } from '../../src/storage/file-system.js';

interface HeldLock {
  /** An open file description. */
  readonly owner: object;
  readonly start: number;
  readonly end: number;
  readonly shared: boolean;
}

/** Open-file-description locks of one inode, as fcntl(F_OFD_SETLK) gives them. */
export class SimulatedLocks {
  #held: HeldLock[] = [];

  get held(): readonly HeldLock[] {
    return this.#held;
  }

  mayTake(owner: object, range: LockRange, shared: boolean): boolean {
    return this.conflicts(owner, range, shared).length === 0;
  }

  /** Who is in the way. */
  conflicts(owner: object, range: LockRange, shared: boolean): readonly HeldLock[] {
    const end = endOf(range);
    return this.#held.filter(
      (lock) => lock.owner !== owner && lock.start < end && range.start < lock.end && !(shared && lock.shared),
    );
  }

  /** The range must be free for the owner. A lock that the owner already holds there changes its kind. */
  take(owner: object, range: LockRange, shared: boolean): void {
    this.release(owner, range);
    this.#held.push({ owner, start: range.start, end: endOf(range), shared });
  }

  /** Frees what the owner holds in the range; a lock that reaches beyond it keeps its ends. */
  release(owner: object, range: LockRange): void {
    const { start } = range;
    const end = endOf(range);
    this.#held = this.#held.flatMap((lock) => {
      if (lock.owner !== owner || lock.end <= start || lock.start >= end) return [lock];
      const rest: HeldLock[] = [];
      if (lock.start < start) rest.push({ ...lock, end: start });
      if (lock.end > end) rest.push({ ...lock, start: end });
      return rest;
    });
  }

  releaseAll(owner: object): void {
    this.#held = this.#held.filter((lock) => lock.owner !== owner);
  }
}

/** A length of 0 reaches to the end of the file, wherever that is. */
function endOf({ start, length }: LockRange): number {
  return length === 0 ? Number.POSITIVE_INFINITY : start + length;
}
