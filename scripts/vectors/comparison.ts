import { firstDifference } from './compare.js';
import { mismatch, type Outcome, ok } from './vector.js';

/** Counts what is equal, and keeps what is not. */
export class Comparison {
  #compared = 0;
  readonly #differences: string[] = [];
  readonly #refused: string[] = [];

  equal(what: string, expected: unknown, found: unknown): void {
    this.#compared++;
    const difference = firstDifference(expected, found, what);
    if (difference !== undefined) this.#differences.push(difference);
  }

  /** A value beyond 2^53 - 1, which klog refused as it must. */
  refused(value: string): void {
    this.#refused.push(value);
  }

  outcome(): Outcome {
    const [first, ...others] = this.#differences;
    if (first !== undefined) return mismatch(others.length > 0 ? `${first} (and ${others.length} more)` : first);
    if (this.#compared === 0) return mismatch('there was nothing to compare');
    const notes = [`${this.#compared} comparisons`];
    if (this.#refused.length > 0) notes.push(`refused, beyond 2^53 - 1: ${this.#refused.join(', ')}`);
    return ok(...notes);
  }
}
