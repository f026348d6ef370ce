/**
 * The everyday way to print: value and delimiter, with `-K` key, separator, value and delimiter; null as nothing, or as
 * `NULL` with `-Z`.
 *
 * Copying each value on its own costs more than the rest of the work. So the records are first copied as they lie in
 * the batch, a stretch at a time, behind what is already printed, and then moved together:
 *
 * ```
 * batch    | value A | 7+ bytes | value B | 7+ bytes | value C | …
 * out      … printed | value A | 7+ bytes | value B | 7+ bytes | value C |        one copy
 * out      … printed | value A | \n | value B | \n | value C | \n |               copyWithin, never past its source
 * ```
 *
 * Between two records of Kafka's format there are at least seven bytes (length, attributes, three deltas and lengths,
 * header count), so what is printed never overtakes what is still to be moved as long as separator and delimiter
 * together have no more. Where that does not hold, or a terminal needs escapes, records are written one by one.
 */
import type { RecordCursor } from '../../format/record-cursor.js';
import type { FormatContext } from './format-context.js';
import { Constant, type OutputBuffer } from './output-buffer.js';
import type { RecordPrinter } from './record-printer.js';
import { escapeTail } from './terminal-escape.js';

/** What every record of a batch has besides its key and value, at least. */
const MIN_RECORD_OVERHEAD = 7;
/** A stretch fits the processor's first caches. */
const STRETCH_BYTES = 32 * 1024;

export interface DelimitedOptions {
  /** Behind each record. Default a newline. */
  readonly delimiter?: Uint8Array;
  /** Behind each key; without it keys are not printed. */
  readonly keySeparator?: Uint8Array | undefined;
  /** Shown for null keys and values. Default nothing. */
  readonly nullText?: string;
  readonly forTerminal?: boolean;
}

export function createDelimitedPrinter(options: DelimitedOptions = {}): RecordPrinter {
  const delimiter = options.delimiter ?? Buffer.from('\n');
  const separator = options.keySeparator ?? Buffer.alloc(0);
  const nullText = new Constant(options.nullText ?? '');
  const withKey = options.keySeparator !== undefined;
  const print = recordWriter(
    new Constant(delimiter),
    new Constant(separator),
    nullText,
    withKey,
    options.forTerminal === true,
  );
  const canMove =
    !options.forTerminal && nullText.length === 0 && delimiter.length + separator.length <= MIN_RECORD_OVERHEAD;
  return {
    print,
    printBatch: canMove
      ? withKey
        ? movingKeysAndValues(delimiter, separator)
        : movingValues(delimiter)
      : (cursor, context, out, maxRecords, maxBytes) => {
          let printed = 0;
          while (printed < maxRecords && out.length < maxBytes && cursor.next()) {
            print(cursor, context, out);
            printed++;
          }
          context.recordNumber += printed;
          return printed;
        },
  };
}

function recordWriter(
  delimiter: Constant,
  separator: Constant,
  nullText: Constant,
  withKey: boolean,
  forTerminal: boolean,
): RecordPrinter['print'] {
  const write = (source: Uint8Array, start: number, end: number, out: OutputBuffer) => {
    const mark = out.length;
    if (start < 0) out.writeConstant(nullText);
    else out.writeBytes(source, start, end);
    if (forTerminal) escapeTail(out, mark);
  };
  return (cursor, _context, out) => {
    if (withKey) {
      write(cursor.buffer, cursor.keyStart, cursor.keyEnd, out);
      out.writeConstant(separator);
    }
    write(cursor.buffer, cursor.valueStart, cursor.valueEnd, out);
    out.writeConstant(delimiter);
  };
}

type PrintBatch = RecordPrinter['printBatch'];

/**
 * How many records more the next stretch may hold than the one before: merged partitions hand out runs of a record or two,
 * for which a whole stretch would be copied each time.
 */
const REACH_GROWTH = 16;

function movingValues(delimiter: Uint8Array): PrintBatch {
  const delimiterLength = delimiter.length;
  const firstByte = delimiter[0]!;
  return (cursor: RecordCursor, context: FormatContext, out: OutputBuffer, maxRecords, maxBytes) => {
    const source = cursor.buffer;
    let printed = 0;
    let length = out.length;
    // source[stretchStart, stretchEnd) lies in out.buffer, shifted by `shift`.
    let stretchEnd = -1;
    let reach = 1;
    let shift = 0;
    let buffer = out.buffer;
    while (printed < maxRecords && length < maxBytes && cursor.next()) {
      printed++;
      const start = cursor.valueStart;
      const end = cursor.valueEnd;
      if (start >= 0) {
        if (end > stretchEnd) {
          out.length = length;
          stretchEnd = copyStretch(source, start, end, Math.min(cursor.recordCount, reach), out);
          reach *= REACH_GROWTH;
          buffer = out.buffer;
          shift = length - start;
        }
        buffer.copyWithin(length, start + shift, end + shift);
        length += end - start;
      } else if (length + delimiterLength > buffer.length) {
        out.length = length;
        out.reserve(delimiterLength);
        buffer = out.buffer;
      }
      if (delimiterLength === 1) buffer[length++] = firstByte;
      else for (let i = 0; i < delimiterLength; i++) buffer[length++] = delimiter[i]!;
    }
    out.length = length;
    context.recordNumber += printed;
    return printed;
  };
}

function movingKeysAndValues(delimiter: Uint8Array, separator: Uint8Array): PrintBatch {
  return (cursor: RecordCursor, context: FormatContext, out: OutputBuffer, maxRecords, maxBytes) => {
    const source = cursor.buffer;
    const constants = delimiter.length + separator.length;
    let printed = 0;
    let length = out.length;
    let stretchEnd = -1;
    let reach = 1;
    let shift = 0;
    let buffer = out.buffer;
    while (printed < maxRecords && length < maxBytes && cursor.next()) {
      printed++;
      const { keyStart, keyEnd, valueStart, valueEnd } = cursor;
      const start = keyStart >= 0 ? keyStart : valueStart;
      const end = valueStart >= 0 ? valueEnd : keyEnd;
      if (start < 0) {
        if (length + constants > buffer.length) {
          out.length = length;
          out.reserve(constants);
          buffer = out.buffer;
        }
      } else if (end > stretchEnd) {
        out.length = length;
        // The first record has nothing before it: its separator would overwrite the value that is still to be moved.
        stretchEnd = copyStretch(source, start, end, Math.min(cursor.recordCount, reach), out, MIN_RECORD_OVERHEAD);
        reach *= REACH_GROWTH;
        buffer = out.buffer;
        shift = length + MIN_RECORD_OVERHEAD - start;
      }
      if (keyStart >= 0) {
        buffer.copyWithin(length, keyStart + shift, keyEnd + shift);
        length += keyEnd - keyStart;
      }
      for (let i = 0; i < separator.length; i++) buffer[length++] = separator[i]!;
      if (valueStart >= 0) {
        buffer.copyWithin(length, valueStart + shift, valueEnd + shift);
        length += valueEnd - valueStart;
      }
      for (let i = 0; i < delimiter.length; i++) buffer[length++] = delimiter[i]!;
    }
    out.length = length;
    context.recordNumber += printed;
    return printed;
  };
}

/**
 * Copies source[start …] behind `out.length` (and a gap) and returns where in the source the copy ends: behind this
 * record, and as far as so many records may reach. Leaves room for the delimiters of all that it holds.
 */
function copyStretch(
  source: Uint8Array,
  start: number,
  end: number,
  recordCount: number,
  out: OutputBuffer,
  gap = 0,
): number {
  const wanted = Math.max(end - start, Math.min(STRETCH_BYTES, (end - start + 2 * MIN_RECORD_OVERHEAD) * recordCount));
  const stretchEnd = Math.min(source.length, start + wanted);
  out.reserve(stretchEnd - start + gap + MIN_RECORD_OVERHEAD);
  out.buffer.set(source.subarray(start, stretchEnd), out.length + gap);
  return stretchEnd;
}
