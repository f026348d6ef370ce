import type { Command } from 'commander';
import { type ImportOptions, runImport } from '../archive/run-import.js';
import { type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';

export function defineImport(command: Command, host: CommandHost): void {
  describeCommand(command.argument('<file>', 'an archive of klog export; - is standard input'), {
    summary: 'make topics from an archive of klog export',
    description: `Makes the topics of an archive again: partitions, configs, and records with their offsets. Topics get new ids. A file is checked as a whole before anything is made; what comes through a pipe is checked as it comes. New topics are seen by nobody before all of them are complete, come with what consumer groups have committed of them, and a failed import leaves none.

A topic that is there is filled if it is empty, its configs staying as they are; what groups have committed of it comes last, so that groups read again, and skip nothing, if import is killed before. If it has records, --append adds those of the archive behind them, with new offsets. A damaged or incomplete archive ends with exit code 3 and the byte where it is.`,
    examples: [
      { command: 'klog import backup.klog', does: 'all of it' },
      {
        command: 'klog import backup.klog --topics orders,payments --dry-run',
        does: 'check the archive, say what would be made',
      },
      { command: 'klog -d /srv/copy/.klog import backup.klog', does: 'into another directory' },
    ],
    json: 'an array: topic, partitions, configs, records, mode (create, continue, append), imported',
  });
  command.addOption(
    valueOption(
      '--topics <list>',
      'only these topics of the archive (repeatable)',
      (text, previous: readonly string[] = []) => [...previous, ...text.split(',').filter((name) => name !== '')],
    ),
  );
  command.option('--no-groups', 'without what consumer groups have committed');
  command.option('--append', 'add to topics that have records, with new offsets');
  command.option('--dry-run', 'check the archive, say what would be made, change nothing');
  onAction<Omit<ImportOptions, 'file'>>(command, host, (options, [file]) =>
    runImport({ ...options, file: file as string }, host.context),
  );
}
