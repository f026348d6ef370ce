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
 */
import { KlogError } from '../errors.js';
import { ByteCopier } from './byte-copy.js';
import type { Codec } from './compression.js';
import { crc32c } from './crc32c.js';
import { writeInt16, writeInt32, writeInt64 } from './int64.js';
import type { RecordHeader } from './log-record.js';
import * as batch from './record-batch.js';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.js';

/** Largest batch that Kafka's 32-bit positions can hold. */
const MAX_BATCH_BYTES = 0x7fff_ffff;
const MAX_INT32 = 0x7fffffff;

/** Bytes a record needs besides key, value and headers, at most: attributes 1, timestamp delta 10, five varints of 5. */
export const MAX_RECORD_OVERHEAD = 36;

export interface RecordBatchBuilderOptions {
  /** Room to begin with. Default 16 KiB. */
  readonly initialBytes?: number;
  /** What {@link RecordBatchBuilder.hasRoomFor} answers by. Default 1 MiB. Kafka: `batch.size`. */
  readonly maxBytes?: number;
  /** Compresses the records at {@link RecordBatchBuilder.build}. Default: none. */
  readonly codec?: Codec | undefined;
}

export interface RecordBatchFields {
  /** Default 0; can be set later in place, see `RecordBatch.setBaseOffset`. */
  readonly baseOffset?: number;
  /** Default -1; can be set later in place. */
  readonly partitionLeaderEpoch?: number;
  /** Default -1, none. */
  readonly producerId?: number;
  /** Default -1, none. */
  readonly producerEpoch?: number;
  /** Default -1, none. */
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** All records read as of this time, in milliseconds, and the batch says so. Kafka: LogAppendTime. */
  readonly logAppendTime?: number | undefined;
  /** The `baseTimestamp` given to {@link RecordBatchBuilder.reset} is the delete horizon. */
  readonly deleteHorizon?: boolean;
  /** Default: the last record's. Larger where records behind it were compacted away. */
  readonly lastOffsetDelta?: number | undefined;
  /** For a batch without records, which keeps what its records once had. Default: the largest of the records, or -1. */
  readonly maxTimestamp?: number | undefined;
}

export class RecordBatchBuilder {
  readonly maxBytes: number;
  readonly codec: Codec | undefined;
  #buffer: Buffer;
  readonly #copier: ByteCopier;
  #position = batch.RECORD_BATCH_OVERHEAD;
  #recordCount = 0;
  #lastOffsetDelta = -1;
  /** Timestamps begin as fractions so that the engine makes the fields doubles once and for all. */
  #baseTimestamp = Number.NaN;
  #maxTimestamp = Number.NaN;
  #hasBaseTimestamp = false;

  constructor(options: RecordBatchBuilderOptions = {}) {
    this.maxBytes = options.maxBytes ?? 1024 * 1024;
    this.codec = options.codec?.id === 0 ? undefined : options.codec;
    this.#buffer = Buffer.allocUnsafeSlow(
      Math.max(batch.RECORD_BATCH_OVERHEAD + 64, options.initialBytes ?? 16 * 1024),
    );
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

  /** What the records' deltas are relative to: the first one's timestamp unless {@link reset} was told; -1 when empty. */
  get baseTimestamp(): number {
    return this.#baseTimestamp;
  }

  /** -1 when empty. */
  get lastOffsetDelta(): number {
    return this.#lastOffsetDelta;
  }

  /** The encoded records, without a header and uncompressed: a view that is valid until the next append or reset. */
  get records(): Uint8Array {
    return this.#buffer.subarray(batch.RECORD_BATCH_OVERHEAD, this.#position);
  }

  /**
   * Whether a record with so many bytes of key, value and headers ({@link sizeOfHeaders}) fits into `maxBytes`. The first
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
    this.#position = batch.RECORD_BATCH_OVERHEAD;
    this.#recordCount = 0;
    this.#lastOffsetDelta = -1;
    this.#maxTimestamp = batch.NO_TIMESTAMP;
    this.#baseTimestamp = options.baseTimestamp ?? batch.NO_TIMESTAMP;
    this.#hasBaseTimestamp = options.baseTimestamp !== undefined;
    this.#copier.release();
  }

  /**
   * A record with the next offset, `timestamp` in milliseconds (or -1 for none), a null key and no headers.
   * Throws INVALID_TIMESTAMP beyond ±(2^53 - 1), MESSAGE_TOO_LARGE when the batch would pass 2 GiB; the batch then stays as it was.
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
   * A record with the next offset. A null key or value has a null buffer. `timestamp` in milliseconds, -1 for none.
   * Throws INVALID_TIMESTAMP beyond ±(2^53 - 1), MESSAGE_TOO_LARGE when the batch would pass 2 GiB; the batch then stays as it was.
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

  /** As {@link append}, at an offset of the caller's choice: relative to the base offset, higher than the last one's. */
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
    if (headerCount > 0) at = this.#writeHeaders(headers!, at);

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
   * The batch of all records appended since the last reset. Uncompressed it is a view of this builder's own buffer, valid
   * until the next append or reset, in which base offset and leader epoch may be changed in place; building again,
   * with other fields, gives the same view. Compressed, or without records, it has its own memory.
   */
  build(fields: RecordBatchFields = {}): Uint8Array {
    const isEmpty = this.#recordCount === 0;
    const codec = isEmpty ? undefined : this.codec;
    let out: Buffer;
    if (codec === undefined) {
      out = isEmpty ? Buffer.alloc(batch.RECORD_BATCH_OVERHEAD) : this.#buffer.subarray(0, this.#position);
    } else {
      const records = codec.compress(this.records);
      if (records.length > MAX_BATCH_BYTES - batch.RECORD_BATCH_OVERHEAD) throw tooLarge(records.length);
      out = Buffer.allocUnsafeSlow(batch.RECORD_BATCH_OVERHEAD + records.length);
      out.set(records, batch.RECORD_BATCH_OVERHEAD);
    }
    const lastOffsetDelta = fields.lastOffsetDelta ?? this.#lastOffsetDelta;
    if (lastOffsetDelta < Math.max(0, this.#lastOffsetDelta) || lastOffsetDelta > MAX_INT32) {
      throw new KlogError('INVALID_RECORD', `A record batch cannot end at offset delta ${lastOffsetDelta}`);
    }
    const { logAppendTime } = fields;
    const attributes =
      (codec === undefined ? 0 : codec.id) |
      (logAppendTime === undefined ? 0 : batch.LOG_APPEND_TIME_BIT) |
      (fields.transactional === true ? batch.TRANSACTIONAL_BIT : 0) |
      (fields.control === true ? batch.CONTROL_BIT : 0) |
      (fields.deleteHorizon === true ? batch.DELETE_HORIZON_BIT : 0);

    writeInt64(out, batch.BASE_OFFSET_AT, fields.baseOffset ?? 0, 'base offset');
    writeInt32(out, batch.BATCH_LENGTH_AT, out.length - batch.LOG_OVERHEAD);
    writeInt32(out, batch.PARTITION_LEADER_EPOCH_AT, fields.partitionLeaderEpoch ?? batch.NO_PARTITION_LEADER_EPOCH);
    out[batch.MAGIC_AT] = batch.MAGIC_V2;
    writeInt16(out, batch.ATTRIBUTES_AT, attributes);
    writeInt32(out, batch.LAST_OFFSET_DELTA_AT, lastOffsetDelta);
    writeInt64(out, batch.BASE_TIMESTAMP_AT, this.#baseTimestamp, 'base timestamp');
    writeInt64(
      out,
      batch.MAX_TIMESTAMP_AT,
      logAppendTime ?? fields.maxTimestamp ?? this.#maxTimestamp,
      'max timestamp',
    );
    writeInt64(out, batch.PRODUCER_ID_AT, fields.producerId ?? batch.NO_PRODUCER_ID, 'producer id');
    writeInt16(out, batch.PRODUCER_EPOCH_AT, fields.producerEpoch ?? batch.NO_PRODUCER_EPOCH);
    writeInt32(out, batch.BASE_SEQUENCE_AT, fields.baseSequence ?? batch.NO_SEQUENCE);
    writeInt32(out, batch.RECORD_COUNT_AT, this.#recordCount);
    writeInt32(out, batch.CRC_AT, crc32c(out, batch.ATTRIBUTES_AT, out.length));
    return out;
  }

  #writeHeaders(headers: readonly RecordHeader[], at: number): number {
    const target = this.#buffer;
    for (const { key, value } of headers) {
      const keyLength = Buffer.byteLength(key);
      at = writeVarint(target, at, keyLength);
      target.write(key, at);
      at += keyLength;
      at = writeVarint(target, at, value === null ? -1 : value.length);
      if (value !== null) {
        this.#copier.copy(value, 0, value.length, at);
        at += value.length;
      }
    }
    return at;
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

/** Bytes of all headers as they are encoded, their count left out. */
export function sizeOfHeaders(headers: readonly RecordHeader[]): number {
  let size = 0;
  for (const { key, value } of headers) {
    const keyLength = Buffer.byteLength(key);
    size += sizeOfVarint(keyLength) + keyLength;
    size += value === null ? 1 : sizeOfVarint(value.length) + value.length;
  }
  return size;
}

function tooLarge(bytes: number): KlogError {
  return new KlogError('MESSAGE_TOO_LARGE', `A record batch cannot have ${bytes} bytes: at most ${MAX_BATCH_BYTES}`);
}
