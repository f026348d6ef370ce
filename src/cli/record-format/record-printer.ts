import type { RecordCursor } from '../../format/record-cursor.js';
import type { FormatContext, RecordFormatter } from './format-context.js';
import type { OutputBuffer } from './output-buffer.js';

/** Turns records into bytes of output. Pure: the caller writes `out` wherever it goes, and clears it. */
export interface RecordPrinter {
  /** What comes before the first record: the head of csv, tsv and table. */
  readonly begin?: (out: OutputBuffer) => void;
  /** The record the cursor stands on. */
  readonly print: RecordFormatter;
  /**
   * The cursor's next records, until there is none, `maxRecords` are printed, or `out` holds `maxBytes`. Returns how
   * many; fewer than `maxRecords` with `out.length < maxBytes` means that the batch is done. Counts
   * `context.recordNumber` on.
   */
  readonly printBatch: (
    cursor: RecordCursor,
    context: FormatContext,
    out: OutputBuffer,
    maxRecords: number,
    maxBytes: number,
  ) => number;
  /**
   * The next records of several partitions by time, of equal times those of the first one first, as `printBatch` counts
   * and stops. Stops earlier whenever it likes, before the first record too. Absent: cannot.
   */
  readonly printMerged?: (
    cursors: readonly RecordCursor[],
    context: FormatContext,
    out: OutputBuffer,
    maxRecords: number,
    maxBytes: number,
  ) => number;
}

/** A printer of formatters that go record by record. */
export function printerOf(print: RecordFormatter, begin?: (out: OutputBuffer) => void): RecordPrinter {
  return {
    ...(begin === undefined ? {} : { begin }),
    print,
    printBatch: (cursor, context, out, maxRecords, maxBytes) => {
      let printed = 0;
      while (printed < maxRecords && out.length < maxBytes && cursor.next()) {
        context.recordNumber++;
        print(cursor, context, out);
        printed++;
      }
      return printed;
    },
  };
}
