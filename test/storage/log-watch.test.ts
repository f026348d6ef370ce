import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FileSystem } from '../../src/storage/file-system.js';
import { LogWatch } from '../../src/storage/log-watch.js';

let changed: () => void;
let closed: number;

function watch(canWatch = true): LogWatch {
  const fs = {
    watch(_path: string, listener: () => void) {
      changed = listener;
      return canWatch ? { close: () => closed++ } : undefined;
    },
  };
  return new LogWatch(fs as unknown as FileSystem, 'klog.end');
}

/** Whether it has resolved, with no more time passing. */
async function isOver(wait: Promise<void>): Promise<boolean> {
  let over = false;
  void wait.then(() => {
    over = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  return over;
}

beforeEach(() => {
  closed = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a follower', () => {
  it('is woken by an event, without any time passing', async () => {
    const wait = watch().wait(0, 10_000);
    expect(await isOver(wait)).toBe(false);
    changed();
    expect(await isOver(wait)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not sleep over an event that came before, and counts it once', async () => {
    const watching = watch();
    const before = watching.events;
    changed();
    changed();
    expect(await isOver(watching.wait(before, 10_000))).toBe(true);
    expect(await isOver(watching.wait(watching.events, 10_000))).toBe(false);
  });

  it('is woken beside others that wait, also by what they have been woken by before', async () => {
    const watching = watch();
    const seen = watching.events;
    const first = watching.wait(seen, 10_000);
    const second = watching.wait(seen, 10_000);
    changed();
    expect([await isOver(first), await isOver(second)]).toEqual([true, true]);
    expect(await isOver(watching.wait(seen, 10_000))).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['slowly where there are events', true, 1000],
    ['quickly where there are none', false, 25],
  ])('polls %s', async (_, canWatch, pollMs) => {
    const watching = watch(canWatch);
    expect(watching.isWatching).toBe(canWatch);
    const wait = watching.wait(0, 10_000);
    await vi.advanceTimersByTimeAsync(pollMs - 1);
    expect(await isOver(wait)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await isOver(wait)).toBe(true);
  });

  it('waits no longer than it was told', async () => {
    const wait = watch().wait(0, 10);
    await vi.advanceTimersByTimeAsync(10);
    expect(await isOver(wait)).toBe(true);
    expect(await isOver(watch().wait(0, 0))).toBe(true);
  });

  it('wakes when it is told to end, and leaves no timer behind', async () => {
    const ending = new AbortController();
    const watching = watch();
    const wait = watching.wait(0, 10_000, ending.signal);
    ending.abort();
    expect(await isOver(wait)).toBe(true);
    expect(await isOver(watching.wait(0, 10_000, ending.signal))).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    const last = watching.wait(0, 10_000);
    watching.close();
    expect(closed).toBe(1);
    expect(await isOver(last)).toBe(true);
  });
});
