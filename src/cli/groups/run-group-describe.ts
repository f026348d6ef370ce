import type { GroupDescription } from '../../clients/group-admin.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { counted, printJson } from '../listing.js';
import { suggestName, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import { exclude } from '../option-errors.js';
import { printGroup, printSection, type Section } from './group-tables.js';
import { offsetsToCsv } from './offsets-csv.js';

export interface GroupDescribeOptions extends GlobalOptions {
  /** None: all. */
  readonly groups: readonly string[];
  readonly section?: Section;
  readonly lagging?: boolean;
  readonly export?: boolean;
  readonly failIfLag?: number;
}

export async function runGroupDescribe(options: GroupDescribeOptions, context: CliContext): Promise<ExitCode> {
  const { failIfLag } = options;
  if (options.export && options.section !== undefined) exclude('--export', '--section');
  if (options.export && options.json) exclude('--export', '--json');
  return withClient<ExitCode>(options, context, { topics: [] }, async (client) => {
    const admin = client.admin();
    const groups =
      options.groups.length > 0 ? options.groups : (await admin.listGroups()).map(({ groupId }) => groupId);
    if (options.export && groups.length > 1) {
      throw new KlogError('KLOG_USAGE', '--export is for one group', { hint: 'Name the group' });
    }
    const described: GroupDescription[] = [];
    const describe = async (groupId: string) => {
      const [group] = await admin.describeGroups([groupId]);
      described.push(group!);
      await print(chosen(group!, options), described.length === 1, options, context);
    };
    const code =
      groups.length === 0
        ? 0
        : await forEachOperand(groups, options, context, describe, (error) => suggestName(error, client));
    if (options.json) {
      printJson(
        context,
        described.map((group) => ({ ...chosen(group, options), totalLag: totalLag(group) })),
      );
    }
    if (failIfLag !== undefined) checkLag(described, failIfLag);
    return code;
  });
}

async function print(
  group: GroupDescription,
  isFirst: boolean,
  options: GroupDescribeOptions,
  context: CliContext,
): Promise<void> {
  if (options.json) return;
  if (options.export) {
    context.stdout.appendText(offsetsToCsv(committedOf(group)));
  } else if (options.section !== undefined) {
    await printSection(options.section, group, context);
  } else {
    if (!isFirst) context.stdout.appendText('\n');
    await printGroup(group, context);
  }
}

function committedOf({ offsets }: GroupDescription) {
  return offsets
    .filter(({ committedOffset }) => committedOffset >= 0)
    .map(({ topic, partition, committedOffset }) => ({ topic, partition, offset: committedOffset }));
}

function chosen(group: GroupDescription, { lagging = false }: GroupDescribeOptions): GroupDescription {
  return lagging ? { ...group, offsets: group.offsets.filter(({ lag }) => lag > 0) } : group;
}

/** What cannot be told counts for nothing. */
export function totalLag({ offsets }: GroupDescription): number {
  return offsets.reduce((sum, { lag }) => sum + Math.max(0, lag), 0);
}

function checkLag(groups: readonly GroupDescription[], most: number): void {
  const behind = groups.filter((group) => totalLag(group) > most);
  if (behind.length === 0) return;
  const which = behind.map((group) => `${counted(totalLag(group), 'record')} for group '${group.groupId}'`);
  throw new KlogError('KLOG_CONDITION_FAILED', `more than ${most} remain: ${which.join(', ')}`);
}
