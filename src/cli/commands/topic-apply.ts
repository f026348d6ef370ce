import type { Command } from 'commander';
import { KlogError } from '../../errors.js';
import { DECLARED_TOPICS_SCHEMA, type DeclaredTopic, parseDeclaredTopics } from '../apply/declared-topics.js';
import { planCreate, planTopics, type TopicPlan } from '../apply/topic-plan.js';
import type { CliContext } from '../cli-context.js';
import { addHiddenFlags, type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { openInputFile } from '../input.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { confirm } from '../prompts.js';
import { escapeLine } from '../terminal-text.js';

export interface TopicApplyOptions extends GlobalOptions {
  /** A path; `-` is standard input. */
  readonly file: string;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Far more than any list of topics, far less than what a mistaken path would fill the memory with. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export function defineTopicApply(topic: Command, host: CommandHost): void {
  const command = describeCommand(topic.command('apply').argument('[file]', 'YAML or JSON; - is standard input'), {
    summary: 'create and change topics until they are as a file declares',
    description: `Makes the topics what a file declares: creates those that are missing, adds partitions, sets configs. Prints a line for each: + created, ~ changed, = as it was, - deleted. Applying the same file again changes nothing.

The file is YAML or JSON: topics, a list of name, partitions and configs. What a topic leaves out stays as it is; where configs are given, those not named go back to their defaults. Topics that the file does not name are left alone without --prune. Partitions are never taken away.`,
    examples: [
      { command: 'klog topic apply topics.yaml --dry-run', does: 'what would change' },
      {
        command: 'klog topic apply topics.yaml',
        does: 'topics: [{name: orders, partitions: 6, configs: {retention.ms: 7d}}]',
      },
      { command: 'klog topic apply topics.yaml --prune -y', does: 'delete what the file does not name, too' },
      { command: 'klog topic apply --schema > topics.schema.json', does: 'a JSON Schema of the file, for editors' },
    ],
    json: 'an array: topic, action, partitions, partitionsBefore, configs (name, from, to), applied',
  });
  command.option('--prune', 'delete topics that the file does not name; internal ones never');
  command.option('--dry-run', 'say what would change, change nothing');
  command.option('-y, --yes', 'do not ask before deleting topics or shortening a retention');
  command.option('--schema', 'print a JSON Schema of the file');
  addHiddenFlags(command, 'yes', '--no-confirm', '--noconfirm');
  onAction<Omit<TopicApplyOptions, 'file'> & { schema?: boolean }>(command, host, async (options, [file]) => {
    if (options.schema) {
      printJson(host.context, DECLARED_TOPICS_SCHEMA);
      return 0;
    }
    if (file === undefined) throw new KlogError('KLOG_USAGE', "topic apply: missing required argument 'file'");
    return runTopicApply({ ...options, file: file as string }, host.context);
  });
}

export async function runTopicApply(options: TopicApplyOptions, context: CliContext): Promise<ExitCode> {
  const { dryRun = false, prune = false } = options;
  const declared = await readDeclaredTopics(options.file, context);
  const topics = declared.map(({ name }) => name);
  const ifMissing = async (): Promise<ExitCode> => {
    for (const topic of declared) report(planCreate(topic), options, context);
    await finish(declared.map(planCreate), options, context, 'no log yet, so names and configs are not checked');
    return 0;
  };
  const request = { create: !dryRun, topics, ifMissing };
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

async function readDeclaredTopics(path: string, context: CliContext): Promise<DeclaredTopic[]> {
  const input = await openInputFile(path, context.stdin);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input.chunks(context.signals.signal)) {
    bytes += chunk.length;
    if (bytes > MAX_FILE_BYTES)
      throw new KlogError('KLOG_BAD_INPUT', `${input.name} is no list of topics: it is too long`);
    chunks.push(Buffer.from(chunk));
  }
  return parseDeclaredTopics(Buffer.concat(chunks).toString(), input.name);
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
