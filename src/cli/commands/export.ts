import type { Command } from 'commander';
import { type ExportOptions, runExport } from '../archive/run-export.js';
import { addHiddenAliases, type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';
import { addRegexOption } from '../topic-selection.js';

export function defineExport(command: Command, host: CommandHost): void {
  describeCommand(command.argument('[topic...]', 'topics (default: all but internal ones)'), {
    summary: 'write topics with all their records into one archive file',
    description: `Writes topics with their configs and all their records into one archive, from which klog import makes the same topics again: keys, values, headers, timestamps, partitions and offsets, gaps included. Record batches go as they are, compressed ones too.

It may be done while producers run: the archive holds what a consumer could have read of every partition at one and the same moment. What was acknowledged before the export began is in it; and with a record, whatever its producer had been acknowledged or had consumed before. Records that retention, compaction or a trim delete while the export runs may be missing. Open transactions are left out. What consumer groups have committed of these topics goes with them, as it was at that moment.

A file has its name only when it is complete and on the disk. An archive ends with counts and a checksum, so that import notices if any of it is missing.`,
    examples: [
      { command: 'klog export -o backup.klog', does: 'everything' },
      { command: 'klog export orders payments -z -o orders.klog', does: 'two topics, compressed' },
      { command: 'klog export | ssh other klog import -', does: 'to another machine' },
    ],
    json: 'with -o FILE, an object: file, topics (topic, topicId, partitions), records, recordBytes, groups, deleted',
  });
  const output = valueOption(
    '-o, --output <file>',
    'the archive file; - is standard output (default: -)',
    (path) => path,
  );
  command.addOption(output);
  command.option('-z, --compress', 'compress with zstd what is not compressed yet');
  command.option('--no-groups', 'without what consumer groups have committed');
  command.option('-i, --internal', 'internal topics, too, when all are exported');
  addRegexOption(command);
  addHiddenAliases(command, output, '--file <file>');
  onAction<Omit<ExportOptions, 'topics'>>(command, host, (options, [topics]) =>
    runExport({ ...options, topics: topics as string[] }, host.context),
  );
}
