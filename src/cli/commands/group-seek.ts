import type { Command } from 'commander';
import {
  addHelpSection,
  addHiddenAliases,
  addHiddenFlags,
  type CommandHost,
  describeCommand,
  onAction,
  valueOption,
} from '../command-host.js';
import type { GroupSeekOptions } from '../groups/run-group-seek.js';
import { addPartitionsOption } from '../topic-selection.js';

export function defineGroupSeek(group: Command, host: CommandHost): void {
  const command = describeCommand(group.command('seek <group> [topic...]').alias('reset-offsets'), {
    summary: 'move the committed offsets of a group',
    description: `Moves where a group goes on: of all that it has offsets of, or of the topics and partitions (T:P) named. A group that does not exist begins with it. Shows what is moved, and asks first, or needs -y where nobody can be asked.

Refused while a member reads what is to be moved (exit code 8): stop the members first. With --force it is moved all the same: the members go on where they are, and what they commit next counts.`,
    examples: [
      { command: 'klog group seek billing --to start', does: 'everything again' },
      { command: 'klog group seek billing orders:0 --to -100 -y', does: 'a hundred records of one partition again' },
      { command: 'klog group seek billing orders --to @-1h --dry-run', does: 'what the last hour would be' },
      { command: 'klog group seek billing --to file:billing.csv', does: 'as klog group describe --export wrote it' },
    ],
    json: 'an array: topic, partition, before (null: nothing was committed), after, lag, moved',
  });
  const to = valueOption('--to <place>', 'where to: see below', (text: string) => text);
  command.addOption(to);
  addHiddenAliases(command, to, '--to-offset <offset>', '--to-datetime <time>');
  addPartitionsOption(command);
  command.option('--tz <zone>', 'zone of times that name none (default: UTC)');
  command.option('--dry-run', 'show what would be moved, change nothing');
  command.option('-y, --yes', 'do not ask');
  command.option('--force', 'although members read it');
  addHiddenFlags(command, 'yes', '--no-confirm', '--noconfirm', '--execute');
  addHelpSection(command, {
    title: 'Places',
    rows: [
      ['start, end', 'of the log'],
      ['42', 'this offset'],
      ['+5, -5', 'so many offsets on or back from where the group is'],
      ['start+5, end-5', 'counted from the ends of the log'],
      ['@2024-05-01, @-15m, -15m', 'the first record that is not older; the end if there is none'],
      ['current', 'where the group is: moves only what lies outside the log'],
      ['group:OTHER', 'where another group is'],
      ['file:FILE', 'as lines topic,partition,offset say; - is standard input'],
    ],
  });
  onAction<Omit<GroupSeekOptions, 'group' | 'topics'>>(command, host, async (options, [name, topics]) => {
    const { runGroupSeek } = await import('../groups/run-group-seek.js');
    return runGroupSeek({ ...options, group: name as string, topics: topics as string[] }, host.context);
  });
}
