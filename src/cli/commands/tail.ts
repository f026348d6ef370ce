import type { Command } from 'commander';
import { addHiddenAliases, type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';
import { addIsolationOption } from '../consume/isolation-level.js';
import { addPrintOptions } from '../consume/print-options.js';
import { addFilterOptions } from '../consume/record-filter.js';
import { runTail, type TailOptions } from '../consume/run-tail.js';
import { addDamageOption } from '../consume/skipped-damage.js';
import { addPartitionsOption, addRegexOption } from '../topic-selection.js';
import { parseNumberOfRecords } from '../values/parse-count.js';
import { addTopicAlias, namedTopics, type TopicAlias } from './topic-alias.js';

export function defineTail(tail: Command, host: CommandHost): void {
  const command = describeCommand(tail.argument('[topic...]'), {
    summary: 'print the last records, and follow',
    description:
      'Prints the last ten records over all partitions, by timestamp, and ends. With -f it goes on with records as they come.',
    examples: [
      { command: 'klog tail orders', does: 'the last ten' },
      { command: 'klog tail -f orders payments', does: 'the last ten of both, and what comes' },
      { command: 'klog tail -n 0 -f orders -J', does: 'only what comes, as JSON' },
    ],
    json: 'records as JSON, as -J',
  });
  const lines = valueOption('-n, --lines <n>', 'how many of the last records (default: 10)', parseNumberOfRecords);
  command.addOption(lines);
  addHiddenAliases(command, lines, '--max-messages <n>', '--num <n>', '--count <n>');
  command.option('-f, --follow', 'go on with records as they come');
  command.option('-F', 'the same');
  addPartitionsOption(command);
  addRegexOption(command);
  addPrintOptions(command, '--format <format>');
  addFilterOptions(command);
  addDamageOption(command);
  command.option('--wait', 'wait for topics that do not exist yet');
  addIsolationOption(command);
  addTopicAlias(command);
  onAction<Omit<TailOptions, 'topics'> & TopicAlias & { readonly F?: boolean }>(
    command,
    host,
    async (options, [topics]) =>
      runTail(
        {
          ...options,
          follow: options.follow === true || options.F === true,
          topics: namedTopics(command, topics as string[], options),
        },
        host.context,
      ),
  );
}
