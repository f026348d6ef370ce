/**
 * Walks the batches of a `.log` file. {@link BatchScanner.next} looks at headers only and steps over payloads;
 * {@link BatchScanner.isValid} checks the CRC of the batch it stands at. Reads are of a window, so many small batches
 * cost one read; memory is that window however large a batch is or claims to be.
 */
import { crc32 } from 'node:zlib';
import { KlogError } from '../errors.js';
import { nextBatch, WalkResult, type WalkStatus } from '../format/batch-walk.js';
import { crc32c } from '../format/crc32c.js';
import { CRC_AT as LEGACY_CRC_AT } from '../format/legacy-message.js';
import {
  ATTRIBUTES_AT,
  CRC_AT,
  MAGIC_AT,
  MAGIC_V2,
  RECORD_BATCH_OVERHEAD,
  RecordBatch,
} from '../format/record-batch.js';
import { type OpenFile, writeFully } from './file-system.js';

/** Read at once on the main thread; see file-system-node.ts. */
const LOOKUP_WINDOW_BYTES = 64 * 1024;
/** For who reads everything. */
export const SEQUENTIAL_WINDOW_BYTES = 256 * 1024;
/** Behind a batch that fills much of a window, another such is to be expected: only its header is read. */
const HEADER_READ_BYTES = 4096;

export interface BatchScannerOptions {
  /** Position of a batch, default 0. */
  readonly from?: number;
  /** Default {@link LOOKUP_WINDOW_BYTES}. */
  readonly windowBytes?: number;
  /** No batch may begin below this offset. */
  readonly minOffset?: number;
}

export class BatchScanner {
  readonly #log: OpenFile;
  readonly #window: Buffer;
  readonly #walk = new WalkResult();
  #limit: number;
  #windowStart = 0;
  #windowEnd = 0;
  #nextOffset: number;

  /** Where the current batch begins; behind the last one, where the walk stopped. */
  position: number;
  /** Bytes of the current batch. */
  size = 0;
  baseOffset = -1;
  lastOffset = -1;
  /** The current batch: only its header is there for sure. Valid until the next call. */
  readonly batch = new RecordBatch();
  /** Why the walk stopped: at the limit, in a batch that is not whole, or at what cannot be a batch. */
  stop: Exclude<WalkStatus, 'batch'> | undefined;
  /** What is wrong, if `stop` is corrupt. */
  problem = '';

  /** @param limit bytes of the file that may be looked at */
  constructor(log: OpenFile, limit: number, options: BatchScannerOptions = {}) {
    this.#log = log;
    this.#limit = limit;
    this.#window = Buffer.allocUnsafe(Math.max(1, Math.min(options.windowBytes ?? LOOKUP_WINDOW_BYTES, limit)));
    this.position = options.from ?? 0;
    this.#nextOffset = options.minOffset ?? 0;
  }

  /** Offset behind the batches so far. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Steps to the next batch. False: there is none, `stop` says why. */
  async next(): Promise<boolean> {
    if (this.stop !== undefined) return false;
    const jumped = this.size > this.#window.length / 2;
    this.position += this.size;
    this.size = 0;
    const left = this.#limit - this.position;
    const header = Math.min(left, RECORD_BATCH_OVERHEAD);
    let at = header <= 0 ? 0 : this.#inWindow(this.position, header);
    at ??= await this.#load(this.position, header, jumped ? HEADER_READ_BYTES : undefined);
    if (at < 0) return this.#stopAt('partial');
    // The walk looks at no byte behind the magic, so it can be told that the window reaches to the limit.
    const { status, size, problem } = nextBatch(this.#window, at, at + left, this.#walk);
    if (status !== 'batch') return this.#stopAt(status, problem);
    this.batch.reset(this.#window, at);
    const wrong = this.#readOffsets();
    if (wrong !== undefined) return this.#stopAt('corrupt', wrong);
    this.size = size;
    return true;
  }

  /**
   * Takes `size` bytes from `position` on as the current batch after all, though {@link next} refused them or their CRC
   * is wrong, so that a walk can go on behind damage. The batch that follows may begin at `nextOffset`, no lower.
   */
  passOver(size: number, nextOffset: number): void {
    this.stop = undefined;
    this.problem = '';
    this.size = size;
    this.#nextOffset = nextOffset;
  }

  /** Whether the current batch has the content that its CRC was made of. */
  async isValid(): Promise<boolean> {
    const legacy = this.batch.magic < MAGIC_V2;
    const from = legacy ? MAGIC_AT : ATTRIBUTES_AT;
    const header = Math.min(this.size, RECORD_BATCH_OVERHEAD);
    const at = this.#inWindow(this.position, header) ?? (await this.#load(this.position, header));
    if (at < 0) return false;
    const stored = this.#window.readUInt32BE(at + (legacy ? LEGACY_CRC_AT : CRC_AT));
    let crc = 0;
    // First what the window has of it.
    let most = Math.max(1, this.#windowEnd - this.position - from);
    for (let done = from; done < this.size; most = this.#window.length) {
      const length = Math.min(this.size - done, most);
      const start = this.position + done;
      const piece = this.#inWindow(start, length) ?? (await this.#load(start, length));
      if (piece < 0) return false;
      crc = legacy
        ? crc32(this.#window.subarray(piece, piece + length), crc)
        : crc32c(this.#window, piece, piece + length, crc);
      done += length;
    }
    // Reading the rest of the batch may have moved its header, or pushed it out.
    if (this.#inWindow(this.position, header) !== this.batch.position) await this.#showHeader();
    return crc === stored;
  }

  /**
   * Reads all of the current batch into a buffer of its own. Its claimed size has been held against the file's. By
   * windows, as {@link isValid}: what is found in the page cache is there before a thread would have begun.
   */
  async readBatch(): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(this.size);
    for (let done = 0; done < this.size; ) {
      const length = Math.min(this.size - done, LOOKUP_WINDOW_BYTES);
      const got = await this.#log.read(bytes, done, length, this.position + done);
      if (got < length) throw this.corruption('the file became shorter while it was read');
      done += length;
    }
    return bytes;
  }

  /** Writes the bytes of the current batch again where they stand, so that a sync behind it covers them. */
  async rewriteBatch(): Promise<void> {
    for (let done = 0; done < this.size; ) {
      const length = Math.min(this.size - done, this.#window.length);
      const piece = await this.#load(this.position + done, length);
      if (piece < 0) throw this.corruption('the file became shorter while it was read');
      await writeFully(this.#log, this.#window, piece, length, this.position + done);
      done += length;
    }
    await this.#showHeader();
  }

  /** The error for damage at the current position. */
  corruption(what: string): KlogError {
    return new KlogError('CORRUPT_MESSAGE', `${this.#log.path} is damaged at position ${this.position}: ${what}`, {
      file: this.#log.path,
      position: this.position,
      offset: this.size > 0 ? this.baseOffset : this.#nextOffset,
    });
  }

  async #showHeader(): Promise<void> {
    const at = await this.#load(this.position, Math.min(this.size, RECORD_BATCH_OVERHEAD), HEADER_READ_BYTES);
    if (at < 0) throw this.corruption('the file became shorter while it was read');
    this.batch.reset(this.#window, at);
  }

  /**
   * Says what is wrong with the offsets. The base offset is outside the CRC: what gives damage to it away is the order
   * of the log.
   */
  #readOffsets(): string | undefined {
    const expected = this.#nextOffset;
    try {
      this.baseOffset = this.batch.baseOffset;
      this.lastOffset = this.batch.lastOffset;
      if (this.lastOffset < this.baseOffset) return `the last offset delta is ${this.batch.lastOffsetDelta}`;
      if (this.baseOffset < expected) return `a batch of offset ${this.baseOffset} where ${expected} has its place`;
      this.#nextOffset = this.batch.nextOffset;
      return undefined;
    } catch (error) {
      if (error instanceof KlogError) return error.message;
      throw error;
    }
  }

  #stopAt(stop: Exclude<WalkStatus, 'batch'>, problem = ''): false {
    this.stop = stop;
    this.problem = problem;
    return false;
  }

  /** Where `length` bytes from `position` on are in the window, if they are: most of a walk goes without a promise. */
  #inWindow(position: number, length: number): number | undefined {
    const at = position - this.#windowStart;
    return at >= 0 && position + length <= this.#windowEnd ? at : undefined;
  }

  /**
   * Makes `length` bytes (at most a window) from `position` on available, reading `readAhead` bytes if it must read.
   * Answers where they are in the window; -1 if the file ends before.
   */
  async #load(position: number, length: number, readAhead = this.#window.length): Promise<number> {
    if (this.#inWindow(position, length) === undefined) {
      const wanted = Math.min(Math.max(length, readAhead), this.#window.length, this.#limit - position);
      const got = await this.#log.read(this.#window, 0, wanted, position);
      this.#windowStart = position;
      this.#windowEnd = position + got;
      if (got < length) return -1;
    }
    return position - this.#windowStart;
  }
}
