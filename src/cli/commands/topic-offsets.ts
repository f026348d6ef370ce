import type { Command } from 'commander';
import type { Admin } from '../../clients/admin.js';
import type { OffsetSpec } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { printJson, printTable } from '../listing.js';
import { suggestName, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import { addRegexOption, checkTopics, topicNames } from '../topic-selection.js';
import { parseOffsetPoint } from '../values/parse-offset.js';
import { type PartitionOperand, parsePartitionOperand } from '../values/parse-partition.js';
import { checkTimeZone } from '../values/parse-time.js';

export interface TopicOffsetsOptions extends GlobalOptions {
  /** `T` or `T:P`; with `regex` expressions. */
  readonly topics: readonly string[];
  /** What to look up; undefined: start and end. */
  readonly at?: OffsetSpec;
  readonly regex?: boolean;
}

export function defineTopicOffsets(topic: Command, host: CommandHost): void {
  const command = describeCommand(
    topic.command('offsets').argument('<topic...>', 'T or T:P; a last one may be @TIME'),
    {
      summary: 'show the start and end of each partition, or the offset of a time',
      description:
        'Shows where each partition starts and ends. With @TIME as the last operand: the first offset whose record is not older than that time.',
      examples: [
        { command: 'klog topic offsets orders', does: 'start and end of each partition' },
        { command: 'klog topic offsets orders:0 @-1h', does: 'the first offset of the last hour' },
        { command: 'klog topic offsets orders @2024-05-01 --tz Europe/Berlin', does: "of the day's beginning there" },
      ],
      json: 'an array: topic, partition, startOffset, endOffset; with a time: topic, partition, offset, timestamp (null: none)',
    },
  );
  command.option('--tz <zone>', 'zone of times that name none (default: UTC)');
  addRegexOption(command);
  onAction<{ tz?: string; regex?: boolean }>(command, host, (options, [operands]) => {
    const topics = [...(operands as string[])];
    const time = { now: host.context.clock.now(), timeZone: options.tz && checkTimeZone(options.tz) };
    const last = topics.at(-1);
    const at = last?.startsWith('@') ? parseOffsetPoint(last, time) : undefined;
    if (at !== undefined) topics.pop();
    if (topics.length === 0) throw new KlogError('KLOG_USAGE', "topic offsets: missing required argument 'topic'");
    return runTopicOffsets({ ...options, topics, ...(at === undefined ? {} : { at }) }, host.context);
  });
}

interface OffsetRow {
  readonly topic: string;
  readonly partition: number;
  readonly startOffset?: number;
  readonly endOffset?: number;
  readonly offset?: number | null;
  readonly timestamp?: number | null;
}

export async function runTopicOffsets(options: TopicOffsetsOptions, context: CliContext): Promise<ExitCode> {
  const { at, regex = false } = options;
  const named = regex ? [] : options.topics.map((text) => parsePartitionOperand(text, { now: context.clock.now() }));
  const topics = regex ? options.topics : named.map(({ topic }) => topic);
  checkTopics({ topics, regex });
  return withClient(options, context, { topics }, async (client) => {
    const admin = client.admin();
    const operands = regex ? (await topicNames(admin, options)).map((topic) => ({ topic })) : named;
    const rows: OffsetRow[] = [];
    const look = async (operand: PartitionOperand) => {
      rows.push(...(at === undefined ? await startAndEnd(admin, operand) : await offsetsAt(admin, operand, at)));
    };
    const code = await forEachOperand(operands, options, context, look, (error) => suggestName(error, client));
    if (options.json) printJson(context, rows);
    else await printTable(context, at === undefined ? RANGE_COLUMNS : TIME_COLUMNS, rows);
    return code;
  });
}

async function startAndEnd(admin: Admin, operand: PartitionOperand): Promise<OffsetRow[]> {
  const partitions = partitionsOf(operand);
  const starts = await admin.listOffsets(operand.topic, 'start', partitions);
  const ends = new Map(
    (await admin.listOffsets(operand.topic, 'end', partitions)).map((one) => [one.partition, one.offset]),
  );
  return starts.map(({ topic, partition, offset }) => {
    return { topic, partition, startOffset: offset, endOffset: ends.get(partition) ?? offset };
  });
}

async function offsetsAt(admin: Admin, operand: PartitionOperand, at: OffsetSpec): Promise<OffsetRow[]> {
  const offsets = await admin.listOffsets(operand.topic, at, partitionsOf(operand));
  return offsets.map(({ topic, partition, offset, timestamp }) => {
    const isNone = offset < 0;
    return { topic, partition, offset: isNone ? null : offset, timestamp: isNone || timestamp < 0 ? null : timestamp };
  });
}

function partitionsOf(operand: PartitionOperand): readonly number[] | undefined {
  return operand.partition === undefined ? undefined : [operand.partition];
}

const TOPIC_COLUMNS = [
  { heading: 'TOPIC', value: (row: OffsetRow) => row.topic },
  { heading: 'PARTITION', value: (row: OffsetRow) => row.partition, align: 'right' },
] as const;

const RANGE_COLUMNS = [
  ...TOPIC_COLUMNS,
  { heading: 'START', value: (row: OffsetRow) => row.startOffset ?? '-', align: 'right' },
  { heading: 'END', value: (row: OffsetRow) => row.endOffset ?? '-', align: 'right' },
] as const;

const TIME_COLUMNS = [
  ...TOPIC_COLUMNS,
  { heading: 'OFFSET', value: (row: OffsetRow) => row.offset ?? '-', align: 'right' },
  { heading: 'TIMESTAMP', value: (row: OffsetRow) => row.timestamp ?? '-', align: 'right' },
] as const;
