/** Tables of medians, for a terminal and for a results file alike. */
import type { BenchCase, LatencyRow, WritersRow } from './bench-case.js';
import type { Measurement } from './measure.js';

export interface Measured {
  readonly of: BenchCase;
  /** In the order they were taken. */
  readonly runs: readonly Measurement[];
}

const HEAD = [
  'command',
  'wall ms',
  'least',
  'user ms',
  'system ms',
  'peak MiB',
  'M records/s',
  'wall ratio',
  'CPU ratio',
];

/** A Markdown table, padded so that it reads well as it is. */
export function table(results: readonly Measured[]): string {
  const baseline = results.find(({ of }) => of.isBaseline);
  const rows = [HEAD, ...results.map((result) => row(result, baseline))];
  return aligned(rows);
}

const LATENCY_HEAD = ['way', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'events'];

/** The same of distributions. */
export function latencyTable(rows: readonly LatencyRow[]): string {
  const lines = rows.map(({ title, latenciesMs }) => {
    const sorted = [...latenciesMs].sort((a, b) => a - b);
    const figures = [0.5, 0.99, 0.999, 1].map((share) => percentile(sorted, share).toFixed(2));
    return [title, ...figures, String(sorted.length)];
  });
  return aligned([LATENCY_HEAD, ...lines]);
}

const WRITERS_HEAD = ['way', 'acks/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'longest ms', 'least', 'most'];

/** The same of writers beside each other; acknowledgements a second are the median round's, and "least" and "most" a writer's in it. */
export function writersTable(rows: readonly WritersRow[]): string {
  const lines = rows.map(({ title, seconds, rounds }) => {
    const sorted = rounds.flat(2).sort((a, b) => a - b);
    const figures = [0.5, 0.99, 0.999, 1].map((share) => percentile(sorted, share).toFixed(2));
    const rates = rounds
      .map((writers) => writers.map((waits) => waits.length / seconds).sort((a, b) => a - b))
      .sort((a, b) => sum(a) - sum(b));
    const middle = rates[rates.length >> 1]!;
    return [title, whole(sum(middle)), ...figures, whole(middle[0]!), whole(middle.at(-1)!)];
  });
  return aligned([WRITERS_HEAD, ...lines]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function whole(value: number): string {
  return value.toFixed(0);
}

/** The smallest value that at least this share of all does not exceed. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [rows[0]!, rule, ...rows.slice(1)].map(line).join('\n');
}

/** Every single run, so that others can take other averages. */
export function rawRuns(results: readonly Measured[]): string {
  const lines = results.map(({ of, runs }) => {
    const figures = runs.map(({ wallMs, userMs, systemMs }) =>
      [wallMs, userMs, systemMs].map((value) => value.toFixed(0)).join('/'),
    );
    return `${of.title}: ${figures.join(' ')}`;
  });
  return lines.join('\n');
}

function row({ of, runs }: Measured, baseline: Measured | undefined): string[] {
  const wallOf = (run: Measurement) => run.wallMs;
  const wall = median(runs, wallOf);
  const peak = median(runs, (run) => run.peakKib);
  const ratio = (figure: (run: Measurement) => number) =>
    baseline === undefined ? '' : (median(runs, figure) / Math.max(1, median(baseline.runs, figure))).toFixed(2);
  return [
    of.title.replaceAll('|', '\\|'),
    wall.toFixed(0),
    Math.min(...runs.map(wallOf)).toFixed(0),
    median(runs, (run) => run.userMs).toFixed(0),
    median(runs, (run) => run.systemMs).toFixed(0),
    peak < 0 ? '' : (peak / 1024).toFixed(0),
    of.records === undefined ? '' : (of.records / wall / 1000).toFixed(2),
    ratio(wallOf),
    ratio((run) => run.userMs + run.systemMs),
  ];
}

function median(runs: readonly Measurement[], figure: (run: Measurement) => number): number {
  const sorted = runs.map(figure).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
