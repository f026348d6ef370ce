/** Figures about the records of a topic, gathered in a fixed amount of memory. */
import type { RecordCursor } from '../../format/record-cursor.js';
import type { BatchFields } from './batch-fields.js';
import { KeySketch, type TopKey } from './key-sketch.js';

/** What `klog log stats --json` prints of a topic. */
export interface StatisticsSummary {
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  readonly batches: number;
  /** Batches that end or abort a transaction. */
  readonly controlBatches: number;
  /** As they stand in the `.log` files. */
  readonly bytes: number;
  /** Keys, values and headers, decompressed. */
  readonly dataBytes: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly headerBytes: number;
  /** `dataBytes` of a record. null without records; so for all averages. */
  readonly averageRecordBytes: number | null;
  readonly largestRecordBytes: number;
  readonly averageBatchRecords: number | null;
  readonly averageBatchBytes: number | null;
  /** `dataBytes` for each byte on the disk. */
  readonly compressionRatio: number | null;
  /** Batches by codec. */
  readonly compression: Readonly<Record<string, number>>;
  readonly nullKeys: number;
  readonly nullValues: number;
  readonly recordsWithHeaders: number;
  readonly headers: number;
  /** Estimated, within about 1 %. */
  readonly distinctKeys: number;
  readonly topKeys: readonly TopKey[];
  /** null: no record has a time. */
  readonly minTimestamp: number | null;
  readonly maxTimestamp: number | null;
  /** Between these two. null where they are the same. */
  readonly recordsPerSecond: number | null;
}

export class LogStatistics {
  readonly #topic: string;
  readonly #keys: KeySketch;
  readonly #topCount: number;
  readonly #compression: Record<string, number> = {};
  partitions = 0;
  #records = 0;
  #batches = 0;
  #controlBatches = 0;
  #bytes = 0;
  #keyBytes = 0;
  #valueBytes = 0;
  #headerBytes = 0;
  #largest = 0;
  #nullKeys = 0;
  #nullValues = 0;
  #recordsWithHeaders = 0;
  #headers = 0;
  #minTimestamp = Number.POSITIVE_INFINITY;
  #maxTimestamp = -1;

  constructor(topic: string, topCount: number) {
    this.#topic = topic;
    this.#topCount = topCount;
    this.#keys = new KeySketch(topCount > 0);
  }

  batch(fields: BatchFields): void {
    this.#batches += 1;
    this.#bytes += fields.size;
    if (fields.isControl === true) this.#controlBatches += 1;
    const codec = fields.compresscodec ?? 'none';
    this.#compression[codec] = (this.#compression[codec] ?? 0) + 1;
  }

  record(cursor: RecordCursor): void {
    const { keyStart, keyEnd, valueStart, valueEnd, timestamp } = cursor;
    const key = keyStart < 0 ? 0 : keyEnd - keyStart;
    const value = valueStart < 0 ? 0 : valueEnd - valueStart;
    const headers = cursor.headerCount === 0 ? 0 : headerBytes(cursor);
    this.#records += 1;
    this.#keyBytes += key;
    this.#valueBytes += value;
    this.#headerBytes += headers;
    this.#largest = Math.max(this.#largest, key + value + headers);
    if (keyStart < 0) this.#nullKeys += 1;
    else this.#keys.add(cursor.buffer, keyStart, keyEnd);
    if (valueStart < 0) this.#nullValues += 1;
    if (cursor.headerCount > 0) this.#recordsWithHeaders += 1;
    this.#headers += cursor.headerCount;
    if (timestamp < 0) return;
    if (timestamp < this.#minTimestamp) this.#minTimestamp = timestamp;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
  }

  summary(): StatisticsSummary {
    const records = this.#records;
    const dataBytes = this.#keyBytes + this.#valueBytes + this.#headerBytes;
    const hasTime = this.#maxTimestamp >= 0;
    const milliseconds = hasTime ? this.#maxTimestamp - this.#minTimestamp : 0;
    return {
      topic: this.#topic,
      partitions: this.partitions,
      records,
      batches: this.#batches,
      controlBatches: this.#controlBatches,
      bytes: this.#bytes,
      dataBytes,
      keyBytes: this.#keyBytes,
      valueBytes: this.#valueBytes,
      headerBytes: this.#headerBytes,
      averageRecordBytes: quotient(dataBytes, records),
      largestRecordBytes: this.#largest,
      averageBatchRecords: quotient(records, this.#batches - this.#controlBatches),
      averageBatchBytes: quotient(this.#bytes, this.#batches),
      compressionRatio: quotient(dataBytes, this.#bytes),
      compression: this.#compression,
      nullKeys: this.#nullKeys,
      nullValues: this.#nullValues,
      recordsWithHeaders: this.#recordsWithHeaders,
      headers: this.#headers,
      distinctKeys: this.#keys.distinct,
      topKeys: this.#keys.top(this.#topCount),
      minTimestamp: hasTime ? this.#minTimestamp : null,
      maxTimestamp: hasTime ? this.#maxTimestamp : null,
      recordsPerSecond: quotient(records * 1000, milliseconds),
    };
  }
}

function headerBytes(cursor: RecordCursor): number {
  let bytes = 0;
  cursor.rewindHeaders();
  while (cursor.nextHeader()) {
    bytes += cursor.headerKeyEnd - cursor.headerKeyStart;
    if (cursor.headerValueStart >= 0) bytes += cursor.headerValueEnd - cursor.headerValueStart;
  }
  return bytes;
}

/** With three decimals. */
function quotient(a: number, b: number): number | null {
  return b <= 0 ? null : Math.round((a / b) * 1000) / 1000;
}
