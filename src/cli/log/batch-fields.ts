import { KlogError } from '../../errors.js';
import { COMPRESSION_TYPES, type CompressionType } from '../../format/compression.js';
import type { TimestampType } from '../../format/log-record.js';
import { MAGIC_V2, type RecordBatch } from '../../format/record-batch.js';

/** The header of a batch, under kafka-dump-log's names. null: not to be known, because of damage or the old formats. */
export interface BatchFields {
  readonly position: number;
  readonly size: number;
  readonly magic: number;
  /** Of a compressed set of magic 0 or 1 only its records say. */
  readonly baseOffset: number | null;
  readonly lastOffset: number | null;
  readonly count: number | null;
  readonly baseSequence: number | null;
  readonly lastSequence: number | null;
  readonly producerId: number | null;
  readonly producerEpoch: number | null;
  readonly partitionLeaderEpoch: number | null;
  readonly isTransactional: boolean | null;
  readonly isControl: boolean | null;
  readonly deleteHorizonMs: number | null;
  readonly timestampType: TimestampType | null;
  readonly maxTimestamp: number | null;
  readonly compresscodec: CompressionType | null;
  readonly crc: number | null;
}

/** What the walk says of a batch, beside its header. */
export interface BatchVerdict {
  /** What is wrong with it; undefined: nothing, so far as a look at the batch alone can tell. */
  readonly problem: string | undefined;
  /** Whether it survives a power loss, where klog's control file tells. */
  readonly durable: boolean | undefined;
}

export interface HeaderReading {
  readonly fields: BatchFields;
  /** The first field whose value cannot be. */
  readonly problem: string | undefined;
}

/** Reads all of a header. 64-bit values beyond 2^53 - 1 become null and a problem, as klog refuses them. */
export function readBatchFields(batch: RecordBatch, position: number): HeaderReading {
  let problem: string | undefined;
  const exact = (read: () => number | undefined): number | null => {
    try {
      return read() ?? null;
    } catch (error) {
      if (!(error instanceof KlogError)) throw error;
      problem ??= problemOf(error);
      return null;
    }
  };
  const isLegacy = batch.magic < MAGIC_V2;
  const isSet = isLegacy && batch.compressionId !== 0;
  const baseOffset = exact(() => batch.baseOffset);
  const lastOffset = exact(() => batch.lastOffset);
  const compresscodec = COMPRESSION_TYPES[batch.compressionId] ?? null;
  if (compresscodec === null) problem ??= `the compression id is ${batch.compressionId}, and 0 to 4 are known`;
  const fields: BatchFields = {
    position,
    size: batch.sizeInBytes,
    magic: batch.magic,
    baseOffset: isSet ? null : baseOffset,
    lastOffset,
    count: isLegacy ? (isSet ? null : 1) : batch.recordCount,
    baseSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    producerId: exact(() => batch.producerId),
    producerEpoch: batch.producerEpoch,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    deleteHorizonMs: exact(() => batch.deleteHorizonMs),
    timestampType: batch.timestampType,
    maxTimestamp: exact(() => batch.maxTimestamp),
    compresscodec,
    crc: batch.crc,
  };
  // Only records' times are relative to it, so no field shows it.
  exact(() => batch.baseTimestamp);
  return { fields, problem };
}

/** Of bytes whose length can be that of a batch, and nothing else can be believed. */
export function unreadableBatch(position: number, size: number, magic: number): BatchFields {
  return {
    position,
    size,
    magic,
    baseOffset: null,
    lastOffset: null,
    count: null,
    baseSequence: null,
    lastSequence: null,
    producerId: null,
    producerEpoch: null,
    partitionLeaderEpoch: null,
    isTransactional: null,
    isControl: null,
    deleteHorizonMs: null,
    timestampType: null,
    maxTimestamp: null,
    compresscodec: null,
    crc: null,
  };
}

/** What a decoder says is wrong. Its positions are those in its buffer, not in the file. */
export function problemOf({ code, message }: KlogError): string {
  const text = message.replace(/^At position \d+ | at position \d+/gi, '');
  const problem = text.charAt(0).toLowerCase() + text.slice(1);
  return code === 'INVALID_RECORD' ? `${problem}, so klog refuses it` : problem;
}
