/**
 * Many records passed over in one call of WebAssembly (`assembly/pass.ts`): code that has just been started would take
 * ten times as long for the thousands of a batch, and have the loop compiled twice meanwhile.
 */
import type { PassedRecords } from '../record-skip.js';
import { MODULE } from './pass-module.js';
import { type ExportedMemory, type ExportedNumber, instantiate } from './web-assembly.js';

/** What varints at its end may be read beyond it. */
const SLACK_BYTES = 64;
/** To the kernel. */
const ANY_TIME = 2 ** 31 - 1;

interface PassModule {
  readonly memory: ExportedMemory;
  readonly passEnd: ExportedNumber;
  pass(end: number, most: number, delta: number): number;
}

export class PassKernel {
  readonly #module = instantiate<PassModule>(MODULE);
  readonly #window = new Uint8Array(this.#module.memory.buffer);

  /**
   * Goes on from `passed`, over up to `most` records in all that lie before `end` and have a timestamp delta below
   * `delta`. Stops at what is not plain, too.
   */
  pass(buffer: Uint8Array, end: number, most: number, delta: number, passed: PassedRecords): void {
    // Plain deltas have 28 bits: any limit beyond is above all of them.
    const limit = delta === Number.POSITIVE_INFINITY ? ANY_TIME : Math.max(-ANY_TIME, Math.min(delta, ANY_TIME - 1));
    while (passed.count < most) {
      const start = passed.position;
      const length = Math.min(end - start, this.#window.length - SLACK_BYTES);
      this.#window.set(new Uint8Array(buffer.buffer, buffer.byteOffset + start, length));
      const count = this.#module.pass(length, most - passed.count, limit);
      passed.count += count;
      passed.position = start + this.#module.passEnd.value;
      // A window of records ends within one, mostly.
      if (count === 0 || length === end - start) break;
    }
  }
}
