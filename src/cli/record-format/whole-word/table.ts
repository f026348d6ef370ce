/**
 * `table`: columns for eyes. Records come one by one, so the columns have fixed widths; what is longer pushes the rest
 * of its line to the right rather than being cut. Keys and values are C-escaped: a record is a line.
 */
import { CivilTime, writeIso } from '../format-language/civil-time.js';
import { writeCEscaped } from '../format-language/text.js';
import { type TimeZone, UTC } from '../format-language/time-zone.js';
import type { OutputBuffer } from '../output-buffer.js';
import { printerOf, type RecordPrinter } from '../record-printer.js';
import { escapeTail } from '../terminal-escape.js';
import { utf8SequenceLength } from '../utf8.js';

const COLUMNS = [
  { name: 'TOPIC', width: 16 },
  { name: 'PARTITION', width: 9 },
  { name: 'OFFSET', width: 8 },
  { name: 'TIMESTAMP', width: 24 },
  { name: 'KEY', width: 16 },
  { name: 'VALUE', width: 0 },
] as const;

const [TOPIC, PARTITION, OFFSET, TIMESTAMP, KEY] = COLUMNS;

export function createTablePrinter(zone: TimeZone, forTerminal: boolean): RecordPrinter {
  const time = new CivilTime(zone);
  return printerOf(
    (cursor, context, out) => {
      const mark = out.length;
      out.writeText(context.topic);
      pad(out, mark, TOPIC.width);
      padded(out, PARTITION.width, () => out.writeNumber(context.partition));
      padded(out, OFFSET.width, () => out.writeNumber(cursor.offset));
      padded(out, TIMESTAMP.width, () => {
        if (cursor.timestamp === -1) {
          out.writeByte(0x2d);
          return;
        }
        time.set(cursor.timestamp);
        writeIso(time, zone === UTC, out);
      });
      padded(out, KEY.width, () => writeShown(cursor.buffer, cursor.keyStart, cursor.keyEnd, out));
      writeShown(cursor.buffer, cursor.valueStart, cursor.valueEnd, out);
      if (forTerminal) escapeTail(out, mark);
      out.writeByte(0x0a);
    },
    (out) => {
      const head = COLUMNS.map(({ name, width }) => name.padEnd(width)).join('  ');
      out.writeAscii(`${head.trimEnd()}\n`);
    },
  );
}

function writeShown(source: Uint8Array, start: number, end: number, out: OutputBuffer): void {
  if (start < 0) out.writeAscii('NULL');
  else writeCEscaped(source, start, end, out);
}

function padded(out: OutputBuffer, width: number, write: () => void): void {
  const mark = out.length;
  write();
  pad(out, mark, width);
}

/** Spaces up to the width, and two more; two behind what is longer, too. A character counts as one column. */
function pad(out: OutputBuffer, mark: number, width: number): void {
  let columns = 0;
  for (let i = mark; i < out.length; i += utf8SequenceLength(out.buffer, i, out.length) || 1) columns++;
  for (let spaces = Math.max(0, width - columns) + 2; spaces > 0; spaces--) out.writeByte(0x20);
}
