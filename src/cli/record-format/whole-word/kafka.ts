/**
 * `kafka`: the look of `kafka-console-consumer`, with the properties of its DefaultMessageFormatter:
 * `CreateTime:1700000000000⇥Partition:0⇥Offset:42⇥h:x⇥key⇥value`. By default the value alone.
 */
import type { RecordCursor } from '../../../format/record-cursor.js';
import { argumentBytes } from '../../argument-bytes.js';
import type { FormatContext, RecordFormatter } from '../format-context.js';
import { Constant, type OutputBuffer } from '../output-buffer.js';
import { printerOf, type RecordPrinter } from '../record-printer.js';
import { escapeTail } from '../terminal-escape.js';
import { type KafkaColumn, parseKafkaProperties } from './kafka-properties.js';

/** `properties` by Kafka's names. KLOG_USAGE for an unknown one, or a `print.…` that is neither true nor false. */
export function createKafkaPrinter(properties: Readonly<Record<string, string>>, forTerminal: boolean): RecordPrinter {
  const { columns: flags, texts } = parseKafkaProperties(properties);
  const nullText = new Constant(argumentBytes(texts['null.literal']));
  const write = (source: Uint8Array, start: number, end: number, out: OutputBuffer) => {
    const mark = out.length;
    if (start < 0) out.writeConstant(nullText);
    else out.writeBytes(source, start, end);
    if (forTerminal) escapeTail(out, mark);
  };
  const columns = flags.map((flag) => columnFor(flag, write, new Constant(argumentBytes(texts['headers.separator']))));
  const keySeparator = new Constant(argumentBytes(texts['key.separator']));
  const lineSeparator = new Constant(argumentBytes(texts['line.separator']));
  return printerOf((cursor, context, out) => {
    for (let i = 0; i < columns.length; i++) {
      columns[i]!(cursor, context, out);
      out.writeConstant(i + 1 < columns.length ? keySeparator : lineSeparator);
    }
  });
}

type WriteBytes = (source: Uint8Array, start: number, end: number, out: OutputBuffer) => void;

function columnFor(flag: KafkaColumn, write: WriteBytes, headersSeparator: Constant): RecordFormatter {
  switch (flag) {
    case 'print.timestamp':
      return writeTimestamp;
    case 'print.partition':
      return (_cursor, context, out) => labelled('Partition:', context.partition, out);
    case 'print.offset':
      return (cursor, _context, out) => labelled('Offset:', cursor.offset, out);
    case 'print.epoch':
      return (_cursor, context, out) => labelled('Epoch:', context.leaderEpoch, out);
    case 'print.headers':
      return (cursor, _context, out) => writeHeaders(cursor, write, headersSeparator, out);
    case 'print.key':
      return (cursor, _context, out) => write(cursor.buffer, cursor.keyStart, cursor.keyEnd, out);
    case 'print.value':
      return (cursor, _context, out) => write(cursor.buffer, cursor.valueStart, cursor.valueEnd, out);
  }
}

function labelled(label: string, n: number, out: OutputBuffer): void {
  out.writeAscii(label);
  out.writeNumber(n);
}

function writeTimestamp(cursor: RecordCursor, _context: FormatContext, out: OutputBuffer): void {
  if (cursor.timestampType === 'none') out.writeAscii('NO_TIMESTAMP');
  else labelled(cursor.timestampType === 'append' ? 'LogAppendTime:' : 'CreateTime:', cursor.timestamp, out);
}

function writeHeaders(cursor: RecordCursor, write: WriteBytes, separator: Constant, out: OutputBuffer): void {
  if (cursor.headerCount === 0) {
    out.writeAscii('NO_HEADERS');
    return;
  }
  let first = true;
  cursor.rewindHeaders();
  while (cursor.nextHeader()) {
    if (!first) out.writeConstant(separator);
    first = false;
    write(cursor.buffer, cursor.headerKeyStart, cursor.headerKeyEnd, out);
    out.writeByte(0x3a);
    write(cursor.buffer, cursor.headerValueStart, cursor.headerValueEnd, out);
  }
}
