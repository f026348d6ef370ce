import { KlogError } from '../../errors.js';
import { createPartitioner } from '../partitioner.js';
import type { Acks, Producer, ProducerOptions, ProducerRecord, RecordMetadata, RecordWriter } from '../producer.js';
import type { ClientSeams } from './client-seams.js';
import { LocalRecordWriter } from './local-record-writer.js';
import type { LocalStore } from './local-store.js';
import type { PartitionSender, SenderContext } from './partition-sender.js';
import { Permits } from './permits.js';
import type { ProducerBatch } from './producer-batch.js';
import { ProducerTopics } from './producer-topics.js';
import { RecordAccumulator } from './record-accumulator.js';
import { headersOf, RecordScratch } from './record-scratch.js';
import { SendGroup, SentRecord, type SentRecords, SentRuns, sendDeliveries } from './send-group.js';
import { SentInTurn } from './sent-in-turn.js';
import type { TopicProducer } from './topic-producer.js';

const DEFAULT_LINGER_MS = 5;
const DEFAULT_BATCH_BYTES = 1024 * 1024;
const DEFAULT_BUFFER_BYTES = 16 * 1024 * 1024;
/** Partitions that are worked on at the same time: each holds four descriptors, of perhaps 64 in all. */
const CONCURRENT_PARTITIONS = 6;
const CONCURRENT_BACKGROUND_SYNCS = 2;
const ACKS: readonly Acks[] = ['all', 'written', 'none'];

/** Jobs that are done are kept in the list until there are so many. */
const MOST_DONE_JOBS = 1024;

/** Records of one call on their way into batches. */
interface Job {
  readonly records: readonly ProducerRecord[];
  readonly group: SentRecords;
  /** Of what is sent without lingering, whose batches to send. */
  readonly touched: Set<PartitionSender> | undefined;
  isChecked: boolean;
  next: number;
  /** Which the last record went into. */
  batch: ProducerBatch | undefined;
}

export class LocalProducer implements Producer {
  readonly #seams: ClientSeams;
  readonly #acks: Acks;
  readonly #accumulator: RecordAccumulator;
  readonly #topics: ProducerTopics;
  readonly #scratch = new RecordScratch();
  /** Calls that wait for a topic or for room, in order: none may pass another. */
  readonly #jobs: Job[] = [];
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  readonly #onClose: (closing: Promise<void>) => void;
  /** Failures that the application has heard of. */
  readonly #told = new WeakSet<Error>();

  /** `onClose` is called when closing begins, with its end. */
  constructor(
    store: LocalStore,
    options: ProducerOptions,
    seams: ClientSeams,
    onClose: (closing: Promise<void>) => void = () => {},
  ) {
    const { acks = 'all', batchBytes = DEFAULT_BATCH_BYTES, bufferBytes = DEFAULT_BUFFER_BYTES } = options;
    const { lingerMs = DEFAULT_LINGER_MS, maxBlockMs } = options;
    if (!ACKS.includes(acks)) throw new TypeError(`acks must be one of ${ACKS.join(', ')}: ${String(acks)}`);
    mustBePositive('batchBytes', batchBytes);
    mustBePositive('bufferBytes', bufferBytes);
    if (!(lingerMs >= 0)) throw new TypeError(`lingerMs must not be negative: ${lingerMs}`);
    createPartitioner(options.partitioner ?? 'murmur2', seams.random);
    this.#seams = seams;
    this.#onClose = onClose;
    this.#acks = acks;
    this.#accumulator = new RecordAccumulator({ batchBytes, bufferBytes, lingerMs, elapsed: seams.elapsed });
    const context: SenderContext = {
      accumulator: this.#accumulator,
      permits: new Permits(CONCURRENT_PARTITIONS),
      backgroundPermits: new Permits(CONCURRENT_BACKGROUND_SYNCS),
      acks,
      openLog: (topic, partition, topicId) => store.partitionLog(topic, partition, { lockWaitMs: maxBlockMs, topicId }),
    };
    this.#topics = new ProducerTopics(store, options, seams, context);
  }

  send(record: ProducerRecord): Promise<RecordMetadata> {
    try {
      this.#mustBeOpen();
      const topic = this.#jobs.length > 0 || this.#accumulator.isFull ? undefined : this.#topics.get(record.topic);
      if (topic !== undefined) return this.#sendNow(record, topic);
      const sent = new SentRecord(this.#told);
      this.#submit([record], sent, false);
      return sent.promise;
    } catch (thrown) {
      const error = errorOf(thrown);
      this.#told.add(error);
      return Promise.reject(error);
    }
  }

  async sendAll(records: readonly ProducerRecord[]): Promise<RecordMetadata[]> {
    if (records.length === 0) return [];
    const group = new SendGroup(records.length, this.#told);
    this.#submit(records, group, true);
    return group.promise;
  }

  async writer(topic: string): Promise<RecordWriter> {
    this.#mustBeOpen();
    const to = await this.#topics.load(topic);
    return new LocalRecordWriter(to, this.#accumulator, this.#told, () => this.#mustBeOpen());
  }

  async flush(): Promise<void> {
    const senders = async (): Promise<void> => {
      await Promise.all(this.#topics.senders().map((sender) => sender.flush()));
    };
    // Calls that wait for room need what is batched to be sent, and are themselves batched after that.
    while (this.#draining !== undefined) await Promise.all([this.#draining, senders()]);
    await senders();
    this.#tellFailure();
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#close();
      this.#onClose(this.#closing);
    }
    return this.#closing;
  }

  /**
   * Closes, and keeps quiet about failures that a call has told already: thrown again at the end of a block they would
   * hide the first telling.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const isClosing = this.#closing !== undefined;
    const told = this.#failures().filter((failure) => this.#told.has(failure));
    try {
      await this.close();
    } catch (error) {
      if (!isClosing && !told.includes(error as Error)) throw error;
    }
  }

  async #close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      this.#topics.close();
      await Promise.all(this.#topics.senders().map((sender) => sender.synced()));
    }
    // Of the syncs that nobody has waited for.
    this.#tellFailure();
  }

  #tellFailure(): void {
    const [failure] = this.#failures();
    if (failure === undefined) return;
    this.#told.add(failure);
    throw failure;
  }

  #submit(records: readonly ProducerRecord[], group: SentRecords, isPushed: boolean): void {
    this.#mustBeOpen();
    const job: Job = {
      records,
      group,
      touched: isPushed ? new Set() : undefined,
      isChecked: false,
      next: 0,
      batch: undefined,
    };
    if (this.#jobs.length === 0 && this.#run(job)) return;
    this.#jobs.push(job);
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    const jobs = this.#jobs;
    for (let done = 0; done < jobs.length; ) {
      const job = jobs[done]!;
      if (!this.#run(job)) await this.#runWhenPossible(job);
      done++;
      // Taking the first of a long list away would move all others, each time.
      if (done >= MOST_DONE_JOBS && done * 2 >= jobs.length) {
        jobs.splice(0, done);
        done = 0;
      }
    }
    jobs.length = 0;
    this.#draining = undefined;
  }

  async #runWhenPossible(job: Job): Promise<void> {
    try {
      for (const { topic } of job.records) if (this.#topics.get(topic) === undefined) await this.#topics.load(topic);
    } catch (error) {
      job.group.failed(job.records.length - job.next, error as Error);
      return;
    }
    while (!this.#run(job)) await this.#accumulator.ready();
  }

  /** Puts records into batches until there is no room. True when nothing is left to do; errors go to the group. */
  #run(job: Job): boolean {
    const { records, group } = job;
    try {
      if (!job.isChecked && !this.#checkAll(records)) return false;
      job.isChecked = true;
      const now = this.#seams.now();
      while (job.next < records.length) {
        if (this.#accumulator.isFull) return false;
        this.#take(job, records[job.next]!, now);
        job.next++;
      }
    } catch (thrown) {
      group.failed(records.length - job.next, errorOf(thrown));
    }
    if (job.touched !== undefined) for (const sender of job.touched) sender.push();
    return true;
  }

  /** False when a topic is not known yet. Throws what is wrong with the first bad record. */
  #checkAll(records: readonly ProducerRecord[]): boolean {
    for (const record of records) {
      const topic = this.#topics.get(record.topic);
      if (topic === undefined) return false;
      this.#scratch.check(record, topic);
    }
    return true;
  }

  /** `now`: the time of records that have none. */
  #take(job: Job, record: ProducerRecord, now: number): void {
    const { group, next } = job;
    const topic = this.#topics.get(record.topic)!;
    const timestamp = record.timestamp ?? now;
    const batch = this.#append(record, topic, timestamp);
    group.taken(timestamp);
    if (this.#acks === 'none') {
      group.acknowledged(next, 1, topic.topic, batch.partition, -1, -1);
    } else {
      batch.runs ??= new SentRuns();
      batch.runs.add(group, next, batch.builder.recordCount - 1);
    }
    if (batch === job.batch) return;
    job.batch = batch;
    job.touched?.add(topic.sender(batch.partition));
  }

  /** What most calls of `send` are: the topic is known, there is room, and nobody is before it. */
  #sendNow(record: ProducerRecord, topic: TopicProducer): Promise<RecordMetadata> {
    this.#scratch.check(record, topic);
    const timestamp = record.timestamp ?? this.#seams.now();
    const batch = this.#append(record, topic, timestamp);
    const { partition } = batch;
    if (this.#acks === 'none') return Promise.resolve({ topic: topic.topic, partition, offset: -1, timestamp });
    batch.inTurn ??= new SentInTurn(topic.topic, partition, this.#told);
    return batch.inTurn.add(batch.builder.recordCount - 1, timestamp);
  }

  /** Puts a checked record into a batch, and answers that. */
  #append(record: ProducerRecord, topic: TopicProducer, timestamp: number): ProducerBatch {
    const scratch = this.#scratch;
    scratch.set(record);
    return topic.append(
      sendDeliveries,
      scratch.keyBuffer,
      scratch.keyStart,
      scratch.keyEnd,
      scratch.valueBuffer,
      scratch.valueStart,
      scratch.valueEnd,
      timestamp,
      headersOf(record),
      record.partition ?? -1,
    );
  }

  #failures(): Error[] {
    return this.#topics.senders().flatMap(({ failure }) => failure ?? []);
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw new KlogError('KLOG_CLOSED', 'the producer is closed');
  }
}

/** A partitioner of the application may throw anything. */
function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`not an error was thrown: ${String(thrown)}`, { cause: thrown });
}

function mustBePositive(name: string, value: number): void {
  if (!(value > 0)) throw new TypeError(`${name} must be positive: ${value}`);
}
