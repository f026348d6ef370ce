/**
 * Writes a batch anew without some of its records (Kafka: `MemoryRecords.filterTo`). What stays keeps its offset, and
 * the batch its base offset, last offset, producer, sequence, epochs, kind and codec; a batch that loses nothing is
 * kept as it is, byte for byte. Magic 0 and 1 become v2 when something changes.
 */
import { ByteCopier } from '../format/byte-copy.js';
import { type Codec, loadCodec } from '../format/compression.js';
import { crc32c } from '../format/crc32c.js';
import { writeInt16, writeInt32, writeInt64 } from '../format/int64.js';
import * as layout from '../format/record-batch.js';
import { codecNeeded, openCursor, RecordCursor } from '../format/record-cursor.js';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../format/varint.js';

/** What becomes of a batch as a whole. Kafka: `BatchRetention`. */
export type BatchRetention =
  /** It goes, whatever is in it. */
  | 'delete'
  /** It goes if no record is left. */
  | 'delete-empty'
  /** Without records its header stays: a producer's last sequence, or the end of the log, depends on it. */
  | 'retain-empty';

export interface BatchPlan {
  readonly retention: BatchRetention;
  /** Asked for each record in turn. */
  keeps(cursor: RecordCursor): boolean;
  /** The delete horizon for a batch that has none, if a tombstone stays in it; `undefined`: it gets none. */
  readonly newHorizonMs: number | undefined;
  /** It gets the horizon whether or not a tombstone stays: a marker on its way out. */
  readonly needsHorizon: boolean;
}

export interface FilteredBatch {
  /** `undefined`: nothing stays. Valid until the next call; the very bytes that were given if nothing changed. */
  readonly bytes: Uint8Array | undefined;
  readonly recordsBefore: number;
  readonly recordsAfter: number;
}

export class BatchFilter {
  readonly #batch = new layout.RecordBatch();
  readonly #cursor = new RecordCursor();
  #keep = new Uint8Array(1024);
  #records: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  readonly #copier = new ByteCopier(this.#records);

  /** `bytes` is one whole batch with the right CRC. CORRUPT_MESSAGE: its records cannot be read. */
  async filter(bytes: Buffer, plan: BatchPlan): Promise<FilteredBatch> {
    const batch = this.#batch.reset(bytes, 0);
    const cursor = await this.#open(bytes);
    const recordsBefore = cursor.recordCount;
    if (plan.retention === 'delete') return { bytes: undefined, recordsBefore, recordsAfter: 0 };
    if (recordsBefore > this.#keep.length) this.#keep = new Uint8Array(recordsBefore * 2);
    let recordsAfter = 0;
    let tombstones = false;
    let firstOffset = -1;
    for (let i = 0; cursor.next(); i++) {
      if (i === 0) firstOffset = cursor.offset;
      const keeps = plan.keeps(cursor);
      this.#keep[i] = keeps ? 1 : 0;
      if (!keeps) continue;
      recordsAfter++;
      if (cursor.valueStart < 0) tombstones = true;
    }
    if (recordsAfter === 0) {
      if (plan.retention === 'delete-empty') return { bytes: undefined, recordsBefore, recordsAfter };
      if (recordsBefore === 0) return { bytes, recordsBefore, recordsAfter };
      return { bytes: this.#emptyBatch(batch, firstOffset), recordsBefore, recordsAfter };
    }
    const getsHorizon = plan.newHorizonMs !== undefined && !batch.hasDeleteHorizon && (plan.needsHorizon || tombstones);
    if (recordsAfter === recordsBefore && !getsHorizon) return { bytes, recordsBefore, recordsAfter };
    const horizon = getsHorizon ? plan.newHorizonMs : batch.deleteHorizonMs;
    return { bytes: await this.#rewrite(bytes, firstOffset, recordsAfter, horizon), recordsBefore, recordsAfter };
  }

  async #open(bytes: Buffer): Promise<RecordCursor> {
    const codec = codecNeeded(bytes, 0);
    if (codec !== undefined) await loadCodec(codec);
    return openCursor(this.#cursor, bytes, 0);
  }

  #emptyBatch(batch: layout.RecordBatch, firstOffset: number): Uint8Array {
    const { maxTimestamp } = batch;
    const attributes = batch.attributes & ~(layout.COMPRESSION_MASK | layout.DELETE_HORIZON_BIT);
    return this.#finish(batch, firstOffset, NO_RECORDS, {
      attributes,
      baseTimestamp: layout.NO_TIMESTAMP,
      maxTimestamp,
      count: 0,
    });
  }

  async #rewrite(bytes: Buffer, firstOffset: number, count: number, horizon: number | undefined): Promise<Uint8Array> {
    const batch = this.#batch;
    const baseOffset = baseOffsetOf(batch, firstOffset);
    const cursor = await this.#open(bytes);
    let at = 0;
    let baseTimestamp = horizon;
    let maxTimestamp = layout.NO_TIMESTAMP;
    for (let i = 0; cursor.next(); i++) {
      if (this.#keep[i] === 0) continue;
      baseTimestamp ??= cursor.timestamp;
      maxTimestamp = Math.max(maxTimestamp, cursor.timestamp);
      at = this.#writeRecord(at, cursor.timestamp - baseTimestamp, cursor.offset - baseOffset);
    }
    this.#copier.release();
    const type = batch.compressionType;
    const codec: Codec | undefined = type === 'none' ? undefined : await loadCodec(type);
    const plain = this.#records.subarray(0, at);
    const records = codec === undefined ? plain : codec.compress(plain);
    const bits = batch.magic === 0 ? batch.attributes & layout.COMPRESSION_MASK : batch.attributes;
    const attributes = horizon === undefined ? bits : bits | layout.DELETE_HORIZON_BIT;
    return this.#finish(batch, firstOffset, records, {
      attributes,
      baseTimestamp: baseTimestamp!,
      maxTimestamp,
      count,
    });
  }

  /** Keys, values and headers are copied as they are. */
  #writeRecord(start: number, timestampDelta: number, offsetDelta: number): number {
    const { buffer, keyStart, keyEnd, valueStart, valueEnd, headerCount, headersStart, headersEnd } = this.#cursor;
    const keyLength = keyStart < 0 ? -1 : keyEnd - keyStart;
    const valueLength = valueStart < 0 ? -1 : valueEnd - valueStart;
    const headersLength = headersEnd - headersStart;
    const length =
      1 +
      sizeOfVarlong(timestampDelta) +
      sizeOfVarint(offsetDelta) +
      sizeOfVarint(keyLength) +
      Math.max(0, keyLength) +
      sizeOfVarint(valueLength) +
      Math.max(0, valueLength) +
      sizeOfVarint(headerCount) +
      headersLength;
    this.#makeRoom(start, start + length + 5);
    const target = this.#records;
    let at = writeVarint(target, start, length);
    target[at++] = 0;
    at = writeVarlong(target, at, timestampDelta);
    at = writeVarint(target, at, offsetDelta);
    at = writeVarint(target, at, keyLength);
    if (keyLength > 0) at = this.#copy(buffer, keyStart, keyEnd, at);
    at = writeVarint(target, at, valueLength);
    if (valueLength > 0) at = this.#copy(buffer, valueStart, valueEnd, at);
    at = writeVarint(target, at, headerCount);
    return headersLength === 0 ? at : this.#copy(buffer, headersStart, headersEnd, at);
  }

  #copy(from: Buffer, start: number, end: number, at: number): number {
    this.#copier.copy(from, start, end, at);
    return at + end - start;
  }

  #makeRoom(used: number, needed: number): void {
    if (needed <= this.#records.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#records.length * 2));
    larger.set(this.#records.subarray(0, used));
    this.#records = larger;
    this.#copier.setTarget(larger);
  }

  #finish(
    batch: layout.RecordBatch,
    firstOffset: number,
    records: Uint8Array,
    fields: { attributes: number; baseTimestamp: number; maxTimestamp: number; count: number },
  ): Uint8Array {
    const out = Buffer.allocUnsafe(layout.RECORD_BATCH_OVERHEAD + records.length);
    const baseOffset = baseOffsetOf(batch, firstOffset);
    writeInt64(out, layout.BASE_OFFSET_AT, baseOffset, 'base offset');
    writeInt32(out, layout.BATCH_LENGTH_AT, out.length - layout.LOG_OVERHEAD);
    writeInt32(out, layout.PARTITION_LEADER_EPOCH_AT, batch.partitionLeaderEpoch);
    out[layout.MAGIC_AT] = layout.MAGIC_V2;
    writeInt16(out, layout.ATTRIBUTES_AT, fields.attributes);
    writeInt32(out, layout.LAST_OFFSET_DELTA_AT, batch.lastOffset - baseOffset);
    writeInt64(out, layout.BASE_TIMESTAMP_AT, fields.baseTimestamp, 'base timestamp');
    writeInt64(out, layout.MAX_TIMESTAMP_AT, fields.maxTimestamp, 'max timestamp');
    writeInt64(out, layout.PRODUCER_ID_AT, batch.producerId, 'producer id');
    writeInt16(out, layout.PRODUCER_EPOCH_AT, batch.producerEpoch);
    writeInt32(out, layout.BASE_SEQUENCE_AT, batch.baseSequence);
    writeInt32(out, layout.RECORD_COUNT_AT, fields.count);
    out.set(records, layout.RECORD_BATCH_OVERHEAD);
    writeInt32(out, layout.CRC_AT, crc32c(out, layout.ATTRIBUTES_AT, out.length));
    return out;
  }
}

const NO_RECORDS = new Uint8Array(0);

/** A compressed set of magic 0 or 1 gives away only its last offset. */
function baseOffsetOf(batch: layout.RecordBatch, firstOffset: number): number {
  return batch.magic < layout.MAGIC_V2 ? firstOffset : batch.baseOffset;
}
