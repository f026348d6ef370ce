/**
 * The everyday way to print: value and delimiter, with `-K` key, separator, value and delimiter; null as nothing, or as
 * `NULL` with `-Z`.
 */
import type { PrintTemplate } from '../../format/kernel/print-kernel.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import { withKernel } from './kernel-printer.js';
import { Constant, type OutputBuffer } from './output-buffer.js';
import { printerOf, type RecordPrinter } from './record-printer.js';
import { escapeTail } from './terminal-escape.js';

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
  const { keySeparator, nullText = '', forTerminal = false } = options;
  const printer = printerOf(
    recordWriter(
      new Constant(delimiter),
      new Constant(keySeparator ?? ''),
      new Constant(nullText),
      keySeparator !== undefined,
      forTerminal,
    ),
  );
  const template: PrintTemplate = {
    parts: keySeparator === undefined ? ['value', delimiter] : ['key', keySeparator, 'value', delimiter],
    nullStops: nullText !== '',
  };
  return forTerminal ? printer : withKernel(printer, () => template, template);
}

function recordWriter(
  delimiter: Constant,
  separator: Constant,
  nullText: Constant,
  withKey: boolean,
  forTerminal: boolean,
): RecordPrinter['print'] {
  const write = (cursor: RecordCursor, start: number, end: number, out: OutputBuffer) => {
    const mark = out.length;
    if (start < 0) out.writeConstant(nullText);
    else out.writeRange(cursor, start, end);
    if (forTerminal) escapeTail(out, mark);
  };
  return (cursor, _context, out) => {
    if (withKey) {
      write(cursor, cursor.keyStart, cursor.keyEnd, out);
      out.writeConstant(separator);
    }
    write(cursor, cursor.valueStart, cursor.valueEnd, out);
    out.writeConstant(delimiter);
  };
}
