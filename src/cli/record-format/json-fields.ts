/** Fields of records given as JSON: what they may hold, and what is said when they hold something else. */
import type { InputRecord } from './input-record.js';

export type JsonObject = { readonly [field: string]: unknown };

/** What is wrong with the fields of a record; the reader adds the place. */
export class BadRecordError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

export function placeFields(object: JsonObject): Pick<InputRecord, 'topic' | 'partition' | 'offset'> {
  const { topic } = object;
  if (topic !== undefined && topic !== null && typeof topic !== 'string') throw new BadRecordError('topic is no text');
  return {
    topic: topic ?? undefined,
    partition: integerField(object, 'partition'),
    offset: integerField(object, 'offset'),
  };
}

/** Undefined when absent or null. */
export function integerField(object: JsonObject, name: string): number | undefined {
  const value = object[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new BadRecordError(`${name} is ${shown(value)}, not a whole number up to 2^53 - 1`);
  }
  return value;
}

/** `name` as text or `nameBase64`; undefined when both are absent. */
export function bytesField(object: JsonObject, name: string): Uint8Array | null | undefined {
  const base64Name = `${name}Base64`;
  const encoded = object[base64Name];
  if (encoded === undefined) {
    const text = object[name];
    return text === undefined ? undefined : textBytes(text, name);
  }
  if (object[name] !== undefined) throw new BadRecordError(`both ${name} and ${base64Name}`);
  return encoded === null ? null : base64Bytes(encoded, base64Name);
}

const SURROGATE = /\p{Surrogate}/u;

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

export function hasLoneSurrogate(text: string): boolean {
  return SURROGATE.test(text);
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

export function base64Bytes(text: unknown, name: string): Uint8Array {
  if (typeof text !== 'string' || !BASE64.test(text)) throw new BadRecordError(`${name} is not base64`);
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
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
