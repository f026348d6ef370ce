import { type Command, Option } from 'commander';
import { type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';
import type { GroupDescribeOptions } from '../groups/run-group-describe.js';
import { parseNumberOfRecords } from '../values/parse-count.js';

export function defineGroupDescribe(group: Command, host: CommandHost): void {
  const command = describeCommand(group.command('describe [group...]').alias('info'), {
    summary: 'show members, offsets and lag of groups',
    description: `Shows the state of groups, who works in them, and for each partition what is committed, where the log ends, and what remains: in records, and as the age of the next record. Without a name: all groups.

Where nothing is committed all of the partition remains. A member is stalled when its process is stopped: what it holds is held up until it goes on, or klog group evict ends its membership.`,
    examples: [
      { command: 'klog group describe billing', does: 'everything about one group' },
      { command: 'klog group describe billing --section offsets', does: 'a partition a line, for scripts' },
      { command: 'klog group describe --fail-if-lag 1000 -q', does: 'exit code 6 if any group is far behind' },
      {
        command: 'klog group describe billing --export > billing.csv',
        does: 'its offsets, for group seek --to file:…',
      },
    ],
    json: 'an array: groupId, state, protocolType, members, generation, protocol, totalLag, memberDetails, offsets',
  });
  command.addOption(
    new Option('--section <section>', 'only this part, a row a line').choices(['summary', 'members', 'offsets']),
  );
  command.option('--lagging', 'only partitions with something left to read');
  command.option('--export', 'print committed offsets as CSV: topic,partition,offset');
  command.addOption(
    valueOption('--fail-if-lag <n>', 'exit code 6 if more than N records remain for a group', parseNumberOfRecords),
  );
  onAction<Omit<GroupDescribeOptions, 'groups'>>(command, host, async (options, [groups]) => {
    const { runGroupDescribe } = await import('../groups/run-group-describe.js');
    return runGroupDescribe({ ...options, groups: groups as string[] }, host.context);
  });
}
