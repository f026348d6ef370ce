/**
 * What `__transaction_state` holds: the state of a transactional id, `TransactionLogKey` and `TransactionLogValue`.
 *
 * ```
 * key    i16 version 0 · transactionalId string
 * value  i16 version 0, 1 (flexible) · producerId i64 · producerEpoch i16 · transactionTimeoutMs i32 ·
 *        transactionStatus i8 · transactionPartitions [topic string · partitionIds [i32]]? ·
 *        transactionLastUpdateTimestampMs i64 · transactionStartTimestampMs i64
 * tags   0 previousProducerId i64 · 1 nextProducerId i64 · 2 clientTransactionVersion i16
 * ```
 * Written is version 0, as by brokers whose transactions are of the first kind.
 */
import { KlogError } from '../../errors.js';
import type { TopicPartitions } from './consumer-protocol.js';
import { SchemaReader } from './schema-reader.js';
import { SchemaWriter } from './schema-writer.js';

const KEY_VERSION = 0;
const VALUE_VERSION = 0;
const FIRST_FLEXIBLE = 1;

/** By id. */
export const TRANSACTION_STATUSES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const;

export type TransactionStatus = (typeof TRANSACTION_STATUSES)[number];

export interface TransactionState {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly transactionTimeoutMs: number;
  readonly status: TransactionStatus;
  /** Where the transaction has written; none when nothing is open. */
  readonly partitions: readonly TopicPartitions[];
  /** Milliseconds. */
  readonly lastUpdateTimestamp: number;
  /** Milliseconds; -1: none is open. */
  readonly startTimestamp: number;
}

export function encodeTransactionStateKey(transactionalId: string): Uint8Array {
  return new SchemaWriter().int16(KEY_VERSION).string(transactionalId).done();
}

/** The transactional id; undefined: a key of a later Kafka, to be passed over. */
export function decodeTransactionStateKey(bytes: Uint8Array): string | undefined {
  const reader = new SchemaReader(bytes, "The key of a transaction's state");
  return reader.version() === KEY_VERSION ? reader.string('transactional id') : undefined;
}

export function encodeTransactionState(state: TransactionState): Uint8Array {
  const writer = new SchemaWriter().int16(VALUE_VERSION).int64(state.producerId).int16(state.producerEpoch);
  writer.int32(state.transactionTimeoutMs).int8(TRANSACTION_STATUSES.indexOf(state.status));
  // Null means "none" only in this state: a broker refuses the empty list there, and null elsewhere.
  writer.array(state.status === 'Empty' ? null : state.partitions, ({ topic, partitions }) => {
    writer.string(topic).array(partitions, (partition) => writer.int32(partition));
  });
  return writer.int64(state.lastUpdateTimestamp).int64(state.startTimestamp).done();
}

export function decodeTransactionState(bytes: Uint8Array): TransactionState {
  const reader = new SchemaReader(bytes, "A transaction's state");
  reader.version(FIRST_FLEXIBLE);
  const producerId = reader.int64('producer id');
  const producerEpoch = reader.int16('producer epoch');
  const transactionTimeoutMs = reader.int32('transaction timeout');
  const statusId = reader.int8('transaction status');
  const status = TRANSACTION_STATUSES[statusId];
  if (status === undefined) throw new KlogError('CORRUPT_MESSAGE', `A transaction's state has status ${statusId}`);
  const partitions = reader.nullableArray('transaction partitions', () => {
    const topic = reader.string('topic');
    const ids = reader.array('partition ids', () => reader.int32('partition id'));
    reader.taggedFields();
    return { topic, partitions: ids };
  });
  const lastUpdateTimestamp = reader.int64('last update timestamp');
  const startTimestamp = reader.int64('start timestamp');
  reader.taggedFields();
  return {
    producerId,
    producerEpoch,
    transactionTimeoutMs,
    status,
    partitions: partitions ?? [],
    lastUpdateTimestamp,
    startTimestamp,
  };
}
