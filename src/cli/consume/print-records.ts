import type { ConsumerBatch } from '../../clients/client.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import type { Output } from '../output.js';
import { describeBatch, emptyContext, type FormatContext } from '../record-format/format-context.js';
import { OutputBuffer } from '../record-format/output-buffer.js';
import type { RecordPrinter } from '../record-format/record-printer.js';

/** Whether a record is wanted. `partition` is where it comes from. */
export type RecordFilter = (cursor: RecordCursor, context: FormatContext) => boolean;

export interface PrintTask {
  readonly printer: RecordPrinter;
  readonly output: Output;
  readonly filter?: RecordFilter | undefined;
  /** Default: all. */
  readonly maxRecords?: number | undefined;
  /** Counts the records as they are printed. */
  readonly tally?: { records: number } | undefined;
}

/** Printed at a time before it goes to the output. */
const BLOCK_BYTES = 128 * 1024;

/** Prints batches as they come, and everything that came before a failure. Answers how many records were printed. */
export async function printRecords(batches: AsyncIterable<ConsumerBatch>, task: PrintTask): Promise<number> {
  const { printer, output, filter, maxRecords = Number.POSITIVE_INFINITY } = task;
  const out = new OutputBuffer();
  const context = emptyContext();
  const step = filter === undefined ? printer.printBatch : filtered(printer, filter);
  const { tally = { records: 0 } } = task;
  const emit = async () => {
    if (out.length === 0) return;
    output.append(out.buffer, 0, out.length);
    out.clear();
    if (!output.endRecord()) await output.drain();
  };
  printer.begin?.(out);
  if (maxRecords <= 0) return 0;
  try {
    for await (const batch of batches) {
      describeBatch(batch, context);
      for (;;) {
        const wanted = output.isImmediate ? 1 : maxRecords - tally.records;
        const count = step(batch.cursor, context, out, wanted, BLOCK_BYTES);
        tally.records += count;
        const isDone = count < wanted && out.length < BLOCK_BYTES;
        if (out.length >= BLOCK_BYTES || output.isImmediate) await emit();
        if (isDone || tally.records >= maxRecords || output.isClosed) break;
      }
      if (tally.records >= maxRecords || output.isClosed) break;
    }
  } finally {
    await emit();
  }
  return tally.records;
}

function filtered(printer: RecordPrinter, filter: RecordFilter): RecordPrinter['printBatch'] {
  return (cursor, context, out, maxRecords, maxBytes) => {
    let printed = 0;
    while (printed < maxRecords && out.length < maxBytes && cursor.next()) {
      if (!filter(cursor, context)) continue;
      context.recordNumber++;
      printer.print(cursor, context, out);
      printed++;
    }
    return printed;
  };
}
