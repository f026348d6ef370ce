import type { Command } from 'commander';
import type { Admin, TopicListing } from '../../clients/admin.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import { addHiddenFlags, type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { suggestName, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import { confirm } from '../prompts.js';
import { addRegexOption, checkTopics, refuseUnknown, topicNames } from '../topic-selection.js';

export interface TopicDeleteOptions extends GlobalOptions {
  readonly topics: readonly string[];
  readonly regex?: boolean;
  readonly ifExists?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function defineTopicDelete(topic: Command, host: CommandHost): void {
  const command = describeCommand(topic.command('delete <topic...>').alias('rm'), {
    summary: 'delete topics with all their records',
    description: 'Deletes topics with all their records. Asks first, or needs -y where nobody can be asked.',
    examples: [
      { command: 'klog topic delete orders', does: 'asks' },
      { command: 'klog topic delete orders -y --if-exists', does: 'for scripts that clean up' },
      { command: "klog topic delete -r 'test-.*' --dry-run", does: 'which ones would go' },
    ],
    json: 'an array: topic, deleted',
  });
  addRegexOption(command);
  command.option('--if-exists', 'a topic that does not exist is no failure');
  command.option('--dry-run', 'say what would be deleted, change nothing');
  command.option('-y, --yes', 'do not ask');
  command.option('--force', 'internal topics, too');
  addHiddenFlags(command, 'yes', '--no-confirm', '--noconfirm');
  onAction<Omit<TopicDeleteOptions, 'topics'>>(command, host, (options, [topics]) =>
    runTopicDelete({ ...options, topics: topics as string[] }, host.context),
  );
}

export async function runTopicDelete(options: TopicDeleteOptions, context: CliContext): Promise<ExitCode> {
  const { dryRun = false, ifExists = false } = options;
  checkTopics(options);
  const request = { topics: options.topics, ...(ifExists ? { ifMissing: () => 0 as ExitCode } : {}) };
  return withClient(options, context, request, async (client, { directory }) => {
    const admin = client.admin();
    const listings = new Map((await admin.listTopics({ internal: true })).map((listing) => [listing.topic, listing]));
    const names = await topicNames(admin, options).catch((error: unknown) => {
      if (ifExists && error instanceof KlogError && error.code === 'KLOG_NOT_FOUND') return [];
      throw error;
    });
    const present = names.flatMap((name) => listings.get(name) ?? []).filter((one) => isAllowed(one, options));
    if (present.length > 0 && !dryRun) await confirm(`delete ${planned(present)} in ${directory}`, options, context);

    const results: { topic: string; deleted: boolean }[] = [];
    const remove = async (name: string) => {
      const listing = listings.get(name);
      if (listing === undefined) {
        if (options.yes === true && !dryRun && (await finishesDelete(admin, name))) {
          results.push({ topic: name, deleted: true });
          notice(options, context, `finished deleting topic '${name}' in ${directory}`);
          return;
        }
        if (!ifExists) await refuseUnknown(admin, name);
        results.push({ topic: name, deleted: false });
        notice(options, context, `there is no topic '${name}' in ${directory}`);
        return;
      }
      if (!isAllowed(listing, options)) {
        throw new KlogError('KLOG_USAGE', `will not delete the internal topic '${name}'`, {
          topic: name,
          hint: 'Override with --force',
        });
      }
      if (!dryRun) await admin.deleteTopic(name);
      results.push({ topic: name, deleted: !dryRun });
      const verb = dryRun ? 'would delete' : 'deleted';
      notice(options, context, `${verb} ${planned([listing])} in ${directory}`);
    };
    const code = await forEachOperand(names, options, context, remove, (error) => suggestName(error, client));
    if (options.json) printJson(context, results);
    return code;
  });
}

/** A delete that was interrupted leaves a topic that is not listed any more, and files that are still there. */
async function finishesDelete(admin: Admin, topic: string): Promise<boolean> {
  try {
    await admin.deleteTopic(topic);
    return true;
  } catch (error) {
    if (error instanceof KlogError && error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
    throw error;
  }
}

function isAllowed(listing: TopicListing, options: TopicDeleteOptions): boolean {
  return !listing.internal || options.force === true;
}

function planned(listings: readonly TopicListing[]): string {
  const texts = listings.map(({ topic, partitions }) => `'${topic}' (${counted(partitions, 'partition')})`);
  return `topic${listings.length === 1 ? '' : 's'} ${texts.join(', ')}`;
}
