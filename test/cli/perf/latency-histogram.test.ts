import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barLines } from '../../../src/cli/perf/latency-bars.js';
import { LatencyHistogram } from '../../../src/cli/perf/latency-histogram.js';

function histogramOf(latenciesMs: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const ms of latenciesMs) histogram.record(ms);
  return histogram;
}

const latency = fc.oneof(
  fc.integer({ min: 0, max: 200 }).map((us) => us / 1000),
  fc.integer({ min: 0, max: 2 ** 40 }).map((us) => us / 1000),
);

describe('a histogram of latencies', () => {
  it('says 0 of everything before anything was recorded', () => {
    const histogram = new LatencyHistogram();
    expect([histogram.count, histogram.minMs, histogram.maxMs, histogram.meanMs]).toEqual([0, 0, 0, 0]);
    expect(histogram.percentileMs(0.99)).toBe(0);
    expect(histogram.classes()).toEqual([]);
  });

  it('is exact below 64 microseconds', () => {
    const histogram = histogramOf(Array.from({ length: 50 }, (_, us) => us / 1000));
    expect(histogram.percentileMs(0.5)).toBe(0.024);
    expect(histogram.percentileMs(0.98)).toBe(0.048);
    expect(histogram.percentileMs(1)).toBe(0.049);
  });

  it('answers with percentiles at or above the true one, by 3.2 % at most, and with exact ends and sums', () => {
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 50 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (all, share) => {
          const histogram = histogramOf(all);
          const sorted = [...all].sort((a, b) => a - b);
          const exact = sorted[Math.max(0, Math.ceil(all.length * share) - 1)]!;
          const found = histogram.percentileMs(share);
          expect(found).toBeGreaterThanOrEqual(exact);
          expect(found).toBeLessThanOrEqual(exact * 1.032);
          expect(histogram.minMs).toBe(sorted[0]);
          expect(histogram.maxMs).toBe(sorted.at(-1));
          expect(histogram.count).toBe(all.length);
        },
      ),
    );
  });

  it('has classes without gaps or overlaps, each with what lies in it', () => {
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 50 }), (all) => {
        const classes = histogramOf(all).classes();
        const held = classes.map(({ fromMs, toMs }) => all.filter((ms) => ms >= fromMs && ms < toMs).length);
        expect(held).toEqual(classes.map(({ count }) => count));
        for (let i = 1; i < classes.length; i++)
          expect(classes[i]!.fromMs).toBeGreaterThanOrEqual(classes[i - 1]!.toMs);
      }),
    );
  });

  it('counts many of the same as many calls would', () => {
    const [once, often] = [new LatencyHistogram(), histogramOf([7, 7, 7])];
    once.record(7, 3);
    expect(once.classes()).toEqual(often.classes());
    expect([once.count, once.meanMs]).toEqual([3, 7]);
  });

  it('takes what a clock should not say: below nothing, beyond years', () => {
    const histogram = histogramOf([-1, 1e15]);
    expect([histogram.minMs, histogram.maxMs, histogram.count]).toEqual([0, 1e15, 2]);
    expect(histogram.classes().map(({ count }) => count)).toEqual([1, 1]);
  });
});

describe('bars for a terminal', () => {
  it('show steps of 1, 2 and 5, the empty ones between, and a mark for a single one among many', () => {
    const histogram = histogramOf([0.3, 3]);
    histogram.record(0.3, 998);
    expect(barLines(histogram.classes(), 60)).toEqual([
      `    < 0.5 ms         999  99.9% ${'█'.repeat(20)}`,
      '      < 1 ms           0   0.0%',
      '      < 2 ms           0   0.0%',
      '      < 5 ms           1   0.1% █',
    ]);
  });

  it('are none where nothing was counted', () => {
    expect(barLines([], 80)).toEqual([]);
  });

  it('have a last step for what is beyond all', () => {
    expect(barLines(histogramOf([1e9]).classes(), 80)[0]).toMatch(/^ *≥ 50000 ms +1 100\.0% █+$/);
  });
});
