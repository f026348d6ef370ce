import { isUtf8 } from 'node:buffer';
import type { TopicPartition } from '../clients/client.js';
import type { LogRecord, RecordHeader } from '../format/log-record.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'KLOG_RECORD_';

/**
 * What a handler is told of its record, besides the value on its standard input. KEY is absent when null or not text.
 */
export function recordEnvironment(record: LogRecord & TopicPartition): Record<string, string> {
  const { key } = record;
  return {
    KLOG_RECORD_TOPIC: record.topic,
    KLOG_RECORD_PARTITION: String(record.partition),
    KLOG_RECORD_OFFSET: String(record.offset),
    KLOG_RECORD_TIMESTAMP: String(record.timestamp),
    KLOG_RECORD_HEADERS: JSON.stringify(record.headers.map(headerObject)),
    ...(key === null ? {} : { KLOG_RECORD_KEY_BASE64: Buffer.from(key).toString('base64') }),
    // The environment is made of C strings: a key with NUL is no text there.
    ...(key !== null && isUtf8(key) && !key.includes(0) ? { KLOG_RECORD_KEY: Buffer.from(key).toString() } : {}),
  };
}

/** An environment without the record that klog itself may have been started for: by a handler. */
export function withoutRecord(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith(PREFIX)));
}

function headerObject({ key, value }: RecordHeader) {
  if (value === null || isUtf8(value)) return { key, value: value === null ? null : Buffer.from(value).toString() };
  return { key, valueBase64: Buffer.from(value).toString('base64') };
}
