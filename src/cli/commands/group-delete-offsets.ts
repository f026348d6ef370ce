import type { Command } from 'commander';
import type { CliContext } from '../cli-context.js';
import { addHiddenFlags, type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { checkPartitions } from '../groups/select-partitions.js';
import { printJson } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { confirm } from '../prompts.js';
import { addPartitionsOption } from '../topic-selection.js';
import { parsePartitionOperand } from '../values/parse-partition.js';

export interface GroupDeleteOffsetsOptions extends GlobalOptions {
  readonly group: string;
  /** `T` or `T:P`. */
  readonly topics: readonly string[];
  readonly partitions?: readonly number[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function defineGroupDeleteOffsets(group: Command, host: CommandHost): void {
  const command = describeCommand(group.command('delete-offsets <group> <topic...>').alias('offset-delete'), {
    summary: 'forget what a group has committed of topics',
    description:
      'Deletes the committed offsets of topics or partitions (T:P), also of topics that are no more: whoever reads them next begins anew. Asks first, or needs -y where nobody can be asked. Refused while a member reads them (exit code 8).',
    examples: [
      { command: 'klog group delete-offsets billing orders', does: 'of all its partitions' },
      { command: 'klog group delete-offsets billing orders:0 -y', does: 'of one' },
    ],
    json: 'an array: topic, partition, deleted',
  });
  addPartitionsOption(command);
  command.option('--dry-run', 'say what would be deleted, change nothing');
  command.option('-y, --yes', 'do not ask');
  command.option('--force', 'although members read them: they go on where they are');
  addHiddenFlags(command, 'yes', '--no-confirm', '--noconfirm');
  onAction<Omit<GroupDeleteOffsetsOptions, 'group' | 'topics'>>(command, host, (options, [name, topics]) =>
    runGroupDeleteOffsets({ ...options, group: name as string, topics: topics as string[] }, host.context),
  );
}

export async function runGroupDeleteOffsets(
  options: GroupDeleteOffsetsOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { group, partitions, dryRun = false, force = false } = options;
  checkPartitions(options);
  const operands = options.topics.map((text) => parsePartitionOperand(text, { now: 0 }));
  return withClient<ExitCode>(options, context, { topics: [] }, async (client, { directory }) => {
    const admin = client.admin();
    const [description] = await admin.describeGroups([group]);
    // The topics may be gone: what is committed is what there is.
    const wanted = description!.offsets.filter(
      (one) =>
        one.committedOffset >= 0 &&
        operands.some(
          ({ topic, partition }) =>
            topic === one.topic &&
            (partition === undefined ? (partitions?.includes(one.partition) ?? true) : partition === one.partition),
        ),
    );
    const places = wanted.map(({ topic, partition }) => ({ topic, partition }));
    const names = places.map(({ topic, partition }) => `${topic}:${partition}`).join(', ');
    // What would be refused is not asked about.
    await admin.deleteGroupOffsets(group, places, { force, validateOnly: true });
    const what = `the offsets of ${names} of group '${group}' in ${directory}`;
    if (places.length > 0 && !dryRun) await confirm(`delete ${what}`, options, context);
    const deleted = await admin.deleteGroupOffsets(group, places, { force, validateOnly: dryRun });
    if (deleted.length > 0) notice(options, context, `${dryRun ? 'would delete' : 'deleted'} ${what}`);
    else notice(options, context, `group '${group}' in ${directory} has committed nothing of these`);
    if (options.json) {
      printJson(
        context,
        deleted.map(({ topic, partition }) => ({ topic, partition, deleted: !dryRun })),
      );
    }
    return 0;
  });
}
