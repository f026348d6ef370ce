import type { TopicPartition } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import { validateTopicName } from '../../format/topic-name.js';
import type { CliContext } from '../cli-context.js';
import { type IsolationOptions, isolationLevelOf } from '../consume/isolation-level.js';
import { type FilterOptions, filterFor } from '../consume/record-filter.js';
import { checkSelection, type SelectionOptions, selectRecords, timeContext } from '../consume/record-selection.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { checkGroupId } from '../group-consume/group-options.js';
import { counted, printJson } from '../listing.js';
import { withClient } from '../open-client.js';
import { exclude, need } from '../option-errors.js';
import { batchFilter } from '../replay/transfer-options.js';
import { onlyPartition, parsePartitionOperand } from '../values/parse-partition.js';
import { readUntil, topicComes } from './awaited-records.js';
import type { Condition, Wait } from './condition.js';
import { Deadline } from './deadline.js';
import { LagCondition } from './lag-condition.js';

export interface WaitOptions
  extends GlobalOptions,
    FilterOptions,
    IsolationOptions,
    Omit<SelectionOptions, 'topics' | 'regex' | 'offset' | 'to'> {
  /** `T`, `T:P`. */
  readonly topic: string;
  readonly maxMessages?: number;
  /** The record at this offset is to be there. */
  readonly offset?: number;
  readonly group?: string;
  /** How many records the group may be behind. Default 0. */
  readonly lag?: number;
  /** Milliseconds. */
  readonly timeout?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** Returns when the condition holds; KLOG_TIMED_OUT when time is up. */
export async function runWait(options: WaitOptions, context: CliContext): Promise<ExitCode> {
  const { topic, partition } = parsePartitionOperand(options.topic, timeContext(options, context));
  validateTopicName(topic);
  const condition = await conditionFor(options, { topic, partition }, context);
  const { signal } = context.signals;
  using deadline = new Deadline(options.timeout ?? DEFAULT_TIMEOUT_MS);
  const timedOut = (what: string) =>
    new KlogError('KLOG_TIMED_OUT', `waited ${Math.round(deadline.timeoutMs)} ms: ${what}`, { topic });
  const ended = (what: string): ExitCode => {
    if (signal.aborted) return 0;
    throw timedOut(what);
  };
  const request = {
    topics: [topic],
    wait: { signal, timeoutMs: deadline.timeoutMs },
    ifMissing: ({ directory }: { directory: string }) => ended(`there is no log at ${directory}`),
  };
  // Awaited: the deadline ends with this function.
  return await withClient<ExitCode>(options, context, request, async (client) => {
    const wait = { client, topic, signal, deadline };
    if (!(await topicComes(client, topic, wait))) return ended(`there is no topic '${topic}'`);
    if (!(await condition.holds(wait))) return ended(condition.missing());
    if (options.json) {
      printJson(context, { topic, ...condition.found(), elapsedMs: Math.round(deadline.elapsedMs) });
    }
    return 0;
  });
}

async function conditionFor(
  options: WaitOptions,
  place: { readonly topic: string; readonly partition: number | undefined },
  context: CliContext,
): Promise<Condition> {
  const { offset, maxMessages, grep, filter, from, partitions, group, lag } = options;
  if (group !== undefined) {
    checkGroupId(group);
    if (offset !== undefined || maxMessages !== undefined) exclude('-g', '--offset and -n');
    if (grep !== undefined || filter !== undefined) exclude('-g', '-G and --filter');
    if (from !== undefined) exclude('-g', '--from');
    return new LagCondition(group, lag ?? 0, place.partition === undefined ? partitions : [place.partition]);
  }
  if (lag !== undefined) need('--lag', '-g');
  if (offset !== undefined) {
    if (maxMessages !== undefined) exclude('--offset', '-n');
    if (grep !== undefined || filter !== undefined) exclude('--offset', '-G and --filter');
    if (from !== undefined) exclude('--offset', '--from');
    return new OffsetCondition(place.topic, place.partition ?? onlyOf(partitions), offset);
  }
  checkSelection({ ...selectionOf(options), topics: [options.topic] }, context);
  if (maxMessages === undefined && grep === undefined && filter === undefined) {
    return new TopicCondition(place.partition === undefined ? partitions : [place.partition]);
  }
  return recordCondition(options, context);
}

/** `--offset` is another thing here than in consume. */
function selectionOf(options: WaitOptions): Omit<SelectionOptions, 'topics'> {
  const { from, partitions, tz } = options;
  return { ...(from && { from }), ...(partitions && { partitions }), ...(tz && { tz }) };
}

function onlyOf(partitions: readonly number[] | undefined): number | undefined {
  if (partitions !== undefined && partitions.length > 1) {
    throw new KlogError('KLOG_USAGE', '--offset is that of one partition: -p names several');
  }
  return partitions?.[0];
}

/** The topic is there, and the partitions that are named. */
class TopicCondition implements Condition {
  readonly #partitions: readonly number[] | undefined;

  constructor(partitions: readonly number[] | undefined) {
    this.#partitions = partitions;
  }

  async holds({ client, topic }: Wait): Promise<boolean> {
    if (this.#partitions !== undefined) await client.admin().listOffsets(topic, 'end', this.#partitions);
    return true;
  }

  missing(): string {
    return 'there is no such topic';
  }

  found(): Record<string, unknown> {
    return {};
  }
}

async function recordCondition(options: WaitOptions, context: CliContext): Promise<Condition> {
  const wanted = options.maxMessages ?? 1;
  const isWanted = batchFilter(await filterFor(options));
  const isolationLevel = await isolationLevelOf(options, context);
  let records = 0;
  let last: (TopicPartition & { readonly offset: number }) | undefined;
  return {
    holds: async ({ client, signal, deadline }) => {
      const selection = { ...selectionOf(options), topics: [options.topic] };
      const selected = await selectRecords(client, selection, context);
      return readUntil(
        { client, options: { ...selected, isolationLevel }, signal, deadline },
        (batch) => {
          const { cursor, topic, partition } = batch;
          while (records < wanted && cursor.next()) {
            if (isWanted !== undefined && !isWanted(cursor, batch)) continue;
            records += 1;
            last = { topic, partition, offset: cursor.offset };
          }
          return records >= wanted;
        },
        () => records >= wanted,
      );
    },
    missing: () => {
      const of = isWanted === undefined ? counted(wanted, 'record') : `${counted(wanted, 'matching record')}`;
      return `${records} of ${of} in '${options.topic}'`;
    },
    found: () => ({ records, ...(last && { partition: last.partition, offset: last.offset }) }),
  };
}

/** The record at an offset can be read. */
class OffsetCondition implements Condition {
  readonly #topic: string;
  readonly #named: number | undefined;
  readonly #offset: number;
  #partition = 0;
  #end = 0;

  constructor(topic: string, partition: number | undefined, offset: number) {
    this.#topic = topic;
    this.#named = partition;
    this.#offset = offset;
  }

  async holds({ client, signal, deadline }: Wait): Promise<boolean> {
    const topic = this.#topic;
    const admin = client.admin();
    this.#partition = this.#named ?? onlyPartition(topic, (await admin.describeTopic(topic)).partitions, `${topic}:0`);
    const [end] = await admin.listOffsets(topic, 'end', [this.#partition]);
    this.#end = end?.offset ?? 0;
    if (this.#end > this.#offset) return true;
    const topics = [{ topic, partitions: [{ partition: this.#partition, from: this.#end }] }];
    return readUntil(
      { client, options: { topics, isolationLevel: 'read_uncommitted' }, signal, deadline },
      (batch) => {
        this.#end = batch.highWatermark;
        return this.#end > this.#offset;
      },
      () => false,
    );
  }

  missing(): string {
    return `${this.#topic}:${this.#partition} ends at ${this.#end}: there is no record at offset ${this.#offset} yet`;
  }

  found(): Record<string, unknown> {
    return { partition: this.#partition, offset: this.#offset, endOffset: this.#end };
  }
}
