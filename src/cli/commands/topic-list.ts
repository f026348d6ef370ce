import type { Command } from 'commander';
import type { TopicListing } from '../../clients/admin.js';
import type { CliContext } from '../cli-context.js';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { printJson, printTable } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import type { DirectoryLocation } from '../resolve-directory.js';
import { addRegexOption, checkTopics, selectTopics } from '../topic-selection.js';

export interface TopicListOptions extends GlobalOptions {
  /** Names, or with `regex` expressions; none: all topics. */
  readonly topics: readonly string[];
  readonly regex?: boolean;
  readonly internal?: boolean;
}

export function defineTopicList(topic: Command, host: CommandHost): void {
  const command = describeCommand(topic.command('list [topic...]').alias('ls'), {
    summary: 'list topics',
    description:
      'Lists topics by name, with their number of partitions. Without a terminal: one topic a line, columns separated by tabs, no headings.',
    examples: [
      { command: 'klog topic list', does: 'all topics' },
      { command: "klog topic list -r 'orders\\..*'", does: 'those whose whole name matches' },
      { command: 'klog topic list --json', does: 'for programs' },
    ],
    json: 'an array: topic, topicId, partitions, internal',
  });
  addRegexOption(command);
  command.option('-i, --internal', "Kafka's internal topics, too");
  onAction<Omit<TopicListOptions, 'topics'>>(command, host, (options, [topics]) =>
    runTopicList({ ...options, topics: topics as string[] }, host.context),
  );
}

export async function runTopicList(options: TopicListOptions, context: CliContext): Promise<ExitCode> {
  checkTopics(options);
  const isAll = options.topics.length === 0 || options.regex === true;
  const ifMissing = (location: DirectoryLocation): TopicListing[] => {
    notice(options, context, `there is no log at ${location.directory} yet`);
    return [];
  };
  const listings = await withClient(
    options,
    context,
    { topics: options.topics, consumes: false, ...(isAll ? { ifMissing } : {}) },
    (client) => selectTopics(client.admin(), options),
  );
  if (options.json) printJson(context, listings);
  else await printTable(context, COLUMNS, listings);
  return 0;
}

const COLUMNS = [
  { heading: 'TOPIC', value: (listing: TopicListing) => listing.topic },
  { heading: 'PARTITIONS', value: (listing: TopicListing) => listing.partitions, align: 'right' },
] as const;
