import type { Client } from '../../clients/client.js';
import type { ConsumerOptions } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { checkGroup, checkSubscription, type GroupOptions } from '../group-consume/group-options.js';
import { isSubscribed } from '../group-consume/subscription.js';
import { checkHandler, type HandlerOptions, hasHandler, refuseOwnLetters } from '../handlers/handler-options.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { exclude } from '../option-errors.js';
import { checkRange } from './check-range.js';
import { dumpRecords } from './dump-records.js';
import { type IsolationOptions, isolationLevelOf } from './isolation-level.js';
import { type PrintOptions, printerFor } from './print-options.js';
import { printRecords } from './print-records.js';
import { type FilterOptions, filterFor } from './record-filter.js';
import { withRecordProgress } from './record-progress.js';
import { checkSelection, laterTopics, type SelectionOptions, selectRecords } from './record-selection.js';
import { reversedBatches } from './reversed-batches.js';
import { type DamageOptions, SkippedDamage } from './skipped-damage.js';
import { stopSignal } from './stop-signal.js';

export interface ConsumeOptions
  extends GlobalOptions,
    PrintOptions,
    SelectionOptions,
    FilterOptions,
    DamageOptions,
    IsolationOptions,
    HandlerOptions,
    GroupOptions {
  readonly maxMessages?: number;
  readonly follow?: boolean;
  readonly order?: 'partition' | 'time';
  readonly reverse?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly wait?: boolean;
  /** A directory: one file a record. */
  readonly dump?: string;
  readonly json: boolean;
}

export async function runConsume(options: ConsumeOptions, context: CliContext): Promise<ExitCode> {
  checkTogether(options);
  const follow = options.follow === true || options.timeout !== undefined;
  const isHandled = hasHandler(options);
  const printer = isHandled ? undefined : await printerFor(options, context);
  const filter = await filterFor(options);
  const isolationLevel = await isolationLevelOf(options, context);
  const { stdout } = context;
  // Nothing is read then, that could tell what is not there.
  const isForNothing = options.maxMessages === 0;
  if (follow && !isHandled) stdout.isImmediate = true;
  if (options.group === undefined) checkSelection(options, context);
  else checkSubscription(options, context);
  const signal = stopSignal(context, follow && !isHandled);
  const waiting = { wait: { signal, timeoutMs: options.timeout }, ifMissing: () => noLog(options, context) };
  const request = { topics: options.topics, ...(options.wait === true ? waiting : {}) };
  return withClient<ExitCode>(options, context, request, async (client) => {
    const damage = new SkippedDamage(options, context);
    const shared = {
      isolationLevel,
      follow,
      ...damage.consumerOptions,
      waitForTopics: options.wait === true,
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    };
    if (options.group !== undefined) {
      const { readAsMember, subscriptionOf } = await import('../group-consume/run-group-consume.js');
      const subscription = await subscriptionOf(client, options, follow, context);
      if (subscription === undefined) return noTopics(options, context);
      refuseOwnLetters(options, (topic) => isSubscribed(options, topic));
      const consumerOptions = { ...shared, ...subscription };
      // Where it is to begin counts for a group that has committed nothing.
      const { from: _, ...whole } = subscription;
      if (isForNothing) await checkRange(client, { ...shared, signal, topics: [], ...whole });
      const reading = { client, groupId: options.group, options: consumerOptions, filter, signal };
      const records = await readAsMember(reading, printer, options, context);
      damage.report();
      return wasCutShort(options, context, records) ? 5 : 0;
    }
    const selected = await selectRecords(client, options, context);
    const later = follow ? laterTopics(options, context) : {};
    if (selected.topics.length === 0 && later.patterns === undefined) return noTopics(options, context);
    const placed = options.fromGroup === undefined ? selected : await placedByGroup(client, selected, options, context);
    const consumerOptions = { ...shared, ...placed, ...later, order: options.order ?? 'partition', signal };
    if (isForNothing) await checkRange(client, consumerOptions);
    if (printer === undefined) {
      const names = new Set(topicNames(selected.topics));
      refuseOwnLetters(
        options,
        (topic) => names.has(topic) || (later.patterns && isSubscribed(options, topic)) === true,
      );
      const { runHandlers } = await import('../handlers/run-handlers.js');
      const open = (stopped: AbortSignal) => openBatches(client, { ...consumerOptions, signal: stopped }, options);
      const task = { client, open, filter, maxRecords: options.maxMessages };
      const { taken } = await runHandlers(task, options, context);
      damage.report();
      return wasCutShort(options, context, taken) ? 5 : 0;
    }
    const { batches, close } = openBatches(client, consumerOptions, options);
    try {
      const task = { printer, output: stdout, filter, maxRecords: options.maxMessages };
      const print = (tally?: { records: number }) =>
        options.dump
          ? dumpRecords(batches, { ...task, directory: options.dump })
          : printRecords(batches, { ...task, tally });
      // Records scrolling by on a terminal are progress enough.
      const printed =
        stdout.isTerminal || follow ? await print() : await withRecordProgress('read', options, context, print);
      damage.report();
      return wasCutShort(options, context, printed) ? 5 : 0;
    } finally {
      await close();
    }
  });
}

async function placedByGroup(
  client: Client,
  selected: Pick<ConsumerOptions, 'topics' | 'from' | 'to'>,
  options: ConsumeOptions,
  context: CliContext,
) {
  const { fromGroup } = await import('../group-consume/from-group.js');
  return fromGroup(client, options.fromGroup ?? '', selected, options, context);
}

function topicNames(topics: ConsumerOptions['topics']): string[] {
  return topics.map((selection) => (typeof selection === 'string' ? selection : selection.topic));
}

function openBatches(client: Client, consumerOptions: ConsumerOptions, { reverse }: ConsumeOptions) {
  const consumer = client.consumer(consumerOptions);
  const batches = reverse ? reversedBatches(client, consumer, consumerOptions) : consumer.batches();
  return { batches, close: () => consumer.close() };
}

function checkTogether(options: ConsumeOptions): void {
  checkHandler(options);
  checkGroup(options);
  if (options.dump !== undefined && hasHandler(options)) exclude('--dump', '--exec and --exec-batch');
  if (options.dump === '') throw new KlogError('KLOG_USAGE', '--dump names no directory: it is empty');
  const follows = options.follow === true || options.timeout !== undefined;
  if (options.reverse && follows) {
    throw new KlogError('KLOG_USAGE', '--reverse reads what is there: not with --follow or --timeout');
  }
  if (options.reverse && options.order === 'time') {
    throw new KlogError('KLOG_USAGE', '--reverse goes through one partition after the other: not with --order time');
  }
}

/** `-n` with `--timeout`: fewer came in time. A reader that left, or Ctrl-C, is something else. */
function wasCutShort(options: ConsumeOptions, context: CliContext, printed: number): boolean {
  if (options.timeout === undefined || options.maxMessages === undefined) return false;
  if (context.stdout.isClosed || context.signals.received !== undefined) return false;
  return printed < options.maxMessages;
}

/** `--wait`: the log itself did not come. */
function noLog(options: ConsumeOptions, context: CliContext): ExitCode {
  return wasCutShort(options, context, 0) ? 5 : 0;
}

function noTopics(options: ConsumeOptions, context: CliContext): ExitCode {
  notice(options, context, `no topic matches ${options.topics.map((pattern) => `'${pattern}'`).join(', ')}`);
  return 0;
}
