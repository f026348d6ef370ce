import type { Command } from 'commander';
import type { CliContext } from '../cli-context.js';
import { addHiddenFlags, type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { printJson } from '../listing.js';
import { notice } from '../notices.js';
import { suggestName, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import { confirm } from '../prompts.js';

export interface GroupDeleteOptions extends GlobalOptions {
  readonly groups: readonly string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function defineGroupDelete(group: Command, host: CommandHost): void {
  const command = describeCommand(group.command('delete <group...>').alias('rm'), {
    summary: 'delete groups with all their offsets',
    description:
      'Deletes groups with all they have committed. Asks first, or needs -y where nobody can be asked. Refused while a member lives (exit code 8); with --force its members are evicted.',
    examples: [
      { command: 'klog group delete billing', does: 'asks' },
      { command: 'klog group delete billing audit -y', does: 'for scripts' },
    ],
    json: 'an array: groupId, deleted',
  });
  command.option('--dry-run', 'say what would be deleted, change nothing');
  command.option('-y, --yes', 'do not ask');
  command.option('--force', 'evict the members there are');
  addHiddenFlags(command, 'yes', '--no-confirm', '--noconfirm');
  onAction<Omit<GroupDeleteOptions, 'groups'>>(command, host, (options, [groups]) =>
    runGroupDelete({ ...options, groups: groups as string[] }, host.context),
  );
}

export async function runGroupDelete(options: GroupDeleteOptions, context: CliContext): Promise<ExitCode> {
  const { dryRun = false, force = false } = options;
  const groups = [...new Set(options.groups)];
  return withClient<ExitCode>(options, context, { topics: [] }, async (client, { directory }) => {
    const admin = client.admin();
    const names = groups.map((groupId) => `'${groupId}'`).join(', ');
    const plan = `delete group${groups.length === 1 ? '' : 's'} ${names} in ${directory}`;
    // What would be refused is not asked about.
    if (groups.length === 1) await admin.deleteGroup(groups[0]!, { force, validateOnly: true });
    if (!dryRun) await confirm(plan, options, context);
    const results: { groupId: string; deleted: boolean }[] = [];
    const remove = async (groupId: string) => {
      await admin.deleteGroup(groupId, { force, validateOnly: dryRun });
      results.push({ groupId, deleted: !dryRun });
      notice(options, context, `${dryRun ? 'would delete' : 'deleted'} group '${groupId}' in ${directory}`);
    };
    const code = await forEachOperand(groups, options, context, remove, (error) => suggestName(error, client));
    if (options.json) printJson(context, results);
    return code;
  });
}
