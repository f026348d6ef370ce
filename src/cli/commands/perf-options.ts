import { type Command, Option } from 'commander';
import { KlogError } from '../../errors.js';
import { COMPRESSION_TYPES } from '../../format/compression.js';
import { addHiddenAliases, valueOption } from '../command-host.js';
import { parseRate } from '../produce/rate-limit.js';
import { parseCount, parseNumberOfRecords } from '../values/parse-count.js';
import { parseDuration } from '../values/parse-duration.js';
import { parseSize } from '../values/parse-size.js';

/** What the three perf commands have in common, by the names of Kafka's tools. */

export function addPerfTopicOptions(command: Command): void {
  const topic = new Option('-t, --topic <topic>').hideHelp();
  topic.attributeName = () => 'topicOption';
  command.addOption(topic);
  const partitions = valueOption('-p, --partitions <n>', 'partitions of a topic that is made (default: 1)', parseCount);
  command.addOption(partitions);
  addHiddenAliases(command, partitions, '--num-partitions <n>');
  command.option('--keep', 'do not delete the topic that was made because none was named');
}

export function addRecordSizeOption(command: Command, description: string): void {
  const size = valueOption('--record-size <size>', description, parseRecordSize);
  command.addOption(size);
  addHiddenAliases(command, size, '-s, --size <size>');
}

export function addSendOptions(command: Command): void {
  const throughput = valueOption(
    '--throughput <n/s>',
    'so many records a second; -1: as many as go (default)',
    (text) => (text === '-1' ? Number.POSITIVE_INFINITY : parseRate(text)),
  );
  command.addOption(throughput);
  addHiddenAliases(command, throughput, '--rate <n/s>');
  command.addOption(
    valueOption(
      '--warmup-records <n>',
      'of the records, the first <n> are not measured (default: 0)',
      parseNumberOfRecords,
    ),
  );
  const acks = new Option('--acks <mode>', 'what an acknowledgement promises: all, written or none (default: all)');
  command.addOption(acks);
  addHiddenAliases(command, acks, '--producer-acks <mode>', '--request-required-acks <mode>');
  const compression = new Option(
    '-z, --compression <type>',
    "compress batches (default: as the topic's compression.type says)",
  );
  command.addOption(compression.choices([...COMPRESSION_TYPES]));
  addHiddenAliases(command, compression, '--compression-codec <type>');
}

export function addIntervalOptions(command: Command): void {
  command.option('--show-detailed-stats', 'a row of figures for each interval, too');
  command.addOption(valueOption('--reporting-interval <duration>', 'how long that is (default: 5s)', parseDuration));
  command.option('--hide-header', 'without headings above the rows');
}

export function addMetricsOption(command: Command): void {
  command.option('--print-metrics', 'CPU, memory and batches, too');
}

/** No batch of Kafka's format holds more. */
const LARGEST_RECORD_BYTES = 2 ** 31 - 1;

function parseRecordSize(text: string): number {
  const size = parseSize(text);
  if (size <= LARGEST_RECORD_BYTES) return size;
  throw new KlogError('KLOG_USAGE', `${text} is more than a record can have`);
}
