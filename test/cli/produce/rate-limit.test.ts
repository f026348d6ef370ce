import { describe, expect, it } from 'vitest';
import { parseRate, RateLimit } from '../../../src/cli/produce/rate-limit.js';
import { KlogError } from '../../../src/errors.js';

describe('parseRate', () => {
  it('reads records per second, minute and hour', () => {
    expect(parseRate('100/s')).toBe(100);
    expect(parseRate('6/m')).toBe(0.1);
    expect(parseRate('36/h')).toBe(0.01);
    expect(parseRate('2.5')).toBe(2.5);
  });

  it.each(['', '0', '0/s', '-1/s', '5/d', 'fast', '5/'])('refuses "%s"', (text) => {
    expect(() => parseRate(text)).toThrow(KlogError);
  });
});

describe('RateLimit', () => {
  const never = new AbortController().signal;

  it('lets one record go for each interval', () => {
    let now = 0;
    const limit = new RateLimit(10, () => now, never);
    expect(limit.take()).toBe(false);
    now = 99;
    expect(limit.take()).toBe(false);
    now = 200;
    expect(limit.take()).toBe(false);
    now = 301;
    expect(limit.take()).toBe(false);
  });

  it('makes up for timers that come late, not for an idle input', () => {
    let now = 0;
    const limit = new RateLimit(1000, () => now, never);
    limit.take();
    now = 50;
    let burst = 1;
    while (limit.take()) burst++;
    expect(burst).toBeLessThanOrEqual(51);
    expect(burst).toBeGreaterThanOrEqual(49);
    now = 1_000_000;
    burst = 1;
    while (limit.take()) burst++;
    expect(burst).toBeLessThanOrEqual(101);
  });

  it('stops waiting when it is interrupted', async () => {
    const controller = new AbortController();
    const limit = new RateLimit(1 / 3600, () => performance.now(), controller.signal);
    limit.take();
    const waiting = limit.wait();
    controller.abort();
    await expect(waiting).resolves.toBeUndefined();
  });
});
