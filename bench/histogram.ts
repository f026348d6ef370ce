import { percentile } from './statistics.js';

const BAR_WIDTH = 50;

/**
 * Milliseconds: how many lie between each two multiples of `binMs`, as bars; a line of `…` where none do for a while.
 */
export function histogram(values: readonly number[], binMs: number): string {
  const counts = new Map<number, number>();
  for (const value of values) {
    const bin = Math.floor(value / binMs);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  const bins = [...counts.keys()].sort((a, b) => a - b);
  const most = Math.max(...counts.values());
  const width = String((bins.at(-1)! + 1) * binMs).length;
  const lines = bins.flatMap((bin, i) => {
    const count = counts.get(bin)!;
    const range = `${String(bin * binMs).padStart(width)} to ${String((bin + 1) * binMs).padStart(width)} ms`;
    const bar = `${range} ${String(count).padStart(4)} ${'#'.repeat(Math.ceil((count / most) * BAR_WIDTH))}`;
    return i > 0 && bin > bins[i - 1]! + 1 ? ['…', bar] : [bar];
  });
  return lines.join('\n');
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
