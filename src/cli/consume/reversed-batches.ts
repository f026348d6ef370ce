import type { Client, ConsumerBatch, TopicPartition } from '../../clients/client.js';
import type { Consumer, ConsumerOptions, OffsetSpec } from '../../clients/consumer.js';
import { keepRecord } from './kept-record.js';

/** Records turned round at a time: a window of offsets is read forwards and handed out backwards. */
const WINDOW_OFFSETS = 1000;

/**
 * The records that `consumer` is to read, each partition from its end to its beginning. A log can only be read
 * forwards, so it is read in windows from the end on, by consumers with the same `options`.
 */
export async function* reversedBatches(
  client: Client,
  consumer: Consumer,
  options: ConsumerOptions,
): AsyncGenerator<ConsumerBatch> {
  for (const { topic, partition, from, to } of await partitionRanges(client, consumer, options)) {
    for (let end = to; end > from; ) {
      const begin = Math.max(from, end - WINDOW_OFFSETS);
      yield* reversedWindow(client, options, { topic, partition }, begin, end);
      end = begin;
    }
  }
}

interface ResolvedRange extends TopicPartition {
  readonly from: number;
  readonly to: number;
}

/** Where each partition begins says the consumer, which refuses what is not there; not where it ends. */
async function partitionRanges(client: Client, consumer: Consumer, options: ConsumerOptions): Promise<ResolvedRange[]> {
  if (options.signal?.aborted) return [];
  const admin = client.admin();
  const ranges: ResolvedRange[] = [];
  for (const place of await consumer.assignment()) {
    const { topic, partition } = place;
    const offsetOf = async (spec: OffsetSpec) => (await admin.listOffsets(topic, spec, [partition]))[0]?.offset ?? -1;
    const end = await offsetOf('end');
    const to = endOf(place, options);
    const limit = to === undefined ? -1 : await offsetOf(to);
    // -1: no record is so late.
    ranges.push({ topic, partition, from: await consumer.position(place), to: limit < 0 ? end : Math.min(limit, end) });
  }
  return ranges;
}

/** As a consumer has it: what names a partition first counts. */
function endOf({ topic, partition }: TopicPartition, options: ConsumerOptions): OffsetSpec | undefined {
  for (const selection of options.topics) {
    if (typeof selection === 'string' ? selection !== topic : selection.topic !== topic) continue;
    const { partitions = [partition] } = typeof selection === 'string' ? {} : selection;
    const found = partitions.find((one) => (typeof one === 'number' ? one : one.partition) === partition);
    if (found !== undefined) return (typeof found === 'number' ? undefined : found.to) ?? options.to;
  }
  return options.to;
}

/** The records of a window, the last one first; each is a batch of its own, since offsets only rise in one. */
async function* reversedWindow(
  client: Client,
  options: ConsumerOptions,
  { topic, partition }: TopicPartition,
  from: number,
  to: number,
): AsyncGenerator<ConsumerBatch> {
  const consumer = client.consumer({ ...options, topics: [{ topic, partitions: [{ partition, from, to }] }] });
  const turned: ConsumerBatch[] = [];
  try {
    for await (const batch of consumer.batches()) {
      while (batch.cursor.next()) turned.push(keepRecord(batch));
    }
  } finally {
    await consumer.close();
  }
  yield* turned.reverse();
}
