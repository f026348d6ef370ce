/**
 * `csv` and `tsv`, with a head line; separated-values-input.ts reads them back, byte for byte. Columns: topic,
 * partition, offset, timestamp, key, value, headers (JSON, empty for none).
 *
 * | | csv (RFC 4180, lines end in LF) | tsv |
 * |-|-|-|
 * | special | in quotes, `"` doubled: comma, quote, CR, LF, and space at an end | `\t` `\n` `\r` `\\` |
 * | null | nothing | `\N` |
 * | empty | `""` | nothing |
 */
import { writeHeaderObjects } from '../json-record.js';
import { OutputBuffer } from '../output-buffer.js';
import { printerOf, type RecordPrinter } from '../record-printer.js';
import { escapeTail } from '../terminal-escape.js';

export const COLUMNS = ['topic', 'partition', 'offset', 'timestamp', 'key', 'value', 'headers'] as const;

export type Column = (typeof COLUMNS)[number];

/** A field of bytes; null when `start` is negative. */
type FieldWriter = (source: Uint8Array, start: number, end: number, out: OutputBuffer) => void;

export function createCsvPrinter(forTerminal: boolean): RecordPrinter {
  return separatedValues(',', writeCsvField, forTerminal);
}

export function createTsvPrinter(forTerminal: boolean): RecordPrinter {
  return separatedValues('\t', writeTsvField, forTerminal);
}

function separatedValues(separator: string, writeField: FieldWriter, forTerminal: boolean): RecordPrinter {
  const scratch = new OutputBuffer(1024);
  const separatorByte = separator.charCodeAt(0);
  return printerOf(
    (cursor, context, out) => {
      const mark = out.length;
      scratch.clear();
      scratch.writeText(context.topic);
      writeField(scratch.buffer, 0, scratch.length, out);
      out.writeByte(separatorByte);
      out.writeNumber(context.partition);
      out.writeByte(separatorByte);
      out.writeNumber(cursor.offset);
      out.writeByte(separatorByte);
      out.writeNumber(cursor.timestamp);
      out.writeByte(separatorByte);
      writeField(cursor.buffer, cursor.keyStart, cursor.keyEnd, out);
      out.writeByte(separatorByte);
      writeField(cursor.buffer, cursor.valueStart, cursor.valueEnd, out);
      out.writeByte(separatorByte);
      if (cursor.headerCount > 0) {
        scratch.clear();
        scratch.writeByte(0x5b);
        writeHeaderObjects(cursor, scratch, true, forTerminal);
        scratch.writeByte(0x5d);
        writeField(scratch.buffer, 0, scratch.length, out);
      }
      if (forTerminal) escapeTail(out, mark);
      out.writeByte(0x0a);
    },
    (out) => out.writeAscii(`${COLUMNS.join(separator)}\n`),
  );
}

function writeCsvField(source: Uint8Array, start: number, end: number, out: OutputBuffer): void {
  if (start < 0) return;
  if (!needsQuotes(source, start, end)) {
    out.writeBytes(source, start, end);
    return;
  }
  out.writeByte(0x22);
  let runFrom = start;
  for (let i = start; i < end; i++) {
    if (source[i] !== 0x22) continue;
    out.writeBytes(source, runFrom, i + 1);
    out.writeByte(0x22);
    runFrom = i + 1;
  }
  out.writeBytes(source, runFrom, end);
  out.writeByte(0x22);
}

function needsQuotes(source: Uint8Array, start: number, end: number): boolean {
  if (start === end || source[start] === 0x20 || source[end - 1] === 0x20) return true;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    if (byte === 0x22 || byte === 0x2c || byte === 0x0a || byte === 0x0d) return true;
  }
  return false;
}

const TSV_ESCAPES: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };

function writeTsvField(source: Uint8Array, start: number, end: number, out: OutputBuffer): void {
  if (start < 0) {
    out.writeAscii('\\N');
    return;
  }
  let runFrom = start;
  for (let i = start; i < end; i++) {
    const shown = TSV_ESCAPES[source[i]!];
    if (shown === undefined) continue;
    out.writeBytes(source, runFrom, i);
    out.writeAscii(shown);
    runFrom = i + 1;
  }
  out.writeBytes(source, runFrom, end);
}
