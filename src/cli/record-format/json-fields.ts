/** Fields of records given as JSON: what they may hold, and what is said when they hold something else. */
import type { RecordHeader } from '../../format/log-record.js';
import { isBase64 } from './format-language/text-decoding.js';
import type { InputRecord } from './input-record.js';
import { hasLoneSurrogate } from './utf8.js';

export type JsonObject = { readonly [field: string]: unknown };

/** What is wrong with the fields of a record; the reader adds the place. */
export class BadRecordError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

export function topicField(object: JsonObject): string | undefined {
  const { topic } = object;
  if (topic === undefined || topic === null) return undefined;
  if (typeof topic !== 'string') throw new BadRecordError('topic is no text');
  return topic;
}

export function placeFields(object: JsonObject): Pick<InputRecord, 'topic' | 'partition' | 'offset'> {
  return {
    topic: topicField(object),
    partition: integerField(object.partition, 'partition'),
    offset: integerField(object.offset, 'offset'),
  };
}

/** Undefined when absent or null. */
export function integerField(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new BadRecordError(`${name} is ${shown(value)}, not a whole number up to 2^53 - 1`);
  }
  return value;
}

/** A field that is there as text or under its name with `Base64`; undefined when both are absent. */
export function bytesField(text: unknown, base64: unknown, name: 'key' | 'value'): Uint8Array | null | undefined {
  if (base64 === undefined) return text === undefined ? undefined : textBytes(text, name);
  if (text !== undefined) throw new BadRecordError(`both ${name} and ${name}Base64`);
  return base64 === null ? null : base64Bytes(base64, `${name}Base64`);
}

/** `[{key, value or valueBase64}]`; none when absent or null. */
export function headersField(headers: unknown): RecordHeader[] {
  if (headers === undefined || headers === null) return [];
  if (!Array.isArray(headers)) throw new BadRecordError('headers is no array of {"key","value"}');
  return headers.map((header: unknown) => headerOf(header));
}

function headerOf(header: unknown): RecordHeader {
  if (!isObject(header)) throw new BadRecordError(`a header is ${shown(header)}, not {"key","value"}`);
  const { key } = header;
  if (typeof key !== 'string') throw new BadRecordError('a header has no key');
  if (hasLoneSurrogate(key)) throw new BadRecordError('the key of a header holds a lone surrogate');
  const value = bytesField(header.value, header.valueBase64, 'value');
  if (value === undefined) throw new BadRecordError(`header ${key} has no value`, 'Write "value":null for none.');
  return { key, value };
}

export function textBytes(text: unknown, name: string): Uint8Array | null {
  if (text === null) return null;
  if (typeof text !== 'string') {
    throw new BadRecordError(`${name} is ${shown(text)}, not text`, `Put it in quotes, or use -f "%v{json}\\n".`);
  }
  if (hasLoneSurrogate(text)) {
    throw new BadRecordError(`${name} holds a lone surrogate, which has no UTF-8`, `Use ${name}Base64 for bytes.`);
  }
  return Buffer.from(text, 'utf8');
}

export function base64Bytes(text: unknown, name: string): Uint8Array {
  if (typeof text !== 'string' || !isBase64(text)) throw new BadRecordError(`${name} is not base64`);
  return Buffer.from(text, 'base64');
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    // Nested so deeply that it overflows the stack.
    text = Array.isArray(value) ? '[…]' : '{…}';
  }
  return shortened(text);
}

/** As much of a text as an error shows. */
export function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
