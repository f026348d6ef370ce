import { type Command, Option } from 'commander';
import { PARTITIONER_NAMES } from '../../clients/partitioner.js';
import { KlogError } from '../../errors.js';
import { COMPRESSION_TYPES } from '../../format/compression.js';
import {
  addHelpSection,
  addHiddenAliases,
  type CommandHost,
  describeCommand,
  onAction,
  repeatable,
  valueOption,
} from '../command-host.js';
import { ACKS_HELP } from '../produce/acks.js';
import { checkProduceFlags, type ProduceFlags } from '../produce/produce-options.js';
import { parseRate } from '../produce/rate-limit.js';
import { runProduce } from '../produce/run-produce.js';
import { parseDelimiter } from '../record-format/escapes.js';
import { VALUE_FORMATS } from '../record-format/value-format.js';
import { parseCount, parseNumberOfRecords } from '../values/parse-count.js';
import { parseDuration } from '../values/parse-duration.js';
import { parseHeader } from '../values/parse-key-value.js';
import { parseSize } from '../values/parse-size.js';

export function defineProduce(produce: Command, host: CommandHost): void {
  const command = describeCommand(produce.argument('[topic]'), {
    summary: 'write records to a topic',
    description: `Reads records from standard input, one a line, and appends them to a topic. The input is bytes, not text: nothing is decoded, trimmed or dropped, an empty line is an empty value, and the last line counts without its newline. A topic that is not there is created with one partition.

With -f, records are read as consume -f prints them, by the same verbs and words. Words: json raw hex csv tsv kafka netstring, and kcat:LAYOUT for kcat's own verbs. In csv and tsv the first line names the columns (key value headers timestamp partition offset topic, in any order, value at least), nothing is null in csv and "" empty, \\N is null in tsv; with kafka, --property print.key=true and the like say which columns there are. What names its topic in every record (json csv tsv kafka) goes to the topic named here all the same, while %t and %p of a layout say where to. A table cannot be read: null, escapes and padding look like text in it.

With -k and -Z, and no other input asked for, it writes one tombstone and leaves standard input unread.

The first Ctrl-C stops reading and makes safe what was read; the second ends at once.`,
    examples: [
      { command: 'seq 1 3 | klog produce numbers', does: 'three records' },
      { command: "klog produce users -K : <<< 'u1:Ada'", does: 'key and value from a line' },
      { command: 'klog produce users -k u1 --value \'{"name":"Ada"}\' -H source=cli', does: 'one record' },
      { command: 'klog produce users -k u1 -Z', does: 'a tombstone' },
      { command: 'klog consume a -J | klog produce b -J', does: 'a lossless copy' },
      { command: "klog produce pairs -f '%k %v\\n' < pairs.txt", does: 'by a format' },
      { command: 'klog produce orders -f csv < orders.csv', does: 'columns by name, as consume -f csv prints them' },
      { command: "klog produce jobs --report '%p@%o' < jobs.txt", does: 'where each record went' },
    ],
    json: 'at the end, an object: topic, records, bytes (in the log), partitions, elapsedMs',
  });
  addInputOptions(command);
  addRecordOptions(command);
  addDeliveryOptions(command);
  addOutcomeOptions(command);
  addHelpSection(command, ACKS_HELP);
  onAction<ProduceFlags>(command, host, async (flags, [topic]) =>
    runProduce(await checkProduceFlags(flags, topic as string | undefined, host.context), host.context),
  );
}

function addInputOptions(command: Command): void {
  const add = addingTo(command, 'Input:');
  const delimiter = add(
    valueOption('-D, --delimiter <bytes>', 'what ends a record (default: \\n)', (text) => parseDelimiter(text, '-D')),
  );
  add(new Option('-0, --nul', 'records end with a NUL byte'));
  const separator = add(
    valueOption('-K, --key-separator <bytes>', 'key and value are separated by the first of these', (text) =>
      parseDelimiter(text, '-K'),
    ),
  );
  add(new Option('--key-optional', 'with -K: a line without the separator has a null key'));
  add(
    new Option(
      '-f, --format <format>',
      "records by a format: verbs as '%k\\t%v\\n', or json raw hex csv tsv kafka netstring",
    ),
  );
  const json = new Option('-J', "records as JSON, klog's own or another tool's; the topic is the one named here");
  json.attributeName = () => 'jsonRecords';
  add(json);
  const property = valueOption(
    '--property <name=value>',
    '',
    repeatable((text: string) => text),
  );
  command.addOption(property.hideHelp());
  add(new Option('--strict', 'with -f: refuse a last record without its delimiter'));
  add(new Option('--keep-partition', 'with -J, csv, tsv, kafka: into the partition that the record came from'));
  add(valueOption('--value <text>', 'one record with this value; standard input is not read', onlyValue));
  add(
    valueOption(
      '--file <path>',
      'the whole file is one record (repeatable)',
      repeatable((path: string) => path),
    ),
  );
  add(new Option('--lines <path>', 'read this file, - for standard input'));
  add(new Option('--skip-bad', 'pass over records that cannot be read or are refused'));
  add(new Option('--dead-letter <file>', 'with --skip-bad: append their bytes to this file'));
  addHiddenAliases(command, delimiter, '-L, --line-separator <bytes>');
  addHiddenAliases(command, separator, '-S, --separator <bytes>');
  const topic = new Option('-t, --topic <topic>').hideHelp();
  topic.attributeName = () => 'topicOption';
  command.addOption(topic);
}

function addRecordOptions(command: Command): void {
  const add = addingTo(command, 'Records:');
  add(new Option('-k, --key <key>', 'the key of each record that brings none'));
  add(
    valueOption('-H, --header <key=value>', 'a header; without = a null value (repeatable)', repeatable(parseHeader)),
  );
  const partition = add(valueOption('-p, --partition <n>', 'into this partition', parseNumberOfRecords));
  const tombstone = add(new Option('-Z, --tombstone', 'empty values are null'));
  add(new Option('--value-format <format>', 'check or encode values (default: raw)').choices([...VALUE_FORMATS]));
  add(new Option('--timestamp <time>', "each record's timestamp (default: the input's, else now)"));
  addHiddenAliases(command, partition, '--partitions <n>');
  addHiddenAliases(command, tombstone, '--null-value');
}

function addDeliveryOptions(command: Command): void {
  const add = addingTo(command, 'Delivery:');
  const acks = add(new Option('--acks <mode>', 'all, written or none; what they promise stands below (default: all)'));
  const compression = add(
    new Option('-z, --compression <type>', "compress batches (default: as the topic's compression.type says)").choices([
      ...COMPRESSION_TYPES,
    ]),
  );
  add(valueOption('--linger <duration>', 'the longest a record waits for others (default: 5ms)', parseDuration));
  const batchBytes = add(
    valueOption('--batch-bytes <size>', 'the size of a batch (default: 1M)', (text) =>
      parseCount(String(parseSize(text))),
    ),
  );
  add(
    new Option('--partitioner <name>', 'where records go that name no partition (default: murmur2)').choices([
      ...PARTITIONER_NAMES,
    ]),
  );
  const rate = add(valueOption('--rate <n/s>', 'so many records a second (/m a minute, /h an hour)', parseRate));
  add(new Option('--no-create', 'an unknown topic is an error'));
  add(new Option('--force', 'write to an internal topic'));
  addHiddenAliases(command, acks, '--request-required-acks <mode>');
  addHiddenAliases(command, compression, '--compression-codec <type>');
  addHiddenAliases(command, batchBytes, '--batch-size <size>');
  addHiddenAliases(command, rate, '-r <n/s>');
}

function addOutcomeOptions(command: Command): void {
  const add = addingTo(command, 'Output:');
  const report = add(new Option('--report <format>', "a line for each record that is safe, such as '%t:%p@%o'"));
  add(new Option('-T, --tee', 'copy the input to standard output'));
  addHiddenAliases(command, report, '--output-format <format>');
  const short = new Option('-o <format>').hideHelp();
  short.attributeName = () => 'reportAlias';
  command.addOption(short);
}

/** Adds options under a heading of the help. */
/** The last of several would win, and the others would be lost without a word. KLOG_USAGE */
function onlyValue(text: string, previous: string | undefined): string {
  if (previous === undefined) return text;
  throw new KlogError('KLOG_USAGE', '--value is one record, and was given twice', {
    hint: 'Give several records on standard input, one a line',
  });
}

function addingTo(command: Command, heading: string): <T extends Option>(option: T) => T {
  return (option) => {
    command.addOption(option.helpGroup(heading));
    return option;
  };
}
