import { KlogError } from '../errors.js';

export interface Closeable {
  close(): Promise<void>;
}

/**
 * What a process has open of partitions, within a number of descriptors. A slot is opened when it is used, and closed,
 * the one that was idle for the longest first, when others need its descriptors. A slot in use is never closed: it may
 * hold a lock, or wait for one.
 */
export class PartitionPool {
  readonly #slots = new Set<PartitionSlot<Closeable>>();
  readonly #maxDescriptors: number;
  readonly #descriptors: () => number;
  #closed = false;

  /** @param descriptors how many are open now */
  constructor(maxDescriptors: number, descriptors: () => number) {
    this.#maxDescriptors = maxDescriptors;
    this.#descriptors = descriptors;
  }

  slot<T extends Closeable>(open: () => Promise<T>): PartitionSlot<T> {
    return new PartitionSlot(this, open);
  }

  /**
   * Closes idle slots, those unused for the longest first, until `room` descriptors are free. Those that only wait are
   * interrupted, and close when they have stopped; nobody waits for that here, who may be in the middle of something
   * they wait for. Answers what was done.
   */
  async makeRoom(room: number): Promise<{ closed: number; interrupted: number }> {
    const done = { closed: 0, interrupted: 0 };
    for (const slot of [...this.#slots]) {
      if (this.#maxDescriptors - this.#descriptors() + done.interrupted >= room) break;
      if (await slot.closeIfIdle()) done.closed++;
      else if (slot.interrupt()) done.interrupted++;
    }
    return done;
  }

  /** For when the system has no descriptor left. Answers whether it may have one now. */
  async closeIdle(): Promise<boolean> {
    const before = this.#descriptors();
    const { closed, interrupted } = await this.makeRoom(Number.POSITIVE_INFINITY);
    for (let look = 0; interrupted > 0 && this.#descriptors() >= before && look < LOOKS; look++) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
    return closed > 0 || this.#descriptors() < before;
  }

  /** Makes the slot the one used last. */
  touch(slot: PartitionSlot<Closeable>): void {
    if (this.#closed) throw new KlogError('KLOG_CLOSED', 'the data directory was closed');
    this.#slots.delete(slot);
    this.#slots.add(slot);
  }

  forget(slot: PartitionSlot<Closeable>): void {
    this.#slots.delete(slot);
  }

  /** Waits for what is in use. Nothing can be used any more. */
  async close(): Promise<void> {
    this.#closed = true;
    const failures: unknown[] = [];
    for (const slot of [...this.#slots]) await slot.close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}

/** How long, and how many times, interrupted slots are waited for. */
const LOOK_AGAIN_MS = 5;
const LOOKS = 100;
/** Descriptors that one more partition may take: its control file, two segments, and the indexes beside them. */
const ROOM_FOR_ONE = 8;

export class PartitionSlot<T extends Closeable> {
  readonly #pool: PartitionPool;
  readonly #open: () => Promise<T>;
  #opened: Promise<T> | undefined;
  #users = 0;
  readonly #interrupts = new Set<() => void>();
  readonly #whenIdle: (() => void)[] = [];
  #closeWhenIdle = false;
  #isClosing = false;

  constructor(pool: PartitionPool, open: () => Promise<T>) {
    this.#pool = pool;
    this.#open = open;
  }

  /** Runs an operation on what the slot holds, opened now if it is not. */
  async use<R>(operation: (opened: T) => Promise<R>): Promise<R> {
    this.#pool.touch(this);
    this.#users++;
    try {
      if (this.#opened === undefined) {
        this.#opened = this.#openWithin();
        this.#opened.catch(() => {
          this.#opened = undefined;
          this.#pool.forget(this);
        });
      }
      return await operation(await this.#opened);
    } finally {
      this.#users--;
      if (this.#users === 0) {
        for (const resolve of this.#whenIdle.splice(0)) resolve();
        if (this.#closeWhenIdle) await this.closeIfIdle();
      }
    }
  }

  /**
   * Runs an operation that may last long, such as waiting for records, and does no harm when it is interrupted: then
   * the descriptors are needed elsewhere.
   */
  async useInterruptibly<R>(interrupt: () => void, operation: (opened: T) => Promise<R>): Promise<R> {
    return await this.use(async (opened) => {
      this.#interrupts.add(interrupt);
      // Who closes has interrupted what there was: this was still being opened.
      if (this.#isClosing) interrupt();
      try {
        return await operation(opened);
      } finally {
        this.#interrupts.delete(interrupt);
      }
    });
  }

  async #openWithin(): Promise<T> {
    await this.#pool.makeRoom(ROOM_FOR_ONE);
    const opened = await this.#open();
    // Others may have been opened at the same time.
    await this.#pool.makeRoom(0);
    return opened;
  }

  /** Closes it now; the next use opens it anew. */
  async closeIfIdle(): Promise<boolean> {
    if (this.#opened === undefined || this.#users > 0) return false;
    await this.#closeNow().catch(() => {
      // What it could not write, its control file does not claim.
    });
    return true;
  }

  /** Ends what may be interrupted, if there is nothing else in it; then it closes. */
  interrupt(): boolean {
    if (this.#opened === undefined || this.#users === 0 || this.#interrupts.size < this.#users) return false;
    this.#closeWhenIdle = true;
    for (const interrupt of this.#interrupts) interrupt();
    return true;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#users > 0) {
      const idle = new Promise<void>((resolve) => this.#whenIdle.push(resolve));
      for (const interrupt of this.#interrupts) interrupt();
      await idle;
    }
    await this.#closeNow();
  }

  async #closeNow(): Promise<void> {
    const opened = this.#opened;
    this.#closeWhenIdle = false;
    this.#opened = undefined;
    this.#pool.forget(this);
    await (await opened?.catch(() => undefined))?.close();
  }
}
