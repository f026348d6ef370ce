import type { RecordCursor } from '../../format/record-cursor.js';
import type { OutputBuffer } from './output-buffer.js';

/**
 * What a format may print about the place a record came from: a `ConsumerBatch` has all but the last two. -1: unknown.
 */
export interface FormatContext {
  topic: string;
  partition: number;
  leaderEpoch: number;
  /** `none`, `gzip`, `snappy`, `lz4` or `zstd`. */
  compression: string;
  producerId: number;
  producerEpoch: number;
  isTransactional: boolean;
  isControl: boolean;
  logStartOffset: number;
  lastStableOffset: number;
  highWatermark: number;
  /** Records printed so far, from 1. Set by {@link RecordPrinter.printBatch}, or by whoever calls `print`. */
  recordNumber: number;
}

/** Prints the record the cursor stands on. */
export type RecordFormatter = (cursor: RecordCursor, context: FormatContext, out: OutputBuffer) => void;

/** Of a place that nothing is known about. One object serves a whole run: a batch costs no allocation. */
export function emptyContext(): FormatContext {
  return {
    topic: '',
    partition: -1,
    leaderEpoch: -1,
    compression: 'none',
    producerId: -1,
    producerEpoch: -1,
    isTransactional: false,
    isControl: false,
    logStartOffset: -1,
    lastStableOffset: -1,
    highWatermark: -1,
    recordNumber: 0,
  };
}

/** The context of the batch's records. */
export function describeBatch(
  batch: Readonly<Omit<FormatContext, 'isControl' | 'recordNumber'>>,
  context: FormatContext,
): void {
  context.topic = batch.topic;
  context.partition = batch.partition;
  context.leaderEpoch = batch.leaderEpoch;
  context.compression = batch.compression;
  context.producerId = batch.producerId;
  context.producerEpoch = batch.producerEpoch;
  context.isTransactional = batch.isTransactional;
  context.logStartOffset = batch.logStartOffset;
  context.lastStableOffset = batch.lastStableOffset;
  context.highWatermark = batch.highWatermark;
}
