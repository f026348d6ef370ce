import { KlogError } from '../../errors.js';
import type { DumpFile } from './dump-file.js';

export interface DamagePlace {
  /** In the file; undefined: all of it. */
  readonly position?: number | undefined;
  readonly offset?: number | undefined;
}

/** The damage met so far: the first is named in the end, the rest counted. */
export class Damage {
  #first: KlogError | undefined;
  #count = 0;

  add(file: DumpFile, problem: string, place: DamagePlace = {}): void {
    this.#count += 1;
    const { position } = place;
    this.#first ??= new KlogError(
      'CORRUPT_MESSAGE',
      `${file.shown} is damaged${position === undefined ? '' : ` at position ${position}`}: ${problem}`,
      { topic: file.topic, partition: file.partition, file: file.shown, ...place },
    );
  }

  /** CORRUPT_MESSAGE if there was any. */
  throwIfAny(): void {
    if (this.#first === undefined) return;
    if (this.#count === 1) throw this.#first;
    const { message, place } = this.#first;
    throw new KlogError('CORRUPT_MESSAGE', `${message}; the first of ${this.#count} damaged places`, place);
  }
}
