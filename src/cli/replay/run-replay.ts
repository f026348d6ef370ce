import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../clients/client.js';
import type { ConsumerOptions } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import { validateTopicName } from '../../format/topic-name.js';
import { Pace } from '../../replay/pace.js';
import type { CliContext } from '../cli-context.js';
import { type PrintOptions, printerFor } from '../consume/print-options.js';
import { printRecords, type RecordFilter } from '../consume/print-records.js';
import { type FilterOptions, filterFor } from '../consume/record-filter.js';
import { checkSelection, type SelectionOptions, selectRecords } from '../consume/record-selection.js';
import { isolationLevelOf } from '../consume/run-consume.js';
import { type DamageOptions, SkippedDamage } from '../consume/skipped-damage.js';
import { RecordHandler } from '../exec/record-handler.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { refuseInternal } from '../internal-topics.js';
import { counted } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { paced } from './paced-batches.js';
import { replayInto } from './replay-into.js';
import { planOf, printPlan } from './replay-plan.js';

export interface ReplayOptions
  extends GlobalOptions,
    PrintOptions,
    FilterOptions,
    DamageOptions,
    Omit<SelectionOptions, 'topics'> {
  readonly topic: string;
  /** A factor; Infinity is "max". */
  readonly speed?: number;
  readonly into?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly exec?: string;
  readonly retries?: number;
  /** Milliseconds. */
  readonly execTimeout?: number;
  readonly maxMessages?: number;
  readonly isolationLevel?: string;
  readonly dryRun?: boolean;
  readonly json: boolean;
}

const DEFAULT_RETRIES = 3;

/** A bounded range again, without touching anybody's position: printed, through a command, or into another topic. */
export async function runReplay(options: ReplayOptions, context: CliContext): Promise<ExitCode> {
  if (options.into !== undefined && options.exec !== undefined) {
    throw new KlogError('KLOG_USAGE', '--into and --exec exclude each other');
  }
  if (options.resume && options.into === undefined) throw new KlogError('KLOG_USAGE', '--resume needs --into');
  const speed = options.speed ?? Number.POSITIVE_INFINITY;
  const filter = await filterFor(options);
  const isolationLevel = await isolationLevelOf(options, context);
  checkSelection({ ...options, topics: [options.topic] }, context);
  const { into } = options;
  if (into !== undefined) {
    validateTopicName(into);
    refuseInternal(into, options.force, 'replay into');
  }
  const signal = stopSignal(options, context);
  return withClient<ExitCode>(options, context, { topics: [options.topic] }, async (client) => {
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
    const code = await goThrough(client, range, options, filter, speed, context);
    damage.report();
    return code;
  });
}

async function goThrough(
  client: Client,
  range: ConsumerOptions,
  options: ReplayOptions,
  filter: RecordFilter | undefined,
  speed: number,
  context: CliContext,
): Promise<ExitCode> {
  if (options.dryRun) {
    printPlan(await planOf(client, range, filter), options, context);
    return 0;
  }
  const pace = new Pace(speed, () => performance.now());
  const wait = (cursor: RecordCursor) => waitFor(pace, cursor, range.signal!);
  const { into } = options;
  if (into !== undefined) return replayInto(client, range, { ...options, into }, filter, wait, context);
  if (options.exec !== undefined) return handleEach(client, range, options, filter, wait, context);
  return printEach(client, range, options, filter, wait, context);
}

/** Ctrl-C; or nobody reads what a replay with pauses prints. */
function stopSignal(options: ReplayOptions, context: CliContext): AbortSignal {
  const { signal } = context.signals;
  const isPaced = options.speed !== undefined && options.speed !== Number.POSITIVE_INFINITY;
  if (!isPaced || options.into !== undefined || options.exec !== undefined) return signal;
  return AbortSignal.any([signal, context.stdout.readerGone()]);
}

/** Nothing when there is nothing to wait for: no promise a record. */
function waitFor(pace: Pace, cursor: RecordCursor, signal: AbortSignal): Promise<void> | undefined {
  const delay = pace.delayBefore(cursor.timestamp);
  return delay < 1 ? undefined : sleep(delay, undefined, { signal }).catch(() => {});
}

async function printEach(
  client: Client,
  range: ConsumerOptions,
  options: ReplayOptions,
  filter: RecordFilter | undefined,
  wait: (cursor: RecordCursor) => Promise<void> | undefined,
  context: CliContext,
): Promise<ExitCode> {
  const printer = await printerFor(options, context);
  const isPaced = options.speed !== undefined && options.speed !== Number.POSITIVE_INFINITY;
  const { stdout } = context;
  if (isPaced) stdout.isImmediate = true;
  const consumer = client.consumer(range);
  try {
    const batches = isPaced ? paced(consumer.batches(), filter, wait) : consumer.batches();
    await printRecords(batches, {
      printer,
      output: stdout,
      filter: isPaced ? undefined : filter,
      maxRecords: options.maxMessages,
    });
  } finally {
    await consumer.close();
  }
  return 0;
}

async function handleEach(
  client: Client,
  range: ConsumerOptions,
  options: ReplayOptions,
  filter: RecordFilter | undefined,
  wait: (cursor: RecordCursor) => Promise<void> | undefined,
  context: CliContext,
): Promise<ExitCode> {
  const { signal } = context.signals;
  const handler = new RecordHandler({
    command: options.exec!,
    retries: options.retries ?? DEFAULT_RETRIES,
    timeoutMs: options.execTimeout,
    env: context.env,
    signal,
  });
  const most = options.maxMessages ?? Number.POSITIVE_INFINITY;
  const consumer = client.consumer(range);
  let handled = 0;
  try {
    for await (const batch of paced(consumer.batches(), filter, wait)) {
      if (handled >= most || signal.aborted) break;
      while (batch.cursor.next()) {
        if (!(await handler.handle(batch.cursor, batch))) return 0;
        handled += 1;
      }
    }
  } finally {
    await consumer.close();
    notice(options, context, `${counted(handled, 'record')} handled`);
  }
  return 0;
}
