/**
 * The header of a record batch, format v2 (61 bytes, big-endian):
 *
 * ```
 *  0  i64  baseOffset             deltas of records are relative to it
 *  8  i32  batchLength            bytes behind this field: the batch has 12 + batchLength
 * 12  i32  partitionLeaderEpoch   -1 from clients
 * 16  i8   magic                  2
 * 17  u32  crc                    CRC-32C of everything from byte 21 on
 * 21  i16  attributes             bits 0-2 codec, 3 LogAppendTime, 4 transactional, 5 control, 6 delete horizon
 * 23  i32  lastOffsetDelta        lastOffset = baseOffset + this, also when the records were compacted away
 * 27  i64  baseTimestamp          deltas of records are relative to it; with bit 6 the delete horizon
 * 35  i64  maxTimestamp           largest of the records, or the append time; -1 none
 * 43  i64  producerId             -1 none
 * 51  i16  producerEpoch          -1 none
 * 53  i32  baseSequence           -1 none
 * 57  i32  recordCount            records present: not lastOffsetDelta + 1
 * 61       records                one compressed block if a codec is set
 * ```
 *
 * The CRC begins at 21, so baseOffset and partitionLeaderEpoch can be filled in last; the price is that damage to
 * baseOffset, batchLength, epoch or magic goes unnoticed by it.
 *
 * The first 17 bytes lie where those of a magic 0 or 1 message do, see legacy-message.ts.
 */
import { KlogError } from '../errors.js';
import { type CompressionType, compressionTypeOf } from './compression.js';
import { crc32c } from './crc32c.js';
import { beyondSafeInteger, readInt16, readInt32, readInt64, writeInt16, writeInt32, writeInt64 } from './int64.js';
import * as legacy from './legacy-message.js';
import type { TimestampType } from './log-record.js';

export const BASE_OFFSET_AT = 0;
export const BATCH_LENGTH_AT = 8;
export const PARTITION_LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const RECORD_COUNT_AT = 57;

/** Offset and length fields, which `batchLength` does not count. */
export const LOG_OVERHEAD = 12;
/** What must be there to know the size and the magic of a batch. */
export const HEADER_SIZE_UP_TO_MAGIC = 17;
export const RECORD_BATCH_OVERHEAD = 61;

export const MAGIC_V2 = 2;
export const NO_TIMESTAMP = -1;
export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
export const NO_SEQUENCE = -1;
export const NO_PARTITION_LEADER_EPOCH = -1;

export const COMPRESSION_MASK = 0x07;
export const LOG_APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;
export const DELETE_HORIZON_BIT = 0x40;

const MAX_INT32 = 0x7fffffff;
const EMPTY = new Uint8Array(0);

/** A sequence number `delta` further on: 2147483647 is followed by 0. */
export function incrementSequence(sequence: number, delta: number): number {
  const sum = sequence + delta;
  return sum > MAX_INT32 ? sum - MAX_INT32 - 1 : sum;
}

/**
 * A view of one batch in a buffer; {@link reset} moves it to the next, so that walking a log allocates nothing.
 *
 * The batch must lie in the buffer as a whole, which {@link nextBatch} of batch-walk.ts makes sure of. A message of
 * magic 0 or 1 reads as a batch too: its producer fields are -1, its recordCount is -1 (unknown until decoded), and a
 * compressed one's baseOffset is the offset of its *last* record, because the first is known only after decoding.
 *
 * 64-bit fields beyond ±(2^53 - 1) throw INVALID_RECORD.
 */
export class RecordBatch {
  buffer: Uint8Array = EMPTY;
  position = 0;

  /** Throws CORRUPT_MESSAGE when not even the header lies in the buffer. */
  reset(buffer: Uint8Array, position: number): this {
    const available = buffer.length - position;
    if (available < HEADER_SIZE_UP_TO_MAGIC) throw headerCutShort(position, available, HEADER_SIZE_UP_TO_MAGIC);
    const magic = buffer[position + MAGIC_AT]!;
    const needed = magic < MAGIC_V2 ? legacy.minimumSize(magic) : RECORD_BATCH_OVERHEAD;
    if (available < needed) throw headerCutShort(position, available, needed);
    this.buffer = buffer;
    this.position = position;
    return this;
  }

  get baseOffset(): number {
    return readInt64(this.buffer, this.position + BASE_OFFSET_AT, 'base offset');
  }

  /** All of the batch, the header included. */
  get sizeInBytes(): number {
    return LOG_OVERHEAD + readInt32(this.buffer, this.position + BATCH_LENGTH_AT);
  }

  get magic(): number {
    return this.buffer[this.position + MAGIC_AT]!;
  }

  get partitionLeaderEpoch(): number {
    if (this.#isLegacy) return NO_PARTITION_LEADER_EPOCH;
    return readInt32(this.buffer, this.position + PARTITION_LEADER_EPOCH_AT);
  }

  /** As stored, unsigned. */
  get crc(): number {
    return readInt32(this.buffer, this.position + (this.#isLegacy ? legacy.CRC_AT : CRC_AT)) >>> 0;
  }

  /** Whether the batch is long enough, lies in the buffer, and has the content that its CRC was made of. */
  isValid(): boolean {
    const size = this.sizeInBytes;
    if (this.position + size > this.buffer.length) return false;
    if (this.#isLegacy) return legacy.isValid(this.buffer, this.position, size);
    return size >= RECORD_BATCH_OVERHEAD && this.crc === this.#computeCrc(size);
  }

  get attributes(): number {
    if (this.#isLegacy) return this.buffer[this.position + legacy.ATTRIBUTES_AT]!;
    return readInt16(this.buffer, this.position + ATTRIBUTES_AT);
  }

  /** 0 to 4 as {@link COMPRESSION_TYPES} has them; 5 to 7 are invalid. */
  get compressionId(): number {
    return this.attributes & COMPRESSION_MASK;
  }

  /** Throws UNSUPPORTED_COMPRESSION_TYPE for an invalid id. */
  get compressionType(): CompressionType {
    return compressionTypeOf(this.compressionId);
  }

  /** `none` for magic 0, which has no timestamps. */
  get timestampType(): TimestampType {
    if (this.magic === 0) return 'none';
    return (this.attributes & LOG_APPEND_TIME_BIT) === 0 ? 'create' : 'append';
  }

  get isTransactional(): boolean {
    return !this.#isLegacy && (this.attributes & TRANSACTIONAL_BIT) !== 0;
  }

  get isControl(): boolean {
    return !this.#isLegacy && (this.attributes & CONTROL_BIT) !== 0;
  }

  get hasDeleteHorizon(): boolean {
    return !this.#isLegacy && (this.attributes & DELETE_HORIZON_BIT) !== 0;
  }

  /** The time from which on tombstones and markers of this batch may go, in milliseconds; undefined if none is set. */
  get deleteHorizonMs(): number | undefined {
    return this.hasDeleteHorizon ? this.baseTimestamp : undefined;
  }

  get lastOffsetDelta(): number {
    return this.#isLegacy ? 0 : readInt32(this.buffer, this.position + LAST_OFFSET_DELTA_AT);
  }

  get lastOffset(): number {
    const lastOffset = this.baseOffset + this.lastOffsetDelta;
    if (lastOffset > Number.MAX_SAFE_INTEGER) throw beyondSafeInteger('last offset', lastOffset, this.position);
    return lastOffset;
  }

  /** Where the log goes on. */
  get nextOffset(): number {
    const nextOffset = this.baseOffset + this.lastOffsetDelta + 1;
    if (nextOffset > Number.MAX_SAFE_INTEGER) throw beyondSafeInteger('next offset', nextOffset, this.position);
    return nextOffset;
  }

  /** What record deltas are relative to: with a delete horizon no record's time. */
  get baseTimestamp(): number {
    if (this.#isLegacy) return this.maxTimestamp;
    return readInt64(this.buffer, this.position + BASE_TIMESTAMP_AT, 'base timestamp');
  }

  get maxTimestamp(): number {
    if (this.magic === 0) return NO_TIMESTAMP;
    return readInt64(
      this.buffer,
      this.position + (this.#isLegacy ? legacy.TIMESTAMP_AT : MAX_TIMESTAMP_AT),
      'max timestamp',
    );
  }

  get producerId(): number {
    return this.#isLegacy ? NO_PRODUCER_ID : readInt64(this.buffer, this.position + PRODUCER_ID_AT, 'producer id');
  }

  get producerEpoch(): number {
    return this.#isLegacy ? NO_PRODUCER_EPOCH : readInt16(this.buffer, this.position + PRODUCER_EPOCH_AT);
  }

  get baseSequence(): number {
    return this.#isLegacy ? NO_SEQUENCE : readInt32(this.buffer, this.position + BASE_SEQUENCE_AT);
  }

  get lastSequence(): number {
    const baseSequence = this.baseSequence;
    return baseSequence === NO_SEQUENCE ? NO_SEQUENCE : incrementSequence(baseSequence, this.lastOffsetDelta);
  }

  /** Records present, as the header says; -1 for magic 0 and 1. */
  get recordCount(): number {
    return this.#isLegacy ? -1 : readInt32(this.buffer, this.position + RECORD_COUNT_AT);
  }

  /** Moves the batch to its place in a log. Outside the CRC. */
  setBaseOffset(offset: number): void {
    writeInt64(this.buffer, this.position + BASE_OFFSET_AT, offset, 'base offset');
  }

  /** Outside the CRC. Only v2 batches have one. */
  setPartitionLeaderEpoch(epoch: number): void {
    this.#mustBeV2('a partition leader epoch');
    writeInt32(this.buffer, this.position + PARTITION_LEADER_EPOCH_AT, epoch);
  }

  /** Gives every record of a v2 batch the time `now` (milliseconds), whatever its own says, and redoes the CRC. */
  setLogAppendTime(now: number): void {
    this.#mustBeV2('a new append time');
    writeInt16(this.buffer, this.position + ATTRIBUTES_AT, this.attributes | LOG_APPEND_TIME_BIT);
    writeInt64(this.buffer, this.position + MAX_TIMESTAMP_AT, now, 'append time');
    writeInt32(this.buffer, this.position + CRC_AT, this.#computeCrc(this.sizeInBytes));
  }

  get #isLegacy(): boolean {
    return this.buffer[this.position + MAGIC_AT]! < MAGIC_V2;
  }

  #computeCrc(sizeInBytes: number): number {
    return crc32c(this.buffer, this.position + ATTRIBUTES_AT, this.position + sizeInBytes);
  }

  #mustBeV2(what: string): void {
    if (!this.#isLegacy) return;
    throw new KlogError('UNSUPPORTED_FOR_MESSAGE_FORMAT', `A magic ${this.magic} message cannot be given ${what}`);
  }
}

function headerCutShort(position: number, available: number, needed: number): KlogError {
  return new KlogError(
    'CORRUPT_MESSAGE',
    `The record batch at position ${position} has ${Math.max(0, available)} bytes left of a header of ${needed}`,
    { position },
  );
}
