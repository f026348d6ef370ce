import { seededRandom } from '../support/chooser.js';

/** Values at which code goes wrong. */
const INTERESTING = [
  0,
  1,
  2,
  -1,
  -2,
  6,
  14,
  48,
  49,
  60,
  61,
  127,
  128,
  255,
  256,
  4095,
  4096,
  0x7fff,
  0x8000,
  0xffff,
  0x7fff_ffff,
  -0x8000_0000,
  0xffff_ffff,
  2 ** 31,
  2 ** 32,
  2 ** 40,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  2 ** 62,
  -(2 ** 63),
];

/** All that is random about one input: the same seed, the same input. */
export class FuzzRandom {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = seededRandom(seed);
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** An interesting number, one beside it, or any of 32 bits. */
  number(): number {
    const kind = this.below(4);
    if (kind === 0) return this.below(2 ** 32) - 2 ** 31;
    const value = this.pick(INTERESTING);
    return kind === 1 ? value + this.below(5) - 2 : value;
  }
}
