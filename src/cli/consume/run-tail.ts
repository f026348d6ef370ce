import type { Client, ConsumerBatch } from '../../clients/client.js';
import type { ConsumerOptions } from '../../clients/consumer.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { withClient } from '../open-client.js';
import { positionsOf } from '../wait/awaited-records.js';
import { type IsolationOptions, isolationLevelOf } from './isolation-level.js';
import { keepRecord } from './kept-record.js';
import { type PrintOptions, printerFor } from './print-options.js';
import { printRecords, type RecordFilter } from './print-records.js';
import { type FilterOptions, filterFor } from './record-filter.js';
import { checkSelection, laterTopics, selectRecords } from './record-selection.js';
import { type DamageOptions, SkippedDamage } from './skipped-damage.js';
import { stopSignal } from './stop-signal.js';

export interface TailOptions extends GlobalOptions, PrintOptions, FilterOptions, DamageOptions, IsolationOptions {
  readonly topics: readonly string[];
  readonly lines?: number;
  readonly follow?: boolean;
  readonly partitions?: readonly number[];
  readonly regex?: boolean;
  readonly wait?: boolean;
  readonly json: boolean;
}

const DEFAULT_LINES = 10;

/** The last records over all partitions, by timestamp, topic, partition and offset; then, with `follow`, what comes. */
export async function runTail(options: TailOptions, context: CliContext): Promise<ExitCode> {
  const printer = await printerFor(options, context);
  const filter = await filterFor(options);
  const isolationLevel = await isolationLevelOf(options, context);
  const { stdout } = context;
  checkSelection(options, context);
  const signal = stopSignal(context, options.follow === true);
  const waiting = { wait: { signal }, ifMissing: () => 0 as ExitCode };
  const request = { topics: options.topics, ...(options.wait === true ? waiting : {}) };
  return withClient<ExitCode>(options, context, request, async (client) => {
    const { topics } = await selectRecords(client, options, context);
    const damage = new SkippedDamage(options, context);
    const shared: Omit<ConsumerOptions, 'topics'> = {
      isolationLevel,
      signal,
      ...damage.consumerOptions,
      waitForTopics: options.wait === true,
    };
    const { last, positions } = await lastRecords(client, topics, shared, options.lines ?? DEFAULT_LINES, filter);
    const printedBefore = await printRecords(inOrder(last), { printer, output: stdout });
    if (options.follow && !signal.aborted) {
      await stdout.flush();
      stdout.isImmediate = true;
      const follower = client.consumer({
        ...shared,
        topics: positions,
        ...laterTopics(options, context),
        follow: true,
      });
      try {
        const goingOn = { ...printer, begin: () => {} };
        await printRecords(follower.batches(), { printer: goingOn, output: stdout, filter, printedBefore });
      } finally {
        await follower.close();
      }
    }
    damage.report();
    return 0;
  });
}

async function lastRecords(
  client: Client,
  topics: ConsumerOptions['topics'],
  shared: Omit<ConsumerOptions, 'topics'>,
  count: number,
  filter: RecordFilter | undefined,
): Promise<{ last: ConsumerBatch[]; positions: ConsumerOptions['topics'] }> {
  // With a filter the last matches may lie anywhere.
  const from = filter === undefined ? ({ fromEnd: count } as const) : 'start';
  const consumer = client.consumer({ ...shared, topics, from, order: 'time' });
  try {
    // Also where it ends before anything is read: its positions are asked for.
    await consumer.assignment();
    const last = await keepLast(consumer.batches(), count, filter);
    return { last, positions: await positionsOf(consumer, topics) };
  } finally {
    await consumer.close();
  }
}

async function keepLast(
  batches: AsyncIterable<ConsumerBatch>,
  count: number,
  filter: RecordFilter | undefined,
): Promise<ConsumerBatch[]> {
  const ring: ConsumerBatch[] = [];
  let next = 0;
  for await (const batch of batches) {
    while (batch.cursor.next()) {
      if (
        count === 0 ||
        (filter !== undefined && !filter(batch.cursor, { ...batch, isControl: false, recordNumber: 0 }))
      ) {
        continue;
      }
      ring[next] = keepRecord(batch);
      next = (next + 1) % count;
    }
  }
  return [...ring.slice(next), ...ring.slice(0, next)];
}

async function* inOrder(batches: readonly ConsumerBatch[]): AsyncGenerator<ConsumerBatch> {
  yield* batches;
}
