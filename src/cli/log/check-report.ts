/** What a look at a partition's files found. */

/**
 * - `damage`: bytes that should be good are not, or files contradict each other.
 * - `torn`: what a crash, or a writer at work, leaves behind what is safe; the next writer settles it.
 * - `note`: harmless, and worth knowing.
 */
export type Severity = 'damage' | 'torn' | 'note';

export interface ProblemPlace {
  /** In the file; left out: all of it. */
  readonly position?: number | undefined;
  readonly offset?: number | undefined;
}

export interface Problem extends ProblemPlace {
  readonly severity: Severity;
  /** The path as the user named it. */
  readonly file: string;
  readonly reason: string;
}

/** `klog log check --json` prints it with the same names. */
export interface PartitionCheck {
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly directory: string;
  readonly segments: number;
  readonly batches: number;
  /** Only where records were looked at. */
  readonly records: number | undefined;
  /** Of the `.log` files. */
  readonly bytes: number;
  readonly problems: readonly Problem[];
  /** Problems beyond those that are named. */
  readonly omitted: number;
  readonly isDamaged: boolean;
  /** False: it was stopped before the end, and what it has not seen may be damaged. */
  readonly isComplete: boolean;
}

/** A partition of nothing but damage must not fill the memory. */
const MOST_PROBLEMS = 1000;

/** The problems of one partition, in the order they are met. */
export class Problems {
  readonly list: Problem[] = [];
  omitted = 0;
  isDamaged = false;

  damage(file: string, reason: string, place: ProblemPlace = {}): void {
    this.isDamaged = true;
    this.#add({ severity: 'damage', file, reason, ...place });
  }

  torn(file: string, reason: string, place: ProblemPlace = {}): void {
    this.#add({ severity: 'torn', file, reason, ...place });
  }

  note(file: string, reason: string, place: ProblemPlace = {}): void {
    this.#add({ severity: 'note', file, reason, ...place });
  }

  #add(problem: Problem): void {
    if (this.list.length < MOST_PROBLEMS) this.list.push(problem);
    else this.omitted += 1;
  }
}
