import type { SimulatedDisk } from './simulated-disk.js';
import type { SimulatedProcess } from './simulated-process.js';

export interface SimulatedTimer {
  readonly process: SimulatedProcess;
  readonly atMs: number;
  readonly fire: () => void;
}

/** The machine's time. It stands still until the scheduler lets the next timer fire. */
export class SimulatedClock {
  readonly #disk: SimulatedDisk;
  #timers: SimulatedTimer[] = [];

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  /** Those of living processes, the next one first. */
  get timers(): readonly SimulatedTimer[] {
    this.#timers = this.#timers.filter(({ process }) => !process.dead);
    return this.#timers;
  }

  fire(timer: SimulatedTimer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
    this.#disk.nowMs = Math.max(this.#disk.nowMs, timer.atMs);
    timer.fire();
  }

  /** The clock as one process has it: its timers die with it. */
  of(process: SimulatedProcess): ProcessClock {
    return new ProcessClock(process, this.#disk, (timer) => {
      const at = this.#timers.findIndex((other) => other.atMs > timer.atMs);
      this.#timers.splice(at === -1 ? this.#timers.length : at, 0, timer);
      return () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      };
    });
  }
}

export class ProcessClock {
  readonly #process: SimulatedProcess;
  readonly #disk: SimulatedDisk;
  readonly #add: (timer: SimulatedTimer) => () => void;

  constructor(process: SimulatedProcess, disk: SimulatedDisk, add: (timer: SimulatedTimer) => () => void) {
    this.#process = process;
    this.#disk = disk;
    this.#add = add;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#disk.nowMs;
  }

  /** Calls `fire` once after `delayMs`; the result takes that back. */
  schedule(delayMs: number, fire: () => void): () => void {
    return this.#add({ process: this.#process, atMs: this.#disk.nowMs + delayMs, fire });
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(delayMs, resolve);
    });
  }
}
