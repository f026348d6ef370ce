import type { CompressionType } from '../format/compression.js';
import type { RecordHeader } from '../format/log-record.js';
import type { Partitioner, PartitionerName } from './partitioner.js';

export type { CompressionType, Partitioner, PartitionerName };

/**
 * `all`: survives a power loss. `written`: survives the death of the process. `none`: no promise. Kafka: `all`, `1`,
 * `0`.
 */
export type Acks = 'all' | 'written' | 'none';

export interface ProducerOptions {
  /** What an acknowledgement promises. Default `all`. Kafka: `acks`. */
  readonly acks?: Acks;
  /**
   * Default: the topic's `compression.type`, and no compression where that says `producer`. Kafka: `compression.type`.
   */
  readonly compression?: CompressionType;
  /**
   * A record given by `send` or a writer waits at most this long for others to share its batch; `sendAll` and `flush`
   * do not wait. Milliseconds, default 5. Kafka: `linger.ms`.
   */
  readonly lingerMs?: number;
  /**
   * A batch is sent when it has this many bytes; never beyond the topic's `max.message.bytes`, and less where so many
   * partitions are written that their batches would fill `bufferBytes`. Default 1 MiB. Kafka: `batch.size`.
   */
  readonly batchBytes?: number;
  /**
   * Bytes of all batches not yet written, at most; `send` waits beyond it. Default 16 MiB. Kafka: `buffer.memory` (32
   * MiB there).
   */
  readonly bufferBytes?: number;
  /** Where records go that name no partition. Default `murmur2`. Kafka: `partitioner.class`. */
  readonly partitioner?: PartitionerName | Partitioner;
  /** Creates an unknown topic with one partition. Default false. Kafka: `allow.auto.create.topics`. */
  readonly createTopics?: boolean;
  /**
   * Stops waiting for locks after this long. Milliseconds; default: as the client was opened. Kafka: `max.block.ms`.
   */
  readonly maxBlockMs?: number;
}

/** Kafka: `ProducerRecord`. */
export interface ProducerRecord {
  readonly topic: string;
  /** Text is stored as UTF-8. Default null. */
  readonly key?: Uint8Array | string | null;
  /** Text is stored as UTF-8. Null is a tombstone. */
  readonly value: Uint8Array | string | null;
  /** In this order, names may repeat. Text is stored as UTF-8. Default none. */
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | string | null }[];
  /** Milliseconds since 1970. Default now. */
  readonly timestamp?: number;
  /** From 0; overrides the partitioner. */
  readonly partition?: number;
}

/** Where a record went. Kafka: `RecordMetadata`. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 under `acks: 'none'`. */
  readonly offset: number;
  /**
   * Milliseconds since 1970, as stored: the append time where the topic's `message.timestamp.type` is `LogAppendTime`.
   */
  readonly timestamp: number;
}

/**
 * Kafka: `KafkaProducer`. Records of one partition are stored in the order of the calls. Once a batch of a partition
 * has failed, everything given to this producer for that partition later fails with the same error, so that no record
 * is stored behind a hole; make a new producer to go on. So also where a topic was deleted, whatever has its name by
 * then.
 *
 * Topics that are written to are looked at every second: partitions and configs that change count from then on. As with
 * Kafka a key may then go to another partition. Kafka: `metadata.max.age.ms`.
 */
export interface Producer extends AsyncDisposable {
  /**
   * Resolves when the record is as safe as `acks` says; nothing is half acknowledged. Rejects with a `KlogError`:
   * UNKNOWN_TOPIC_OR_PARTITION, MESSAGE_TOO_LARGE, INVALID_RECORD (keyless into a compacted topic), INVALID_TIMESTAMP,
   * KLOG_LOCKED, KLOG_DISK_FULL, KLOG_SYNC_FAILED, KLOG_OUTCOME_UNKNOWN, KLOG_CLOSED.
   */
  send(record: ProducerRecord): Promise<RecordMetadata>;
  /**
   * The same for many: one promise, metadata in the order given. A record that cannot be stored is found before any is
   * taken; a failure after that rejects when the fate of all is known.
   */
  sendAll(records: readonly ProducerRecord[]): Promise<RecordMetadata[]>;
  /** Bytes to bytes, without an object per record. UNKNOWN_TOPIC_OR_PARTITION unless `createTopics` is set. */
  writer(topic: string): Promise<RecordWriter>;
  /** Sends what is batched and waits until everything given so far is acknowledged. Rejects if any of it failed. */
  flush(): Promise<void>;
  /**
   * Flushes, then lets go of the log; rejects as `flush` does, and has let go all the same. `await using` closes too,
   * but does not repeat a failure that an earlier call has rejected with.
   */
  close(): Promise<void>;
}

/** A run of acknowledged records of one partition. */
export interface Acknowledgement {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  readonly records: number;
  /** Bytes as they stand in the log. */
  readonly bytes: number;
}

/** How a stretch of bytes is cut into records. */
export interface LineLayout {
  /** The byte behind each line. */
  readonly delimiter: number;
  /** Between key and value. Undefined: a line is a value, and has no key. */
  readonly keySeparator: Uint8Array | undefined;
}

/** Takes many lines in one call. */
export interface LineAppender {
  /**
   * Takes whole lines from the beginning of `bytes[start, end)`, as many as it can at once, as records at `timestamp`
   * without headers, in the partitions of the partitioner. Answers how many. The one behind them, where there is one,
   * is for {@link RecordWriter.append}: what is wrong with it, if anything is, is told there.
   */
  append(bytes: Uint8Array, start: number, end: number, timestamp: number): number;
  /** Behind the last line that was taken, its delimiter included. */
  readonly position: number;
}

/**
 * Takes records as byte ranges and copies them at once, so the caller's buffers are free when a call returns. Each
 * method answers whether there is room for more: after `false` (the record was taken all the same) await
 * {@link RecordWriter.ready} before the next one. An error of an earlier batch is thrown by the next call to anything.
 */
export interface RecordWriter {
  /**
   * The fast way for everyday lines; undefined where there is none for such lines and such a topic. An appender adds to
   * what {@link append} has begun.
   */
  readonly lineAppender?: (layout: LineLayout) => LineAppender | undefined;
  readonly topic: string;
  /** When the writer was made. */
  readonly partitionCount: number;
  /** A keyless record at `timestamp` (milliseconds since 1970) without headers: the everyday line. */
  appendValue(buffer: Uint8Array, start: number, end: number, timestamp: number): boolean;
  /**
   * Ranges are half-open; null keys and values have a null buffer. `partition` -1: the partitioner's choice.
   * Throws MESSAGE_TOO_LARGE for a record beyond the topic's `max.message.bytes`, UNKNOWN_TOPIC_OR_PARTITION for a
   * partition that is not there, INVALID_TIMESTAMP beyond ±(2^53 - 1); such a record is not taken, the writer goes on.
   * KLOG_CLOSED when the producer was closed.
   */
  append(
    keyBuffer: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
    partition: number,
  ): boolean;
  /** Resolves when there is room; rejects with the error of an earlier batch. */
  ready(): Promise<void>;
  /** Called for each acknowledged run, in the order of each partition. Under `acks: 'none'`: when it is written. */
  onAcknowledged: ((acknowledgement: Acknowledgement) => void) | undefined;
  /**
   * Called with the first error of a batch, which the next call of anything throws: for who may not call for a while.
   */
  onFailed: ((error: Error) => void) | undefined;
  /** As {@link Producer.flush}, for this writer's topic. */
  flush(): Promise<void>;
}
