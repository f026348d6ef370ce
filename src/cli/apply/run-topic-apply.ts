import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { inputBytes } from '../input-bytes.js';
import { refuseInternal } from '../internal-topics.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { confirm } from '../prompts.js';
import { escapeLine } from '../terminal-text.js';
import { parseDeclaredTopics } from './declared-topics.js';
import { planCreate, planTopics, type TopicPlan } from './topic-plan.js';

/** Far more than any list of topics, far less than what a mistaken path would fill the memory with. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export interface TopicApplyOptions extends GlobalOptions {
  /** A path; `-` is standard input. */
  readonly file: string;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export async function runTopicApply(options: TopicApplyOptions, context: CliContext): Promise<ExitCode> {
  const { dryRun = false, prune = false } = options;
  const read = await inputBytes(options.file, context, MAX_FILE_BYTES);
  if (read === undefined) return 0;
  const declared = await parseDeclaredTopics(read.bytes.toString('utf8'), read.input.name);
  const topics = declared.map(({ name }) => name);
  for (const topic of topics) refuseInternal(topic, options.force, 'apply what is declared for');
  const beforeCreate = async () => {
    const { checkNewTopic } = await import('../../clients/local/check-new-topic.js');
    for (const { name, partitions = 1, configs = {} } of declared) checkNewTopic({ topic: name, partitions, configs });
  };
  const ifMissing = async (): Promise<ExitCode> => {
    await beforeCreate();
    for (const topic of declared) report(planCreate(topic), options, context);
    await finish(declared.map(planCreate), options, context, 'no log yet');
    return 0;
  };
  const request = { create: !dryRun, topics, ifMissing, beforeCreate };
  return withClient<ExitCode | Promise<ExitCode>>(options, context, request, async (client, { directory }) => {
    const admin = client.admin();
    const plans = await planTopics(admin, declared, { prune });
    const question = questionFor(plans);
    if (question !== undefined && !dryRun) await confirm(`${question} in ${directory}`, options, context);
    for (const plan of plans) {
      if (!dryRun && plan.action !== 'unchanged') await plan.apply(admin);
      report(plan, options, context);
    }
    await finish(plans, options, context, directory);
    return 0;
  });
}

/** What is lost by it, if anything is. */
function questionFor(plans: readonly TopicPlan[]): string | undefined {
  const shortened = plans.filter((plan) => plan.shortensRetention).map(describe);
  const deleted = plans.filter(({ action }) => action === 'delete').map(describe);
  const parts = [
    ...(shortened.length === 0 ? [] : [`shorten the retention of ${shortened.join(', ')}`]),
    ...(deleted.length === 0 ? [] : [`delete ${deleted.join(', ')}`]),
  ];
  return parts.length === 0 ? undefined : parts.join(', and ');
}

function describe({ topic, action, partitions, configs }: TopicPlan): string {
  if (action === 'delete') return `topic '${topic}' (${counted(partitions, 'partition')})`;
  return `topic '${topic}' (${configs.map(({ name, from, to }) => `${name} from ${from} to ${to}`).join(', ')})`;
}

const SIGNS = { create: '+', change: '~', unchanged: '=', delete: '-' } as const;

function report(plan: TopicPlan, options: TopicApplyOptions, context: CliContext): void {
  if (!options.json) context.stdout.appendText(`${planCells(plan).map(escapeLine).join('\t')}\n`);
}

function planCells({ topic, action, partitions, partitionsBefore, configs }: TopicPlan): string[] {
  const parts = configs.map(({ name, from, to }) =>
    action === 'create' ? `${name}=${to}` : `${name} ${from} -> ${to}`,
  );
  if (action === 'create' || action === 'delete') parts.unshift(counted(partitions, 'partition'));
  else if (partitions !== partitionsBefore) parts.unshift(`${partitionsBefore} -> ${partitions} partitions`);
  return [`${SIGNS[action]} ${topic}`, ...(parts.length === 0 ? [] : [parts.join(', ')])];
}

async function finish(
  plans: readonly TopicPlan[],
  options: TopicApplyOptions,
  context: CliContext,
  place: string,
): Promise<void> {
  const dryRun = options.dryRun ?? false;
  if (options.json) {
    printJson(
      context,
      plans.map(({ apply: _, shortensRetention: __, ...plan }) => ({
        ...plan,
        applied: !dryRun && plan.action !== 'unchanged',
      })),
    );
  }
  const count = (action: TopicPlan['action']) => plans.filter((plan) => plan.action === action).length;
  const counts = [
    `${count('create')} created`,
    `${count('change')} changed`,
    `${count('unchanged')} unchanged`,
    ...(count('delete') > 0 ? [`${count('delete')} deleted`] : []),
  ];
  // The sum comes behind what it sums up.
  await context.stdout.flush();
  notice(options, context, `${dryRun ? 'would be: ' : ''}${counts.join(', ')} (${place})`);
}
