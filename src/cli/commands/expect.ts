import type { Command } from 'commander';
import { type CommandHost, describeCommand, onAction, repeatable, valueOption } from '../command-host.js';
import { addIsolationOption } from '../consume/isolation-level.js';
import { addPrintOptions } from '../consume/print-options.js';
import { addSelectionOptions } from '../consume/record-selection.js';
import { type ExpectOptions, runExpect } from '../expect/run-expect.js';
import { parseNumberOfRecords } from '../values/parse-count.js';
import { parseDuration } from '../values/parse-duration.js';

export function defineExpect(expect: Command, host: CommandHost): void {
  const command = describeCommand(expect.argument('<topic>'), {
    summary: 'hold the records of a topic against what is expected',
    description:
      'Exit code 0: as expected; 5: too little, in the time given; 6: something different, which is told, or too much. Without --timeout what is there now counts.',
    examples: [
      { command: 'klog expect orders -n 3', does: 'exactly three records' },
      { command: 'klog expect orders --file golden.txt --timeout 5s', does: 'their values are the lines of a file' },
      {
        command: "klog expect orders -f '%k=%v\\n' --file golden.txt",
        does: 'keys and values, as consume prints them',
      },
      { command: "klog expect orders --filter 'v.amount > 0'", does: 'every record fulfils it' },
    ],
    json: 'an object: topic, records, elapsedMs',
  });
  command.addOption(valueOption('-n, --max-messages <n>', 'exactly so many records', parseNumberOfRecords));
  command.option('--file <file>', 'the records, as consume prints them, are this file; - is stdin');
  command.addOption(
    valueOption(
      '--filter <expression>',
      'every record fulfils this JavaScript over v, k and m; runs as your own code (repeatable)',
      repeatable((text) => text),
    ),
  );
  command.addOption(
    valueOption(
      '-G, --grep <pattern>',
      'look only at records that match, as in consume (repeatable)',
      repeatable((text) => text),
    ),
  );
  command.addOption(valueOption('--timeout <duration>', 'wait so long for what is missing', parseDuration));
  addSelectionOptions(command);
  addPrintOptions(command, '-f, --format <format>');
  addIsolationOption(command);
  onAction<Omit<ExpectOptions, 'topic'>>(command, host, (options, [topic]) =>
    runExpect({ ...options, topic: topic as string }, host.context),
  );
}
