/** Chooses the printer for what the user asked for: `-J`, a whole-word format, `-f`, or the everyday `-D -K -Z`. */
import { KlogError } from '../../errors.js';
import { createDelimitedPrinter } from './delimited.js';
import { refuseWord } from './format-help.js';
import { createKcatPrinter, createLanguagePrinter } from './format-language/output-formatter.js';
import { parseTimeZone, type TimeZone, UTC } from './format-language/time-zone.js';
import { createJsonPrinter, type JsonRecordOptions } from './json-record.js';
import type { RecordPrinter } from './record-printer.js';
import { createKafkaPrinter } from './whole-word/kafka.js';
import { createNetstringPrinter } from './whole-word/netstring.js';
import { createCsvPrinter, createTsvPrinter } from './whole-word/separated-values.js';
import { createTablePrinter } from './whole-word/table.js';
import { createHexPrinter, createRawPrinter } from './whole-word/value-lines.js';

export interface PrinterOptions {
  /** `-f`: a word of WHOLE_WORD_FORMATS, `kcat:…`, or the format language. */
  readonly format?: string | undefined;
  /** `-D`, already unescaped. Not with `format`. */
  readonly delimiter?: Uint8Array | undefined;
  /** `-K`, already unescaped. Not with `format`. */
  readonly keySeparator?: Uint8Array | undefined;
  /** `-Z`: `NULL`. Default nothing. */
  readonly nullText?: string | undefined;
  /** `--tz`. Default UTC. */
  readonly timeZone?: string | undefined;
  /** Whether a terminal shows the output, which then gets control bytes of the data escaped. Default false. */
  readonly forTerminal?: boolean | undefined;
  /** `-f kafka`: `print.key` and so on. */
  readonly kafkaProperties?: Readonly<Record<string, string>> | undefined;
  /** `-J`: always base64, or no values. */
  readonly json?: Pick<JsonRecordOptions, 'encoding' | 'withoutValue'> | undefined;
  /** For `%d{rel}`. */
  readonly now: () => number;
}

/** KLOG_USAGE for a bad format, a word that is none, an unknown zone, or `format` together with delimiters. */
export function createRecordPrinter(options: PrinterOptions): RecordPrinter {
  const { format, delimiter, keySeparator } = options;
  const forTerminal = options.forTerminal === true;
  const timeZone = options.timeZone === undefined ? UTC : parseTimeZone(options.timeZone);
  if (format === undefined) {
    return createDelimitedPrinter({
      keySeparator,
      forTerminal,
      nullText: options.nullText ?? '',
      ...(delimiter === undefined ? {} : { delimiter }),
    });
  }
  if (delimiter !== undefined || keySeparator !== undefined) {
    throw new KlogError('KLOG_USAGE', 'A format cannot be combined with -D, -0 or -K', {
      hint: 'Write delimiters into the format: -f "%k\\t%v\\n".',
    });
  }
  if (format === '') {
    throw new KlogError('KLOG_USAGE', 'The format is empty: it would print nothing', {
      hint: "A text with verbs is one, as '%k %v\\n', or a word, as json",
    });
  }
  const word = wholeWordPrinter(format, timeZone, forTerminal, options);
  if (word !== undefined) return word;
  refuseWord(format);
  const language = { nullText: options.nullText ?? '', forTerminal, timeZone, now: options.now };
  if (format.startsWith('kcat:')) return createKcatPrinter(format.slice('kcat:'.length), language);
  return createLanguagePrinter(format, language);
}

function wholeWordPrinter(
  format: string,
  timeZone: TimeZone,
  forTerminal: boolean,
  options: PrinterOptions,
): RecordPrinter | undefined {
  switch (format) {
    case 'json':
    case 'jsonl':
      return createJsonPrinter({ ...options.json, forTerminal });
    case 'raw':
      return createRawPrinter(forTerminal);
    case 'hex':
      return createHexPrinter();
    case 'csv':
      return createCsvPrinter(forTerminal);
    case 'tsv':
      return createTsvPrinter(forTerminal);
    case 'table':
      return createTablePrinter(timeZone, forTerminal);
    case 'kafka':
      return createKafkaPrinter(options.kafkaProperties ?? {}, forTerminal);
    case 'netstring':
      return createNetstringPrinter(forTerminal);
  }
  return undefined;
}
