import type { Command } from 'commander';
import type { TopicCloneOptions } from '../archive/run-topic-clone.js';
import { addHiddenFlags, type CommandHost, describeCommand, onAction } from '../command-host.js';

export function defineTopicClone(topic: Command, host: CommandHost): void {
  const command = describeCommand(topic.command('clone <source> <target>'), {
    summary: 'make a topic like another, with or without its records',
    description: `Makes a new topic with the partitions and configs of another. With --with-records it holds the same records at the same offsets, gaps included, and is seen by nobody before it is complete. (klog copy goes through records one by one: it can filter, and add to a topic that is there.)`,
    examples: [
      { command: 'klog topic clone orders orders-test', does: 'an empty topic with the same configs' },
      { command: 'klog topic clone orders orders-before --with-records', does: 'a twin, as of now' },
    ],
    json: 'an object: source, target, partitions, configs, bytes (with --with-records), cloned',
  });
  command.option('--with-records', 'with all records, at the same offsets');
  command.option('--dry-run', 'check everything, change nothing');
  command.option('--force', 'internal topics, too');
  addHiddenFlags(command, 'withRecords', '--data', '--with-data');
  onAction<Omit<TopicCloneOptions, 'source' | 'target'>>(command, host, async (options, [source, target]) => {
    const { runTopicClone } = await import('../archive/run-topic-clone.js');
    return runTopicClone({ ...options, source: source as string, target: target as string }, host.context);
  });
}
