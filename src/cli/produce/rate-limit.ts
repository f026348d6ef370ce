import { setTimeout as sleep } from 'node:timers/promises';
import { KlogError } from '../../errors.js';
import type { RecordHeader } from '../../format/log-record.js';
import type { RecordTarget } from './record-target.js';

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600 };

/** `100/s`, `6/m`, `1000` → records per second. */
export function parseRate(text: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(?:\/([smh]))?$/.exec(text) ?? [];
  const rate = Number(count) / SECONDS[unit]!;
  if (count === undefined || !(rate > 0)) {
    throw new KlogError('KLOG_USAGE', `'${text}' is no rate`, { hint: 'Rates look like 100/s, 6/m, 30/h' });
  }
  return rate;
}

/** Timers come late; what was missed by up to this long is made up for, what was idle for longer is not. */
const CATCH_UP_MS = 100;

/** Spreads records evenly over time, all topics of a run together. */
export class RateLimit {
  readonly #intervalMs: number;
  readonly #elapsed: () => number;
  readonly #signal: AbortSignal;
  /** When the next record is due. */
  #due: number;

  /** `elapsed`: milliseconds on a clock that never goes back. */
  constructor(recordsPerSecond: number, elapsed: () => number, signal: AbortSignal) {
    this.#intervalMs = 1000 / recordsPerSecond;
    this.#elapsed = elapsed;
    this.#signal = signal;
    this.#due = elapsed();
  }

  /** A record goes; whether the next one may follow at once. */
  take(): boolean {
    const now = this.#elapsed();
    this.#due = Math.max(this.#due, now - CATCH_UP_MS) + this.#intervalMs;
    return this.#due <= now;
  }

  /** Until the next record is due, or the signal aborts. */
  async wait(): Promise<void> {
    for (let left = this.#due - this.#elapsed(); left > 0; left = this.#due - this.#elapsed()) {
      if (this.#signal.aborted) return;
      // An interruption ends the wait, and is for whoever reads the input to see.
      await sleep(Math.min(left, MAX_TIMER_MS), undefined, { signal: this.#signal }).catch(() => {});
    }
  }
}

const MAX_TIMER_MS = 0x7fff_ffff;

/** A target that has no room until the next record is due. */
export class PacedTarget implements RecordTarget {
  readonly topic: string;
  readonly partitionCount: number;
  readonly #target: RecordTarget;
  readonly #limit: RateLimit;

  constructor(target: RecordTarget, limit: RateLimit) {
    this.topic = target.topic;
    this.partitionCount = target.partitionCount;
    this.#target = target;
    this.#limit = limit;
  }

  appendValue(buffer: Uint8Array, start: number, end: number, timestamp: number): boolean {
    const hasRoom = this.#target.appendValue(buffer, start, end, timestamp);
    return this.#limit.take() && hasRoom;
  }

  append(
    keyBuffer: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
    partition: number,
  ): boolean {
    const hasRoom = this.#target.append(
      keyBuffer,
      keyStart,
      keyEnd,
      valueBuffer,
      valueStart,
      valueEnd,
      timestamp,
      headers,
      partition,
    );
    return this.#limit.take() && hasRoom;
  }

  async ready(): Promise<void> {
    await this.#target.ready();
    await this.#limit.wait();
  }
}
