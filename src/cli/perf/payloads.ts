import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import { inputBytes } from '../input-bytes.js';

/** The values of a run, one after the other, without an object for each: the next one lies in `buffer[start, end)`. */
export interface Payloads {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Moves on to the value of record `index`, from 0. */
  next(index: number): void;
}

const RANDOM_BYTES = 1024 * 1024;
/** No two neighbours overlap much; prime, so that all places come. */
const STEP = 7919;

/**
 * Capital letters, as Kafka's tool sends them: the same in each run, and nearly incompressible for codecs without
 * entropy coding.
 */
export class RandomPayloads implements Payloads {
  readonly buffer: Buffer;
  start = 0;
  end = 0;
  readonly #bytes: number;
  readonly #places: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
    this.#places = RANDOM_BYTES;
    this.buffer = Buffer.allocUnsafeSlow(RANDOM_BYTES + bytes);
    let state = 0x2545f491;
    for (let i = 0; i < this.buffer.length; i++) {
      // xorshift32: Marsaglia's 13, 17, 5.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      this.buffer[i] = 0x41 + ((state >>> 8) % 26);
    }
  }

  next(index: number): void {
    this.start = (index * (this.#bytes + STEP)) % this.#places;
    this.end = this.start + this.#bytes;
  }
}

/** `0`, `1`, `2`, …: Kafka's `--payload-monotonic`. */
export class MonotonicPayloads implements Payloads {
  readonly buffer = Buffer.alloc(16);
  start = 16;
  readonly end = 16;

  next(index: number): void {
    let at = 16;
    let left = index;
    do {
      this.buffer[--at] = 0x30 + (left % 10);
      left = Math.floor(left / 10);
    } while (left > 0);
    this.start = at;
  }
}

/** The parts of a file, in turn: as in Kafka's tool, but in their order, so that a run can be repeated. */
export class FilePayloads implements Payloads {
  readonly buffer: Buffer;
  start = 0;
  end = 0;
  /** Where each begins, and where one behind the last would. */
  readonly #starts: Float64Array;
  readonly #delimiterBytes: number;

  constructor(bytes: Buffer, delimiter: Buffer) {
    const starts = [0];
    for (let at = bytes.indexOf(delimiter); at >= 0; at = bytes.indexOf(delimiter, at + delimiter.length)) {
      starts.push(at + delimiter.length);
    }
    // What follows the last delimiter counts unless it is nothing.
    if (starts.at(-1) !== bytes.length) starts.push(bytes.length + delimiter.length);
    this.buffer = bytes;
    this.#starts = Float64Array.from(starts);
    this.#delimiterBytes = delimiter.length;
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  next(index: number): void {
    const at = index % this.count;
    this.start = this.#starts[at]!;
    this.end = this.#starts[at + 1]! - this.#delimiterBytes;
  }
}

/** KLOG_BAD_INPUT: there is nothing in it. Undefined: a signal came before all of it. */
export async function readPayloads(
  path: string,
  delimiter: Buffer,
  context: Pick<CliContext, 'stdin' | 'signals'>,
): Promise<FilePayloads | undefined> {
  const read = await inputBytes(path, context);
  if (read === undefined) return undefined;
  const { input, bytes } = read;
  if (bytes.length === 0) throw new KlogError('KLOG_BAD_INPUT', `${input.name} is empty: there is no payload in it`);
  return new FilePayloads(bytes, delimiter);
}
