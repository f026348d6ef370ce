import type { Command } from 'commander';
import {
  addHiddenFlags,
  type CommandHost,
  describeCommand,
  onAction,
  repeatable,
  valueOption,
} from '../command-host.js';
import { type EraseOptions, runErase } from '../upkeep/run-erase.js';

export function defineErase(erase: Command, host: CommandHost): void {
  const command = describeCommand(
    erase.argument('<record...>', 'T:P@OFFSET (T@OFFSET with one partition); with --key T or T:P'),
    {
      summary: 'erase single records for good',
      description: `Erases records by their place, or all records with a key. The segments that hold them are written anew without them, and the old bytes are unlinked, whatever the topic's cleanup.policy says. All other records keep their offsets. Asks first, or needs -y where nobody can be asked.

A key is looked for in all partitions, unless one is named. What producers write meanwhile is not looked at. Copies elsewhere (other topics, archives, backups, blocks that the disk has not yet written over) are not touched.`,
      examples: [
        { command: 'klog erase orders:0@42', does: 'one record' },
        { command: 'klog erase users --key alice -y', does: 'every record with this key' },
        { command: 'klog erase users --key alice --dry-run', does: 'how many there are' },
      ],
      json: 'an array: topic, partition, offset or keyBase64, records, segments, cutFiles, erased',
    },
  );
  const text = (value: string) => value;
  command.addOption(valueOption('-k, --key <key>', 'all records with this key (repeatable)', repeatable(text)));
  command.addOption(
    valueOption('--key-base64 <key>', 'the same for a key that is not text (repeatable)', repeatable(text)),
  );
  command.option('--dry-run', 'count what would be erased, change nothing');
  command.option('-y, --yes', 'do not ask');
  command.option('--force', 'internal topics, too');
  addHiddenFlags(command, 'yes', '--no-confirm', '--noconfirm');
  onAction<Omit<EraseOptions, 'records'>>(command, host, (options, [records]) =>
    runErase({ ...options, records: records as string[] }, host.context),
  );
}
