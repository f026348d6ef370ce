import { type Command, Option } from 'commander';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import { type SelectionOptions, startOf } from '../consume/record-selection.js';
import { type HandlerOptions, hasHandler } from '../handlers/handler-options.js';
import { exclude, need } from '../option-errors.js';
import { checkTopics } from '../topic-selection.js';
import { parsePartitionOperand } from '../values/parse-partition.js';

export type CommitMode = 'none' | 'auto' | 'each';

/** Reading as a member of a consumer group. */
export interface GroupOptions {
  readonly group?: string;
  readonly commit?: CommitMode;
  /** Begins where this group is, and takes no part in it. */
  readonly fromGroup?: string;
}

export function addGroupOptions(command: Command): void {
  command.option(
    '-g, --group <group>',
    'share the partitions with the other members of this group, and go on where it has committed',
  );
  command.option('--from-group <group>', 'begin where this group has committed, without taking part in it');
  command.addOption(
    new Option(
      '--commit <when>',
      'none; auto: now and then, and at the end; each: behind each record (default: auto, with --exec each)',
    ).choices(['none', 'auto', 'each']),
  );
}

export function commitModeOf(options: GroupOptions & HandlerOptions): CommitMode {
  return options.commit ?? (hasHandler(options) ? 'each' : 'auto');
}

interface Together extends GroupOptions, SelectionOptions {
  readonly reverse?: boolean;
  readonly order?: 'partition' | 'time';
  readonly dump?: string;
}

/** KLOG_USAGE. */
export function checkGroupId(id: string | undefined): void {
  if (id === '') throw new KlogError('KLOG_USAGE', "a group's id must not be empty");
}

/** Finds what does not go with a group before a log is looked for. KLOG_USAGE. */
export function checkGroup(options: Together): void {
  const { group, commit, partitions, reverse, order, to, fromGroup } = options;
  checkGroupId(group);
  checkGroupId(fromGroup);
  if (fromGroup !== undefined && group !== undefined) exclude('-g', '--from-group');
  if (fromGroup !== undefined && options.reverse) exclude('--from-group', '--reverse');
  if (group === undefined) {
    if (commit !== undefined) need('--commit', '-g');
    return;
  }
  if (partitions !== undefined) exclude('-g', '-p: the group shares the partitions out');
  if (reverse) exclude('-g', '--reverse');
  if (order === 'time') exclude('-g', '--order time');
  if (to !== undefined) exclude('-g', '--to');
  if (options.dump !== undefined) exclude('-g', '--dump');
}

/** Finds what is wrong with what a member wants to read. KLOG_USAGE, INVALID_TOPIC_EXCEPTION. */
export function checkSubscription(options: SelectionOptions, context: CliContext): void {
  startOf(options, context);
  const { topics, regex = false } = options;
  checkTopics({ topics: topics.map((text) => (regex ? text : topicOf(text))), regex });
}

function topicOf(text: string): string {
  const { topic, partition, offset } = parsePartitionOperand(text, { now: 0 });
  if (partition === undefined && offset === undefined) return topic;
  throw new KlogError('KLOG_USAGE', `'${text}' is more than a topic: with -g the group shares the partitions out`);
}
