import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumerOptions } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import { validateTopicName } from '../../format/topic-name.js';
import { Pace } from '../../replay/pace.js';
import type { CliContext } from '../cli-context.js';
import { checkRange } from '../consume/check-range.js';
import { type IsolationOptions, isolationLevelOf } from '../consume/isolation-level.js';
import { type PrintOptions, printerFor } from '../consume/print-options.js';
import { printRecords } from '../consume/print-records.js';
import { type FilterOptions, filterFor } from '../consume/record-filter.js';
import { checkSelection, type SelectionOptions, selectRecords, startOf } from '../consume/record-selection.js';
import { type DamageOptions, SkippedDamage } from '../consume/skipped-damage.js';
import { stopSignal } from '../consume/stop-signal.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { checkGroupId } from '../group-consume/group-options.js';
import { checkHandler, type HandlerOptions, hasHandler, refuseOwnLetters } from '../handlers/handler-options.js';
import { refuseInternal } from '../internal-topics.js';
import { withClient } from '../open-client.js';
import { exclude, need } from '../option-errors.js';
import { paced } from './paced-batches.js';
import { planInto, type ReplaySource, replayInto } from './replay-into.js';
import { planOf, printPlan } from './replay-plan.js';
import { batchFilter } from './transfer-options.js';

export interface ReplayOptions
  extends GlobalOptions,
    PrintOptions,
    FilterOptions,
    DamageOptions,
    IsolationOptions,
    HandlerOptions,
    Omit<SelectionOptions, 'topics'> {
  readonly topic: string;
  /** A factor; Infinity is "max". */
  readonly speed?: number;
  readonly into?: string;
  /** Its commits are moved, instead of reading anything. */
  readonly group?: string;
  readonly yes?: boolean;
  /** Names of headers. */
  readonly toHeader?: readonly string[];
  readonly maxRedrives?: number;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly maxMessages?: number;
  readonly dryRun?: boolean;
  readonly json: boolean;
}

function checkTogether(options: ReplayOptions): void {
  const { into, toHeader, resume, maxRedrives } = options;
  if (into !== undefined && hasHandler(options)) exclude('--into', '--exec and --exec-batch');
  if (into !== undefined && toHeader !== undefined) exclude('--into', '--to-header');
  if (toHeader !== undefined && hasHandler(options)) exclude('--to-header', '--exec and --exec-batch');
  if (resume && into === undefined && toHeader === undefined) need('--resume', '--into or --to-header');
  if (maxRedrives !== undefined && toHeader === undefined) need('--max-redrives', '--to-header');
  if (options.group !== undefined) checkMove(options);
  checkHandler(options);
  refuseOwnLetters(options, (topic) => topic === options.topic);
}

/** A group is moved to a place; nothing is read. */
function checkMove(options: ReplayOptions): void {
  const { group, from, offset } = options;
  checkGroupId(group);
  const others: Readonly<Record<string, unknown>> = {
    '--into': options.into,
    '--to-header': options.toHeader,
    '--exec and --exec-batch': options.exec ?? options.execBatch,
    '--speed': options.speed,
    '-n': options.maxMessages,
    '-G and --filter': options.grep ?? options.filter,
  };
  for (const [flag, value] of Object.entries(others)) if (value !== undefined) exclude('-g', flag);
  if (from !== undefined || offset !== undefined) return;
  throw new KlogError('KLOG_USAGE', 'replay -g: from where?', { hint: 'Give --from: an offset, start, or a time' });
}

/** A bounded range again, without touching anybody's position: printed, through a command, or into another topic. */
export async function runReplay(options: ReplayOptions, context: CliContext): Promise<ExitCode> {
  checkTogether(options);
  if (options.group !== undefined) startOf(options, context);
  const speed = options.speed ?? Number.POSITIVE_INFINITY;
  const filter = await filterFor(options);
  const isolationLevel = await isolationLevelOf(options, context);
  checkSelection({ ...options, topics: [options.topic] }, context);
  const { into } = options;
  if (into !== undefined) {
    validateTopicName(into);
    refuseInternal(into, options.force, 'replay into');
  }
  // What is printed with pauses between has a reader that may go away meanwhile.
  const signal = stopSignal(context, isPaced(options) && prints(options));
  return withClient<ExitCode>(options, context, { topics: [options.topic] }, async (client, { directory }) => {
    const selected = await selectRecords(client, { ...options, topics: [options.topic] }, context);
    const damage = new SkippedDamage(options, context);
    const range: ConsumerOptions = {
      ...selected,
      ...damage.consumerOptions,
      isolationLevel,
      signal,
      // Recorded distances in time only make sense in the order of time.
      order: speed === Number.POSITIVE_INFINITY ? 'partition' : 'time',
    };
    if (options.group !== undefined) {
      const { replayGroup } = await import('./replay-group.js');
      return replayGroup(client, range, directory, { ...options, group: options.group }, context);
    }
    if (options.maxMessages === 0) await checkRange(client, range);
    const pace = new Pace(speed, () => performance.now());
    const wait = (cursor: RecordCursor, until = signal) => waitFor(pace, cursor, until);
    const code = await goThrough({ client, range, filter, wait }, options, context);
    damage.report();
    return code;
  });
}

async function goThrough(source: ReplaySource, options: ReplayOptions, context: CliContext): Promise<ExitCode> {
  const { into, toHeader } = options;
  if (toHeader !== undefined) {
    const { runRedrive } = await import('./run-redrive.js');
    return runRedrive(source, { ...options, toHeader }, context);
  }
  if (options.dryRun) {
    const { client, range, filter } = source;
    const plans =
      into === undefined
        ? await planOf(client, range, batchFilter(filter), options.maxMessages)
        : await planInto(source, { ...options, into });
    // Of a part it would say too little.
    if (source.range.signal?.aborted !== true) printPlan(plans, options, context);
    return 0;
  }
  if (into !== undefined) return replayInto(source, { ...options, into }, context);
  if (hasHandler(options)) return handleEach(source, options, context);
  return printEach(source, options, context);
}

function prints(options: ReplayOptions): boolean {
  return options.into === undefined && options.toHeader === undefined && !hasHandler(options);
}

function isPaced({ speed }: ReplayOptions): boolean {
  return speed !== undefined && speed !== Number.POSITIVE_INFINITY;
}

/** What a timer can be set to: one that is set to more goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Nothing when there is nothing to wait for: no promise a record. */
function waitFor(pace: Pace, cursor: RecordCursor, signal: AbortSignal): Promise<void> | undefined {
  const { timestamp } = cursor;
  return pace.delayBefore(timestamp) < 1 ? undefined : waitUntilDue(pace, timestamp, signal);
}

async function waitUntilDue(pace: Pace, timestamp: number, signal: AbortSignal): Promise<void> {
  for (let left = pace.delayBefore(timestamp); left >= 1 && !signal.aborted; left = pace.delayBefore(timestamp)) {
    await sleep(Math.min(left, LONGEST_TIMER_MS), undefined, { signal }).catch(() => {});
  }
}

async function printEach(source: ReplaySource, options: ReplayOptions, context: CliContext): Promise<ExitCode> {
  const { client, range, filter, wait } = source;
  const printer = await printerFor(options, context);
  const pauses = isPaced(options);
  const { stdout } = context;
  if (pauses) stdout.isImmediate = true;
  const consumer = client.consumer(range);
  try {
    const batches = pauses ? paced(consumer.batches(), filter, wait, range.signal) : consumer.batches();
    await printRecords(batches, {
      printer,
      output: stdout,
      filter: pauses ? undefined : filter,
      maxRecords: options.maxMessages,
    });
  } finally {
    await consumer.close();
  }
  return 0;
}

async function handleEach(source: ReplaySource, options: ReplayOptions, context: CliContext): Promise<ExitCode> {
  const { client, range, filter, wait } = source;
  const { runHandlers } = await import('../handlers/run-handlers.js');
  const open = (signal: AbortSignal) => {
    const consumer = client.consumer({ ...range, signal });
    return { batches: paced(consumer.batches(), filter, wait, signal), close: () => consumer.close() };
  };
  await runHandlers({ client, open, maxRecords: options.maxMessages }, options, context);
  return 0;
}
