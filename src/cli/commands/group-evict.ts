import type { Command } from 'commander';
import type { CliContext } from '../cli-context.js';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { printJson } from '../listing.js';
import { notice } from '../notices.js';
import { suggestName, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';

export interface GroupEvictOptions extends GlobalOptions {
  readonly group: string;
  readonly members: readonly string[];
  readonly dryRun?: boolean;
}

export function defineGroupEvict(group: Command, host: CommandHost): void {
  const command = describeCommand(group.command('evict <group> <member...>'), {
    summary: 'end the membership of members that hang',
    description: `Ends the membership of members, by id or instance id (klog group describe shows both), and gives their partitions to the others. For a member whose process is stopped, or whose lock file somebody has removed: the dead are found without it.

What an evicted member has in hand may be done twice; it commits nothing any more, and comes back only as a new member.`,
    examples: [
      { command: 'klog group describe billing --section members', does: 'who there is' },
      { command: 'klog group evict billing klog-3f2a…', does: 'ends one of them' },
    ],
    json: 'an array: groupId, memberId, evicted',
  });
  command.option('--dry-run', 'say who would be evicted, change nothing');
  onAction<Omit<GroupEvictOptions, 'group' | 'members'>>(command, host, (options, [name, members]) =>
    runGroupEvict({ ...options, group: name as string, members: members as string[] }, host.context),
  );
}

export async function runGroupEvict(options: GroupEvictOptions, context: CliContext): Promise<ExitCode> {
  const { group, members, dryRun = false } = options;
  return withClient<ExitCode>(options, context, { topics: [] }, async (client, { directory }) => {
    const evicted: { groupId: string; memberId: string; evicted: boolean }[] = [];
    const evict = async (member: string) => {
      const memberId = await client.admin().evictGroupMember(group, member, { validateOnly: dryRun });
      evicted.push({ groupId: group, memberId, evicted: !dryRun });
      notice(
        options,
        context,
        `${dryRun ? 'would evict' : 'evicted'} ${memberId} from group '${group}' in ${directory}`,
      );
    };
    const code = await forEachOperand([...new Set(members)], options, context, evict, (error) =>
      suggestName(error, client),
    );
    if (options.json) printJson(context, evicted);
    return code;
  });
}
