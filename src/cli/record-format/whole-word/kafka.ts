/**
 * `kafka`: the look of `kafka-console-consumer`, with the properties of its DefaultMessageFormatter:
 * `CreateTime:1700000000000⇥Partition:0⇥Offset:42⇥h:x⇥key⇥value`. By default the value alone.
 */
import { KlogError } from '../../../errors.js';
import type { RecordCursor } from '../../../format/record-cursor.js';
import type { FormatContext, RecordFormatter } from '../format-context.js';
import { Constant, type OutputBuffer } from '../output-buffer.js';
import { printerOf, type RecordPrinter } from '../record-printer.js';
import { escapeTail } from '../terminal-escape.js';

const FLAGS = [
  'print.timestamp',
  'print.partition',
  'print.offset',
  'print.epoch',
  'print.headers',
  'print.key',
  'print.value',
] as const;

type Flag = (typeof FLAGS)[number];

const TEXTS = ['key.separator', 'line.separator', 'headers.separator', 'null.literal'] as const;

type Text = (typeof TEXTS)[number];

const DEFAULT_TEXTS: Readonly<Record<Text, string>> = {
  'key.separator': '\t',
  'line.separator': '\n',
  'headers.separator': ',',
  'null.literal': 'null',
};

/** `properties` by Kafka's names. KLOG_USAGE for an unknown one, or a `print.…` that is neither true nor false. */
export function createKafkaPrinter(properties: Readonly<Record<string, string>>, forTerminal: boolean): RecordPrinter {
  const printed = new Set<Flag>(['print.value']);
  const texts = { ...DEFAULT_TEXTS };
  for (const [name, value] of Object.entries(properties)) {
    if (isOneOf(FLAGS, name)) {
      if (!/^(true|false)$/i.test(value)) {
        throw new KlogError('KLOG_USAGE', `Property ${name} is "${value}"`, { hint: 'It takes true or false.' });
      }
      if (value.toLowerCase() === 'true') printed.add(name);
      else printed.delete(name);
    } else if (isOneOf(TEXTS, name)) {
      texts[name] = value;
    } else {
      throw new KlogError('KLOG_USAGE', `Unknown formatter property ${name}`, {
        hint: `Known: ${[...FLAGS, ...TEXTS].join(' ')}.`,
      });
    }
  }
  const nullText = new Constant(texts['null.literal']);
  const write = (source: Uint8Array, start: number, end: number, out: OutputBuffer) => {
    const mark = out.length;
    if (start < 0) out.writeConstant(nullText);
    else out.writeBytes(source, start, end);
    if (forTerminal) escapeTail(out, mark);
  };
  const columns = FLAGS.filter((flag) => printed.has(flag)).map((flag) =>
    columnFor(flag, write, new Constant(texts['headers.separator'])),
  );
  const keySeparator = new Constant(texts['key.separator']);
  const lineSeparator = new Constant(texts['line.separator']);
  return printerOf((cursor, context, out) => {
    for (let i = 0; i < columns.length; i++) {
      columns[i]!(cursor, context, out);
      out.writeConstant(i + 1 < columns.length ? keySeparator : lineSeparator);
    }
  });
}

function isOneOf<const T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name);
}

type WriteBytes = (source: Uint8Array, start: number, end: number, out: OutputBuffer) => void;

function columnFor(flag: Flag, write: WriteBytes, headersSeparator: Constant): RecordFormatter {
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
