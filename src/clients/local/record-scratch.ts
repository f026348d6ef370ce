import type { RecordHeader } from '../../format/log-record.js';
import { RECORD_BATCH_OVERHEAD } from '../../format/record-batch.js';
import type { ProducerRecord } from '../producer.js';
import { maxRecordSize } from './record-size.js';
import type { TopicProducer } from './topic-producer.js';

type Field = Uint8Array | string | null | undefined;

/** Key and value of one record as byte ranges: text is encoded into a buffer that all records share in turn. */
export class RecordScratch {
  keyBuffer: Uint8Array | null = null;
  keyStart = -1;
  keyEnd = -1;
  valueBuffer: Uint8Array | null = null;
  valueStart = -1;
  valueEnd = -1;
  #text = Buffer.allocUnsafeSlow(4096);

  /**
   * Throws what is wrong with the record: a TypeError for what is no record, a KlogError for what this topic refuses.
   */
  check(record: ProducerRecord, topic: TopicProducer): void {
    mustBeField('key', record.key ?? null);
    mustBeField('value', record.value);
    const headers = headersToCheck(record);
    let keyLength = maxLength(record.key);
    let valueLength = maxLength(record.value);
    if (RECORD_BATCH_OVERHEAD + maxRecordSize(keyLength, valueLength, headers) > topic.maxMessageBytes) {
      keyLength = exactLength(record.key);
      valueLength = exactLength(record.value);
    }
    topic.check(keyLength, valueLength, record.timestamp ?? 0, headers, record.partition ?? -1);
  }

  /** Leaves the record's ranges in the fields: valid until the next one. */
  set(record: ProducerRecord): void {
    const { key = null, value } = record;
    const keyRoom = typeof key === 'string' ? 3 * key.length : 0;
    const room = keyRoom + (typeof value === 'string' ? 3 * value.length : 0);
    if (room > this.#text.length) this.#text = Buffer.allocUnsafeSlow(Math.max(room, 2 * this.#text.length));
    this.keyBuffer = typeof key === 'string' ? this.#text : key;
    this.keyStart = key === null ? -1 : 0;
    this.keyEnd = key === null ? -1 : typeof key === 'string' ? this.#text.write(key, 0) : key.length;
    if (typeof value === 'string') {
      this.valueBuffer = this.#text;
      this.valueStart = keyRoom;
      this.valueEnd = keyRoom + this.#text.write(value, keyRoom);
    } else {
      this.valueBuffer = value;
      this.valueStart = value === null ? -1 : 0;
      this.valueEnd = value === null ? -1 : value.length;
    }
  }
}

function mustBeField(name: string, field: unknown): void {
  if (field === null || typeof field === 'string' || field instanceof Uint8Array) return;
  throw new TypeError(`the ${name} of a record must be a string, a Uint8Array or null, not ${typeof field}`);
}

function headersToCheck(record: ProducerRecord): RecordHeader[] | null {
  if (record.headers === undefined || record.headers.length === 0) return null;
  return record.headers.map(({ key, value }) => {
    if (typeof key !== 'string') throw new TypeError(`the key of a header must be a string, not ${typeof key}`);
    mustBeField(`header ${key}`, value);
    return { key, value: typeof value === 'string' ? Buffer.from(value) : value };
  });
}

/** Of a checked record; null: none. */
export function headersOf(record: ProducerRecord): RecordHeader[] | null {
  if (record.headers === undefined || record.headers.length === 0) return null;
  return record.headers.map(({ key, value }) => ({
    key,
    value: typeof value === 'string' ? Buffer.from(value) : value,
  }));
}

/** A UTF-16 unit becomes three bytes of UTF-8 at most. -1: null. */
function maxLength(field: Field): number {
  if (typeof field === 'string') return 3 * field.length;
  return field === null || field === undefined ? -1 : field.length;
}

function exactLength(field: Field): number {
  return typeof field === 'string' ? Buffer.byteLength(field) : maxLength(field);
}
