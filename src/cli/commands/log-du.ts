import type { Command } from 'commander';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import { type LogDuOptions, runLogDu } from '../log/run-log-du.js';

export function defineLogDu(log: Command, host: CommandHost): void {
  const command = describeCommand(
    log.command('du').argument('[what...]', 'T, T:P, or the path of a directory, with a / in it; none: the whole log'),
    {
      summary: 'what topics and partitions take on the disk',
      description:
        'Bytes of the files of each partition: log (records), index (all kinds), snapshot (of producers), aside (out of use: to be removed, or kept for you to look at), other, total. Without a terminal: one line each, columns separated by tabs, no headings.',
      examples: [
        { command: 'klog log du', does: 'every partition' },
        { command: 'klog log du -s --human', does: 'one line a topic, for people' },
        { command: 'klog log du | sort -t"$(printf \'\\t\')" -k8 -n | tail -5', does: 'the five largest partitions' },
      ],
      json: 'an array: topic, partition, log, index, snapshot, aside, other, total',
    },
  );
  command.option('-s, --summarize', 'one line a topic');
  command.option('--human', 'sizes like 1.5 MiB');
  onAction<Omit<LogDuOptions, 'operands'>>(command, host, (options, [what]) =>
    runLogDu({ ...options, operands: what as string[] }, host.context),
  );
}
