import type { Judges } from './judges.js';
import type { Programs } from './programs.js';
import type { Report } from './report.js';
import type { Size } from './sizes.js';

/** What every part works with. */
export interface Rig {
  readonly seed: number;
  readonly size: Size;
  /** A folder for everything, on a fast disk. */
  readonly work: string;
  /** Where what fails is kept. */
  readonly kept: string;
  readonly programs: Programs;
  /** Of what the scenarios of `programs` leave. */
  readonly judges: Judges;
  readonly report: Report;
  /** Only these scenarios; `undefined`: all. */
  readonly only: readonly string[] | undefined;
  readonly atOnce: number;
}

/** Of the output of a tool: how many, by a word behind the number. */
export function countIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? Number.NaN);
}
