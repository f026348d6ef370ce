/**
 * What a scenario writes. Everything in a record follows from its id, so whoever reads it can tell every foreign, torn
 * or exchanged byte without having seen it written.
 *
 * An id is `<kind><writer>.<number>.<size>`, such as `r2.17.300`: kind `r` (with headers, mostly with a key), `c` (the
 * same, always with a key, for compaction), `p` (a plain line) or `k` (a line with a key), the writer, its running
 * number, the size of the value in bytes. The value is the id, `|`, and filler made from it.
 */
import type { ProducerRecord } from '../../../src/clients/producer.js';

export interface Payload {
  readonly id: string;
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: readonly { readonly key: string; readonly value: Buffer }[];
  readonly timestamp: number;
}

/** In the future, so that no retention takes away what a scenario has promised. */
const FIRST_TIMESTAMP = 4_000_000_000_000;
const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-');
const END_OF_ID = 0x7c;
/** The longest id, with room to spare. */
const LONGEST_ID = 40;
/** Of the records that a judge writes. */
export const PROBE_WRITER = 9999;
const known = new Map<string, Payload>();
const MOST_KNOWN = 100_000;

export function newId(kind: 'r' | 'c' | 'p' | 'k', writer: number, number: number, size: number): string {
  const id = `${kind}${writer}.${number}.`;
  return `${id}${Math.max(size, id.length + 8)}`;
}

/** `undefined`: no id. */
export function payloadOf(id: string): Payload | undefined {
  let payload = known.get(id);
  if (payload === undefined) {
    payload = makePayload(id);
    if (payload === undefined) return undefined;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(id, payload);
  }
  return payload;
}

/** `undefined`: its record has none. */
export function keyOf(id: string): string | undefined {
  return payloadOf(id)?.key?.toString('latin1');
}

/** The id that the value in a stretch of a buffer begins with. */
export function idOf(buffer: Buffer, start = 0, end = buffer.length): string | undefined {
  const last = Math.min(end, start + LONGEST_ID);
  for (let at = start; at < last; at++) if (buffer[at] === END_OF_ID) return buffer.toString('latin1', start, at);
  return undefined;
}

export function toRecord(topic: string, partition: number, id: string): ProducerRecord {
  const payload = payloadOf(id);
  if (payload === undefined) throw new TypeError(`${id} is no id`);
  const { key, value, headers, timestamp } = payload;
  return { topic, partition, key, value, headers, timestamp };
}

function makePayload(id: string): Payload | undefined {
  const parts = /^([rcpk])(\d+)\.(\d+)\.(\d+)$/.exec(id);
  if (parts === null) return undefined;
  const [, kind, writer, number, size] = parts;
  const value = Buffer.alloc(Number(size));
  let at = value.write(`${id}|`, 'latin1');
  let state =
    (Math.imul(Number(writer) + 1, 0x9e3779b1) ^ Math.imul(Number(number) + 1, 0x85ebca6b) ^ Number(size)) | 1;
  while (at < value.length) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    value[at++] = ALPHABET[state & 63]!;
  }
  const isRich = kind === 'r' || kind === 'c';
  const hasKey = kind === 'c' || kind === 'k';
  const n = Number(number);
  return {
    id,
    key: hasKey || (isRich && n % 3 !== 0) ? Buffer.from(`k${n % 7}`) : null,
    value,
    headers: isRich && n % 4 === 0 ? [{ key: 'id', value: Buffer.from(id) }] : [],
    timestamp: FIRST_TIMESTAMP + n * 1000,
  };
}
