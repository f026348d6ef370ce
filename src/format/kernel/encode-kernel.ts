/**
 * Lines become records in one call of WebAssembly (`assembly/encode.ts`, which has the layout of the memory): for
 * everyday lines it takes a quarter of the time of a loop in JavaScript. What is not plain is left to the caller.
 */
import { MODULE } from './encode-module.js';
import { type ExportedMemory, type ExportedNumber, instantiate } from './web-assembly.js';

const ENTRIES_AT = 1024;
const ENTRY_BYTES = 32;
const REGIONS_AT = 4096;
const WINDOW_AT = 640 * 1024;
/** Between one region and the next: what may be written too much. */
const SLACK_BYTES = 16;
const WINDOW_BYTES = 256 * 1024;
/** More would have small regions. */
export const MAX_PARTITIONS = 32;
export const MAX_SEPARATOR_BYTES = 16;
/** Its varint has two bytes. */
const LARGEST_TIMESTAMP_DELTA = 0x1fff;

interface EncodeModule {
  readonly memory: ExportedMemory;
  readonly linesEnd: ExportedNumber;
  encode(start: number, end: number, delimiter: number, separatorLength: number, partitions: number): number;
}

/** Records of one partition as they were encoded: `memory[start, end)`. */
export interface EncodedRecords {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

export class EncodeKernel {
  readonly memory: Buffer;
  /** Behind the last line that {@link encode} took, its delimiter included. */
  position = 0;
  readonly #module: EncodeModule;
  readonly #delimiter: number;
  readonly #separatorLength: number;
  readonly #partitions: number;
  readonly #regionBytes: number;
  /** Of each region, as it was opened. */
  readonly #firstDeltas: Int32Array;

  /**
   * `partitions`: 1 to {@link MAX_PARTITIONS}, where `separator` (1 to {@link MAX_SEPARATOR_BYTES} bytes) is between
   * key and value; without one all lines are values, for one region.
   */
  constructor(delimiter: number, separator: Uint8Array | undefined, partitions: number) {
    this.#module = instantiate<EncodeModule>(MODULE);
    this.memory = Buffer.from(this.#module.memory.buffer);
    if (separator !== undefined) this.memory.set(separator, 0);
    this.#delimiter = delimiter;
    this.#separatorLength = separator?.length ?? 0;
    this.#partitions = separator === undefined ? 1 : partitions;
    this.#regionBytes = Math.floor((WINDOW_AT - REGIONS_AT) / this.#partitions);
    this.#firstDeltas = new Int32Array(this.#partitions);
  }

  /**
   * Lets records with offset deltas from `offsetDelta` on go to the region, at most so many bytes. Where the delta of
   * the timestamps is not plain, none may.
   */
  openRegion(region: number, offsetDelta: number, timestampDelta: number, maxBytes: number): void {
    const isPlain = timestampDelta >= 0 && timestampDelta <= LARGEST_TIMESTAMP_DELTA;
    const start = this.#startOf(region);
    const room = isPlain ? Math.max(0, Math.min(this.#regionBytes - SLACK_BYTES, maxBytes)) : 0;
    const bits = isPlain ? timestampDelta << 1 : 0;
    this.#firstDeltas[region] = offsetDelta;
    const entry = ENTRIES_AT + region * ENTRY_BYTES;
    this.memory.writeUInt32LE(start, entry);
    this.memory.writeUInt32LE(start + room, entry + 4);
    this.memory.writeUInt32LE(offsetDelta, entry + 8);
    this.memory.writeUInt32LE(bits < 0x80 ? bits : (bits & 0x7f) | 0x80 | ((bits >>> 7) << 8), entry + 12);
    this.memory.writeUInt32LE(bits < 0x80 ? 1 : 2, entry + 16);
  }

  /** No record goes there. */
  closeRegion(region: number): void {
    this.openRegion(region, 0, 0, 0);
  }

  /** Takes whole lines from the beginning of `bytes[start, end)`, from a window of them at most. Answers how many. */
  encode(bytes: Uint8Array, start: number, end: number): number {
    const length = Math.min(end - start, WINDOW_BYTES);
    this.memory.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length), WINDOW_AT);
    const { encode, linesEnd } = this.#module;
    const count = encode(WINDOW_AT, WINDOW_AT + length, this.#delimiter, this.#separatorLength, this.#partitions);
    this.position = start + linesEnd.value - WINDOW_AT;
    return count;
  }

  /** What has gone to the region since it was opened; undefined if nothing. */
  encoded(region: number): EncodedRecords | undefined {
    const entry = ENTRIES_AT + region * ENTRY_BYTES;
    const count = this.memory.readUInt32LE(entry + 8) - this.#firstDeltas[region]!;
    if (count === 0) return undefined;
    return { start: this.#startOf(region), end: this.memory.readUInt32LE(entry), count };
  }

  #startOf(region: number): number {
    return REGIONS_AT + region * this.#regionBytes;
  }
}
