/**
 * Walks the record batches of a `.log` file from a position and verifies each: header sane, whole, CRC right. Memory is one
 * window however large a batch claims to be: the CRC of a batch beyond the window is taken piece by piece.
 */
import { crc32c } from '../format/crc32c.js';
import * as legacy from '../format/legacy-message.js';
import {
  ATTRIBUTES_AT,
  BATCH_LENGTH_AT,
  CRC_AT,
  HEADER_SIZE_UP_TO_MAGIC,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAGIC_V2,
  RECORD_BATCH_OVERHEAD,
  RecordBatch,
} from '../format/record-batch.js';
import type { OpenFile } from './file-system.js';
import { writeFully } from './file-system.js';

const WINDOW_SIZE = 256 * 1024;

/** Why a scan stopped: at the limit, in a batch that is not whole, or at something that cannot be a batch. */
export type ScanStop = 'end' | 'partial' | 'corrupt';

export class SegmentScanner {
  readonly #log: OpenFile;
  readonly #limit: number;
  readonly #window = Buffer.allocUnsafe(WINDOW_SIZE);
  #windowStart = 0;
  #windowEnd = 0;
  /** Where the current batch begins; after the last one, where the scan stopped. */
  position: number;
  /** Bytes of the current batch. */
  size = 0;
  /** The header of the current batch; valid until the next call. */
  readonly batch = new RecordBatch();
  stop: ScanStop | undefined;

  /** `limit`: the size of the file, or as much of it as may be looked at. */
  constructor(log: OpenFile, from: number, limit: number) {
    this.#log = log;
    this.#limit = limit;
    this.position = from;
  }

  /** Steps to the next batch. False: there is none, `stop` says why. */
  async next(): Promise<boolean> {
    this.position += this.size;
    this.size = 0;
    const left = this.#limit - this.position;
    if (left < HEADER_SIZE_UP_TO_MAGIC) return this.#stopAt(left === 0 ? 'end' : 'partial');
    const at = await this.#load(this.position, Math.min(left, RECORD_BATCH_OVERHEAD));
    const size = LOG_OVERHEAD + this.#window.readInt32BE(at + BATCH_LENGTH_AT);
    const magic = this.#window.readUInt8(at + MAGIC_AT);
    if (magic > MAGIC_V2 || size < smallestSize(magic)) return this.#stopAt('corrupt');
    if (size > left) return this.#stopAt('partial');
    const matches = magic === MAGIC_V2 ? this.#crcMatches(size) : this.#legacyCrcMatches(size);
    if (!(await matches)) return this.#stopAt('corrupt');
    this.batch.reset(this.#window, await this.#load(this.position, Math.min(size, RECORD_BATCH_OVERHEAD)));
    this.size = size;
    return true;
  }

  /** Writes the bytes of the current batch again where they stand, so that a sync that follows covers them. */
  async rewrite(): Promise<void> {
    const end = this.position + this.size;
    for (let position = this.position; position < end; ) {
      const length = Math.min(end - position, WINDOW_SIZE);
      const at = await this.#load(position, length);
      position = await writeFully(this.#log, this.#window, at, length, position);
    }
  }

  #stopAt(stop: ScanStop): false {
    this.stop = stop;
    return false;
  }

  /** Makes `length` bytes (at most a window) from `position` on available; answers where they are in the window. */
  async #load(position: number, length: number): Promise<number> {
    if (position < this.#windowStart || position + length > this.#windowEnd) {
      const wanted = Math.min(WINDOW_SIZE, this.#limit - position);
      const got = await this.#log.read(this.#window, 0, wanted, position);
      if (got < length) throw new Error(`${this.#log.path} became shorter while it was read (at ${position})`);
      this.#windowStart = position;
      this.#windowEnd = position + got;
    }
    return position - this.#windowStart;
  }

  async #crcMatches(size: number): Promise<boolean> {
    const stored = this.#window.readUInt32BE((await this.#load(this.position, RECORD_BATCH_OVERHEAD)) + CRC_AT);
    const end = this.position + size;
    let crc = 0;
    for (let position = this.position + ATTRIBUTES_AT; position < end; ) {
      const length = Math.min(end - position, WINDOW_SIZE);
      const at = await this.#load(position, length);
      crc = crc32c(this.#window, at, at + length, crc);
      position += length;
    }
    return crc === stored;
  }

  async #legacyCrcMatches(size: number): Promise<boolean> {
    if (size <= WINDOW_SIZE) {
      const at = await this.#load(this.position, size);
      return legacy.isValid(this.#window, at, size);
    }
    const whole = Buffer.allocUnsafe(size);
    await this.#log.read(whole, 0, size, this.position);
    return legacy.isValid(whole, 0, size);
  }
}

function smallestSize(magic: number): number {
  return magic === MAGIC_V2 ? RECORD_BATCH_OVERHEAD : legacy.minimumSize(magic);
}
