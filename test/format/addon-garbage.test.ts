import { randomBytes } from 'node:crypto';
import { GCProfiler } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { loadCodec } from '../../src/format/compression.js';

describe('what lz4 has returned', () => {
  it('is collected every 4 MiB, though V8 does not count it', async () => {
    const lz4 = await loadCodec('lz4');
    const source = randomBytes(1024 * 1024);
    const profiler = new GCProfiler();
    profiler.start();
    for (let i = 0; i < 40; i++) lz4.compress(source);
    const collections = profiler.stop().statistics.filter(({ gcType }) => gcType === 'Scavenge').length;
    expect(collections).toBeGreaterThanOrEqual(10);
  });

  it('leaves the application without a function to collect garbage, as it was', async () => {
    const lz4 = await loadCodec('lz4');
    const source = randomBytes(1024 * 1024);
    const before = 'gc' in globalThis;
    for (let i = 0; i < 5; i++) lz4.compress(source);
    expect('gc' in globalThis).toBe(before);
  });
});
