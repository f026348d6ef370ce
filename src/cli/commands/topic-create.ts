import type { Command } from 'commander';
import type { TopicListing } from '../../clients/admin.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import {
  addHiddenAliases,
  type CommandHost,
  describeCommand,
  onAction,
  repeatable,
  valueOption,
} from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { refuseInternal } from '../internal-topics.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import type { DirectoryLocation } from '../resolve-directory.js';
import { parseCount } from '../values/parse-count.js';
import { type KeyValue, parseConfig } from '../values/parse-key-value.js';

export interface TopicCreateOptions extends GlobalOptions {
  readonly topics: readonly string[];
  readonly partitions?: number;
  readonly config?: readonly KeyValue[];
  readonly ifNotExists?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

export function defineTopicCreate(topic: Command, host: CommandHost): void {
  const command = describeCommand(topic.command('create <topic...>'), {
    summary: 'create topics',
    description:
      'Creates topics with the same number of partitions and the same configs. Makes the directory, too, if it is missing.',
    examples: [
      { command: 'klog topic create orders', does: 'one partition, default configs' },
      {
        command: 'klog topic create orders payments -p 6 -c retention.ms=86400000',
        does: 'six partitions each, kept a day',
      },
      {
        command: 'klog topic create users -c cleanup.policy=compact --if-not-exists',
        does: 'for scripts that run twice',
      },
    ],
    json: 'an array of the topics: topic, topicId, partitions, created',
  });
  const partitions = valueOption('-p, --partitions <n>', 'number of partitions (default: 1)', parseCount);
  const config = valueOption(
    '-c, --config <name=value>',
    'a topic config by its Kafka name (repeatable)',
    repeatable(parseConfig),
  );
  command.addOption(partitions).addOption(config);
  command.option('--if-not-exists', 'a topic that exists already is no failure; its configs are not compared');
  command.option('--dry-run', 'check everything, change nothing');
  command.option('--force', 'internal topics, too');
  addHiddenAliases(command, partitions, '--num-partitions <n>');
  addHiddenAliases(command, config, '--topic-config <name=value>', '-k, --kv <name=value>');
  onAction<Omit<TopicCreateOptions, 'topics'>>(command, host, (options, [topics]) =>
    runTopicCreate({ ...options, topics: topics as string[] }, host.context),
  );
}

type CreatedTopic = Omit<TopicListing, 'internal'> & { readonly created: boolean };

export async function runTopicCreate(options: TopicCreateOptions, context: CliContext): Promise<ExitCode> {
  const configs = Object.fromEntries((options.config ?? []).map(({ key, value }) => [key, value]));
  const { partitions = 1, dryRun = false } = options;
  const { checkNewTopic } = await import('../../clients/local/check-new-topic.js');
  // Whatever is wrong with the request is found before anything is made.
  for (const topic of options.topics) {
    checkNewTopic({ topic, partitions, configs });
    refuseInternal(topic, options.force, 'create');
  }
  const results: CreatedTopic[] = [];
  const tell = (topic: string, { directory }: DirectoryLocation) => {
    const amount = counted(partitions, 'partition');
    notice(options, context, `${dryRun ? 'would create' : 'created'} topic '${topic}' with ${amount} in ${directory}`);
  };
  const ifMissing = (location: DirectoryLocation): ExitCode => {
    for (const topic of options.topics) tell(topic, location);
    if (options.json)
      printJson(
        context,
        options.topics.map((topic) => ({ topic, partitions, created: false })),
      );
    return 0;
  };
  const request = { create: !dryRun, topics: options.topics, consumes: false, ifMissing };
  return withClient<ExitCode>(options, context, request, async (client, location) => {
    const admin = client.admin();
    const wanted = options.topics.map((topic) => ({ topic, partitions, configs }));
    const outcomes = await admin.createTopics(wanted, { validateOnly: dryRun });
    let next = 0;
    const code = await forEachOperand(options.topics, options, context, async (topic) => {
      const outcome = outcomes[next++]!;
      if (!(outcome instanceof KlogError)) {
        results.push({ topic, topicId: outcome.topicId, partitions: outcome.partitions, created: !dryRun });
        tell(topic, location);
      } else if (options.ifNotExists && outcome.code === 'TOPIC_ALREADY_EXISTS') {
        const existing = await admin.describeTopic(topic);
        results.push({ topic, topicId: existing.topicId, partitions: existing.partitions, created: false });
        notice(options, context, `topic '${topic}' exists already in ${location.directory}`);
      } else {
        throw outcome;
      }
    });
    if (options.json) printJson(context, results);
    return code;
  });
}
