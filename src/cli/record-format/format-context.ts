import type { RecordCursor } from '../../format/record-cursor.js';
import type { OutputBuffer } from './output-buffer.js';

/** What a format may print about the place a record came from: a `ConsumerBatch` has all but the last two. */
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
