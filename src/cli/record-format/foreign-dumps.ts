/**
 * Records as other tools print them, told apart by their fields. Where nothing tells, it is klog's own.
 *
 * | dump                  | told by                                   | fields |
 * |-----------------------|-------------------------------------------|--------|
 * | kcat `-J`             | `payload` with `ts` `tstype` or `broker`  | `key` `payload` (Avro as JSON), `ts` in ms, `headers` as `[name, value, …]` or `{name: [value, …]}` |
 * | kaf                   | `payload` otherwise                       | RFC 3339 `timestamp`, `headers` as objects; `json` has the payload as JSON |
 * | kafkactl              | `Value` or `Key`; `headers` as an object  | `Partition` `Offset` `Headers` as an object, RFC 3339 `Timestamp` |
 * | kt                    | a `timestamp` that is text                | `partition` `offset` `key` `value` |
 * | rpk                   | place and timestamp, no `timestampType`   | as klog's; null and empty are both left out, and read as null |
 * | s2 `json-base64`      | `seq_num` or `body`                       | `body` and `headers` as `[[name, value], …]` in base64, no key |
 */
import type { RecordHeader } from '../../format/log-record.js';
import { inexactNumber } from './exact-numbers.js';
import type { InputRecord } from './input-record.js';
import {
  BadRecordError,
  base64Bytes,
  bytesField,
  integerField,
  isObject,
  type JsonObject,
  placeFields,
  shortened,
  textBytes,
} from './json-fields.js';

/**
 * Undefined when the object is not told to be another tool's. `text`: what it was parsed from. Throws {@link
 * BadRecordError}.
 */
export function readForeignRecord(object: JsonObject, text: string): InputRecord | undefined {
  const has = (field: string) => Object.hasOwn(object, field);
  if (has('valueBase64') || has('keyBase64') || has('timestampType')) return undefined;
  if (has('payload') && !has('value')) {
    return has('ts') || has('tstype') || has('broker') ? readKcat(object, text) : readKaf(object, text);
  }
  if ((has('Value') || has('Key')) && !has('value')) return readKafkactl(object);
  if ((has('seq_num') || has('body')) && !has('value')) return readS2(object);
  if (!has('value')) return isRpkWithoutValue(object) ? readRpk(object) : undefined;
  if (isObject(object.headers)) return readKafkactlInput(object);
  if (typeof object.timestamp === 'string') return readKt(object);
  return undefined;
}

/** Without a timestamp kcat leaves it out, or says 0 and `unknown`. What it could not decode it prints as null. */
function readKcat(object: JsonObject, text: string): InputRecord {
  for (const failed of ['payload_error', 'key_error']) {
    if (object[failed] === undefined) continue;
    throw new BadRecordError(`kcat could not decode it (${failed}), so its bytes are not in this dump`);
  }
  const isTimed = object.ts !== undefined && object.tstype !== 'unknown';
  return {
    ...placeFields(object),
    timestamp: isTimed ? integerField(object.ts, 'ts') : -1,
    key: jsonOrText(object.key ?? null, 'key', text),
    value: jsonOrText(object.payload, 'payload', text),
    headers: isObject(object.headers) ? headerLists(object.headers) : flatHeaders(object.headers),
  };
}

function headerLists(headers: JsonObject): RecordHeader[] {
  return Object.entries(headers).flatMap(([key, values]) => {
    if (!Array.isArray(values)) throw new BadRecordError(`header ${key} is no array of values`);
    return values.map((value: unknown) => ({ key, value: textBytes(value, `header ${key}`) }));
  });
}

function flatHeaders(headers: unknown): RecordHeader[] {
  if (headers === undefined || headers === null) return [];
  if (!Array.isArray(headers) || headers.length % 2 !== 0) throw new BadRecordError('headers is no [name, value, …]');
  const found: RecordHeader[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    found.push({ key: headerName(headers[i]), value: textBytes(headers[i + 1], 'the value of a header') });
  }
  return found;
}

function headerName(name: unknown): string {
  if (typeof name !== 'string') throw new BadRecordError('the name of a header is no text');
  return name;
}

/** `json-each-row` has texts. `json` has what parsed as JSON as such, and its headers in base64 under capital names. */
function readKaf(object: JsonObject, text: string): InputRecord {
  const headers = object.headers ?? [];
  if (!Array.isArray(headers)) throw new BadRecordError('headers is no array');
  return {
    ...placeFields(object),
    timestamp: timeField(object.timestamp),
    key: jsonOrText(object.key ?? null, 'key', text),
    value: jsonOrText(object.payload, 'payload', text),
    headers: headers.map((header: unknown) => {
      if (!isObject(header)) throw new BadRecordError('a header is no object');
      if (typeof header.Key === 'string') {
        const key = Buffer.from(base64Bytes(header.Key, 'the name of a header')).toString('utf8');
        return { key, value: header.Value === null ? null : base64Bytes(header.Value, 'the value of a header') };
      }
      return { key: headerName(header.key), value: textBytes(header.value ?? null, 'the value of a header') };
    }),
  };
}

/** JSON is written anew: where a number of the record's own `text` would become another one it is refused. */
function jsonOrText(value: unknown, name: string, text: string): Uint8Array | null {
  if (value === null || typeof value === 'string') return textBytes(value, name);
  const number = inexactNumber(text);
  if (number !== undefined) {
    throw new BadRecordError(
      `${name} is JSON with the number ${shortened(number)}, which cannot be held exactly`,
      'Have it dumped as text.',
    );
  }
  return Buffer.from(JSON.stringify(value), 'utf8');
}

function readKafkactl(object: JsonObject): InputRecord {
  return {
    partition: integerField(object.Partition, 'Partition'),
    offset: integerField(object.Offset, 'Offset'),
    timestamp: timeField(object.Timestamp),
    key: textBytes(object.Key ?? null, 'Key'),
    value: textBytes(object.Value ?? null, 'Value'),
    headers: headerMap(object.Headers),
  };
}

function readKafkactlInput(object: JsonObject): InputRecord {
  return {
    ...placeFields(object),
    timestamp: timeField(object.timestamp),
    key: textBytes(object.key ?? null, 'key'),
    value: textBytes(object.value, 'value'),
    headers: headerMap(object.headers),
  };
}

function headerMap(headers: unknown): RecordHeader[] {
  if (headers === undefined || headers === null) return [];
  if (!isObject(headers)) throw new BadRecordError('Headers is no object');
  return Object.entries(headers).map(([key, value]) => ({ key, value: textBytes(value, `header ${key}`) }));
}

function readKt(object: JsonObject): InputRecord {
  return {
    ...placeFields(object),
    timestamp: timeField(object.timestamp),
    key: textBytes(object.key ?? null, 'key'),
    value: textBytes(object.value, 'value'),
    headers: ownHeaders(object.headers),
  };
}

function ownHeaders(headers: unknown): RecordHeader[] {
  if (headers === undefined || headers === null) return [];
  if (!Array.isArray(headers)) throw new BadRecordError('headers is no array');
  return headers.map((header: unknown) => {
    if (!isObject(header)) throw new BadRecordError('a header is no object');
    return { key: headerName(header.key), value: bytesField(header.value, header.valueBase64, 'value') ?? null };
  });
}

/** With `--meta-only` rpk prints the size in place of the value, which then is unknown. */
function isRpkWithoutValue(object: JsonObject): boolean {
  const has = (field: string) => Object.hasOwn(object, field);
  return has('topic') && has('partition') && has('offset') && has('timestamp') && !has('value_size');
}

function readRpk(object: JsonObject): InputRecord {
  return {
    ...placeFields(object),
    timestamp: integerField(object.timestamp, 'timestamp'),
    key: textBytes(object.key ?? null, 'key'),
    value: null,
    headers: ownHeaders(object.headers),
  };
}

function readS2(object: JsonObject): InputRecord {
  const headers = object.headers ?? [];
  if (!Array.isArray(headers)) throw new BadRecordError('headers is no array');
  return {
    offset: integerField(object.seq_num, 'seq_num'),
    timestamp: integerField(object.timestamp, 'timestamp'),
    key: null,
    value: base64Bytes(object.body ?? '', 'body (s2 must print --format json-base64)'),
    headers: headers.map((header: unknown) => {
      if (!Array.isArray(header) || header.length !== 2) throw new BadRecordError('a header is no [name, value]');
      return {
        key: Buffer.from(base64Bytes(header[0], 'the name of a header')).toString('utf8'),
        value: base64Bytes(header[1], 'the value of a header'),
      };
    }),
  };
}

/** Go's zero time, which stands for a record without one. */
const NO_TIME = '0001-01-01T00:00:00Z';

function timeField(time: unknown): number | undefined {
  if (time === undefined || time === null) return undefined;
  if (typeof time === 'number' && Number.isSafeInteger(time)) return time;
  if (time === NO_TIME) return -1;
  const parsed = typeof time === 'string' && /^\d{4}-\d\d-\d\dT/.test(time) ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(parsed)) throw new BadRecordError(`timestamp is ${JSON.stringify(time)}, not an RFC 3339 time`);
  return parsed;
}
