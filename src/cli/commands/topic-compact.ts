import type { Command } from 'commander';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import { addPartitionsOption, addRegexOption } from '../topic-selection.js';
import type { TopicCompactOptions } from '../upkeep/run-topic-compact.js';

export function defineTopicCompact(topic: Command, host: CommandHost): void {
  const command = describeCommand(topic.command('compact <topic...>'), {
    summary: 'keep only the last record of each key, now',
    description: `Compacts topics whose cleanup.policy has compact, at once and to the end: of each key the last record stays. Producers do the same a little at a time, when min.cleanable.dirty.ratio says so. min.compaction.lag.ms and delete.retention.ms still hold, so tombstones stay for as long as readers may need them. Offsets stay as they are.`,
    examples: [
      { command: 'klog topic compact users', does: 'all partitions' },
      { command: 'klog topic compact users -p 0 --dry-run', does: 'how many records and bytes would go' },
    ],
    json: 'an array: topic, partition, skipped, firstDirtyOffset, recordsBefore, recordsAfter, segmentsBefore, segmentsAfter, sizeBefore, sizeAfter, compacted',
  });
  addPartitionsOption(command);
  addRegexOption(command);
  command.option('--dry-run', 'read everything, say what would go, change nothing');
  onAction<Omit<TopicCompactOptions, 'topics'>>(command, host, async (options, [topics]) => {
    const { runTopicCompact } = await import('../upkeep/run-topic-compact.js');
    return runTopicCompact({ ...options, topics: topics as string[] }, host.context);
  });
}
