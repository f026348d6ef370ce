import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Follower } from '../../src/clients/local/follower.js';
import type { PartitionFetcher } from '../../src/clients/local/partition-fetcher.js';

/** A partition that a consumer has read to its end. */
class WaitingPartition {
  isAtEnd = true;
  isPaused = false;
  isDone = false;
  looks = 0;
  /** How often it was watched closely. */
  turns = 0;
  what: 'nothing' | 'unsafe' | 'more' = 'nothing';
  tell: () => void = () => {};
  readonly reader;

  constructor(isTold: boolean) {
    this.reader = {
      watch: (listener: () => void) => {
        this.tell = listener;
        return isTold ? { close: () => (this.tell = () => {}) } : undefined;
      },
    };
  }

  async beyond() {
    this.looks++;
    return this.what;
  }

  waitForMore(signal: AbortSignal, timeoutMs: number): Promise<boolean> {
    this.turns++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(this.what === 'more'), timeoutMs);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve(false);
      });
    });
  }
}

const ending: AbortController[] = [];

/** Whether the wait for so many partitions has brought something yet. */
function follow(count: number, isTold = true) {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  ending.push(abort);
  const follower = new Follower(abort.signal, () => performance.now());
  const partitions = Array.from({ length: count }, () => new WaitingPartition(isTold));
  const found = { is: false };
  const fetchers = partitions as unknown as PartitionFetcher[];
  void follower.wait(fetchers, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).then((more) => {
    found.is = more;
  });
  return { partitions, found };
}

const looksOf = (partitions: readonly WaitingPartition[]) => partitions.map(({ looks }) => looks);
const turnsOf = (partitions: readonly WaitingPartition[]) => partitions.reduce((sum, { turns }) => sum + turns, 0);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  for (const one of ending.splice(0)) one.abort();
  vi.useRealTimers();
});

describe('a follower of many partitions', () => {
  it('looks at each once, then at what it is told of, and at the others twice a minute', async () => {
    const { partitions, found } = follow(100);
    await vi.advanceTimersByTimeAsync(900);
    expect(new Set(looksOf(partitions))).toEqual(new Set([1]));
    partitions[70]!.tell();
    await vi.advanceTimersByTimeAsync(1);
    expect(looksOf(partitions)[70]).toBe(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(Math.min(...looksOf(partitions))).toBeGreaterThanOrEqual(2);
    expect(Math.max(...looksOf(partitions))).toBeLessThanOrEqual(4);
    expect(turnsOf(partitions)).toBe(0);
    partitions[70]!.what = 'more';
    partitions[70]!.tell();
    await vi.advanceTimersByTimeAsync(1);
    expect(found.is).toBe(true);
  });

  it('watches closely those whose last append is not safe: their writer may have died', async () => {
    const { partitions, found } = follow(100);
    await vi.advanceTimersByTimeAsync(1);
    for (const one of partitions.slice(40, 80)) {
      one.what = 'unsafe';
      one.tell();
    }
    await vi.advanceTimersByTimeAsync(10_000);
    expect(turnsOf(partitions.slice(0, 40)) + turnsOf(partitions.slice(80))).toBe(0);
    expect(Math.min(...partitions.slice(40, 80).map(({ turns }) => turns))).toBeGreaterThan(0);
    partitions[79]!.what = 'more';
    await vi.advanceTimersByTimeAsync(10_000);
    expect(found.is).toBe(true);
  });

  it('finds what nothing tells of within a moment', async () => {
    const { partitions, found } = follow(100, false);
    await vi.advanceTimersByTimeAsync(500);
    partitions[99]!.what = 'more';
    await vi.advanceTimersByTimeAsync(100);
    expect(found.is).toBe(true);
  });

  it('watches each of a few closely, all the time', async () => {
    const { partitions } = follow(16);
    await vi.advanceTimersByTimeAsync(45_000);
    expect(looksOf(partitions)).toEqual(partitions.map(() => 0));
    expect(turnsOf(partitions)).toBe(16 * 5);
  });
});
