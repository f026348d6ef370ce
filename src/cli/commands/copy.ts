import type { Command } from 'commander';
import { type CommandHost, describeCommand, onAction, repeatable, valueOption } from '../command-host.js';
import { addIsolationOption } from '../consume/isolation-level.js';
import { addFilterOptions } from '../consume/record-filter.js';
import { addRangeOptions } from '../consume/record-selection.js';
import { addDamageOption } from '../consume/skipped-damage.js';
import { type CopyOptions, runCopy } from '../replay/run-copy.js';
import { addPartitionsOption } from '../topic-selection.js';

export function defineCopy(copy: Command, host: CommandHost): void {
  const command = describeCommand(copy.argument('<source>').argument('<target>'), {
    summary: 'copy a topic into another',
    description:
      'Copies what a topic holds when it begins; keys, values, headers and timestamps stay. A missing target is made with the partitions and configs of the source. Records keep their partitions when both have as many, otherwise keys choose again.',
    examples: [
      { command: 'klog copy orders orders-backup', does: 'everything' },
      { command: "klog copy orders big --filter 'v.amount > 1000'", does: 'some of it' },
    ],
    json: 'an object: source, target, records; with --dry-run source, target, partitions, exists',
  });
  const offset = valueOption(
    '-o, --offset <offset>',
    'a range as of consume: N:M, -N, @T1:T2, … (default: everything)',
    repeatable((text) => text),
  );
  command.addOption(offset);
  addRangeOptions(command);
  addPartitionsOption(command);
  addFilterOptions(command);
  addDamageOption(command);
  command.option('--tz <zone>', 'time zone of times (default: UTC)');
  addIsolationOption(command);
  command.option('--dry-run', 'say what would be made, change nothing');
  command.option('--force', 'into an internal topic, too');
  onAction<Omit<CopyOptions, 'source' | 'target'>>(command, host, (options, [source, target]) =>
    runCopy({ ...options, source: source as string, target: target as string }, host.context),
  );
}
