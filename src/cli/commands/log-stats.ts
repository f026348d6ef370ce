import type { Command } from 'commander';
import { type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';
import { type LogStatsOptions, runLogStats } from '../log/run-log-stats.js';
import { parseCount } from '../values/parse-count.js';

export function defineLogStats(log: Command, host: CommandHost): void {
  const command = describeCommand(
    log
      .command('stats')
      .argument('[what...]', 'T, T:P, or the path of a directory, with a / in it; none: the whole log'),
    {
      summary: 'figures about the records of topics',
      description: [
        'Reads every record that is durable: how many, how large, how well compressed, from when to when, how many different keys (an estimate, within about 1 %), how many null keys and values. Memory is fixed, whatever the topics hold.',
        'RATIO is the bytes of keys, values and headers for each byte on the disk. Without a terminal: one topic a line, columns separated by tabs, no headings.',
      ].join('\n\n'),
      examples: [
        { command: 'klog log stats', does: 'a line for each topic' },
        { command: 'klog log stats orders -k 10', does: 'its ten most frequent keys' },
        { command: 'klog log stats orders --json', does: 'all figures' },
      ],
      json: 'an array: topic, partitions, records, batches, bytes, dataBytes, distinctKeys, topKeys, minTimestamp, maxTimestamp, …',
    },
  );
  command.addOption(valueOption('-k, --top-keys <n>', 'show the <n> most frequent keys instead', parseCount));
  onAction<Omit<LogStatsOptions, 'operands'>>(command, host, (options, [what]) =>
    runLogStats({ ...options, operands: what as string[] }, host.context),
  );
}
