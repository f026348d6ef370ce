import { type Command, Option } from 'commander';
import type { GroupListing, GroupStateName } from '../../clients/group-admin.js';
import type { CliContext } from '../cli-context.js';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { printJson, printTable } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import type { DirectoryLocation } from '../resolve-directory.js';
import { parseTopicPattern } from '../values/parse-topic-pattern.js';

export interface GroupListOptions extends GlobalOptions {
  /** Regular expressions; none: all groups. */
  readonly patterns: readonly string[];
  readonly state?: GroupStateName;
}

export function defineGroupList(group: Command, host: CommandHost): void {
  const command = describeCommand(group.command('list [pattern...]').alias('ls'), {
    summary: 'list consumer groups',
    description:
      'Lists groups by id, with their state and the number of their living members. Without a terminal: one group a line, columns separated by tabs, no headings.',
    examples: [
      { command: 'klog group list', does: 'all groups' },
      { command: "klog group list 'billing-.*' --state Empty", does: 'those that nobody works in' },
    ],
    json: 'an array: groupId, state, protocolType, members',
  });
  command.addOption(
    new Option('--state <state>', 'only groups in this state').choices(['Empty', 'Stable', 'PreparingRebalance']),
  );
  onAction<Omit<GroupListOptions, 'patterns'>>(command, host, (options, [patterns]) =>
    runGroupList({ ...options, patterns: patterns as string[] }, host.context),
  );
}

export async function runGroupList(options: GroupListOptions, context: CliContext): Promise<ExitCode> {
  const patterns = options.patterns.map(parseTopicPattern);
  const ifMissing = (location: DirectoryLocation): GroupListing[] => {
    notice(options, context, `there is no log at ${location.directory} yet`);
    return [];
  };
  const all = await withClient(options, context, { topics: [], ifMissing }, (client) => client.admin().listGroups());
  const listings = all.filter(
    ({ groupId, state }) =>
      (patterns.length === 0 || patterns.some((pattern) => pattern.test(groupId))) &&
      (options.state === undefined || options.state === state),
  );
  if (options.json) printJson(context, listings);
  else await printTable(context, COLUMNS, listings);
  return 0;
}

const COLUMNS = [
  { heading: 'GROUP', value: (listing: GroupListing) => listing.groupId },
  { heading: 'STATE', value: (listing: GroupListing) => listing.state },
  { heading: 'MEMBERS', value: (listing: GroupListing) => listing.members, align: 'right' },
] as const;
