import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.js';
import { addHiddenAliases, repeatable, valueOption } from '../command-host.js';
import { exclude, need } from '../option-errors.js';
import { createRecordPrinter } from '../record-format/create-printer.js';
import { parseDelimiter } from '../record-format/escapes.js';
import type { RecordPrinter } from '../record-format/record-printer.js';
import { VALUE_FORMATS, type ValueFormat } from '../record-format/value-format.js';
import { setting } from '../settings.js';
import { parseProperties } from '../values/parse-key-value.js';

/** How records are shown: the options of consume, tail, get and replay. */
export interface PrintOptions {
  readonly format?: string;
  readonly jsonRecords?: boolean;
  readonly keySeparator?: Uint8Array;
  readonly delimiter?: Uint8Array;
  /** `-0`. */
  readonly null?: boolean;
  readonly tombstone?: boolean;
  readonly raw?: boolean;
  readonly tz?: string;
  readonly headersOnly?: boolean;
  readonly encoding?: 'auto' | 'base64';
  readonly valueFormat?: ValueFormat;
  readonly property?: readonly string[];
  /** The global `--json` means `-J` here. */
  readonly json: boolean;
}

/** `formatFlags`: `-f` is format everywhere but in `tail`, where it is follow. */
export function addPrintOptions(command: Command, formatFlags: string): void {
  const verbsAre = command.name() === 'consume' ? 'below' : "'klog consume --help' has all";
  command.option(
    formatFlags,
    `print records by this format: verbs as %k %v (${verbsAre}), or json raw hex csv tsv table kafka netstring`,
  );
  command.addOption(
    new Option('-J, --json-records', 'print records as JSON, one object a line; `klog produce -J` reads it back'),
  );
  command.addOption(
    valueOption('-K, --key-separator <sep>', 'print the key and this before each value', (text) =>
      parseDelimiter(text, '-K'),
    ),
  );
  const delimiter = valueOption('-D, --delimiter <text>', 'print this after each record (default: a newline)', (text) =>
    parseDelimiter(text, '-D'),
  );
  command.addOption(delimiter);
  addHiddenAliases(command, delimiter, '--record-delimiter <text>');
  command.option('-0, --null', 'print NUL after each record, for xargs -0');
  command.option('-Z, --tombstone', 'print NULL for null keys and values (default: nothing)');
  command.option('--raw', "show the data's bytes as they are, also on a terminal");
  command.option('--tz <zone>', 'time zone of times printed and read (default: UTC)');
  command.addOption(
    new Option('--encoding <encoding>', 'with -J: keys and values as base64 always').choices(['auto', 'base64']),
  );
  command.addOption(
    new Option('--value-format <format>', 'msgpack: show MessagePack values as JSON').choices([...VALUE_FORMATS]),
  );
  command.option('--headers-only', 'print headers, no values');
  command.addOption(
    new Option('--property <name=value>', "with -f kafka: kafka-console-consumer's print.key=true and others")
      .argParser(repeatable((text: string) => text))
      .hideHelp(),
  );
}

const JSON_WORDS: readonly string[] = ['json', 'jsonl'];

/** Where values were asked for. */
function refuseValues(options: PrintOptions): void {
  const { format, keySeparator, delimiter } = options;
  if (format !== undefined && !JSON_WORDS.includes(format)) exclude('--headers-only', `the format '${format}'`);
  if (keySeparator !== undefined) exclude('--headers-only', '-K');
  if (delimiter !== undefined || options.null) exclude('--headers-only', options.null ? '-0' : '-D');
}

/** What belongs to one format, and would silently do nothing in another. */
function refuseWithoutFormat({ encoding, property }: PrintOptions, format = ''): void {
  if (encoding !== undefined && !JSON_WORDS.includes(format)) need('--encoding', '-J');
  if (property !== undefined && format !== 'kafka') need('--property', '-f kafka');
}

const HEADERS_LINE = '%h\n';

/**
 * `KLOG_FORMAT` counts where no flag says how to print. `isTerminal`: whether people look at what is printed; then
 * control bytes are shown escaped.
 */
export async function printerFor(
  options: PrintOptions,
  context: CliContext,
  isTerminal = context.stdout.isTerminal,
): Promise<RecordPrinter> {
  const delimiter = options.null ? Buffer.from([0]) : options.delimiter;
  if (options.null && options.delimiter !== undefined) exclude('-0', '-D');
  const wantsJson = options.jsonRecords || options.json;
  if (wantsJson && options.format !== undefined && options.format !== 'json') {
    exclude('-J', `the format '${options.format}'`);
  }
  if (options.headersOnly) refuseValues(options);
  const explicit = wantsJson ? 'json' : options.format;
  const plain = delimiter === undefined && options.keySeparator === undefined;
  const headersLine = options.headersOnly ? HEADERS_LINE : undefined;
  const create = (format: string | undefined) =>
    createRecordPrinter({
      format,
      delimiter,
      keySeparator: options.keySeparator,
      nullText: options.tombstone ? 'NULL' : undefined,
      timeZone: options.tz,
      forTerminal: isTerminal && options.raw !== true,
      kafkaProperties: parseProperties(options.property ?? []),
      json: { encoding: options.encoding ?? 'auto', withoutValue: options.headersOnly === true },
      now: () => context.clock.now(),
    });
  const format = explicit ?? headersLine;
  const fromSetting = format === undefined && plain ? await setting('format', undefined, context, create) : undefined;
  if (fromSetting === undefined) refuseWithoutFormat(options, format);
  const printer = fromSetting ?? (await create(format));
  if (options.valueFormat !== 'msgpack') return printer;
  const [{ withDecodedValues }, { loadValueCodec }] = await Promise.all([
    import('../record-format/decoded-values.js'),
    import('../record-format/value-format.js'),
  ]);
  return withDecodedValues(printer, await loadValueCodec(options.valueFormat));
}
