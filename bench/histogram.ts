import { percentile } from './statistics.js';

const BAR_WIDTH = 50;

/** Milliseconds: how many lie between each two multiples of `binMs`, as bars, and where half, 90 % and 99 % of them end. */
export function histogram(values: readonly number[], binMs: number): string {
  const counts: number[] = [];
  for (const value of values) {
    const bin = Math.floor(value / binMs);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const most = Math.max(...counts.map((count) => count ?? 0));
  const width = String(counts.length * binMs).length;
  const first = counts.findIndex((count) => count > 0);
  return Array.from(counts.slice(Math.max(0, first)), (count = 0, i) => {
    const from = (i + Math.max(0, first)) * binMs;
    const range = `${String(from).padStart(width)} to ${String(from + binMs).padStart(width)} ms`;
    return `${range} ${String(count).padStart(4)} ${'#'.repeat(Math.ceil((count / most) * BAR_WIDTH))}`.trimEnd();
  }).join('\n');
}

export interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => percentile(sorted, share);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: sorted.at(-1) ?? Number.NaN };
}
