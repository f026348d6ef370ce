import type { Command } from 'commander';
import type { Client } from '../../clients/client.js';
import type { ConsumerOptions, OffsetSpec, PartitionRange, TopicSelection } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import { validateTopicName } from '../../format/topic-name.js';
import type { CliContext } from '../cli-context.js';
import { addHiddenAliases, repeatable, valueOption } from '../command-host.js';
import { namingOption } from '../option-errors.js';
import { addPartitionsOption, addRegexOption, selectTopics } from '../topic-selection.js';
import { isBackwards, type OffsetSelection, parseOffset, parseOffsetPoint } from '../values/parse-offset.js';
import { parsePartitionOperand } from '../values/parse-partition.js';
import type { TimeContext } from '../values/parse-time.js';
import { parseTopicPattern, topicRegExp } from '../values/parse-topic-pattern.js';

/** Which records: the options of consume and replay that choose places in partitions. */
export interface SelectionOptions {
  /** `T`, `T:P`, `T[P]`; with `regex` expressions. */
  readonly topics: readonly string[];
  readonly offset?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly partitions?: readonly number[];
  readonly regex?: boolean;
  readonly tz?: string;
}

export function addSelectionOptions(command: Command): void {
  const offset = valueOption(
    '-o, --offset <offset>',
    'start end N N:M -N +N @TIME @T1:T2 or 0=5,1=7; half-open, for each partition (default: start)',
    repeatable((text) => text),
  );
  command.addOption(offset);
  addHiddenAliases(command, addPartitionsOption(command), '--partition <list>');
  addRangeOptions(command);
  addRegexOption(command);
}

export function addRangeOptions(command: Command): void {
  command.option('--from <place>', 'begin here: an offset, start, end, or a time');
  command.option('--to <place>', 'end before this offset or time');
}

/** A time in an option is read at the moment the command began. */
export function timeContext(options: { readonly tz?: string }, context: CliContext): TimeContext {
  return { now: context.clock.now(), ...(options.tz === undefined ? {} : { timeZone: options.tz }) };
}

/** Finds what is wrong with the options before a log is looked for. KLOG_USAGE, INVALID_TOPIC_EXCEPTION. */
export function checkSelection(options: SelectionOptions, context: CliContext): void {
  const time = timeContext(options, context);
  const range = rangeOf(options, time);
  for (const text of options.topics) {
    if (options.regex) parseTopicPattern(text);
    else validateTopicName(selectionOf(text, options, range, time).topic);
  }
}

/** What a consumer is told. KLOG_USAGE when options contradict each other. */
export async function selectRecords(
  client: Client,
  options: SelectionOptions,
  context: CliContext,
): Promise<Pick<ConsumerOptions, 'topics' | 'from' | 'to'>> {
  const time = timeContext(options, context);
  const range = rangeOf(options, time);
  const named = options.regex ? await matchingTopics(client, options.topics) : options.topics;
  const topics = named.map((text) => selectionOf(text, options, range, time));
  return {
    topics,
    ...(range.from === undefined ? {} : { from: range.from }),
    ...(range.to === undefined ? {} : { to: range.to }),
  };
}

/** What is followed of topics that match and are made later. */
export function laterTopics(options: SelectionOptions, context: CliContext): Pick<ConsumerOptions, 'patterns'> {
  if (options.regex !== true) return {};
  const time = timeContext(options, context);
  const range = rangeOf(options, time);
  const patterns = options.topics.map((text) => {
    const { partitions } = selectionOf(text, options, range, time);
    const pattern = topicRegExp(text);
    return partitions === undefined ? pattern : { pattern, partitions };
  });
  return { patterns };
}

/** Where a group begins that has committed nothing. KLOG_USAGE for a range, or a place for each partition. */
export function startOf(options: Omit<SelectionOptions, 'topics'>, context: CliContext): OffsetSpec | undefined {
  const range = rangeOf({ ...options, topics: [] }, timeContext(options, context), { hasGroup: true });
  if (range.to === undefined && range.partitions === undefined) return range.from;
  throw new KlogError('KLOG_USAGE', '-o with -g is where to begin, one place for all partitions', {
    hint: 'Leave out the end: -n bounds how many are read',
  });
}

function rangeOf(options: SelectionOptions, time: TimeContext, { hasGroup = false } = {}): OffsetSelection {
  const { offset = [], from, to } = options;
  if (offset.length === 0) {
    const range = {
      ...(from === undefined ? {} : { from: place('--from', from, time) }),
      ...(to === undefined ? {} : { to: place('--to', to, time) }),
    };
    if (!isBackwards(range.from, range.to)) return range;
    throw new KlogError('KLOG_USAGE', `the range from ${from} to ${to} ends before it begins`);
  }
  if (from !== undefined || to !== undefined) {
    throw new KlogError('KLOG_USAGE', '-o excludes --from and --to', { hint: 'Write both ends into -o: -o 10:20' });
  }
  let selection: OffsetSelection = {};
  for (const text of offset) selection = namingOption('-o', () => parseOffset(text, time, selection));
  if (selection.stored && !hasGroup) throw new KlogError('KLOG_USAGE', "-o: 'stored' needs a consumer group");
  return selection;
}

function place(option: string, text: string, time: TimeContext): OffsetSpec {
  return namingOption(option, () => parseOffsetPoint(text, time));
}

async function matchingTopics(client: Client, patterns: readonly string[]): Promise<string[]> {
  const listings = await selectTopics(client.admin(), { topics: patterns, regex: true });
  return listings.map(({ topic }) => topic);
}

function selectionOf(
  text: string,
  options: SelectionOptions,
  range: OffsetSelection,
  time: TimeContext,
): TopicSelection {
  const operand = options.regex ? { topic: text } : parsePartitionOperand(text, time);
  if (operand.offset !== undefined) {
    throw new KlogError('KLOG_USAGE', `'${text}' names a record`, { hint: `Use 'klog get ${text}', or -o` });
  }
  const { topic, partition } = operand;
  const chosen = partition === undefined ? options.partitions : [partition];
  const perPartition = range.partitions;
  if (perPartition === undefined) return chosen === undefined ? { topic } : { topic, partitions: chosen };
  const partitions: PartitionRange[] = [...perPartition]
    .filter(([one]) => chosen === undefined || chosen.includes(one))
    .map(([one, { from, to }]) => ({
      partition: one,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    }));
  if (partitions.length > 0) return { topic, partitions };
  const given = chosen?.join(',') ?? '';
  throw new KlogError('KLOG_USAGE', `-o names none of the partitions that were chosen: ${topic}:${given}`, {
    hint: 'Partitions that -o does not name are not read',
  });
}
