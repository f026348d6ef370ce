import type { Command } from 'commander';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import { addIsolationOption } from '../consume/isolation-level.js';
import { addPrintOptions } from '../consume/print-options.js';
import { type GetOptions, runGet } from '../consume/run-get.js';

export function defineGet(get: Command, host: CommandHost): void {
  const command = describeCommand(get.argument('<record>', 'T@OFFSET or T:P@OFFSET'), {
    summary: 'print one record',
    description: 'Prints the record at an offset. Exit code 4 where there is none.',
    examples: [
      { command: 'klog get orders@42', does: 'of a topic with one partition' },
      { command: 'klog get orders:3@42 -J', does: 'of partition 3, with everything it has' },
      { command: 'klog get orders@-1', does: 'the last one' },
    ],
    json: 'the record as JSON, as -J',
  });
  addPrintOptions(command, '-f, --format <format>');
  addIsolationOption(command);
  onAction<Omit<GetOptions, 'record'>>(command, host, (options, [record]) =>
    runGet({ ...options, record: record as string }, host.context),
  );
}
