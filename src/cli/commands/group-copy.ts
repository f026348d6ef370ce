import type { Command } from 'commander';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { confirm } from '../prompts.js';

export interface GroupCopyOptions extends GlobalOptions {
  readonly from: string;
  readonly to: string;
  readonly topics: readonly string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function defineGroupCopy(group: Command, host: CommandHost): void {
  const command = describeCommand(group.command('copy <from> <to> [topic...]').alias('clone'), {
    summary: "commit a group's offsets for another one",
    description:
      'Commits for the second group what the first has committed, of all topics or those named. What else the second one has stays. If there is such a group, it asks, or needs -y where nobody can be asked; refused while its members read what is to be moved (exit code 8).',
    examples: [
      { command: 'klog group copy billing billing-test', does: 'a second group that begins where the first is' },
      { command: 'klog group copy billing audit orders -y', does: 'of one topic, over what is there' },
    ],
    json: 'an array: topic, partition, offset, metadata',
  });
  command.option('--dry-run', 'show what would be committed, change nothing');
  command.option('-y, --yes', 'do not ask');
  command.option('--force', 'although members read them: what they commit next counts');
  onAction<Omit<GroupCopyOptions, 'from' | 'to' | 'topics'>>(command, host, (options, [from, to, topics]) =>
    runGroupCopy({ ...options, from: from as string, to: to as string, topics: topics as string[] }, host.context),
  );
}

export async function runGroupCopy(options: GroupCopyOptions, context: CliContext): Promise<ExitCode> {
  const { from, to, dryRun = false, force = false } = options;
  if (from === to) throw new KlogError('KLOG_USAGE', `group '${from}' cannot be copied to itself`);
  const selected = options.topics.length > 0 ? { topics: options.topics } : {};
  return withClient<ExitCode>(options, context, { topics: [] }, async (client, { directory }) => {
    const admin = client.admin();
    const planned = await admin.copyGroup(from, to, { ...selected, force, validateOnly: true });
    const isThere = (await admin.listGroups()).some(({ groupId }) => groupId === to);
    const plan = `${counted(planned.length, 'offset')} of group '${from}' to group '${to}' in ${directory}`;
    if (isThere && planned.length > 0 && !dryRun) await confirm(`copy ${plan}`, options, context);
    const copied = await admin.copyGroup(from, to, { ...selected, force, validateOnly: dryRun });
    notice(options, context, `${dryRun ? 'would copy' : 'copied'} ${plan}`);
    if (options.json) printJson(context, copied);
    return 0;
  });
}
