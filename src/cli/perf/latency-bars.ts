import type { LatencyClass } from './latency-histogram.js';

/** From 1 µs to 100 s, 1, 2 and 5 of each power of ten: what a person can compare. */
const BOUNDS_MS: readonly number[] = [-3, -2, -1, 0, 1, 2, 3, 4].flatMap((power) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${power}`)),
);
const MAX_BAR = 60;

/** A histogram for eyes: a line for each step from the least to the largest, empty ones between them too. */
export function barLines(classes: readonly LatencyClass[], columns: number): string[] {
  const counts = new Map<number, number>();
  let total = 0;
  for (const { fromMs, count } of classes) {
    const step = stepOf(fromMs);
    counts.set(step, (counts.get(step) ?? 0) + count);
    total += count;
  }
  if (total === 0) return [];
  const steps = [...counts.keys()].sort((a, b) => a - b);
  const most = Math.max(...counts.values());
  const room = Math.max(10, Math.min(MAX_BAR, columns - 40));
  const lines: string[] = [];
  for (let step = steps[0]!; step <= steps.at(-1)!; step++) {
    const count = counts.get(step) ?? 0;
    const label = step < BOUNDS_MS.length ? `< ${BOUNDS_MS[step]} ms` : `≥ ${BOUNDS_MS.at(-1)} ms`;
    // Whatever is there is seen.
    const bar = '█'.repeat(count === 0 ? 0 : Math.max(1, Math.round((count / most) * room)));
    const share = `${((count * 100) / total).toFixed(1)}%`;
    lines.push(`${label.padStart(12)} ${String(count).padStart(11)} ${share.padStart(6)} ${bar}`.trimEnd());
  }
  return lines;
}

/** The first bound that lies above. */
function stepOf(ms: number): number {
  const step = BOUNDS_MS.findIndex((bound) => ms < bound);
  return step < 0 ? BOUNDS_MS.length : step;
}
