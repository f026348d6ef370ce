import type { CliContext } from '../cli-context.js';
import { printJson } from '../listing.js';
import { styleFor } from '../style.js';
import { barLines } from './latency-bars.js';
import type { LatencyHistogram } from './latency-histogram.js';

/** Kafka's tools call 1024 × 1024 bytes a MB. */
export const MB = 1024 * 1024;

export interface MeasuredLatency {
  /** `acknowledged`, `visible`, … */
  readonly name: string;
  /** For people: what is counted, from when to when. */
  readonly meaning: string;
  readonly latencies: LatencyHistogram;
}

/** What a run has found, as far as it came. */
export interface PerfResult {
  readonly test: 'produce' | 'consume' | 'e2e';
  readonly topic: string;
  readonly partitions: number;
  /** Those that were measured; without the warm-up. */
  readonly records: number;
  /** Of keys and values. */
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly warmupRecords: number;
  readonly wasInterrupted: boolean;
  /** What else the figures depend on. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly latencies: readonly MeasuredLatency[];
  /** `--show-detailed-stats` with `--json`. */
  readonly intervals?: readonly object[] | undefined;
  /** `--print-metrics`. */
  readonly metrics?: Readonly<Record<string, number>> | undefined;
}

const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99, 'p99.9': 0.999 } as const;

/** One object with `--json`; else two kinds of lines, and a histogram on a terminal. */
export async function printPerfResult(
  result: PerfResult,
  json: boolean,
  context: Pick<CliContext, 'stdout' | 'env'>,
): Promise<void> {
  if (json) {
    printJson(context, perfObject(result));
    return;
  }
  const { stdout } = context;
  const style = await styleFor(stdout, context.env);
  const { records, bytes, elapsedMs, warmupRecords } = result;
  const rates = `${perSecond(records, elapsedMs).toFixed(1)} records/s, ${perSecond(bytes / MB, elapsedMs).toFixed(2)} MB/s`;
  const amount = `${records} ${records === 1 ? 'record' : 'records'}, ${(bytes / MB).toFixed(2)} MB`;
  const settings = Object.entries(result.settings).map(([name, value]) => `${name}=${value}`);
  const notes = [...settings, ...(warmupRecords > 0 ? [`without ${warmupRecords} to warm up`] : [])];
  const line = `${amount} in ${(elapsedMs / 1000).toFixed(3)} s: ${rates}`;
  stdout.appendText(`${style.heading(line)} ${style.faint(`(${notes.join(', ')})`)}\n`);
  for (const { name, meaning, latencies } of result.latencies) {
    const figures = Object.entries(latencyObject(latencies)).map(([figure, ms]) => `${figure} ${ms}`);
    stdout.appendText(`${name} ms: ${figures.join(', ')} ${style.faint(`(${meaning})`)}\n`);
    if (!stdout.isTerminal) continue;
    for (const bar of barLines(latencies.classes(), stdout.columns ?? 80)) stdout.appendText(`${style.faint(bar)}\n`);
  }
  for (const [name, value] of Object.entries(result.metrics ?? {})) stdout.appendText(`${name}\t${value}\n`);
}

function perfObject(result: PerfResult): object {
  const { settings, latencies, intervals, metrics, records, bytes, elapsedMs, wasInterrupted, ...named } = result;
  return {
    ...named,
    records,
    bytes,
    elapsedMs: rounded(elapsedMs),
    recordsPerSecond: rounded(perSecond(records, elapsedMs)),
    mbPerSecond: rounded(perSecond(bytes / MB, elapsedMs)),
    interrupted: wasInterrupted,
    ...settings,
    latencyMs: Object.fromEntries(latencies.map(({ name, latencies: of }) => [name, latencyObject(of)])),
    histogram: Object.fromEntries(latencies.map(({ name, latencies: of }) => [name, of.classes()])),
    ...(intervals === undefined ? {} : { intervals }),
    ...(metrics === undefined ? {} : { metrics }),
  };
}

function latencyObject(latencies: LatencyHistogram): Record<string, number> {
  const shares = Object.entries(SHARES).map(([name, share]) => [name, rounded(latencies.percentileMs(share))]);
  return {
    mean: rounded(latencies.meanMs),
    min: rounded(latencies.minMs),
    ...Object.fromEntries(shares),
    max: rounded(latencies.maxMs),
  };
}

/** To a thousandth: a microsecond, where it is milliseconds. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** 0 before any time has passed: JSON has no infinity. */
export function perSecond(amount: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (amount * 1000) / elapsedMs : 0;
}
