import type { Client } from '../../clients/client.js';
import type { Producer, RecordWriter } from '../../clients/producer.js';
import { unknownPartition } from '../../clients/unknown-partition.js';
import { KlogError } from '../../errors.js';
import { isValidTopicName } from '../../format/topic-name.js';
import type { CliContext } from '../cli-context.js';
import { refuseInternal } from '../internal-topics.js';
import { counted } from '../listing.js';
import { notice } from '../notices.js';
import type { ProduceOptions } from './produce-options.js';
import type { ProduceTally } from './produce-tally.js';
import { PacedTarget, type RateLimit } from './rate-limit.js';
import type { RecordTarget } from './record-target.js';
import type { RecordReports } from './reported-records.js';

export interface TopicTargetsOptions {
  readonly client: Client;
  readonly producer: Producer;
  readonly tally: ProduceTally;
  /** Named when a topic is created. */
  readonly directory: string;
  /** `--report`. */
  readonly reports: RecordReports | undefined;
  /** A batch has failed: no input is of use any more. */
  readonly onFailed: () => void;
  /** `--rate`. */
  readonly limit: RateLimit | undefined;
}

/** The topics of one run, each opened, and made if need be, when its first record comes. */
export class TopicTargets {
  readonly #flags: ProduceOptions;
  readonly #context: Pick<CliContext, 'stderr'>;
  readonly #options: TopicTargetsOptions;
  readonly #targets = new Map<string, RecordTarget>();

  constructor(flags: ProduceOptions, context: Pick<CliContext, 'stderr'>, options: TopicTargetsOptions) {
    this.#flags = flags;
    this.#context = context;
    this.#options = options;
  }

  /** If it is open. */
  get(topic: string): RecordTarget | undefined {
    return this.#targets.get(topic);
  }

  /** UNKNOWN_TOPIC_OR_PARTITION with `--no-create`, or when the partition of `-p` is not there. */
  async open(topic: string): Promise<RecordTarget> {
    const writer = await this.#writer(topic);
    checkPartition(topic, writer.partitionCount, this.#flags.partition);
    const { reports, limit, producer, tally, onFailed } = this.#options;
    writer.onAcknowledged = (run) => tally.add(run);
    writer.onFailed = onFailed;
    let target: RecordTarget = writer;
    if (reports !== undefined) target = reports.target(topic, writer.partitionCount, producer);
    if (limit !== undefined) target = new PacedTarget(target, limit);
    this.#targets.set(topic, target);
    return target;
  }

  /** For a topic that a record names itself. */
  async openNamed(topic: string): Promise<RecordTarget> {
    if (!isValidTopicName(topic)) throw new KlogError('KLOG_BAD_INPUT', `'${topic}' is no name of a topic`);
    refuseInternal(topic, this.#flags.force, 'produce to');
    return this.open(topic);
  }

  async #writer(topic: string): Promise<RecordWriter> {
    const { producer } = this.#options;
    try {
      return await producer.writer(topic);
    } catch (error) {
      const isUnknown = error instanceof KlogError && error.code === 'UNKNOWN_TOPIC_OR_PARTITION';
      if (!isUnknown || !this.#flags.create) throw error;
    }
    // It would have partition 0 only: better no topic than one that was not meant.
    checkPartition(topic, 1, this.#flags.partition);
    await this.#create(topic);
    return producer.writer(topic);
  }

  async #create(topic: string): Promise<void> {
    const { client, directory } = this.#options;
    try {
      const { partitions } = await client.admin().createTopic({ topic, partitions: 1 });
      notice(
        this.#flags,
        this.#context,
        `created topic '${topic}' with ${counted(partitions, 'partition')} in ${directory}`,
      );
    } catch (error) {
      // Somebody else was quicker.
      if (!(error instanceof KlogError && error.code === 'TOPIC_ALREADY_EXISTS')) throw error;
    }
  }
}

/** UNKNOWN_TOPIC_OR_PARTITION. */
export function checkPartition(topic: string, count: number, partition: number | undefined): void {
  if (partition === undefined || partition < count) return;
  throw unknownPartition(topic, partition, count);
}
