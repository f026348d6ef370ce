import { KlogError } from '../../errors.js';
import { RecordBatchBuilder } from '../../format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../format/record-cursor.js';
import { printerOf, type RecordPrinter } from './record-printer.js';
import type { ValueCodec } from './value-format.js';

/**
 * Prints records as if the log held their values decoded. KLOG_BAD_INPUT, with the record's place, for one that is not
 * in the format.
 */
export function withDecodedValues(printer: RecordPrinter, codec: ValueCodec): RecordPrinter {
  const decoded = new RecordCursor();
  return printerOf((cursor, context, out) => {
    if (cursor.valueStart < 0) {
      printer.print(cursor, context, out);
      return;
    }
    const { offset, timestamp, key, value, headers } = cursor.toRecord();
    let json: Uint8Array;
    try {
      json = codec.decode(value!);
    } catch (error) {
      if (!(error instanceof KlogError)) throw error;
      const { topic, partition } = context;
      throw error.with({ topic, partition, offset });
    }
    // The printer knows records by where they lie in a batch: this one is a batch of its own.
    const builder = new RecordBatchBuilder({ initialBytes: 256 + (key?.length ?? 0) + json.length });
    builder.append(key, 0, key?.length ?? 0, json, 0, json.length, timestamp, headers);
    const logAppendTime = cursor.timestampType === 'append' ? timestamp : undefined;
    openCursor(decoded, builder.build({ baseOffset: offset, logAppendTime }), 0).next();
    printer.print(decoded, context, out);
  }, printer.begin);
}
