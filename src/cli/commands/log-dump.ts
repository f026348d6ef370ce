import type { Command } from 'commander';
import { addHiddenFlags, type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';
import { type LogDumpOptions, runLogDump } from '../log/run-log-dump.js';
import { parseSize } from '../values/parse-size.js';

interface Flags extends Omit<LogDumpOptions, 'operands'> {
  /** kafka-dump-log's list of files. */
  readonly files?: readonly string[];
}

export function defineLogDump(log: Command, host: CommandHost): void {
  const command = describeCommand(
    log.command('dump').argument('[what...]', 'T, T:P, or a path: with a / in it, or ending in .log, .index, …'),
    {
      summary: "show what stands in a log's files",
      description: [
        "Shows the batches of topics, partitions or files in the words of kafka-dump-log. Works offline: on any directory in Kafka's format, a stopped broker's too, and on one that is being written. Nothing is locked, repaired or written.",
        'A path is a file, the directory of a partition, or a directory of logs. Of directories the batches are shown; an index, snapshot or checkpoint is shown when it is named itself.',
        'Damaged batches are shown as such and the walk goes on behind them where that is possible; the exit code is then 7.',
      ].join('\n\n'),
      examples: [
        { command: 'klog log dump orders', does: 'the batches of all partitions' },
        { command: 'klog log dump orders:0 --records', does: 'and the records in them' },
        { command: 'klog log dump /var/kafka/orders-0 --json', does: "a stopped broker's, one JSON object a line" },
        { command: 'klog log dump ./orders-0/00000000000000000000.index', does: 'the entries of an index' },
      ],
      json: 'one object a line: type "batch", with --records also "record", and the types of the other files',
    },
  );
  command.option('--records', 'the records of each batch, too');
  command.addOption(
    valueOption('--max-bytes <size>', 'look at no more than the first <size> bytes of each .log file', parseSize),
  );
  command.option('--skip-record-metadata', 'of records, show only key and value (not in --json)');
  command.addOption(
    valueOption('--files <list>', '', (text: string) => text.split(',').filter((file) => file !== '')).hideHelp(),
  );
  addHiddenFlags(command, 'records', '--print-data-log');
  addHiddenFlags(command, 'deepIteration', '--deep-iteration');
  onAction<Flags>(command, host, ({ files = [], ...options }, [what]) =>
    runLogDump({ ...options, operands: [...(what as string[]), ...files.map(asPath)] }, host.context),
  );
}

/** `--files` names files, whatever they look like. */
function asPath(file: string): string {
  return file.includes('/') ? file : `./${file}`;
}
