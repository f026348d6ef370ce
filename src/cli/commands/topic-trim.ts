import type { Command } from 'commander';
import { addHiddenFlags, type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';
import { addPartitionsOption, addRegexOption } from '../topic-selection.js';
import type { TopicTrimOptions } from '../upkeep/run-topic-trim.js';
import { parseNumberOfRecords } from '../values/parse-count.js';

/** rpk's and Kafka's names for it are understood, too. */
export function defineTopicTrim(topic: Command, host: CommandHost): void {
  defineTrim(topic.command('trim <topic...>'), host);
  for (const name of ['trim-prefix', 'delete-records']) {
    defineTrim(topic.command(`${name} <topic...>`, { hidden: true }), host);
  }
}

function defineTrim(trim: Command, host: CommandHost): void {
  const command = describeCommand(trim, {
    summary: 'delete the oldest records, up to an offset or a time',
    description: `Deletes the records below an offset, older than a time, or all but the last ones. They cannot be read any more from then on; their space comes back segment by segment. Records keep their offsets. Asks first, or needs -y where nobody can be asked.

A time stands for the first offset whose record is not older. --keep counts offsets in each partition, of which compaction may have emptied some.`,
    examples: [
      { command: 'klog topic trim orders -o 1000', does: 'everything below offset 1000, in each partition' },
      { command: 'klog topic trim orders --before -7d -y', does: 'what is older than a week' },
      { command: 'klog topic trim orders --keep 100 -p 0,2 --dry-run', does: 'what would go of two partitions' },
    ],
    json: 'an array: topic, partition, lowWatermark (where it begins now), offsets (deleted), segments, sizeInBytes, trimmed',
  });
  const text = (value: string) => value;
  command.addOption(valueOption('-o, --offset <offset>', 'keep from here on: 42, @TIME, -5, end', text));
  command.addOption(valueOption('--before <time>', 'delete what is older: 2024-05-01, -7d', text).conflicts('offset'));
  command.addOption(
    valueOption('--keep <n>', 'keep the last N offsets of each partition', parseNumberOfRecords).conflicts([
      'offset',
      'before',
    ]),
  );
  addPartitionsOption(command);
  command.option('--tz <zone>', 'zone of times that name none (default: UTC)');
  addRegexOption(command);
  command.option('--dry-run', 'say what would be deleted, change nothing');
  command.option('-y, --yes', 'do not ask');
  command.option('--force', 'internal topics, too');
  addHiddenFlags(command, 'yes', '--no-confirm', '--noconfirm');
  onAction<Omit<TopicTrimOptions, 'topics'>>(command, host, async (options, [topics]) => {
    const { runTopicTrim } = await import('../upkeep/run-topic-trim.js');
    return runTopicTrim({ ...options, topics: topics as string[] }, host.context);
  });
}
