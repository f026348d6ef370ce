import type { Workspace } from './workspace.js';

/** One whole-process command. Commands are bash; `workspace.measured` stands before the process whose memory counts. */
export interface BenchCase {
  /** Shown in the table: what a user would type, shortened. */
  readonly title: string;
  readonly command: string;
  /** Run before each timed run, not timed. */
  readonly prepare?: string;
  /** Run once, after the first timed run: its output must be `expected`, or the figures are of something else. */
  readonly check?: { readonly command: string; readonly expected: string };
  /** Timed runs in each round. Default 1; short commands need more. */
  readonly runs?: number;
  /** What passes through; undefined: the start counts, not the records. */
  readonly records?: number;
  /** The other cases of the part are shown as multiples of this one. */
  readonly isBaseline?: boolean;
}

interface Part {
  readonly name: string;
  /** One sentence: what is asked. */
  readonly question: string;
}

/** Whole commands, timed from outside. */
export interface CommandPart extends Part {
  cases(workspace: Workspace): readonly BenchCase[];
}

/** One way something takes its time, over and over. */
export interface LatencyRow {
  readonly title: string;
  /** In the order they were taken. */
  readonly latenciesMs: readonly number[];
}

/** Single events, timed from inside: their distribution counts. */
export interface LatencyPart extends Part {
  latencies(workspace: Workspace, rounds: number): Promise<readonly LatencyRow[]>;
}

/** What several writers got through at once. */
export interface WritersRow {
  readonly title: string;
  /** How long a round was. */
  readonly seconds: number;
  /** Of each round, and in it of each writer, how long each of its entries took, in milliseconds. */
  readonly rounds: readonly (readonly (readonly number[])[])[];
}

/** Writers beside each other: what they get through together, and whether one has to stand back. */
export interface WritersPart extends Part {
  writers(workspace: Workspace, rounds: number): Promise<readonly WritersRow[]>;
}

export type BenchPart = CommandPart | LatencyPart | WritersPart;
