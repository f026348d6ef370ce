import type { Command } from 'commander';
import {
  addHiddenAliases,
  type CommandHost,
  describeCommand,
  onAction,
  repeatable,
  valueOption,
} from '../command-host.js';
import { addIsolationOption } from '../consume/isolation-level.js';
import { addPrintOptions } from '../consume/print-options.js';
import { addFilterOptions } from '../consume/record-filter.js';
import { addRangeOptions } from '../consume/record-selection.js';
import { addDamageOption } from '../consume/skipped-damage.js';
import { addHandlerOptions } from '../handlers/handler-options.js';
import { parseSpeed } from '../replay/parse-speed.js';
import { type ReplayOptions, runReplay } from '../replay/run-replay.js';
import { addPartitionsOption } from '../topic-selection.js';
import { parseCount, parseNumberOfRecords } from '../values/parse-count.js';

export function defineReplay(replay: Command, host: CommandHost): void {
  const command = describeCommand(replay.argument('<topic>'), {
    summary: 'go through a range of records again',
    description:
      "Reprocesses a bounded range of a topic, from the start to the end found when it began, without touching anybody's position: printed, through a command, into another topic, or back to where each record came from.",
    examples: [
      { command: 'klog replay orders --from 100 --to 200', does: 'a range by offset' },
      { command: 'klog replay orders --from @2026-11-22T08:00:00Z --speed 10x', does: 'ten times as fast as it came' },
      { command: 'klog replay orders --from @-1h --into orders-again', does: 'the last hour into another topic' },
      { command: "klog replay orders --exec 'curl -fsS -d @- localhost:8080'", does: 'each record through a command' },
      { command: 'klog replay orders -g billing --from @-1h', does: 'the last hour again by a group, which is moved' },
      {
        command: 'klog replay failed --to-header __connect.errors.topic --dry-run',
        does: 'what would go back from a dead letter queue, and where to',
      },
    ],
    json: 'records as JSON, as -J; with --into an object: source, target, records, resumed; with --to-header: source, records, targets, stayed',
  });
  const offset = valueOption(
    '-o, --offset <offset>',
    'a range as of consume: N:M, -N, @T1:T2, …',
    repeatable((text) => text),
  );
  command.addOption(offset);
  addRangeOptions(command);
  addPartitionsOption(command);
  const most = valueOption('-n, --max-messages <n>', 'so many records at most', parseNumberOfRecords);
  command.addOption(most);
  addHiddenAliases(command, most, '--num <n>', '--count <n>');
  command.addOption(valueOption('--speed <factor>', '1x as recorded, 10x, 0.5x, or max (default: max)', parseSpeed));
  command.option('--into <topic>', 'write the records to this topic; headers tell where each came from');
  command.addOption(
    valueOption(
      '--to-header <header>',
      'send each record back to the topic that this header names, and to the partition that the one beside it does (repeatable: the first it has counts)',
      repeatable((text) => text),
    ),
  );
  command.addOption(
    valueOption('--max-redrives <n>', 'with --to-header: what was sent back so often stays (default: 3)', parseCount),
  );
  command.option(
    '-g, --group <group>',
    'move what this group has committed to where the range begins, so that its own consumers reprocess',
  );
  command.option('-y, --yes', 'with -g: do not ask');
  command.option('--resume', 'with --into or --to-header: go on with what is not there yet');
  command.option('--force', 'with --into: also records that once came from there, and an internal topic');
  addHandlerOptions(command);
  addFilterOptions(command);
  addDamageOption(command);
  addPrintOptions(command, '-f, --format <format>');
  addIsolationOption(command);
  command.option('--dry-run', 'show what would be replayed');
  onAction<Omit<ReplayOptions, 'topic'>>(command, host, (options, [topic]) =>
    runReplay({ ...options, topic: topic as string }, host.context),
  );
}
