import type { Command } from 'commander';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import { type LogRepairOptions, runLogRepair } from '../log/run-log-repair.js';

export function defineLogRepair(log: Command, host: CommandHost): void {
  const command = describeCommand(
    log.command('repair').argument('<what...>', 'T, T:P, or the path of a directory, with a / in it'),
    {
      summary: 'take damaged bytes out of a log, and keep them beside it',
      description: [
        'Shows what is damaged and what will be done, asks, and does it: every bad range is kept as <segment>.log.damaged-<position>, and the segment is written anew without it. Good batches behind damage stay, offsets keep their numbers (what is lost is a gap), indexes are built again, klog.end is settled. Of a torn tail nothing goes but what the next writer would have put aside.',
        "Works under the partition's locks, beside readers and writers. In a broker's directory it takes the broker's lock, and refuses while one runs. It can be interrupted at any time and run again.",
        'What nobody has any more no repair brings back: a copy does.',
      ].join('\n\n'),
      examples: [
        { command: 'klog log repair orders:0 --dry-run', does: 'what is bad, and what would be done' },
        { command: 'klog log repair orders', does: 'asks for each partition' },
        { command: 'klog log repair /var/kafka/orders-0 -y', does: "a stopped broker's" },
      ],
      json: 'an array: topic, partition, directory, repaired, ok, batches, aside: file, position, bytes, reason, offset; problems',
    },
  );
  command.option('-y, --yes', 'do not ask');
  command.option('--dry-run', 'say what would be done, change nothing');
  onAction<Omit<LogRepairOptions, 'operands'>>(command, host, (options, [what]) =>
    runLogRepair({ ...options, operands: what as string[] }, host.context),
  );
}
