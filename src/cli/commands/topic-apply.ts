import type { Command } from 'commander';
import { KlogError } from '../../errors.js';
import type { TopicApplyOptions } from '../apply/run-topic-apply.js';
import { addHiddenFlags, type CommandHost, describeCommand, onAction } from '../command-host.js';
import { printJson } from '../listing.js';

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
  command.option('--force', 'internal topics, too');
  command.option('--schema', 'print a JSON Schema of the file');
  addHiddenFlags(command, 'yes', '--no-confirm', '--noconfirm');
  onAction<Omit<TopicApplyOptions, 'file'> & { schema?: boolean }>(command, host, async (options, [file]) => {
    if (options.schema) {
      const { DECLARED_TOPICS_SCHEMA } = await import('../apply/declared-topics.js');
      printJson(host.context, DECLARED_TOPICS_SCHEMA);
      return 0;
    }
    if (file === undefined) throw new KlogError('KLOG_USAGE', "topic apply: missing required argument 'file'");
    const { runTopicApply } = await import('../apply/run-topic-apply.js');
    return runTopicApply({ ...options, file: file as string }, host.context);
  });
}
