import type { Client, ConsumerBatch } from '../../clients/client.js';
import type { Consumer, ConsumerOptions, TopicSelection } from '../../clients/consumer.js';
import type { Deadline } from './deadline.js';

export interface AwaitedRecords {
  readonly client: Client;
  readonly options: Omit<ConsumerOptions, 'follow' | 'signal' | 'timeoutMs'>;
  /** Ends everything at once. */
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
}

/** Looks at records; answers whether it has seen enough, whatever else there is. */
export type Look = (batch: ConsumerBatch) => boolean;

/**
 * Reads what is there, whatever the time, and then what comes until the deadline. It ends when `look` has seen enough,
 * or when everything there is at some moment has been seen and `isMet` says so. Answers whether that was in time.
 */
export async function readUntil(records: AwaitedRecords, look: Look, isMet: () => boolean): Promise<boolean> {
  const { options, signal, deadline } = records;
  const backlog = await read(records, { ...options, signal }, look);
  if (backlog.isEnough || isMet()) return true;
  if (deadline.leftMs === 0) return false;
  const { from: _, to: __, ...rest } = options;
  const waiting = AbortSignal.any([signal, deadline.signal]);
  const following = { ...rest, topics: backlog.positions, follow: true, signal: waiting };
  const followed = await read(records, following, (batch) => look(batch) || isMet());
  if (!isMet()) return followed.isEnough;
  await read(records, { ...rest, topics: followed.positions, signal }, look);
  return true;
}

async function read({ client }: AwaitedRecords, options: ConsumerOptions, look: Look) {
  const consumer = client.consumer(options);
  try {
    // Also where it ends before anything is read: its positions are asked for.
    await consumer.assignment();
    const isEnough = await seen(consumer, look);
    return { isEnough, positions: await positionsOf(consumer, options.topics) };
  } finally {
    await consumer.close();
  }
}

/** Waits for the topic itself. False: it did not come in time. */
export async function topicComes(
  client: Client,
  topic: string,
  { signal, deadline }: Pick<AwaitedRecords, 'signal' | 'deadline'>,
): Promise<boolean> {
  const waiting = AbortSignal.any([signal, deadline.signal]);
  const consumer = client.consumer({ topics: [topic], waitForTopics: true, signal: waiting });
  try {
    return (await consumer.assignment()).length > 0;
  } finally {
    await consumer.close();
  }
}

async function seen(consumer: Consumer, look: Look): Promise<boolean> {
  for await (const batch of consumer.batches()) if (look(batch)) return true;
  return false;
}

/**
 * Where a consumer of these topics has come to: what follows goes on there. Of a topic that is read as a whole that is
 * also what comes in partitions that it is given.
 */
export async function positionsOf(
  consumer: Consumer,
  topics: ConsumerOptions['topics'],
): Promise<ConsumerOptions['topics']> {
  const positions: TopicSelection[] = [];
  for (const { topic, partition } of await consumer.assignment()) {
    positions.push({ topic, partitions: [{ partition, from: await consumer.position({ topic, partition }) }] });
  }
  return [...positions, ...wholeTopics(topics)];
}

/** Named behind places in them, they stand for whatever partitions these leave. */
export function wholeTopics(topics: ConsumerOptions['topics']): string[] {
  return topics.flatMap((selection) => {
    if (typeof selection === 'string') return selection;
    return selection.partitions === undefined ? selection.topic : [];
  });
}
