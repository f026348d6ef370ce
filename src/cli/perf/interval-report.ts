import type { CliContext } from '../cli-context.js';
import { MB, perSecond, rounded } from './perf-report.js';

export interface IntervalOptions {
  readonly showDetailedStats?: boolean;
  /** Milliseconds. */
  readonly reportingInterval?: number;
  readonly hideHeader?: boolean;
  readonly json: boolean;
}

interface Interval {
  /** Milliseconds since the run began. */
  readonly atMs: number;
  /** In all, up to then. */
  readonly records: number;
  readonly mb: number;
  /** Of this interval alone. */
  readonly recordsPerSecond: number;
  readonly mbPerSecond: number;
}

const DEFAULT_INTERVAL_MS = 5000;
const HEADING = 'time.ms\trecords\tMB\trecords/s\tMB/s\n';

/** `--show-detailed-stats`: a row for each interval as it passes, or all of them for the object of `--json`. */
export class IntervalReport {
  /** Undefined: nobody asked for them. */
  readonly intervals: Interval[] | undefined;
  readonly #options: IntervalOptions;
  readonly #context: Pick<CliContext, 'stdout'>;
  readonly #intervalMs: number;
  #lastMs = 0;
  #lastRecords = 0;
  #lastBytes = 0;

  constructor(options: IntervalOptions, context: Pick<CliContext, 'stdout'>) {
    this.intervals = options.showDetailedStats ? [] : undefined;
    this.#options = options;
    this.#context = context;
    this.#intervalMs = options.reportingInterval ?? DEFAULT_INTERVAL_MS;
    if (this.intervals === undefined || options.json) return;
    // Rows are for whoever watches.
    context.stdout.isImmediate = true;
    if (!options.hideHeader) context.stdout.appendText(HEADING);
  }

  /** Told of the sums now and again, by the records' own progress: no timer has its say while a batch is worked on. */
  update(elapsedMs: number, records: number, bytes: number): void {
    if (this.intervals !== undefined && elapsedMs - this.#lastMs >= this.#intervalMs)
      this.#add(elapsedMs, records, bytes);
  }

  /** The last interval, whatever its length. */
  finish(elapsedMs: number, records: number, bytes: number): void {
    if (this.intervals !== undefined && records > this.#lastRecords) this.#add(elapsedMs, records, bytes);
  }

  #add(elapsedMs: number, records: number, bytes: number): void {
    const passedMs = elapsedMs - this.#lastMs;
    const interval = {
      atMs: Math.round(elapsedMs),
      records,
      mb: rounded(bytes / MB),
      recordsPerSecond: rounded(perSecond(records - this.#lastRecords, passedMs)),
      mbPerSecond: rounded(perSecond((bytes - this.#lastBytes) / MB, passedMs)),
    };
    this.#lastMs = elapsedMs;
    this.#lastRecords = records;
    this.#lastBytes = bytes;
    this.intervals!.push(interval);
    if (this.#options.json) return;
    this.#context.stdout.appendText(`${Object.values(interval).join('\t')}\n`);
    this.#context.stdout.endRecord();
  }
}
