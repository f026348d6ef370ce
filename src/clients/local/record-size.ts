import type { RecordHeader } from '../../format/log-record.js';
import { RECORD_BATCH_OVERHEAD } from '../../format/record-batch.js';
import { MAX_RECORD_OVERHEAD } from '../../format/record-batch-builder.js';
import { sizeOfHeaders } from '../../format/record-headers.js';
import { sizeOfVarint } from '../../format/varint.js';

const MAX_HEADER_OVERHEAD = 2 * 5;

/** The most that a record can take in a batch; lengths are -1 for null. Cheap, and never too little. */
export function maxRecordSize(keyLength: number, valueLength: number, headers: readonly RecordHeader[] | null): number {
  let size = MAX_RECORD_OVERHEAD + Math.max(0, keyLength) + Math.max(0, valueLength);
  if (headers !== null) {
    for (const { key, value } of headers) {
      // A UTF-16 unit becomes three bytes of UTF-8 at most.
      size += MAX_HEADER_OVERHEAD + 3 * key.length + (value === null ? 0 : value.length);
    }
  }
  return size;
}

/** What a batch of only this record has, exactly: what `max.message.bytes` is compared with. */
export function batchSizeOfOne(
  keyLength: number,
  valueLength: number,
  headers: readonly RecordHeader[] | null,
): number {
  // Attributes, timestamp delta and offset delta of a first record take one byte each.
  let body = 3 + sizeOfField(keyLength) + sizeOfField(valueLength) + sizeOfVarint(headers?.length ?? 0);
  if (headers !== null) body += sizeOfHeaders(headers);
  return RECORD_BATCH_OVERHEAD + sizeOfVarint(body) + body;
}

function sizeOfField(length: number): number {
  return sizeOfVarint(length) + Math.max(0, length);
}
