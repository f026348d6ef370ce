/**
 * Reads the records of one batch (layout in record-batch-builder.ts), one after the other, without an object per
 * record: {@link RecordCursor.next} leaves the fields of the record, and where its key and value lie, in the cursor.
 *
 * Nothing that the bytes say is believed before it is checked against the room there is: what does not fit throws
 * CORRUPT_MESSAGE. The CRC is the caller's to check (`RecordBatch.isValid`): where he does, damage cannot come here and
 * only a writer's error can.
 *
 * The file is long for one purpose because {@link RecordCursor.next} reads short varints in place: it is the loop that
 * every record of a consumer goes through.
 */
import type { KlogError } from '../errors.js';
import { BatchRecords, corrupt } from './batch-records.js';
import { MOST_DECOMPRESSED_BYTES } from './compression.js';
import { beyondSafeInteger } from './int64.js';
import { incrementSequence, NO_SEQUENCE } from './record-batch.js';
import { RecordFields } from './record-fields.js';
import { passHeaders } from './record-headers.js';
import { ANY_TIME, offsetDeltaAt, type PassedRecords, passRecords } from './record-skip.js';
import { VarintReader } from './varint.js';

export { codecNeeded } from './batch-records.js';

/** Attributes and five one-byte varints. */
const MINIMUM_RECORD_LENGTH = 6;

export interface OpenCursorOptions {
  /**
   * A batch whose records have more bytes when decompressed is refused with CORRUPT_MESSAGE. Default 128 MiB
   * ({@link MOST_DECOMPRESSED_BYTES}).
   */
  readonly maxDecompressedBytes?: number;
}

/**
 * Sets `cursor` before the first record of the whole batch at `position`, and returns it. `skipTo` and `endAt` of an
 * earlier batch are forgotten. Throws CORRUPT_MESSAGE when the batch does not lie in the buffer or cannot be
 * decompressed, UNSUPPORTED_COMPRESSION_TYPE for an unknown codec, INVALID_RECORD for offsets beyond 2^53 - 1, and
 * TypeError when the codec was not loaded.
 */
export function openCursor(
  cursor: RecordCursor,
  buffer: Uint8Array,
  position: number,
  options: OpenCursorOptions = {},
): RecordCursor {
  cursor.open(buffer, position, options.maxDecompressedBytes ?? MOST_DECOMPRESSED_BYTES);
  return cursor;
}

/** What is left of a batch, for who goes through many records at a time. */
export interface RecordRun {
  /** The records: `buffer[start, end)`. */
  buffer: Uint8Array;
  start: number;
  end: number;
  count: number;
  /** Records with other offset deltas than [fromDelta, toDelta) are passed over, or too many. */
  fromDelta: number;
  toDelta: number;
  /** Records of a later time are not handed out. */
  lastTimestampDelta: number;
  baseOffset: number;
  baseTimestamp: number;
  /** All records have one timestamp, which is not `baseTimestamp`. */
  hasAppendTime: boolean;
}

/** Within what 32 bits can say. */
const ANY_DELTA = 2 ** 31 - 1;

const NO_BYTES = Buffer.alloc(0);
/** One serves all cursors: nothing keeps it beyond a call. */
const varints = new VarintReader();
const passed: PassedRecords = { count: 0, position: 0 };

export class RecordCursor extends RecordFields {
  /** Records in the batch, skipped ones included. */
  recordCount = 0;

  #position = 0;
  #end = 0;
  #remaining = 0;
  #baseOffset = Number.NaN;
  #lastOffsetDelta = 0;
  #baseTimestamp = Number.NaN;
  /** Every record's timestamp when the batch has an append time. */
  #appendTime = Number.NaN;
  #hasAppendTime = false;
  #baseSequence = NO_SEQUENCE;
  #offsetDelta = 0;
  /** Deltas outside [from, to) are passed over. */
  #fromDelta = Number.NEGATIVE_INFINITY;
  #toDelta = Number.POSITIVE_INFINITY;
  /** The batch's place in the buffer it was opened on, for messages. */
  #batchPosition = 0;
  readonly #records = new BatchRecords();

  /** {@link openCursor} says what this does. After an error the cursor has no records. */
  open(buffer: Uint8Array, position: number, maxDecompressedBytes: number): void {
    this.#remaining = 0;
    this.#position = 0;
    this.#end = 0;
    this.#batchPosition = position;
    this.#fromDelta = Number.NEGATIVE_INFINITY;
    this.#toDelta = Number.POSITIVE_INFINITY;
    const records = this.#records;
    records.open(buffer, position, maxDecompressedBytes);
    this.setBuffer(records.buffer);
    this.recordCount = records.recordCount;
    this.timestampType = records.timestampType;
    this.#position = records.start;
    this.#end = records.end;
    this.#remaining = records.recordCount;
    this.#baseOffset = records.baseOffset;
    this.#lastOffsetDelta = records.lastOffsetDelta;
    this.#baseTimestamp = records.baseTimestamp;
    this.#appendTime = records.appendTime;
    this.#hasAppendTime = records.timestampType === 'append';
    this.#baseSequence = records.baseSequence;
    if (records.recordCount === 0) this.#mustBeAtEnd();
  }

  /** Lets go of the batch: there are no more records, and its bytes are not kept. */
  release(): void {
    this.#remaining = 0;
    this.#position = 0;
    this.#end = 0;
    this.setBuffer(NO_BYTES);
    this.#records.release();
  }

  /** Passes over records below `offset`. */
  skipTo(offset: number): void {
    const delta = offset - this.#baseOffset;
    this.#fromDelta = delta;
    // Where no offset is missing the record's number is its delta: there must be that record.
    const isDense = this.recordCount === this.#lastOffsetDelta + 1;
    if (isDense && delta > 0 && delta < this.recordCount && this.#remaining === this.recordCount) {
      passRecords(this.buffer, this.#position, this.#end, delta, ANY_TIME, passed);
      const { count, position } = passed;
      if (count < delta || offsetDeltaAt(this.buffer, position, this.#end) !== delta) return;
      this.#position = position;
      this.#remaining -= delta;
    }
  }

  /** Passes over the records that come before the next one of this time or a later one. */
  skipBefore(timestamp: number): void {
    if (this.#hasAppendTime) return;
    const delta = timestamp - this.#baseTimestamp;
    passRecords(this.buffer, this.#position, this.#end, this.#remaining, delta, passed);
    this.#position = passed.position;
    this.#remaining -= passed.count;
  }

  /** Passes over records from `offset` on. */
  endAt(offset: number): void {
    this.#toDelta = offset - this.#baseOffset;
  }

  /** Records that are left in the batch, those included that will be passed over. */
  get remaining(): number {
    return this.#remaining;
  }

  /** Says what is left of the batch. */
  restOf(run: RecordRun): void {
    run.buffer = this.buffer;
    run.start = this.#position;
    run.end = this.#end;
    run.count = this.#remaining;
    run.fromDelta = Math.min(Math.max(0, this.#fromDelta), ANY_DELTA);
    run.toDelta = Math.min(this.#toDelta, this.#lastOffsetDelta + 1, ANY_DELTA);
    run.lastTimestampDelta = ANY_DELTA;
    run.baseOffset = this.#baseOffset;
    run.baseTimestamp = this.#baseTimestamp;
    run.hasAppendTime = this.#hasAppendTime;
  }

  /** Goes back before the record that {@link next} has just come to. */
  stepBack(): void {
    this.#position = this.recordStart;
    this.#remaining++;
  }

  /** Goes on with the record at `position` of {@link buffer}, behind `count` records that were looked at otherwise. */
  passTo(position: number, count: number): void {
    this.#position = position;
    this.#remaining -= count;
  }

  /**
   * Goes to the next record; false when there is none. Throws CORRUPT_MESSAGE when the fields do not fill the record,
   * or the records the batch, and INVALID_RECORD when the timestamp is beyond ±(2^53 - 1).
   */
  next(): boolean {
    const buffer = this.buffer;
    const end = this.#end;
    while (this.#remaining > 0) {
      const start = this.#position;
      let at = start;
      // Varints of one or two bytes are read in place. Reading a little past the record, even past the buffer, is
      // harmless: such a position fails the comparison with the record's end below.
      let byte = at < end ? buffer[at]! : 0x80;
      let length: number;
      if (byte < 0x80) {
        length = (byte >>> 1) ^ -(byte & 1);
        at++;
      } else {
        length = this.#varint(at, end);
        at = varints.position;
      }
      if (length < MINIMUM_RECORD_LENGTH || length > end - at) throw this.#corruptRecord(`has a length of ${length}`);
      const recordEnd = at + length;
      at++;

      let timestampDelta = 0;
      byte = buffer[at]!;
      if (byte < 0x80) {
        timestampDelta = (byte >>> 1) ^ -(byte & 1);
        at++;
      } else {
        timestampDelta = this.#timestampDelta(at, recordEnd);
        at = varints.position;
      }

      let offsetDelta: number;
      byte = buffer[at]!;
      if (byte < 0x80) {
        offsetDelta = (byte >>> 1) ^ -(byte & 1);
        at++;
      } else {
        offsetDelta = this.#varint(at, recordEnd);
        at = varints.position;
      }
      if (offsetDelta < 0 || offsetDelta > this.#lastOffsetDelta) {
        throw this.#corruptRecord(`has offset delta ${offsetDelta} in a batch of 0 to ${this.#lastOffsetDelta}`);
      }
      if (offsetDelta < this.#fromDelta || offsetDelta >= this.#toDelta) {
        this.#remaining--;
        this.#position = recordEnd;
        continue;
      }

      let keyLength: number;
      byte = buffer[at]!;
      if (byte < 0x80) {
        keyLength = (byte >>> 1) ^ -(byte & 1);
        at++;
      } else {
        keyLength = this.#varint(at, recordEnd);
        at = varints.position;
      }
      if (keyLength > recordEnd - at || keyLength < -1) throw this.#corruptRecord(`has a key length of ${keyLength}`);
      if (keyLength < 0) {
        this.keyStart = -1;
        this.keyEnd = -1;
      } else {
        this.keyStart = at;
        at += keyLength;
        this.keyEnd = at;
      }

      let valueLength: number;
      byte = buffer[at]!;
      if (byte < 0x80) {
        valueLength = (byte >>> 1) ^ -(byte & 1);
        at++;
      } else {
        valueLength = this.#varint(at, recordEnd);
        at = varints.position;
      }
      if (valueLength > recordEnd - at || valueLength < -1) {
        throw this.#corruptRecord(`has a value length of ${valueLength}`);
      }
      if (valueLength < 0) {
        this.valueStart = -1;
        this.valueEnd = -1;
      } else {
        this.valueStart = at;
        at += valueLength;
        this.valueEnd = at;
      }

      if (buffer[at] === 0) {
        at++;
        this.headerCount = 0;
        this.headersStart = at;
        this.headersEnd = at;
        this.rewindHeaders();
      } else {
        at = this.#findHeaders(at, recordEnd);
      }
      if (at !== recordEnd) throw this.#corruptRecord(`has a length of ${length}, which its fields do not fill`);

      const timestamp = this.#hasAppendTime ? this.#appendTime : this.#baseTimestamp + timestampDelta;
      if (timestamp > Number.MAX_SAFE_INTEGER || timestamp < -Number.MAX_SAFE_INTEGER) {
        throw beyondSafeInteger('timestamp of a record', timestamp, this.#batchPosition);
      }
      this.timestamp = timestamp;
      this.#offsetDelta = offsetDelta;
      this.offset = this.#baseOffset + offsetDelta;
      this.#remaining--;
      this.recordStart = start;
      this.recordEnd = recordEnd;
      this.#position = recordEnd;
      return true;
    }
    this.#mustBeAtEnd();
    return false;
  }

  /** The producer's sequence number of the record, or -1. */
  get sequence(): number {
    return this.#baseSequence === NO_SEQUENCE ? NO_SEQUENCE : incrementSequence(this.#baseSequence, this.#offsetDelta);
  }

  /** Checks all headers of the record and returns the position behind them. */
  #findHeaders(at: number, recordEnd: number): number {
    const count = this.#varint(at, recordEnd);
    const start = varints.position;
    const problem = passHeaders(varints, this.buffer, count, recordEnd);
    if (problem !== undefined) throw this.#corruptRecord(problem);
    this.headerCount = count;
    this.headersStart = start;
    this.headersEnd = varints.position;
    this.rewindHeaders();
    return varints.position;
  }

  #varint(at: number, end: number): number {
    varints.position = at;
    return varints.readVarint(this.buffer, end);
  }

  /** Passed over without a look at its value where the batch has an append time. */
  #timestampDelta(at: number, end: number): number {
    varints.position = at;
    if (!this.#hasAppendTime) return varints.readVarlong(this.buffer, end, 'timestamp delta');
    varints.skipVarlong(this.buffer, end);
    return 0;
  }

  #mustBeAtEnd(): void {
    if (this.#position === this.#end) return;
    throw corrupt(
      this.#batchPosition,
      `the batch has ${this.#end - this.#position} bytes behind its ${this.recordCount} records`,
    );
  }

  #corruptRecord(what: string): KlogError {
    const number = this.recordCount - this.#remaining + 1;
    return corrupt(this.#batchPosition, `record ${number} of ${this.recordCount} in the batch ${what}`);
  }
}
