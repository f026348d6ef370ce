import { type Command, Option } from 'commander';
import type { ConfigChange, TopicDescription } from '../../clients/admin.js';
import type { Client } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import {
  addHiddenAliases,
  addHiddenFlags,
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
import { suggestName, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import { confirm } from '../prompts.js';
import { addRegexOption, checkTopics, topicNames } from '../topic-selection.js';
import { parseCount } from '../values/parse-count.js';
import { type KeyValue, parseConfig } from '../values/parse-key-value.js';
import { type ConfigDifference, configDifferences, shortensRetention } from './config-differences.js';

export interface TopicAlterOptions extends GlobalOptions {
  readonly topics: readonly string[];
  readonly regex?: boolean;
  /** The new total. */
  readonly partitions?: number;
  /** How many more. */
  readonly add?: number;
  readonly set?: readonly KeyValue[];
  readonly delete?: readonly string[];
  readonly append?: readonly KeyValue[];
  readonly subtract?: readonly KeyValue[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function defineTopicAlter(topic: Command, host: CommandHost): void {
  const command = describeCommand(topic.command('alter <topic...>').alias('alter-config'), {
    summary: 'change configs, add partitions',
    description:
      'Changes configs and adds partitions. Records stay in the partitions they are in, so more partitions may send later records of a key elsewhere. What shortens the retention asks first, or needs -y.',
    examples: [
      {
        command: 'klog topic alter orders --set retention.ms=604800000 --delete segment.bytes',
        does: 'one config set, one back to its default',
      },
      { command: 'klog topic alter orders -p 12', does: 'twelve partitions in all' },
      { command: 'klog topic alter users --append cleanup.policy=compact --dry-run', does: 'what would change' },
    ],
    json: 'an array: topic, partitions, configs (name, from, to), altered',
  });
  const partitions = valueOption('-p, --partitions <n>', 'the new total of partitions', parseCount);
  const set = valueOption('--set <name=value>', 'set a config (repeatable)', repeatable(parseConfig));
  const remove = valueOption(
    '--delete <name>',
    'a config back to its default (repeatable)',
    repeatable((name) => name),
  );
  command
    .addOption(partitions)
    .addOption(valueOption('--add <n>', 'so many partitions more', parseCount).conflicts('partitions'));
  command.addOption(set).addOption(remove);
  command.addOption(
    valueOption('--append <name=value>', 'add to a list, such as cleanup.policy (repeatable)', repeatable(parseConfig)),
  );
  command.addOption(valueOption('--subtract <name=value>', 'take from a list (repeatable)', repeatable(parseConfig)));
  addRegexOption(command);
  command.option('--dry-run', 'say what would change, change nothing');
  command.addOption(new Option('-y, --yes', 'do not ask'));
  command.option('--force', 'internal topics, too');
  addHiddenAliases(command, set, '-c, --config <name=value>', '--add-config <name=value>');
  addHiddenAliases(command, remove, '--delete-config <name>');
  addHiddenFlags(command, 'yes', '--no-confirm', '--noconfirm');
  onAction<Omit<TopicAlterOptions, 'topics'>>(command, host, (options, [topics]) =>
    runTopicAlter({ ...options, topics: topics as string[] }, host.context),
  );
}

interface Plan {
  readonly topic: string;
  readonly before: TopicDescription;
  readonly partitions: number;
  readonly configs: readonly ConfigDifference[];
  readonly shortens: boolean;
}

export async function runTopicAlter(options: TopicAlterOptions, context: CliContext): Promise<ExitCode> {
  const change = configChange(options);
  const changesConfigs = Object.keys(change).length > 0;
  if (!changesConfigs && options.partitions === undefined && options.add === undefined) {
    throw new KlogError('KLOG_USAGE', 'topic alter: nothing to change', {
      hint: 'Give -p, --add, --set, --delete, --append or --subtract',
    });
  }
  checkTopics(options);
  return withClient(options, context, { topics: options.topics }, async (client, { directory }) => {
    const admin = client.admin();
    const results: unknown[] = [];
    const alter = async (topic: string) => {
      refuseInternal(topic, options.force, 'alter');
      const plan = await planFor(client, topic, options, change);
      const dryRun = options.dryRun ?? false;
      const text = `${describePlan(plan)} of topic '${topic}' in ${directory}`;
      if (plan.shortens && !dryRun) await confirm(`shorten the retention: change ${text}`, options, context);
      if (!dryRun) {
        if (changesConfigs) await admin.alterConfigs(topic, change);
        if (plan.partitions !== plan.before.partitions) await admin.createPartitions(topic, plan.partitions);
      }
      const changes = plan.configs.length > 0 || plan.partitions !== plan.before.partitions;
      results.push({ topic, partitions: plan.partitions, configs: plan.configs, altered: changes && !dryRun });
      notice(options, context, `${dryRun ? 'would change' : 'changed'} ${text}`);
      if (plan.partitions !== plan.before.partitions) {
        notice(options, context, `later records of a key may go to another partition of '${topic}' than earlier ones`);
      }
    };
    const names = await topicNames(admin, options);
    const code = await forEachOperand(names, options, context, alter, (error) => suggestName(error, client));
    if (options.json) printJson(context, results);
    return code;
  });
}

/** Everything is checked before anything is changed. */
async function planFor(client: Client, topic: string, options: TopicAlterOptions, change: ConfigChange): Promise<Plan> {
  const admin = client.admin();
  const before = await admin.describeTopic(topic);
  const after = await admin.alterConfigs(topic, change, { validateOnly: true });
  const partitions = options.partitions ?? before.partitions + (options.add ?? 0);
  if (options.partitions !== undefined || options.add !== undefined) {
    await admin.createPartitions(topic, partitions, { validateOnly: true });
  }
  const configs = configDifferences(before.configs, after);
  return { topic, before, partitions, configs, shortens: shortensRetention(before.configs, after) };
}

function describePlan(plan: Plan): string {
  const parts = plan.configs.map(({ name, from, to }) => `${name} from ${from} to ${to}`);
  if (plan.partitions !== plan.before.partitions) {
    parts.unshift(`${counted(plan.before.partitions, 'partition')} to ${plan.partitions}`);
  }
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

function configChange(options: TopicAlterOptions): ConfigChange {
  const record = (pairs: readonly KeyValue[]) => Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
  return {
    ...(options.set === undefined ? {} : { set: record(options.set) }),
    ...(options.delete === undefined ? {} : { delete: options.delete }),
    ...(options.append === undefined ? {} : { append: record(options.append) }),
    ...(options.subtract === undefined ? {} : { subtract: record(options.subtract) }),
  };
}
