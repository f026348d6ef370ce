/**
 * Makes record batches of format v2 (layout in record-batch.ts) from byte ranges. Records are encoded one behind the
 * other into one growing buffer that has room for the header in front:
 *
 * ```
 * record:  length           varint    bytes behind this field
 *          attributes       i8        0
 *          timestampDelta   varlong   to the first record's timestamp
 *          offsetDelta      varint
 *          keyLength        varint    -1 null
 *          key
 *          valueLength      varint    -1 null
 *          value
 *          headerCount      varint
 *            headerKeyLength varint, headerKey (UTF-8), headerValueLength varint (-1 null), headerValue
 * ```
 *
 * An uncompressed batch equals, byte for byte, what Kafka makes of the same records. Appending allocates nothing
 * unless the buffer must grow.
 *
 * The file is long for one purpose because it writes a record twice: {@link RecordBatchBuilder.appendAt} any one, by
 * calls; {@link RecordBatchBuilder.appendValue} the everyday line, in place.
 */
import { KlogError } from '../errors.js';
import { MAX_INT32, type RecordBatchFields, writeBatchHeader } from './batch-header.js';
import { ByteCopier } from './byte-copy.js';
import { type Codec, MOST_DECOMPRESSED_BYTES } from './compression.js';
import type { RecordHeader } from './log-record.js';
import { NO_TIMESTAMP, RECORD_BATCH_OVERHEAD } from './record-batch.js';
import { sizeOfHeaders, writeHeaders } from './record-headers.js';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.js';

export type { RecordBatchFields } from './batch-header.js';

/** Largest batch that Kafka's 32-bit positions can hold. */
const MAX_BATCH_BYTES = 0x7fff_ffff;

/**
 * Bytes a record needs besides key, value and headers, at most: attributes 1, timestamp delta 10, five varints of 5.
 */
export const MAX_RECORD_OVERHEAD = 36;

export interface RecordBatchBuilderOptions {
  /** Room to begin with. Default 16 KiB. */
  readonly initialBytes?: number;
  /** What {@link RecordBatchBuilder.hasRoomFor} answers by. Default 1 MiB. Kafka: `batch.size`. */
  readonly maxBytes?: number;
  /**
   * Compresses the records at {@link RecordBatchBuilder.build}, up to {@link MOST_DECOMPRESSED_BYTES} of them. Default:
   * none.
   */
  readonly codec?: Codec | undefined;
}

export class RecordBatchBuilder {
  readonly maxBytes: number;
  readonly codec: Codec | undefined;
  #buffer: Buffer;
  readonly #copier: ByteCopier;
  #position = RECORD_BATCH_OVERHEAD;
  #recordCount = 0;
  #lastOffsetDelta = -1;
  /** Timestamps begin as fractions so that the engine makes the fields doubles once and for all. */
  #baseTimestamp = Number.NaN;
  #maxTimestamp = Number.NaN;
  #hasBaseTimestamp = false;

  constructor(options: RecordBatchBuilderOptions = {}) {
    this.maxBytes = options.maxBytes ?? 1024 * 1024;
    this.codec = options.codec?.id === 0 ? undefined : options.codec;
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(RECORD_BATCH_OVERHEAD + 64, options.initialBytes ?? 16 * 1024));
    this.#copier = new ByteCopier(this.#buffer);
    this.reset();
  }

  /** Of the batch as it would be uncompressed, the header included. */
  get sizeInBytes(): number {
    return this.#position;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  get isEmpty(): boolean {
    return this.#recordCount === 0;
  }

  /** The largest of the records, or -1. */
  get maxTimestamp(): number {
    return this.#maxTimestamp;
  }

  /**
   * What the records' deltas are relative to: the first one's timestamp unless {@link reset} was told; -1 when empty.
   */
  get baseTimestamp(): number {
    return this.#baseTimestamp;
  }

  /** -1 when empty. */
  get lastOffsetDelta(): number {
    return this.#lastOffsetDelta;
  }

  /** The encoded records, without a header and uncompressed: a view that is valid until the next append or reset. */
  get records(): Uint8Array {
    return this.#buffer.subarray(RECORD_BATCH_OVERHEAD, this.#position);
  }

  /**
   * Whether a record with so many bytes of key, value and headers (`sizeOfHeaders`) fits into `maxBytes`. The first
   * one always does, since a batch holds at least one.
   */
  hasRoomFor(bytes: number): boolean {
    return this.#recordCount === 0 || this.#position + bytes + MAX_RECORD_OVERHEAD <= this.maxBytes;
  }

  /** Whether a record of this time can join the others: its distance from the first one's must be exact, too. */
  hasReachOf(timestamp: number): boolean {
    return !this.#hasBaseTimestamp || Number.isSafeInteger(timestamp - this.#baseTimestamp);
  }

  /** Forgets the records, which ends the life of what {@link build} returned. Keeps the buffer. */
  reset(options: { readonly baseTimestamp?: number } = {}): void {
    this.#position = RECORD_BATCH_OVERHEAD;
    this.#recordCount = 0;
    this.#lastOffsetDelta = -1;
    this.#maxTimestamp = NO_TIMESTAMP;
    this.#baseTimestamp = options.baseTimestamp ?? NO_TIMESTAMP;
    this.#hasBaseTimestamp = options.baseTimestamp !== undefined;
    this.#copier.release();
  }

  /**
   * A record with the next offset, `timestamp` in milliseconds (or -1 for none), a null key and no headers.
   * Throws INVALID_TIMESTAMP beyond ±(2^53 - 1), MESSAGE_TOO_LARGE when the batch would pass 2 GiB; the batch then
   * stays as it was.
   */
  appendValue(buffer: Uint8Array, start: number, end: number, timestamp: number): void {
    const valueLength = end - start;
    const offsetDelta = this.#lastOffsetDelta + 1;
    const timestampDelta = timestamp - this.#baseTimestamp;
    // The everyday line: every number has a varint of one, two or three bytes, so sizes come from comparisons alone.
    if (
      !this.#hasBaseTimestamp ||
      valueLength > 8000 ||
      start < 0 ||
      start > end ||
      end > buffer.length ||
      offsetDelta >= 0x10_0000 ||
      (timestampDelta & 0x1fff) !== timestampDelta ||
      timestamp > Number.MAX_SAFE_INTEGER
    ) {
      this.appendAt(offsetDelta, null, -1, -1, buffer, start, end, timestamp, null);
      return;
    }
    const timestampDeltaSize = timestampDelta < 64 ? 1 : 2;
    const valueLengthSize = valueLength < 64 ? 1 : 2;
    const offsetDeltaSize = offsetDelta < 64 ? 1 : offsetDelta < 8192 ? 2 : 3;
    // Attributes, key length and header count take one byte each.
    const length = 3 + timestampDeltaSize + offsetDeltaSize + valueLengthSize + valueLength;
    const needed = this.#position + length + 2;
    if (needed > this.#buffer.length) this.#grow(needed);

    const target = this.#buffer;
    let at = this.#position;
    if (length < 64) {
      target[at++] = length << 1;
    } else {
      target[at] = (length << 1) | 0x80;
      target[at + 1] = length >>> 6;
      at += 2;
    }
    target[at++] = 0;
    if (timestampDeltaSize === 1) {
      target[at++] = timestampDelta << 1;
    } else {
      target[at] = (timestampDelta << 1) | 0x80;
      target[at + 1] = timestampDelta >>> 6;
      at += 2;
    }
    if (offsetDeltaSize === 1) {
      target[at++] = offsetDelta << 1;
    } else if (offsetDeltaSize === 2) {
      target[at] = (offsetDelta << 1) | 0x80;
      target[at + 1] = offsetDelta >>> 6;
      at += 2;
    } else {
      target[at] = (offsetDelta << 1) | 0x80;
      target[at + 1] = (offsetDelta >>> 6) | 0x80;
      target[at + 2] = offsetDelta >>> 13;
      at += 3;
    }
    target[at++] = 1;
    if (valueLengthSize === 1) {
      target[at++] = valueLength << 1;
    } else {
      target[at] = (valueLength << 1) | 0x80;
      target[at + 1] = valueLength >>> 6;
      at += 2;
    }
    this.#copier.copy(buffer, start, end, at);
    at += valueLength;
    target[at] = 0;
    this.#position = at + 1;
    this.#recordCount++;
    this.#lastOffsetDelta = offsetDelta;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
  }

  /**
   * Adds `count` records that were encoded elsewhere, all of one timestamp, with the offset deltas that come next and
   * relative to {@link baseTimestamp}. The batch has a record already. Throws MESSAGE_TOO_LARGE as {@link appendValue}.
   */
  appendEncoded(bytes: Uint8Array, start: number, end: number, count: number, timestamp: number): void {
    const needed = this.#position + end - start;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#buffer.set(bytes.subarray(start, end), this.#position);
    this.#position = needed;
    this.#recordCount += count;
    this.#lastOffsetDelta += count;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
  }

  /**
   * A record with the next offset. A null key or value has a null buffer. `timestamp` in milliseconds, -1 for none.
   * Throws INVALID_TIMESTAMP beyond ±(2^53 - 1), MESSAGE_TOO_LARGE when the batch would pass 2 GiB; the batch then
   * stays as it was.
   */
  append(
    keyBuffer: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
  ): void {
    if (keyBuffer === null && headers === null && valueBuffer !== null) {
      this.appendValue(valueBuffer, valueStart, valueEnd, timestamp);
      return;
    }
    this.appendAt(
      this.#lastOffsetDelta + 1,
      keyBuffer,
      keyStart,
      keyEnd,
      valueBuffer,
      valueStart,
      valueEnd,
      timestamp,
      headers,
    );
  }

  /**
   * As {@link append}, at an offset of the caller's choice: relative to the base offset, higher than the last one's.
   */
  appendAt(
    offsetDelta: number,
    keyBuffer: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
  ): void {
    if (offsetDelta <= this.#lastOffsetDelta || offsetDelta > MAX_INT32) {
      throw new KlogError(
        'INVALID_RECORD',
        `Offset delta ${offsetDelta} cannot follow ${this.#lastOffsetDelta} in a record batch (at most ${MAX_INT32})`,
      );
    }
    const timestampDelta = this.#hasBaseTimestamp ? timestamp - this.#baseTimestamp : 0;
    if (!Number.isSafeInteger(timestamp) || !Number.isSafeInteger(timestampDelta)) {
      throw new KlogError('INVALID_TIMESTAMP', `Timestamp ${timestamp} is not a whole number within ±(2^53 - 1)`);
    }
    const keyLength = lengthOfRange(keyBuffer, keyStart, keyEnd);
    const valueLength = lengthOfRange(valueBuffer, valueStart, valueEnd);
    const headerCount = headers === null ? 0 : headers.length;
    const length =
      1 +
      sizeOfVarlong(timestampDelta) +
      sizeOfVarint(offsetDelta) +
      sizeOfVarint(keyLength) +
      Math.max(0, keyLength) +
      sizeOfVarint(valueLength) +
      Math.max(0, valueLength) +
      sizeOfVarint(headerCount) +
      (headerCount === 0 ? 0 : sizeOfHeaders(headers!));
    const needed = this.#position + length + 5;
    if (needed > this.#buffer.length) this.#grow(needed);

    const target = this.#buffer;
    let at = writeVarint(target, this.#position, length);
    target[at++] = 0;
    at = writeVarlong(target, at, timestampDelta);
    at = writeVarint(target, at, offsetDelta);
    at = writeVarint(target, at, keyLength);
    if (keyBuffer !== null) {
      this.#copier.copy(keyBuffer, keyStart, keyEnd, at);
      at += keyLength;
    }
    at = writeVarint(target, at, valueLength);
    if (valueBuffer !== null) {
      this.#copier.copy(valueBuffer, valueStart, valueEnd, at);
      at += valueLength;
    }
    at = writeVarint(target, at, headerCount);
    if (headerCount > 0) at = writeHeaders(target, this.#copier, headers!, at);

    this.#position = at;
    this.#recordCount++;
    this.#lastOffsetDelta = offsetDelta;
    if (!this.#hasBaseTimestamp) {
      this.#baseTimestamp = timestamp;
      this.#hasBaseTimestamp = true;
    }
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
  }

  /**
   * The batch of all records appended since the last reset. Uncompressed it is a view of this builder's own buffer,
   * valid until the next append or reset, in which base offset and leader epoch may be changed in place; building
   * again, with other fields, gives the same view. With a codec, or without records, it has its own memory.
   */
  build(fields: RecordBatchFields = {}): Uint8Array {
    const canCompress = !this.isEmpty && this.#position - RECORD_BATCH_OVERHEAD <= MOST_DECOMPRESSED_BYTES;
    const codec = canCompress ? this.codec : undefined;
    const out = this.#withoutHeader(codec);
    const records = {
      codecId: codec === undefined ? 0 : codec.id,
      recordCount: this.#recordCount,
      lastOffsetDelta: this.#lastOffsetDelta,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
    };
    writeBatchHeader(out, records, fields);
    return out;
  }

  /** The batch with its records, the header still to be filled in. */
  #withoutHeader(codec: Codec | undefined): Buffer {
    if (this.isEmpty) return Buffer.alloc(RECORD_BATCH_OVERHEAD);
    if (this.codec === undefined) return this.#buffer.subarray(0, this.#position);
    if (codec === undefined) return Buffer.from(this.#buffer.subarray(0, this.#position));
    const records = codec.compress(this.records);
    if (records.length > MAX_BATCH_BYTES - RECORD_BATCH_OVERHEAD) throw tooLarge(records.length);
    const out = Buffer.allocUnsafeSlow(RECORD_BATCH_OVERHEAD + records.length);
    out.set(records, RECORD_BATCH_OVERHEAD);
    return out;
  }

  #grow(needed: number): void {
    if (needed > MAX_BATCH_BYTES) throw tooLarge(needed);
    const grown = Buffer.allocUnsafeSlow(Math.min(MAX_BATCH_BYTES, Math.max(needed, this.#buffer.length * 2)));
    grown.set(this.#buffer.subarray(0, this.#position));
    this.#buffer = grown;
    this.#copier.setTarget(grown);
  }
}

/** -1 for null. Throws TypeError when the range does not lie in its buffer: such bytes would be made up. */
function lengthOfRange(buffer: Uint8Array | null, start: number, end: number): number {
  if (buffer === null) return -1;
  if (start >= 0 && start <= end && end <= buffer.length) return end - start;
  throw new TypeError(`the range from ${start} to ${end} does not lie in a buffer of ${buffer.length} bytes`);
}

function tooLarge(bytes: number): KlogError {
  return new KlogError('MESSAGE_TOO_LARGE', `A record batch cannot have ${bytes} bytes: at most ${MAX_BATCH_BYTES}`);
}
