/** Writes a planned topic through the library, and says what must stand in the log of each partition. */
import type { Client } from '../../src/clients/client.js';
import { openClient } from '../../src/clients/local/open-client.js';
import type { Producer, ProducerOptions, RecordMetadata } from '../../src/clients/producer.js';
import { described } from './described.js';
import { below, type PlannedRecord, type Random, randomRecords } from './random-records.js';
import type { TopicPlan } from './topic-plan.js';

/** A record as read_segment.py has to show it. */
export interface ExpectedRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: unknown;
  readonly value: unknown;
  readonly headers: readonly (readonly [string, unknown])[];
}

export interface WrittenTopic {
  readonly topicId: string;
  /** Of each partition, by offset. */
  readonly partitions: readonly ExpectedRecord[][];
}

const MOST_IN_A_CALL = 60;
const REOPENINGS = 12;

export async function writeTopic(directory: string, plan: TopicPlan, random: Random): Promise<WrittenTopic> {
  const records = randomRecords(plan.records, plan.count, random);
  const { topicId } = await withClient(directory, (client) =>
    client.admin().createTopic({ topic: plan.topic, partitions: plan.partitions, configs: plan.configs }),
  );
  const runs = plan.wayIn === 'reopened' ? split(records, Math.ceil(records.length / REOPENINGS)) : [records];
  const partitions: ExpectedRecord[][] = Array.from({ length: plan.partitions }, () => []);
  for (const run of runs) {
    const before = Date.now();
    const metadata = await withClient(directory, (client) => writeRun(client, plan, run, random));
    const after = Date.now();
    run.forEach((record, index) => {
      const stored = metadata[index]!;
      const expected = partitions[stored.partition]!;
      // Kept in the order of the calls, so an offset given out twice or left out shows here, and again in the log.
      if (stored.offset !== expected.length) {
        throw new Error(
          `${plan.topic}-${stored.partition}: offset ${stored.offset}, ${expected.length} records before`,
        );
      }
      expected.push({
        offset: String(stored.offset),
        timestamp: String(expectedTime(plan, record.timestamp, stored.timestamp, before, after)),
        key: described(record.key),
        value: described(record.value),
        headers: record.headers.map(({ key, value }) => [key, described(value)]),
      });
    });
  }
  return { topicId, partitions };
}

async function withClient<T>(directory: string, use: (client: Client) => Promise<T>): Promise<T> {
  await using client = await openClient({ directory, create: true });
  return await use(client);
}

async function writeRun(
  client: Client,
  plan: TopicPlan,
  records: readonly PlannedRecord[],
  random: Random,
): Promise<RecordMetadata[]> {
  await using producer = client.producer(producerOptions(plan));
  if (plan.wayIn === 'writer') return await writeRanges(producer, plan.topic, records);
  const metadata: RecordMetadata[] = [];
  for (let start = 0; start < records.length; ) {
    const end = plan.wayIn === 'send' ? start + 1 : start + 1 + below(MOST_IN_A_CALL, random);
    const part = records.slice(start, end).map((record) => ({ topic: plan.topic, ...record }));
    metadata.push(...(await producer.sendAll(part)));
    start = end;
  }
  return metadata;
}

function producerOptions({ producerCompression, batchBytes }: TopicPlan): ProducerOptions {
  const options: ProducerOptions = { batchBytes, acks: 'written' };
  return producerCompression === undefined ? options : { ...options, compression: producerCompression };
}

async function writeRanges(
  producer: Producer,
  topic: string,
  records: readonly PlannedRecord[],
): Promise<RecordMetadata[]> {
  const writer = await producer.writer(topic);
  const metadata: RecordMetadata[] = [];
  for (const { key, value, headers, timestamp } of records) {
    const plain = key === null && value !== null && headers.length === 0;
    const room = plain
      ? writer.appendValue(value, 0, value.length, timestamp)
      : writer.append(key, 0, key?.length ?? 0, value, 0, value?.length ?? 0, timestamp, headers, -1);
    if (!room) await writer.ready();
    metadata.push({ topic, partition: 0, offset: metadata.length, timestamp });
  }
  await writer.flush();
  return metadata;
}

/** The producer's own word on times: what it was given, or, under LogAppendTime, when the append was. */
function expectedTime(plan: TopicPlan, given: number, stored: number, before: number, after: number): number {
  const isAppendTime = plan.configs['message.timestamp.type'] === 'LogAppendTime';
  const [earliest, latest] = isAppendTime ? [before, after] : [given, given];
  if (stored >= earliest && stored <= latest) return stored;
  throw new Error(`${plan.topic}: acknowledged with the timestamp ${stored}, expected ${earliest} to ${latest}`);
}

function split<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}
