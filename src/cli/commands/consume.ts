import { type Command, Option } from 'commander';
import {
  addHelpSection,
  addHiddenAliases,
  type CommandHost,
  describeCommand,
  onAction,
  valueOption,
} from '../command-host.js';
import { addIsolationOption } from '../consume/isolation-level.js';
import { addPrintOptions } from '../consume/print-options.js';
import { addFilterOptions } from '../consume/record-filter.js';
import { addSelectionOptions } from '../consume/record-selection.js';
import { type ConsumeOptions, runConsume } from '../consume/run-consume.js';
import { addDamageOption } from '../consume/skipped-damage.js';
import { addGroupOptions } from '../group-consume/group-options.js';
import { addHandlerOptions } from '../handlers/handler-options.js';
import { FORMAT_MODIFIERS, FORMAT_VERBS } from '../record-format/format-help.js';
import { parseNumberOfRecords } from '../values/parse-count.js';
import { parseDuration } from '../values/parse-duration.js';
import { addTopicAlias, namedTopics, type TopicAlias } from './topic-alias.js';

export function defineConsume(consume: Command, host: CommandHost): void {
  const command = describeCommand(consume.argument('[topic...]'), {
    summary: 'print the records of topics',
    description:
      'Prints the records of topics, from the start to the ends found when it began: topics as named, partitions ascending. By default the value and a newline. With --follow it goes on with records as they come.',
    examples: [
      { command: 'klog consume orders', does: 'all values, a line each' },
      { command: 'klog consume orders -o -10', does: 'the last ten of each partition' },
      { command: 'klog consume orders -o @-15m -F', does: 'the last quarter of an hour, and what comes' },
      { command: "klog consume orders -f '%p/%o %k=%v\\n'", does: 'by a format' },
      { command: 'klog consume orders -J | klog produce copy -J', does: 'lossless: keys, headers, timestamps, nulls' },
      { command: 'klog consume orders -n 10 --timeout 5s', does: 'wait for ten; exit code 5 if they do not come' },
      { command: 'klog consume orders -g billing', does: 'as a member of a group: on where it has committed' },
      {
        command: "klog consume orders -F --exec 'curl -fsS -d @- localhost:8080' --dlq failed",
        does: 'each through a command',
      },
      { command: "klog consume orders --filter 'v.amount > 100'", does: 'by an expression over v, k and m' },
    ],
    json: 'records as JSON, as -J',
  });
  addSelectionOptions(command);
  addPrintOptions(command, '-f, --format <format>');
  addConsumingOptions(command);
  const follow = new Option('-F, --follow', 'go on with records as they come');
  command.addOption(follow);
  command.addOption(
    new Option('--order <order>', 'partition: one after the other; time: merged by timestamp').choices([
      'partition',
      'time',
    ]),
  );
  command.option('--reverse', 'from the end to the beginning, partition by partition');
  command.addOption(
    valueOption('--timeout <duration>', 'end after so long without a record; implies --follow', parseDuration),
  );
  command.option('--wait', 'wait for topics that do not exist yet');
  addGroupOptions(command);
  addHandlerOptions(command);
  command.option('--dump <dir>', "write each record's value to a file of its own, and print the files' names");
  command.addOption(new Option('-e, --exit', 'stop at the end, as always without --follow').hideHelp());
  command.addOption(new Option('--from-beginning', 'from the start, as always').hideHelp());
  const timeoutMs = new Option('--timeout-ms <ms>').hideHelp();
  timeoutMs.argParser((text: string) => parseDuration(`${text}ms`));
  timeoutMs.attributeName = () => 'timeout';
  command.addOption(timeoutMs);
  const lastRecords = new Option('--tail <n>').hideHelp();
  lastRecords.argParser((text: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    `-${parseNumberOfRecords(text)}`,
  ]);
  lastRecords.attributeName = () => 'offset';
  command.addOption(lastRecords);
  addTopicAlias(command);
  addHelpSection(command, { title: 'Verbs of -f', rows: FORMAT_VERBS });
  addHelpSection(command, { title: 'In braces behind them', rows: FORMAT_MODIFIERS });
  onAction<Omit<ConsumeOptions, 'topics'> & TopicAlias>(command, host, async (options, [topics]) =>
    runConsume({ ...options, topics: namedTopics(command, topics as string[], options) }, host.context),
  );
}

/** Which records are printed, of those that were read. */
function addConsumingOptions(command: Command): void {
  const most = valueOption(
    '-n, --max-messages <n>',
    'print so many records at most, over all partitions',
    parseNumberOfRecords,
  );
  command.addOption(most);
  addHiddenAliases(command, most, '-c, --num <n>', '-l, --limit-messages <n>', '--count <n>');
  addFilterOptions(command);
  addDamageOption(command);
  addIsolationOption(command);
  for (const level of ['read_committed', 'read_uncommitted']) {
    const alias = new Option(`--${level.replace('_', '-')}`).hideHelp();
    alias.attributeName = () => 'isolationLevel';
    alias.preset(level);
    command.addOption(alias);
  }
}
