import type { FuzzRandom } from './fuzz-random.js';

/** Something that is given inputs nobody vouches for. */
export interface FuzzTarget {
  readonly name: string;
  /** How many inputs of a thousand; what is quick gets more. */
  readonly weight: number;
  /** Makes an input and runs it: may fail with a KlogError, and with nothing else. */
  run(random: FuzzRandom): void | Promise<void>;
  /** Lets go of what it has made. */
  close?(): void;
}
