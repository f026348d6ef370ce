import type { Client } from '../../clients/client.js';
import type { ConsumerOptions, PartitionRange } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import { originHeaders, originOf } from '../../replay/origin-headers.js';
import { originsIn } from '../../replay/origins-in.js';
import type { TransferOptions } from '../../replay/transfer.js';
import type { CliContext } from '../cli-context.js';
import type { RecordFilter } from '../consume/print-records.js';
import type { ExitCode } from '../exit-code.js';
import { counted, printJson } from '../listing.js';
import { type Loudness, notice } from '../notices.js';
import { runTransfer } from './run-transfer.js';
import { checkRange, targetLike } from './target-topic.js';
import { batchFilter } from './transfer-options.js';

/** What is gone through again. */
export interface ReplaySource {
  readonly client: Client;
  readonly range: ConsumerOptions;
  readonly filter: RecordFilter | undefined;
  /** Waits until it is the record's turn; nothing where there is nothing to wait for. */
  readonly wait: (cursor: RecordCursor) => Promise<void> | undefined;
}

export interface ReplayIntoOptions extends Loudness {
  readonly topic: string;
  readonly into: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly maxMessages?: number;
  readonly json: boolean;
}

/** Into another topic: key, value, headers and timestamp stay, and headers tell where each record came from. */
export async function replayInto(
  { client, range, filter, wait }: ReplaySource,
  options: ReplayIntoOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { topic, into } = options;
  if (topic === into)
    throw new KlogError('KLOG_USAGE', `'${topic}' cannot be replayed into itself: it would never end`);
  const description = await client.admin().describeTopic(topic);
  await checkRange(client, range);
  const target = await targetLike(client.admin(), description, into, { dryRun: false });
  if (target.created) notice(options, context, `created topic '${into}' like '${topic}'`);
  const done =
    options.resume && !target.created ? await lastOrigins(client, topic, into, range) : new Map<number, number>();
  const producer = client.producer();
  const consumer = client.consumer(
    done.size === 0 ? range : { ...range, topics: [resumed(range, topic, done, description.partitions)] },
  );
  try {
    const writer = await producer.writer(into);
    const transferOptions: TransferOptions = {
      keepPartitions: target.keepsPartitions,
      filter: batchFilter(filter),
      before: wait,
      headersFor: (batch, cursor) => {
        if (options.force !== true) refuseLoop(cursor, batch, into);
        return originHeaders({ topic: batch.topic, partition: batch.partition, offset: cursor.offset });
      },
      maxRecords: options.maxMessages,
      signal: range.signal,
    };
    const records = await runTransfer('replayed', consumer.batches(), writer, transferOptions, options, context);
    if (options.json) printJson(context, { source: topic, target: into, records, resumed: done.size > 0 });
    else notice(options, context, `replayed ${counted(records, 'record')} from '${topic}' into '${into}'`);
  } finally {
    await consumer.close();
    await producer.close();
  }
  return 0;
}

/** A record that once came from the target would go round in a circle. */
function refuseLoop(cursor: RecordCursor, place: { topic: string; partition: number }, into: string): void {
  if (cursor.headerCount === 0) return;
  const origin = originOf(cursor.headers());
  if (origin?.topic !== into) return;
  throw new KlogError(
    'KLOG_USAGE',
    `${place.topic}:${place.partition}@${cursor.offset} came from '${into}': replaying it there would go round in a circle`,
    { topic: place.topic, partition: place.partition, offset: cursor.offset, hint: '--force does it all the same' },
  );
}

/** The last offset of each partition of `topic` that `into` has already: where an interrupted replay stopped. */
async function lastOrigins(
  client: Client,
  topic: string,
  into: string,
  range: ConsumerOptions,
): Promise<Map<number, number>> {
  const last = new Map<number, number>();
  for await (const { partition, offset } of originsIn(client, [into], topic, range)) {
    last.set(partition, Math.max(last.get(partition) ?? -1, offset));
  }
  return last;
}

function resumed(range: ConsumerOptions, topic: string, done: ReadonlyMap<number, number>, partitionCount: number) {
  const selection = range.topics[0];
  const chosen =
    typeof selection === 'object' && selection.partitions !== undefined
      ? selection.partitions
      : Array.from({ length: partitionCount }, (_, partition) => partition);
  const partitions = chosen.map((one): PartitionRange => {
    const { partition, ...rest } = typeof one === 'number' ? { partition: one } : one;
    const last = done.get(partition);
    return { partition, ...rest, ...(last === undefined ? {} : { from: last + 1 }) };
  });
  return { topic, partitions };
}
