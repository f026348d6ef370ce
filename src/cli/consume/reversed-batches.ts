import type { Client, ConsumerBatch, TopicPartition } from '../../clients/client.js';
import type { ConsumerOptions, OffsetSpec } from '../../clients/consumer.js';
import { keepRecord } from './kept-record.js';

/** Records turned round at a time: a window of offsets is read forwards and handed out backwards. */
const WINDOW_OFFSETS = 1000;

/**
 * The selected records, each partition from its end to its beginning. A log can only be read forwards, so it is read in
 * windows from the end on.
 */
export async function* reversedBatches(client: Client, options: ConsumerOptions): AsyncGenerator<ConsumerBatch> {
  for (const { topic, partition, from, to } of await partitionRanges(client, options)) {
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

async function partitionRanges(client: Client, options: ConsumerOptions): Promise<ResolvedRange[]> {
  const admin = client.admin();
  const ranges: ResolvedRange[] = [];
  for (const selection of options.topics) {
    const { topic, partitions } = typeof selection === 'string' ? { topic: selection } : selection;
    const { partitionDetails } = await admin.describeTopic(topic);
    const chosen = partitions ?? partitionDetails.map(({ partition }) => partition);
    for (const one of chosen) {
      const {
        partition,
        from = options.from,
        to = options.to,
      } = typeof one === 'number' ? { partition: one, from: undefined, to: undefined } : one;
      const offsetOf = async (spec: OffsetSpec) => (await admin.listOffsets(topic, spec, [partition]))[0]?.offset ?? -1;
      const start = await offsetOf('start');
      const end = await offsetOf('end');
      const clamp = (offset: number) => (offset < 0 ? end : Math.min(Math.max(offset, start), end));
      ranges.push({
        topic,
        partition,
        from: from === undefined ? start : clamp(await offsetOf(from)),
        to: to === undefined ? end : clamp(await offsetOf(to)),
      });
    }
  }
  return ranges;
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
