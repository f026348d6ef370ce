/** Tables of medians, for a terminal and for a results file alike. */
import type { BenchCase } from './bench-case.js';
import { aligned } from './markdown-table.js';
import type { Measurement } from './measure.js';
import { median } from './statistics.js';

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

export function table(results: readonly Measured[]): string {
  const baseline = results.find(({ of }) => of.isBaseline);
  return aligned([HEAD, ...results.map((result) => row(result, baseline))]);
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

export function wallMs(run: Measurement): number {
  return run.wallMs;
}

export function cpuMs(run: Measurement): number {
  return run.userMs + run.systemMs;
}

/** The largest of all runs; NaN: unknown. */
export function peakMib(runs: readonly Measurement[]): number {
  const peak = Math.max(-1, ...runs.map(({ peakKib }) => peakKib));
  return peak < 0 ? Number.NaN : peak / 1024;
}

export function medianOf(runs: readonly Measurement[], figure: (run: Measurement) => number): number {
  return median(runs.map(figure));
}

function row({ of, runs }: Measured, baseline: Measured | undefined): string[] {
  const wall = medianOf(runs, wallMs);
  const peak = peakMib(runs);
  const ratio = (figure: (run: Measurement) => number) =>
    baseline === undefined ? '' : (medianOf(runs, figure) / Math.max(1, medianOf(baseline.runs, figure))).toFixed(2);
  return [
    of.title.replaceAll('|', '\\|'),
    wall.toFixed(0),
    Math.min(...runs.map(wallMs)).toFixed(0),
    medianOf(runs, ({ userMs }) => userMs).toFixed(0),
    medianOf(runs, ({ systemMs }) => systemMs).toFixed(0),
    Number.isNaN(peak) ? '' : peak.toFixed(0),
    of.records === undefined ? '' : (of.records / wall / 1000).toFixed(2),
    ratio(wallMs),
    ratio(cpuMs),
  ];
}
