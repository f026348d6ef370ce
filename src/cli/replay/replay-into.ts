import type { TopicDescription } from '../../clients/admin.js';
import type { Client, ConsumerBatch } from '../../clients/client.js';
import type { ConsumerOptions } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import { OffsetSet } from '../../replay/offset-set.js';
import { cameFrom, originHeaders } from '../../replay/origin-headers.js';
import { originsIn } from '../../replay/origins-in.js';
import type { TransferOptions } from '../../replay/transfer.js';
import type { CliContext } from '../cli-context.js';
import { checkRange } from '../consume/check-range.js';
import type { RecordFilter } from '../consume/print-records.js';
import type { ExitCode } from '../exit-code.js';
import { counted, printJson } from '../listing.js';
import { type Loudness, notice } from '../notices.js';
import { type PartitionPlan, planOf } from './replay-plan.js';
import { runTransfer } from './run-transfer.js';
import { type TargetTopic, targetLike } from './target-topic.js';
import { batchFilter } from './transfer-options.js';

/** What is gone through again. */
export interface ReplaySource {
  readonly client: Client;
  readonly range: ConsumerOptions;
  readonly filter: RecordFilter | undefined;
  /**
   * Waits until it is the record's turn, or `signal` (default: that of the range) aborts; nothing where there is
   * nothing to wait for.
   */
  readonly wait: (cursor: RecordCursor, signal?: AbortSignal) => Promise<void> | undefined;
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
  const { topicId, target, done } = await targetOf(client, range, options, false);
  if (target.created) notice(options, context, `created topic '${into}' like '${topic}'`);
  const producer = client.producer();
  const consumer = client.consumer(range);
  try {
    const writer = await producer.writer(into);
    const transferOptions: TransferOptions = {
      keepPartitions: target.keepsPartitions,
      filter: wantedBut(done, filter),
      before: (cursor) => wait(cursor),
      headersFor: (batch, cursor) => {
        if (options.force !== true) refuseLoop(cursor, batch, into);
        return originHeaders({ topic, topicId, partition: batch.partition, offset: cursor.offset });
      },
      maxRecords: options.maxMessages,
      signal: range.signal,
    };
    const records = await runTransfer('replayed', consumer.batches(), writer, transferOptions, options, context);
    if (options.json) printJson(context, { source: topic, target: into, records, resumed: !done.isEmpty });
    else notice(options, context, `replayed ${counted(records, 'record')} from '${topic}' into '${into}'`);
  } finally {
    await consumer.close();
    await producer.close();
  }
  return 0;
}

/** What {@link replayInto} would go through, and whether it would be refused. */
export async function planInto(
  { client, range, filter }: ReplaySource,
  options: ReplayIntoOptions,
): Promise<PartitionPlan[]> {
  const { done } = await targetOf(client, range, options, true);
  const isWanted = wantedBut(done, filter);
  const isReplayed = (cursor: RecordCursor, batch: ConsumerBatch) => {
    if (!isWanted(cursor, batch)) return false;
    if (options.force !== true) refuseLoop(cursor, batch, options.into);
    return true;
  };
  return planOf(client, range, isReplayed, options.maxMessages);
}

/** Made like the source unless it is there, and what it has of the source already, if that is asked for. */
async function targetOf(
  client: Client,
  range: ConsumerOptions,
  { topic, into, resume }: ReplayIntoOptions,
  dryRun: boolean,
): Promise<{ readonly topicId: string; readonly target: TargetTopic; readonly done: OffsetSet }> {
  if (topic === into) {
    throw new KlogError('KLOG_USAGE', `'${topic}' cannot be replayed into itself: it would never end`);
  }
  const description = await client.admin().describeTopic(topic);
  await checkRange(client, range);
  const target = await targetLike(client.admin(), description, into, { dryRun });
  const done = resume && !target.created ? await replayedBefore(client, description, into, range) : new OffsetSet();
  return { topicId: description.topicId, target, done };
}

function wantedBut(done: OffsetSet, filter: RecordFilter | undefined) {
  const isWanted = batchFilter(filter);
  return (cursor: RecordCursor, batch: ConsumerBatch) =>
    !done.has(batch.partition, cursor.offset) && isWanted?.(cursor, batch) !== false;
}

/** A record that once came from the target would go round in a circle. */
function refuseLoop(cursor: RecordCursor, place: { topic: string; partition: number }, into: string): void {
  if (cursor.headerCount === 0 || !cameFrom(cursor.headers(), into)) return;
  throw new KlogError(
    'KLOG_USAGE',
    `${place.topic}:${place.partition}@${cursor.offset} came from '${into}': replaying it there would go round in a circle`,
    { topic: place.topic, partition: place.partition, offset: cursor.offset, hint: '--force does it all the same' },
  );
}

/**
 * What `into` has already of `topic`. Of an interrupted replay that need not be all up to some offset: where keys
 * choose the partitions again, one of them may have been ahead of the others.
 */
async function replayedBefore(
  client: Client,
  source: TopicDescription,
  into: string,
  range: ConsumerOptions,
): Promise<OffsetSet> {
  const done = new OffsetSet();
  for await (const { partition, offset } of originsIn(client, [into], source, range)) done.add(partition, offset);
  return done;
}
