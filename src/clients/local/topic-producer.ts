/** One topic of a producer: what a record must be to be stored there, and which partition it goes to. */
import { KlogError } from '../../errors.js';
import type { Codec } from '../../format/compression.js';
import type { RecordHeader } from '../../format/log-record.js';
import { RECORD_BATCH_OVERHEAD } from '../../format/record-batch.js';
import { type RangePartitioner, STICKY } from '../partitioner.js';
import { unknownPartition } from '../unknown-partition.js';
import type { StoredTopic } from './local-store.js';
import { PartitionSender, type SenderContext, type SenderTopic } from './partition-sender.js';
import type { BatchOwner, ProducerBatch } from './producer-batch.js';
import { batchSizeOfOne, maxRecordSize } from './record-size.js';

export class TopicProducer implements SenderTopic {
  readonly topic: string;
  readonly topicId: string;
  /** These are as the topic was when it was last looked at. */
  partitionCount: number;
  maxMessageBytes: number;
  isCompacted: boolean;
  codec: Codec | undefined;
  readonly partitioner: RangePartitioner;
  readonly #context: SenderContext;
  #configs: string;
  readonly #senders: (PartitionSender | undefined)[];
  /** Where each partition would end if all that is batched were written: keyless batches go to the lowest. */
  #ends: Float64Array;
  #sticky = STICKY;

  /** `ends`: where each partition ends now; only needed when keyless records have a choice. */
  constructor(
    stored: StoredTopic,
    codec: Codec | undefined,
    partitioner: RangePartitioner,
    ends: readonly number[],
    context: SenderContext,
  ) {
    this.topic = stored.topic;
    this.topicId = stored.topicId;
    this.#configs = JSON.stringify(stored.configs);
    this.partitionCount = stored.partitions;
    this.maxMessageBytes = stored.maxMessageBytes;
    this.isCompacted = stored.isCompacted;
    this.codec = codec;
    this.partitioner = partitioner;
    this.#context = context;
    this.#senders = new Array(stored.partitions);
    this.#ends = Float64Array.from(ends);
  }

  /** Whether the same topic was given partitions, or other configs. */
  isAlteredTo({ topicId, partitions, configs }: StoredTopic): boolean {
    if (topicId !== this.topicId) return false;
    return partitions > this.partitionCount || JSON.stringify(configs) !== this.#configs;
  }

  /**
   * From the next record on it is what the topic is now. As with Kafka a key may go to another partition from there on;
   * what was batched stays where it is. `addedEnds`: where the new partitions end.
   */
  alter(stored: StoredTopic, codec: Codec | undefined, addedEnds: readonly number[]): void {
    this.partitionCount = stored.partitions;
    this.maxMessageBytes = stored.maxMessageBytes;
    this.isCompacted = stored.isCompacted;
    this.codec = codec;
    this.#ends = Float64Array.from([...this.#ends, ...addedEnds]);
    const configs = JSON.stringify(stored.configs);
    if (configs === this.#configs) return;
    this.#configs = configs;
    for (const sender of this.senders()) sender.configsChanged();
  }

  /** Throws what is wrong with a record of these lengths (-1: null); takes nothing. */
  check(
    keyLength: number,
    valueLength: number,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
    partition: number,
  ): void {
    if (partition !== STICKY && (!Number.isInteger(partition) || partition < 0 || partition >= this.partitionCount)) {
      throw unknownPartition(this.topic, partition, this.partitionCount);
    }
    if (!Number.isSafeInteger(timestamp)) {
      throw new KlogError(
        'INVALID_TIMESTAMP',
        `the timestamp ${timestamp} is not a whole number of milliseconds within ±(2^53 - 1)`,
        { topic: this.topic },
      );
    }
    if (keyLength < 0 && this.isCompacted) {
      throw new KlogError('INVALID_RECORD', `a record without a key cannot go to ${this.topic}, which is compacted`, {
        topic: this.topic,
        hint: 'Give each record a key, or set cleanup.policy=delete',
      });
    }
    if (RECORD_BATCH_OVERHEAD + maxRecordSize(keyLength, valueLength, headers) > this.maxMessageBytes) {
      this.#checkExactSize(keyLength, valueLength, headers);
    }
  }

  /** Takes a checked record; answers the batch it went into. Throws the failure of its partition. */
  append(
    owner: BatchOwner,
    keyBuffer: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
    partition: number,
  ): ProducerBatch {
    let target = partition;
    if (target === STICKY) {
      const count = this.partitionCount;
      target = this.partitioner.choose(keyBuffer, keyStart, keyEnd, valueBuffer, valueStart, valueEnd, count);
      if (target === STICKY) target = this.#stickyPartition();
    }
    const keyLength = keyBuffer === null ? -1 : keyEnd - keyStart;
    const valueLength = valueBuffer === null ? -1 : valueEnd - valueStart;
    const batch = this.sender(target).batchFor(owner, maxRecordSize(keyLength, valueLength, headers), timestamp);
    batch.builder.append(
      keyBuffer,
      keyStart,
      keyEnd,
      valueBuffer,
      valueStart,
      valueEnd,
      timestamp,
      headers as RecordHeader[] | null,
    );
    return batch;
  }

  /** The batch that keyless records go into now, if it is this owner's. */
  stickyBatch(owner: BatchOwner): ProducerBatch | undefined {
    if (this.#sticky === STICKY) return undefined;
    const batch = this.#senders[this.#sticky]?.open;
    return batch?.owner === owner ? batch : undefined;
  }

  /** The batch that the partition's records go into now. */
  openBatch(partition: number): ProducerBatch | undefined {
    return this.#senders[partition]?.open;
  }

  sender(partition: number): PartitionSender {
    this.#senders[partition] ??= new PartitionSender(this, partition, this.#context);
    return this.#senders[partition];
  }

  senders(): PartitionSender[] {
    return this.#senders.filter((sender) => sender !== undefined);
  }

  batchClosed(partition: number, records: number): void {
    this.#ends[partition]! += records;
    if (this.#sticky === partition) this.#sticky = STICKY;
  }

  endSeen(partition: number, offset: number): void {
    if (offset > this.#ends[partition]!) this.#ends[partition] = offset;
  }

  #stickyPartition(): number {
    if (this.#sticky !== STICKY) return this.#sticky;
    let lowest = 0;
    for (let partition = 1; partition < this.partitionCount; partition++) {
      if (this.#ends[partition]! < this.#ends[lowest]!) lowest = partition;
    }
    this.#sticky = lowest;
    return lowest;
  }

  #checkExactSize(keyLength: number, valueLength: number, headers: readonly RecordHeader[] | null): void {
    const size = batchSizeOfOne(keyLength, valueLength, headers);
    if (size <= this.maxMessageBytes) return;
    throw new KlogError(
      'MESSAGE_TOO_LARGE',
      `a record of ${size} bytes, batch header included, is larger than the ${this.maxMessageBytes} bytes ` +
        `that ${this.topic} takes (max.message.bytes)`,
      { topic: this.topic, hint: 'Raise max.message.bytes of the topic' },
    );
  }
}
