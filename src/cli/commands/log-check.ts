import type { Command } from 'commander';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import { type LogCheckOptions, runLogCheck } from '../log/run-log-check.js';

export function defineLogCheck(log: Command, host: CommandHost): void {
  const command = describeCommand(
    log
      .command('check')
      .argument('[what...]', 'T, T:P, or the path of a directory, with a / in it; none: the whole log'),
    {
      summary: "check a log's files against each other",
      description: [
        "Goes through every batch (checksum, structure, order of offsets across batches and segments), holds the indexes, leader epochs, snapshots and klog.end against the log, and names the first bad byte: file, position, offset, reason. Works on any directory in Kafka's format, a stopped broker's too, and on one that is being written. Nothing is locked or written.",
        'Each problem is one of: damage (exit code 7), torn (what a crash or a writer at work leaves behind what is safe: the next writer settles it), note (harmless).',
        'What no check can see: the leader epoch of a batch has no checksum; where it differs from the checkpoint a note says so.',
      ].join('\n\n'),
      examples: [
        { command: 'klog log check', does: 'everything' },
        { command: 'klog log check orders --deep', does: 'one topic, each record decompressed and looked at' },
        { command: 'klog log check /var/kafka/orders-0 --json', does: "a stopped broker's partition, for programs" },
      ],
      json: 'one document: ok, partitions: topic, partition, batches, records, bytes, problems: severity, file, position, offset, reason',
    },
  );
  command.option('--deep', 'decompress every batch and look at every record');
  onAction<Omit<LogCheckOptions, 'operands'>>(command, host, (options, [what]) =>
    runLogCheck({ ...options, operands: what as string[] }, host.context),
  );
}
