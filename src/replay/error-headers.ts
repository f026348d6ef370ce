import type { TopicPartition } from '../clients/client.js';
import type { RecordHeader } from '../format/log-record.js';

/** Kafka Connect's names, as `errors.deadletterqueue.context.headers.enable` writes them (KIP-298). */
const CONNECT_PREFIX = '__connect.errors.';
const TOPIC = `${CONNECT_PREFIX}topic`;
const PARTITION = `${CONNECT_PREFIX}partition`;
const OFFSET = `${CONNECT_PREFIX}offset`;
const EXCEPTION_CLASS = `${CONNECT_PREFIX}exception.class.name`;
const EXCEPTION_MESSAGE = `${CONNECT_PREFIX}exception.message`;
/** Connect has no name for it. */
const KLOG_PREFIX = 'klog.errors.';
const ATTEMPTS = `${KLOG_PREFIX}attempts`;

export interface RecordFailure extends TopicPartition {
  readonly offset: number;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
}

/** A record's own headers, and behind them where it came from and why it failed. Those of an earlier failure go. */
export function withErrorHeaders(own: readonly RecordHeader[], failure: RecordFailure): RecordHeader[] {
  const text = (key: string, value: string | number): RecordHeader => ({ key, value: Buffer.from(String(value)) });
  return [
    ...withoutErrorHeaders(own),
    text(TOPIC, failure.topic),
    text(PARTITION, failure.partition),
    text(OFFSET, failure.offset),
    text(EXCEPTION_CLASS, failure.code),
    text(EXCEPTION_MESSAGE, failure.reason),
    text(ATTEMPTS, failure.attempts),
  ];
}

export function withoutErrorHeaders(headers: readonly RecordHeader[]): RecordHeader[] {
  return headers.filter(({ key }) => !key.startsWith(CONNECT_PREFIX) && !key.startsWith(KLOG_PREFIX));
}
