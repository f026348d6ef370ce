import type { ConsumerBatch, TopicPartition } from '../clients/client.js';
import type { Producer, RecordWriter } from '../clients/producer.js';
import { KlogError } from '../errors.js';
import type { RecordCursor } from '../format/record-cursor.js';
import type { Origin } from './origin-headers.js';
import { type Destination, destinationOf, redrivenHeaders, redrivesOf } from './redrive-headers.js';

export interface RedriveOptions {
  /** Of the topic that is gone through. */
  readonly topicId: string;
  /** Headers that name the topic a record came from: the first it has counts. */
  readonly toHeaders: readonly string[];
  /** A record that was sent back so often stays. */
  readonly maxRedrives: number;
  /** How many partitions a topic has that records may be sent to; otherwise why none may. */
  readonly lookUp: (topic: string) => Promise<number | string>;
  /** Only these. */
  readonly filter?: ((cursor: RecordCursor, batch: ConsumerBatch) => boolean) | undefined;
  /** Sent back before: passed over. */
  readonly isDone?: ((place: TopicPartition, offset: number) => boolean) | undefined;
  /** Awaited before each record that it asks to wait for. */
  readonly before?: ((cursor: RecordCursor) => Promise<void> | undefined) | undefined;
  /** Told of each record that cannot go back: there may be more than memory holds. */
  readonly onStayed?: ((record: StayedRecord) => void) | undefined;
  /** Records sent, at most. Default: all. */
  readonly maxRecords?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A record that cannot go back. */
export interface StayedRecord extends TopicPartition {
  readonly offset: number;
  readonly reason: string;
}

export interface RedriveCounts {
  records: number;
  /** By topic. */
  readonly targets: Map<string, number>;
  stayed: number;
}

/**
 * Sends each record back to where its headers say that it came from. Without a producer nothing is sent: a plan. What
 * it answers is durable.
 */
export async function redrive(
  batches: AsyncIterable<ConsumerBatch>,
  producer: Producer | undefined,
  options: RedriveOptions,
): Promise<RedriveCounts> {
  const {
    topicId,
    filter,
    isDone,
    before,
    onStayed = () => {},
    signal,
    maxRecords = Number.POSITIVE_INFINITY,
  } = options;
  const counts: RedriveCounts = { records: 0, targets: new Map(), stayed: 0 };
  const targets = new Targets(producer, options);
  for await (const batch of batches) {
    const { cursor } = batch;
    while (cursor.next()) {
      if (counts.records >= maxRecords || signal?.aborted) break;
      if (filter?.(cursor, batch) === false || isDone?.(batch, cursor.offset)) continue;
      const wait = before?.(cursor);
      if (wait !== undefined) await wait;
      if (signal?.aborted) break;
      const target = await targets.of(cursor, batch);
      const sent = typeof target === 'string' ? target : ((await send(target, topicId, cursor, batch)) ?? target);
      if (typeof sent === 'string') {
        counts.stayed += 1;
        onStayed({ topic: batch.topic, partition: batch.partition, offset: cursor.offset, reason: sent });
        continue;
      }
      counts.records += 1;
      counts.targets.set(sent.topic, (counts.targets.get(sent.topic) ?? 0) + 1);
    }
    if (counts.records >= maxRecords || signal?.aborted) break;
  }
  await producer?.flush();
  return counts;
}

interface Target {
  readonly topic: string;
  readonly partition: number;
  /** Absent in a plan. */
  readonly writer: RecordWriter | undefined;
}

/** Of topics and of names that are none. */
const MOST_KNOWN = 10_000;

/** The topics that records go back to, each looked up once, or seldom. */
class Targets {
  readonly #producer: Producer | undefined;
  readonly #options: RedriveOptions;
  readonly #known = new Map<string, number | string>();
  readonly #writers = new Map<string, RecordWriter>();

  constructor(producer: Producer | undefined, options: RedriveOptions) {
    this.#producer = producer;
    this.#options = options;
  }

  /** Where the record goes, or why it stays. */
  async of(cursor: RecordCursor, batch: ConsumerBatch): Promise<Target | string> {
    const { toHeaders, maxRedrives } = this.#options;
    const headers = cursor.headers();
    const destination = destinationOf(headers, toHeaders);
    if (destination === undefined) return `it has no header ${toHeaders.join(' or ')}`;
    const { topic } = destination;
    if (topic === batch.topic) return 'its headers say that it came from here';
    const redrives = redrivesOf(headers);
    if (redrives >= maxRedrives) return `it was sent back ${redrives === 1 ? 'once' : `${redrives} times`} already`;
    const partitions = await this.#partitions(topic);
    if (typeof partitions === 'string') return partitions;
    return { topic, partition: partitionIn(destination, partitions), writer: await this.#writer(topic) };
  }

  async #partitions(topic: string): Promise<number | string> {
    const known = this.#known.get(topic) ?? (await this.#options.lookUp(topic));
    // Headers are data, and may name another one each.
    if (this.#known.size === MOST_KNOWN) this.#known.clear();
    this.#known.set(topic, known);
    return known;
  }

  async #writer(topic: string): Promise<RecordWriter | undefined> {
    const writer = this.#writers.get(topic) ?? (await this.#producer?.writer(topic));
    if (writer !== undefined) this.#writers.set(topic, writer);
    return writer;
  }
}

/** -1: the key decides, also where the topic has fewer partitions than it had. */
function partitionIn({ partition }: Destination, partitions: number): number {
  return partition !== undefined && partition >= 0 && partition < partitions ? partition : -1;
}

/** What a topic does not take: of this one record, and nothing of it was taken. */
const NOT_TAKEN: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP']);

/** Answers why the topic does not take it. */
async function send(
  target: Target,
  topicId: string,
  cursor: RecordCursor,
  batch: ConsumerBatch,
): Promise<string | undefined> {
  const { writer, partition } = target;
  if (writer === undefined) return undefined;
  const origin = { topic: batch.topic, topicId, partition: batch.partition, offset: cursor.offset };
  try {
    if (!append(writer, partition, cursor, origin)) await writer.ready();
    return undefined;
  } catch (error) {
    if (error instanceof KlogError && NOT_TAKEN.has(error.code)) return error.message;
    throw error;
  }
}

function append(writer: RecordWriter, partition: number, cursor: RecordCursor, origin: Origin): boolean {
  const { buffer, keyStart, keyEnd, valueStart, valueEnd, timestamp } = cursor;
  return writer.append(
    keyStart < 0 ? null : buffer,
    keyStart,
    keyEnd,
    valueStart < 0 ? null : buffer,
    valueStart,
    valueEnd,
    timestamp,
    redrivenHeaders(cursor.headers(), origin),
    partition,
  );
}
