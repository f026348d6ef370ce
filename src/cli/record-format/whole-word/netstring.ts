/** `netstring`: `12:hello world!,` for each value, for readers that must not care what is in it. Null is `0:,`. */
import { printerOf, type RecordPrinter } from '../record-printer.js';
import { escapeTail } from '../terminal-escape.js';

export function createNetstringPrinter(forTerminal: boolean): RecordPrinter {
  return printerOf((cursor, _context, out) => {
    const start = Math.max(0, cursor.valueStart);
    const end = Math.max(0, cursor.valueEnd);
    out.writeNumber(end - start);
    out.writeByte(0x3a);
    const mark = out.length;
    out.writeBytes(cursor.buffer, start, end);
    if (forTerminal) escapeTail(out, mark);
    out.writeByte(0x2c);
  });
}
