import type { Command } from 'commander';
import { type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';
import { addIsolationOption } from '../consume/isolation-level.js';
import { addFilterOptions } from '../consume/record-filter.js';
import { addPartitionsOption } from '../topic-selection.js';
import { parseNumberOfRecords } from '../values/parse-count.js';
import { parseDuration } from '../values/parse-duration.js';
import { runWait, type WaitOptions } from '../wait/run-wait.js';

export function defineWait(wait: Command, host: CommandHost): void {
  const command = describeCommand(wait.argument('<topic>'), {
    summary: 'wait until a topic has what is asked for',
    description:
      'Returns when it holds: the topic exists; it has so many records; a record matches; an offset is there; a group has read it. What is there already counts. Exit code 5 when time is up.',
    examples: [
      { command: 'klog wait orders', does: 'until the topic exists' },
      { command: 'klog wait orders -n 10 --timeout 5s', does: 'until it has ten records' },
      { command: "klog wait orders -G 'payment failed' --from end", does: 'until a new record matches' },
      { command: 'klog wait orders:0 --offset 41', does: 'until the record at offset 41 can be read' },
      { command: 'klog wait orders -g billing --timeout 1m', does: 'until the group has read all of it' },
    ],
    json: 'an object: topic, what was found, elapsedMs',
  });
  command.addOption(
    valueOption(
      '-n, --max-messages <n>',
      'until there are so many records; with -G so many matches',
      parseNumberOfRecords,
    ),
  );
  command.addOption(valueOption('--offset <offset>', 'until the record at this offset is there', parseNumberOfRecords));
  command.option('-g, --group <group>', 'until this group has read what there is, as its commits say');
  command.addOption(
    valueOption('--lag <n>', 'with -g: it may be so many records behind (default: 0)', parseNumberOfRecords),
  );
  addFilterOptions(command);
  command.option('--from <place>', 'only records from here on count: an offset, end, or a time (default: start)');
  addPartitionsOption(command);
  command.option('--tz <zone>', 'time zone of times read (default: UTC)');
  addIsolationOption(command);
  command.addOption(valueOption('--timeout <duration>', 'give up after so long (default: 30s)', parseDuration));
  onAction<Omit<WaitOptions, 'topic'>>(command, host, (options, [topic]) =>
    runWait({ ...options, topic: topic as string }, host.context),
  );
}
