/**
 * Chooses the reader for what the input is said to be: a word of WHOLE_WORD_FORMATS, `kcat:…`, or a layout of the
 * format language. Readers are loaded when they are asked for: most of the input is lines, which need none.
 */
import { KlogError } from '../../errors.js';
import { refuseWord } from './format-help.js';
import type { RecordReader } from './input-record.js';

export interface ReaderOptions {
  /** `-f`, or `json` for `-J`. */
  readonly format: string;
  /** Refuses a last record without its delimiter. */
  readonly strict: boolean;
  /** `-f kafka`: `print.key` and so on. */
  readonly kafkaProperties: Readonly<Record<string, string>>;
}

export interface ReaderChoice {
  readonly reader: RecordReader;
  /** The input is a dump: topic and partition say where a record came from. In a layout they say where it is to go. */
  readonly isDump: boolean;
  /** A record a line. */
  readonly isLined: boolean;
}

/** The words that are layouts when read. */
const WORD_LAYOUTS: Readonly<Record<string, string>> = { raw: '%v', hex: '%v{hex}\\n', netstring: '%V:%v,' };

/** KLOG_USAGE for a layout that cannot be read back, and for `table`. */
export async function createRecordReader(options: ReaderOptions): Promise<ReaderChoice> {
  const { format, strict, kafkaProperties } = options;
  switch (format) {
    case 'json':
    case 'jsonl': {
      const { createJsonReader } = await import('./json-record-input.js');
      return { reader: createJsonReader(), isDump: true, isLined: true };
    }
    case 'csv':
    case 'tsv': {
      const { createCsvReader, createTsvReader } = await import('./whole-word/separated-values-input.js');
      const reader = format === 'csv' ? createCsvReader({ strict }) : createTsvReader({ strict });
      return { reader, isDump: true, isLined: true };
    }
    case 'kafka': {
      const { createKafkaReader } = await import('./whole-word/kafka-input.js');
      return { reader: createKafkaReader(kafkaProperties, strict), isDump: true, isLined: false };
    }
    case 'table':
      throw new KlogError('KLOG_USAGE', '-f table is for eyes: null, escapes and padding look like text in it', {
        hint: 'To read records back, print them with -J, -f csv or -f tsv',
      });
  }
  if (!Object.hasOwn(WORD_LAYOUTS, format)) refuseWord(format);
  const { createFormatReader } = await import('./format-language/format-reader.js');
  const layout = Object.hasOwn(WORD_LAYOUTS, format) ? WORD_LAYOUTS[format]! : format;
  return { reader: createFormatReader(layout, { strict }), isDump: false, isLined: false };
}
