/**
 * Many records printed in one call of WebAssembly (`assembly/print.ts`, which has the layout of the memory): for the
 * everyday formats it takes a fifth of the time of a loop in JavaScript. It prints what is plain, and leaves to its
 * caller whatever is not: a record with anything unusual, bytes that a format has to think about, errors.
 */
import type { RecordCursor, RecordRun } from '../record-cursor.js';
import { MODULE } from './print-module.js';
import { type ExportedMemory, type ExportedNumber, instantiate } from './web-assembly.js';

const TEMPLATE_AT = 256;
const TEXTS_AT = 512;
const OUTPUT_AT = 4096;
const SOURCES_AT = 384 * 1024;
const SOURCE_BYTES = 64;
const WINDOWS_AT = SOURCES_AT + 4096;
/** Steps with the last one, which ends the template. */
const MAX_STEPS = (TEXTS_AT - TEMPLATE_AT) / 8;
const MAX_TEXT_BYTES = OUTPUT_AT - TEXTS_AT - 16;
/** Copied into the kernel's memory at a time: it stays in the processor's first caches. */
const WINDOW_BYTES = 32 * 1024;
/** All windows of a merge together. */
const MERGE_WINDOWS_BYTES = 128 * 1024;
/** More would have windows of few records. */
export const MOST_MERGED = 32;
/** What a step may write too much, and then some. */
const SLACK_BYTES = 64;
const MAX_NUMBER_BYTES = 20;
/** Beyond it a record's timestamp is JavaScript's to check. Deltas are smaller than 2^27 here. */
const LARGEST_BASE = 2 ** 52;
/** Within what 32 bits can say. */
const MOST_AT_ONCE = 2 ** 31 - 1;

/** `json…`: as a JSON string with its quotes, or null. Numbers are decimal. */
export type PrintedField = 'key' | 'value' | 'offset' | 'timestamp' | 'jsonKey' | 'jsonValue';

const STEPS: Readonly<Record<PrintedField, number>> = {
  key: 1,
  value: 2,
  offset: 3,
  timestamp: 4,
  jsonKey: 5,
  jsonValue: 6,
};

/** How one record is printed: texts and fields, one after the other. */
export interface PrintTemplate {
  readonly parts: readonly (Uint8Array | PrintedField)[];
  /** A null key or value is for the caller. Default false: printed as nothing, or by `json…` as `null`. */
  readonly nullStops?: boolean;
  /** A record with headers is for the caller. Default false: they are passed over. */
  readonly headersStop?: boolean;
}

/** The exports of `assembly/print.ts`. */
interface PrintModule {
  readonly memory: ExportedMemory;
  readonly printEnd: ExportedNumber;
  setTemplate(textBytes: number, bytesOfByte: number, nullStops: boolean, headersStop: boolean): void;
  print(count: number, out: number, outStop: number): number;
  merge(sources: number, count: number, out: number, outStop: number): number;
}

export class PrintKernel {
  /** What is printed goes here; never replaced. */
  readonly output: Buffer;
  /** After {@link print}: where what was printed ends in {@link output}. */
  length = 0;
  readonly #memory: Buffer;
  readonly #module: PrintModule;
  /** Of each source. */
  readonly #runs: RecordRun[] = [emptyRun()];
  readonly #sources: DataView;
  #template: PrintTemplate | undefined;
  #isUsable = false;

  constructor() {
    this.#module = instantiate<PrintModule>(MODULE);
    this.#memory = Buffer.from(this.#module.memory.buffer);
    this.#sources = new DataView(this.#module.memory.buffer);
    this.output = this.#memory.subarray(OUTPUT_AT, SOURCES_AT - SLACK_BYTES);
    this.#memory.set(JSON_ESCAPES, 0);
  }

  /**
   * Prints the cursor's next records behind `length` of {@link output}: at most `maxRecords`, until `maxBytes` are
   * there. Answers how many, and leaves the cursor on the last of them. Few, or none: the next one is for the caller,
   * or there is none.
   */
  print(cursor: RecordCursor, template: PrintTemplate, length: number, maxRecords: number, maxBytes: number): number {
    this.length = length;
    if (template !== this.#template) this.#use(template);
    if (!this.#isUsable) return 0;
    const run = this.#runs[0]!;
    const outStop = OUTPUT_AT + Math.min(maxBytes, this.output.length);
    let printed = 0;
    /** Where the last record that was printed begins. */
    let last = 0;
    while (printed < maxRecords && this.length < maxBytes) {
      cursor.restOf(run);
      if (run.count === 0 || run.baseOffset < 0 || Math.abs(run.baseTimestamp) > LARGEST_BASE) break;
      if (run.hasAppendTime && template.parts.includes('timestamp')) break;
      this.#setSource(0, run, WINDOW_BYTES);
      const most = Math.min(maxRecords - printed, MOST_AT_ONCE);
      const count = this.#module.print(most, OUTPUT_AT + this.length, outStop);
      if (count === 0) break;
      this.length = this.#module.printEnd.value - OUTPUT_AT;
      const toBuffer = run.start - WINDOWS_AT;
      last = toBuffer + this.#sources.getInt32(SOURCES_AT + 12, true);
      cursor.passTo(toBuffer + this.#sources.getInt32(SOURCES_AT, true), count);
      printed += count;
    }
    if (printed > 0) {
      cursor.passTo(last, -1);
      cursor.next();
    }
    return printed;
  }

  /**
   * Prints the next records of all cursors by time, of equal times those of the first one first, as {@link print} does;
   * at most {@link MOST_MERGED} cursors. Stops as well once a cursor has no record left, or none in what was copied of
   * it: a few hundred records later at most. The cursors are left before what comes next.
   */
  merge(
    cursors: readonly RecordCursor[],
    template: PrintTemplate,
    length: number,
    maxRecords: number,
    maxBytes: number,
  ): number {
    this.length = length;
    if (template !== this.#template) this.#use(template);
    if (!this.#isUsable || cursors.length === 0 || cursors.length > MOST_MERGED) return 0;
    const runs = this.#runs;
    const windowBytes = Math.floor(MERGE_WINDOWS_BYTES / cursors.length);
    for (let i = 0; i < cursors.length; i++) {
      if (i === runs.length) runs.push(emptyRun());
      const run = runs[i]!;
      cursors[i]!.restOf(run);
      if (run.count === 0 || run.hasAppendTime || run.baseOffset < 0) return 0;
      if (Math.abs(run.baseTimestamp) > LARGEST_BASE) return 0;
    }
    for (let i = 0; i < cursors.length; i++) this.#setSource(i, runs[i]!, windowBytes);
    const most = Math.min(maxRecords, MOST_AT_ONCE);
    const outStop = OUTPUT_AT + Math.min(maxBytes, this.output.length);
    const count = this.#module.merge(cursors.length, most, OUTPUT_AT + length, outStop);
    this.length = this.#module.printEnd.value - OUTPUT_AT;
    for (let i = 0; i < cursors.length; i++) {
      const at = SOURCES_AT + i * SOURCE_BYTES;
      const position = this.#sources.getInt32(at, true) - (WINDOWS_AT + i * windowBytes);
      const passed = runs[i]!.count - this.#sources.getInt32(at + 8, true);
      cursors[i]!.passTo(runs[i]!.start + position, passed);
    }
    return count;
  }

  #setSource(number: number, run: RecordRun, windowBytes: number): void {
    const at = SOURCES_AT + number * SOURCE_BYTES;
    const window = WINDOWS_AT + number * windowBytes;
    const length = Math.min(windowBytes, run.end - run.start);
    this.#memory.set(view(run.buffer, run.start, length), window);
    const sources = this.#sources;
    sources.setInt32(at, window, true);
    sources.setInt32(at + 4, window + length, true);
    sources.setInt32(at + 8, run.count, true);
    sources.setInt32(at + 16, run.fromDelta, true);
    sources.setInt32(at + 20, run.toDelta, true);
    sources.setBigInt64(at + 24, BigInt(run.baseOffset), true);
    sources.setBigInt64(at + 32, BigInt(run.baseTimestamp), true);
    sources.setInt32(at + 48, run.lastTimestampDelta, true);
  }

  /** Puts the template into the memory, if it is small enough. */
  #use(template: PrintTemplate): void {
    this.#template = template;
    const texts = template.parts.filter((part) => typeof part !== 'string');
    this.#isUsable = template.parts.length < MAX_STEPS && sum(texts) <= MAX_TEXT_BYTES;
    if (!this.#isUsable) return;
    let text = TEXTS_AT;
    let step = TEMPLATE_AT;
    let pending = NO_BYTES;
    const end = (what: number): void => {
      this.#memory.set(pending, text);
      this.#memory.writeUInt32LE(what, step);
      this.#memory.writeUInt16LE(text, step + 4);
      this.#memory.writeUInt16LE(pending.length, step + 6);
      text += pending.length;
      step += 8;
      pending = NO_BYTES;
    };
    for (const part of template.parts) {
      if (typeof part === 'string') end(STEPS[part]);
      else pending = Buffer.concat([pending, part]);
    }
    end(0);
    // Each field may be a number, or a JSON string with two quotes or null.
    const textBytes = text - TEXTS_AT + template.parts.length * MAX_NUMBER_BYTES;
    const { nullStops = false, headersStop = false } = template;
    this.#module.setTemplate(textBytes, bytesOfByte(template), nullStops, headersStop);
  }
}

const NO_BYTES = Buffer.alloc(0);

/** Bytes that a byte of a key or a value may become: escaped, two; and again wherever the field is printed. */
const BYTES_OF_BYTE: Readonly<Record<PrintedField, number>> = {
  key: 1,
  value: 1,
  offset: 0,
  timestamp: 0,
  jsonKey: 2,
  jsonValue: 2,
};

function bytesOfByte({ parts }: PrintTemplate): number {
  return parts.reduce((bytes, part) => bytes + (typeof part === 'string' ? BYTES_OF_BYTE[part] : 0), 0);
}

/** 0: stands for itself. 255: not for here. Else the letter of a short escape. */
const JSON_ESCAPES = Buffer.alloc(256);
JSON_ESCAPES.fill(255, 0, 0x20);
JSON_ESCAPES.fill(255, 0x80);
for (const [byte, letter] of ['\bb', '\tt', '\nn', '\ff', '\rr', '""', '\\\\']) {
  JSON_ESCAPES[byte!.charCodeAt(0)] = letter!.charCodeAt(0);
}

function emptyRun(): RecordRun {
  return {
    buffer: NO_BYTES,
    start: 0,
    end: 0,
    count: 0,
    fromDelta: 0,
    toDelta: 0,
    lastTimestampDelta: 0,
    baseOffset: Number.NaN,
    baseTimestamp: Number.NaN,
    hasAppendTime: false,
  };
}

function view(buffer: Uint8Array, start: number, length: number): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset + start, length);
}

function sum(texts: readonly Uint8Array[]): number {
  return texts.reduce((bytes, text) => bytes + text.length, 0);
}
