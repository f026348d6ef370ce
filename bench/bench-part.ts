import type { Verdict } from './verdict.js';
import type { Workspace } from './workspace.js';

/** One question of the benchmark: what it runs, and what its figures have to be. */
export interface BenchPart {
  readonly name: string;
  /** One sentence: what is asked. */
  readonly question: string;
  run(workspace: Workspace, rounds: number): Promise<PartResult> | PartResult;
}

export interface PartResult {
  /** A Markdown table, and what is to be said about it. */
  readonly shown: string;
  /** Every single run, where that is not too much. */
  readonly raw?: string;
  /** The figures of the part that have a target. */
  readonly verdicts: readonly Verdict[];
}
