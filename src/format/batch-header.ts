/** Writes the header of a v2 batch (layout in record-batch.ts). */
import { KlogError } from '../errors.js';
import { crc32c } from './crc32c.js';
import { writeInt16, writeInt32, writeInt64 } from './int64.js';
import * as batch from './record-batch.js';

export const MAX_INT32 = 0x7fffffff;

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
  /** The `baseTimestamp` given to `RecordBatchBuilder.reset` is the delete horizon. */
  readonly deleteHorizon?: boolean;
  /** Default: the last record's. Larger where records behind it were compacted away. */
  readonly lastOffsetDelta?: number | undefined;
  /** For a batch without records, which keeps what its records once had. Default: the largest of the records, or -1. */
  readonly maxTimestamp?: number | undefined;
}

/** What the records say of themselves. */
export interface RecordsSummary {
  readonly codecId: number;
  readonly recordCount: number;
  /** -1 without records. */
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  /** The largest, or -1. */
  readonly maxTimestamp: number;
}

/** Fills in the header of `out`, the whole batch, whose records are there already: its CRC is made of them, too. */
export function writeBatchHeader(out: Buffer, records: RecordsSummary, fields: RecordBatchFields): void {
  const lastOffsetDelta = fields.lastOffsetDelta ?? records.lastOffsetDelta;
  if (lastOffsetDelta < Math.max(0, records.lastOffsetDelta) || lastOffsetDelta > MAX_INT32) {
    throw new KlogError('INVALID_RECORD', `A record batch cannot end at offset delta ${lastOffsetDelta}`);
  }
  const { logAppendTime } = fields;
  const attributes =
    records.codecId |
    (logAppendTime === undefined ? 0 : batch.LOG_APPEND_TIME_BIT) |
    (fields.transactional === true ? batch.TRANSACTIONAL_BIT : 0) |
    (fields.control === true ? batch.CONTROL_BIT : 0) |
    (fields.deleteHorizon === true ? batch.DELETE_HORIZON_BIT : 0);
  const maxTimestamp = logAppendTime ?? fields.maxTimestamp ?? records.maxTimestamp;

  writeInt64(out, batch.BASE_OFFSET_AT, fields.baseOffset ?? 0, 'base offset');
  writeInt32(out, batch.BATCH_LENGTH_AT, out.length - batch.LOG_OVERHEAD);
  writeInt32(out, batch.PARTITION_LEADER_EPOCH_AT, fields.partitionLeaderEpoch ?? batch.NO_PARTITION_LEADER_EPOCH);
  out[batch.MAGIC_AT] = batch.MAGIC_V2;
  writeInt16(out, batch.ATTRIBUTES_AT, attributes);
  writeInt32(out, batch.LAST_OFFSET_DELTA_AT, lastOffsetDelta);
  writeInt64(out, batch.BASE_TIMESTAMP_AT, records.baseTimestamp, 'base timestamp');
  writeInt64(out, batch.MAX_TIMESTAMP_AT, maxTimestamp, 'max timestamp');
  writeInt64(out, batch.PRODUCER_ID_AT, fields.producerId ?? batch.NO_PRODUCER_ID, 'producer id');
  writeInt16(out, batch.PRODUCER_EPOCH_AT, fields.producerEpoch ?? batch.NO_PRODUCER_EPOCH);
  writeInt32(out, batch.BASE_SEQUENCE_AT, fields.baseSequence ?? batch.NO_SEQUENCE);
  writeInt32(out, batch.RECORD_COUNT_AT, records.recordCount);
  writeInt32(out, batch.CRC_AT, crc32c(out, batch.ATTRIBUTES_AT, out.length));
}
