/** `raw`: values back to back, byte for byte. `hex`: a value a line, as hex digits; null is an empty line. */
import { printerOf, type RecordPrinter } from '../record-printer.js';
import { escapeTail } from '../terminal-escape.js';

export function createRawPrinter(forTerminal: boolean): RecordPrinter {
  return printerOf((cursor, _context, out) => {
    if (cursor.valueStart < 0) return;
    const mark = out.length;
    out.writeBytes(cursor.buffer, cursor.valueStart, cursor.valueEnd);
    if (forTerminal) escapeTail(out, mark);
  });
}

export function createHexPrinter(): RecordPrinter {
  return printerOf((cursor, _context, out) => {
    if (cursor.valueStart >= 0) out.writeHex(cursor.buffer, cursor.valueStart, cursor.valueEnd);
    out.writeByte(0x0a);
  });
}
