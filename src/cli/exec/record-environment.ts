import { isUtf8 } from 'node:buffer';
import type { TopicPartition } from '../../clients/client.js';
import type { RecordHeader } from '../../format/log-record.js';
import type { RecordCursor } from '../../format/record-cursor.js';

/** What a handler is told of its record, besides the value on its standard input. KEY is absent when null or not text. */
export function recordEnvironment(cursor: RecordCursor, place: TopicPartition): Record<string, string> {
  const key = cursor.key();
  return {
    KLOG_RECORD_TOPIC: place.topic,
    KLOG_RECORD_PARTITION: String(place.partition),
    KLOG_RECORD_OFFSET: String(cursor.offset),
    KLOG_RECORD_TIMESTAMP: String(cursor.timestamp),
    KLOG_RECORD_HEADERS: JSON.stringify(cursor.headers().map(headerObject)),
    ...(key === null ? {} : { KLOG_RECORD_KEY_BASE64: Buffer.from(key).toString('base64') }),
    // The environment is made of C strings: a key with NUL is no text there.
    ...(key !== null && isUtf8(key) && !key.includes(0) ? { KLOG_RECORD_KEY: Buffer.from(key).toString() } : {}),
  };
}

function headerObject({ key, value }: RecordHeader) {
  if (value === null || isUtf8(value)) return { key, value: value === null ? null : Buffer.from(value).toString() };
  return { key, valueBase64: Buffer.from(value).toString('base64') };
}
