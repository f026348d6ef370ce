import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../../src/cli/perf/latency-histogram.js';
import { SentRecords } from '../../../src/cli/perf/sent-records.js';

describe('records that are under way', () => {
  it('are acknowledged in their order, also across runs and in the middle of one', () => {
    const [sent, latencies] = [new SentRecords(), new LatencyHistogram()];
    sent.send(0, 3);
    sent.send(10, 2);
    expect(sent.acknowledge(2, 20, latencies)).toBe(2);
    expect([latencies.minMs, latencies.maxMs, latencies.count]).toEqual([20, 20, 2]);
    expect(sent.acknowledge(3, 30, latencies)).toBe(3);
    expect([latencies.minMs, latencies.maxMs, latencies.count]).toEqual([20, 30, 5]);
    expect(latencies.meanMs).toBe((20 + 20 + 30 + 20 + 20) / 5);
  });

  it('count for nothing where their time is NaN: the warm-up', () => {
    const [sent, latencies] = [new SentRecords(), new LatencyHistogram()];
    sent.send(Number.NaN, 4);
    sent.send(5, 1);
    expect(sent.acknowledge(5, 6, latencies)).toBe(1);
    expect([latencies.count, latencies.maxMs]).toEqual([1, 1]);
  });

  it('are more than there was room for, at any place of the ring', () => {
    const [sent, latencies] = [new SentRecords(), new LatencyHistogram()];
    for (let ms = 0; ms < 600; ms++) sent.send(ms, 1);
    sent.acknowledge(600, 600, new LatencyHistogram());
    for (let ms = 0; ms < 3000; ms++) sent.send(ms, 1);
    for (let ms = 0; ms < 3000; ms++) sent.acknowledge(1, ms + 7, latencies);
    expect([latencies.count, latencies.minMs, latencies.maxMs]).toEqual([3000, 7, 7]);
  });

  it('are never fewer than those acknowledged', () => {
    const sent = new SentRecords();
    sent.send(0, 1);
    expect(() => sent.acknowledge(2, 0, new LatencyHistogram())).toThrow(
      '1 records are acknowledged that were not sent',
    );
  });
});
