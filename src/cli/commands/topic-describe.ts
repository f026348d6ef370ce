import type { Command } from 'commander';
import type { PartitionDescription, TopicConfigEntry, TopicDescription } from '../../clients/admin.js';
import type { CliContext } from '../cli-context.js';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { printJson, printTable } from '../listing.js';
import { suggestName, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import { ACKS_PROMISES } from '../produce/acks.js';
import { addRegexOption, checkTopics, topicNames } from '../topic-selection.js';

export interface TopicDescribeOptions extends GlobalOptions {
  readonly topics: readonly string[];
  readonly regex?: boolean;
  readonly allConfigs?: boolean;
}

export function defineTopicDescribe(topic: Command, host: CommandHost): void {
  const command = describeCommand(topic.command('describe <topic...>').alias('info'), {
    summary: 'show partitions, offsets, sizes and configs',
    description:
      'Shows partitions, offsets, sizes and the configs that were set, and what an acknowledgement promises with each --acks of produce.',
    examples: [
      { command: 'klog topic describe orders', does: 'partitions, and the configs that were set' },
      { command: 'klog topic describe orders --all-configs', does: 'the defaults, too' },
      { command: "klog topic describe orders --json | jq '.[0].partitionDetails'", does: 'for programs' },
    ],
    json: 'an array: topic, topicId, partitions, internal, configs, partitionDetails',
  });
  command.option('-a, --all-configs', 'configs at their default, too (always in --json)');
  addRegexOption(command);
  onAction<Omit<TopicDescribeOptions, 'topics'>>(command, host, (options, [topics]) =>
    runTopicDescribe({ ...options, topics: topics as string[] }, host.context),
  );
}

export async function runTopicDescribe(options: TopicDescribeOptions, context: CliContext): Promise<ExitCode> {
  checkTopics(options);
  return withClient(options, context, { topics: options.topics }, async (client) => {
    const admin = client.admin();
    const names = await topicNames(admin, options);
    const descriptions: TopicDescription[] = [];
    const describe = async (name: string) => {
      const description = await admin.describeTopic(name);
      if (!options.json) await printDescription(description, options, context, descriptions.length === 0);
      descriptions.push(description);
    };
    const code = await forEachOperand(names, options, context, describe, (error) => suggestName(error, client));
    if (options.json) printJson(context, descriptions);
    return code;
  });
}

async function printDescription(
  description: TopicDescription,
  options: TopicDescribeOptions,
  context: CliContext,
  isFirst: boolean,
): Promise<void> {
  const { topic, topicId, partitions, internal, configs, partitionDetails } = description;
  if (!isFirst) context.stdout.appendText('\n');
  const summary: Summary[] = [
    ['topic', topic],
    ['topic id', topicId],
    ['partitions', partitions],
    ['internal', internal ? 'yes' : 'no'],
  ];
  await printTable(context, SUMMARY_COLUMNS, summary, { asPage: true, noHeadings: true });
  const shown = configs.filter(({ source }) => options.allConfigs === true || source === 'topic');
  if (shown.length > 0) {
    context.stdout.appendText('\n');
    await printTable(context, CONFIG_COLUMNS, shown, { asPage: true });
  }
  context.stdout.appendText('\n');
  await printTable(context, PARTITION_COLUMNS, partitionDetails, { asPage: true });
  context.stdout.appendText('\n');
  await printTable(context, ACKS_COLUMNS, Object.entries(ACKS_PROMISES), { asPage: true });
}

type Summary = readonly [name: string, value: string | number];

const SUMMARY_COLUMNS = [
  { heading: '', value: ([name]: Summary) => name },
  { heading: '', value: ([, value]: Summary) => value },
];

const ACKS_COLUMNS = [
  { heading: 'PRODUCED WITH', value: ([mode]: readonly [string, string]) => `--acks ${mode}` },
  { heading: 'PROMISES', value: ([, promise]: readonly [string, string]) => promise },
];

const CONFIG_COLUMNS = [
  { heading: 'CONFIG', value: (entry: TopicConfigEntry) => entry.name },
  { heading: 'VALUE', value: (entry: TopicConfigEntry) => entry.value },
  { heading: 'SOURCE', value: (entry: TopicConfigEntry) => entry.source },
];

const PARTITION_COLUMNS = [
  { heading: 'PARTITION', value: (one: PartitionDescription) => one.partition, align: 'right' },
  { heading: 'LOG-START', value: (one: PartitionDescription) => one.logStartOffset, align: 'right' },
  { heading: 'HIGH-WATERMARK', value: (one: PartitionDescription) => one.highWatermark, align: 'right' },
  { heading: 'LAST-STABLE', value: (one: PartitionDescription) => one.lastStableOffset, align: 'right' },
  { heading: 'LOG-END', value: (one: PartitionDescription) => one.logEndOffset, align: 'right' },
  { heading: 'EPOCH', value: (one: PartitionDescription) => one.leaderEpoch, align: 'right' },
  { heading: 'SEGMENTS', value: (one: PartitionDescription) => one.segments, align: 'right' },
  { heading: 'BYTES', value: (one: PartitionDescription) => one.sizeInBytes, align: 'right' },
] as const;
