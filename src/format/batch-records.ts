/**
 * Where the records of a batch lie, and what their deltas are relative to:
 *
 * - v2, uncompressed: in the batch itself.
 * - v2, compressed: in a buffer of their own.
 * - magic 0 and 1: written anew as v2 records, in a buffer that the next batch overwrites.
 *
 * Nothing that the bytes say is believed before it is checked against the room there is, and nothing is allocated by a
 * claimed size.
 */
import { KlogError } from '../errors.js';
import { type Codec, type CompressionType, codecIfLoaded } from './compression.js';
import { beyondSafeInteger } from './int64.js';
import { minimumSize, readLegacyMessages } from './legacy-message.js';
import type { TimestampType } from './log-record.js';
import { MAGIC_V2, NO_SEQUENCE, RECORD_BATCH_OVERHEAD, RecordBatch } from './record-batch.js';
import { RecordBatchBuilder } from './record-batch-builder.js';

/** One serves all: nothing keeps it beyond a call. */
const batch = new RecordBatch();
const NO_BYTES = Buffer.alloc(0);

/** The compression type whose codec must be loaded before a cursor is opened on the batch at `position`, if any. */
export function codecNeeded(buffer: Uint8Array, position: number): CompressionType | undefined {
  const type = batch.reset(buffer, position).compressionType;
  return type === 'none' || codecIfLoaded(type) !== undefined ? undefined : type;
}

export class BatchRecords {
  /** The records: `buffer[start, end)`. */
  buffer: Buffer = NO_BYTES;
  start = 0;
  end = 0;
  recordCount = 0;
  /** Numbers that pass 2^31 begin as fractions, so that the engine makes the fields doubles once and for all. */
  baseOffset = Number.NaN;
  lastOffsetDelta = 0;
  baseTimestamp = Number.NaN;
  timestampType: TimestampType = 'create';
  /** Every record's timestamp where the batch has an append time. */
  appendTime = Number.NaN;
  baseSequence = NO_SEQUENCE;
  #upConverter: RecordBatchBuilder | undefined;

  /** See `openCursor` for what is thrown. The fields then are those of no batch. */
  open(buffer: Uint8Array, position: number, maxDecompressedBytes: number): void {
    batch.reset(buffer, position);
    const { magic, sizeInBytes: size } = batch;
    if (magic > MAGIC_V2) throw corrupt(position, `the batch has magic ${magic}, and 0, 1 and 2 are known`);
    const available = buffer.length - position;
    if (size > available || size < (magic === MAGIC_V2 ? RECORD_BATCH_OVERHEAD : minimumSize(magic))) {
      throw corrupt(position, `no batch of ${size} bytes can be in the ${available} bytes there are`);
    }
    this.timestampType = batch.timestampType;
    const codec = loadedCodec(batch.compressionType);
    if (magic === MAGIC_V2) this.#openV2(codec, maxDecompressedBytes);
    else this.#openLegacy(codec, maxDecompressedBytes);
    this.appendTime = this.timestampType === 'append' ? batch.maxTimestamp : Number.NaN;
  }

  /** Keeps no bytes. */
  release(): void {
    this.buffer = NO_BYTES;
    this.#upConverter = undefined;
  }

  #openV2(codec: Codec | undefined, maxDecompressedBytes: number): void {
    const { baseOffset, lastOffsetDelta, position, recordCount } = batch;
    if (recordCount < 0) throw corrupt(position, `the batch has a record count of ${recordCount}`);
    if (lastOffsetDelta < 0) throw corrupt(position, `the batch has a last offset delta of ${lastOffsetDelta}`);
    if (baseOffset + lastOffsetDelta > Number.MAX_SAFE_INTEGER) {
      throw beyondSafeInteger('last offset', baseOffset + lastOffsetDelta, position);
    }
    this.baseOffset = baseOffset;
    this.lastOffsetDelta = lastOffsetDelta;
    this.baseTimestamp = batch.baseTimestamp;
    this.baseSequence = batch.baseSequence;
    this.recordCount = recordCount;
    const start = position + RECORD_BATCH_OVERHEAD;
    const end = position + batch.sizeInBytes;
    if (codec === undefined || recordCount === 0) {
      this.buffer = asBuffer(batch.buffer);
      this.start = start;
      this.end = end;
    } else {
      this.#isOwn(codec.decompress(batch.buffer.subarray(start, end), maxDecompressedBytes));
    }
  }

  #openLegacy(codec: Codec | undefined, maxDecompressedBytes: number): void {
    this.#upConverter ??= new RecordBatchBuilder({ initialBytes: 4096 });
    const builder = this.#upConverter;
    const { buffer, position } = batch;
    const end = position + batch.sizeInBytes;
    this.baseOffset = readLegacyMessages(buffer, position, end, codec, maxDecompressedBytes, builder);
    this.lastOffsetDelta = builder.lastOffsetDelta;
    this.baseTimestamp = builder.baseTimestamp;
    this.baseSequence = NO_SEQUENCE;
    this.recordCount = builder.recordCount;
    this.#isOwn(builder.records);
  }

  #isOwn(records: Uint8Array): void {
    this.buffer = asBuffer(records);
    this.start = 0;
    this.end = records.length;
  }
}

function loadedCodec(type: CompressionType): Codec | undefined {
  if (type === 'none') return undefined;
  const codec = codecIfLoaded(type);
  if (codec === undefined) throw new TypeError(`the ${type} codec must be loaded before a batch is read (codecNeeded)`);
  return codec;
}

/** One class of buffers keeps the code that reads them fast, and only this one turns bytes to text without a view. */
function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function corrupt(position: number, what: string): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `At position ${position} ${what}`, { position });
}
