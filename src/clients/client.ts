import type { CompressionType } from '../format/compression.js';
import type { RecordCursor } from '../format/record-cursor.js';
import type { Admin } from './admin.js';
import type { Consumer, ConsumerOptions } from './consumer.js';
import type { GroupConsumer, GroupConsumerOptions } from './group-consumer.js';
import type { Producer, ProducerOptions } from './producer.js';

/**
 * What an application holds: one home of topics, a directory or a Kafka cluster. Making producers, consumers and admins
 * costs nothing; whatever must be opened or connected is at the first call that needs it.
 */
export interface Client extends AsyncDisposable {
  /** Throws KLOG_CLOSED after {@link Client.close}, as the next two do. */
  producer(options?: ProducerOptions): Producer;
  /** Each call makes a consumer of its own, which is iterated once. With `group` it is a new member of that group. */
  consumer(options: GroupConsumerOptions): GroupConsumer;
  consumer(options: ConsumerOptions): Consumer;
  /** Needs no closing. */
  admin(): Admin;
  /** What its owner should know about the place, such as that everybody may write there. Absent: nothing. */
  readonly warnings?: readonly string[];
  /**
   * Closes every producer and consumer made by this client: producers make durable what they were given. Everything is
   * closed whatever fails; rejects with the first failure that nobody was told of. A second call answers as the first.
   */
  close(): Promise<void>;
}

/** Kafka: `TopicPartition`. */
export interface TopicPartition {
  readonly topic: string;
  /** From 0. */
  readonly partition: number;
}

/**
 * The records of one batch, as bytes: the fast way through klog. `cursor` is valid until the next batch is asked for;
 * control records and records outside the asked range are already left out.
 */
export interface ConsumerBatch extends TopicPartition {
  readonly cursor: RecordCursor;
  /** -1: unknown. */
  readonly leaderEpoch: number;
  /** How the batch is stored; the cursor's bytes are decompressed. */
  readonly compression: CompressionType;
  /** -1: none or unknown; the epoch likewise. */
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Written in a Kafka transaction. */
  readonly isTransactional: boolean;
  /** The marks of the partition when the bytes were read. */
  readonly logStartOffset: number;
  readonly lastStableOffset: number;
  readonly highWatermark: number;
}
