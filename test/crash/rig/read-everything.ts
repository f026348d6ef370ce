/** Reads every record of a client's topics, and holds each against the bytes that its id stands for. */
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '../../../src/clients/client.js';
import type { RecordCursor } from '../../../src/format/record-cursor.js';
import { idOf, keyOf, payloadOf } from './payload.js';

/** What a partition holds. */
export interface PartitionContent {
  /** Rising; where nothing was compacted or erased, one after the other. */
  readonly offsets: number[];
  /** Of the record at each of these offsets. */
  readonly ids: string[];
  readonly timestamps: number[];
}

/** By topic, then by partition. */
export type Content = Map<string, PartitionContent[]>;

/** A state that breaks a promise. */
export class BrokenPromise extends Error {}

/** A consumer's own default is for logs of another size. */
const FETCH_BYTES = 64 * 1024;

export async function readEverything(client: Client): Promise<Content> {
  const content: Content = new Map();
  const listed = await client.admin().listTopics();
  for (const { topic, partitions } of listed) {
    const found: PartitionContent[] = [];
    for (let partition = 0; partition < partitions; partition++) found.push({ offsets: [], ids: [], timestamps: [] });
    const consumer = client.consumer({ topics: [topic], maxFetchBytes: FETCH_BYTES });
    for await (const { partition, cursor } of consumer.batches()) {
      const { offsets, ids, timestamps } = found[partition]!;
      while (cursor.next()) {
        const last = offsets.at(-1) ?? -1;
        if (cursor.offset <= last) throw new BrokenPromise(`${topic}-${partition}: ${cursor.offset} behind ${last}`);
        offsets.push(cursor.offset);
        ids.push(checkRecord(cursor, topic, partition));
        timestamps.push(cursor.timestamp);
      }
    }
    await consumer.close();
    content.set(topic, found);
  }
  return content;
}

/** `undefined`: there is no record. */
export function idAt({ offsets, ids }: PartitionContent, offset: number): string | undefined {
  let from = 0;
  let to = offsets.length;
  // Without gaps the first look is right.
  let at = offset - (offsets[0] ?? 0);
  while (from < to) {
    if (at < from || at >= to) at = (from + to) >> 1;
    if (offsets[at] === offset) return ids[at];
    if (offsets[at]! < offset) from = at + 1;
    else to = at;
    at = -1;
  }
  return undefined;
}

const lasts = new WeakMap<PartitionContent, Map<string, number>>();

/** The offset of each key's last record. */
export function lastOfKeys(content: PartitionContent): Map<string, number> {
  let last = lasts.get(content);
  if (last === undefined) {
    last = new Map();
    for (const [at, id] of content.ids.entries()) {
      const key = keyOf(id);
      if (key !== undefined) last.set(key, content.offsets[at]!);
    }
    lasts.set(content, last);
  }
  return last;
}

/** Answers its id. */
function checkRecord(cursor: RecordCursor, topic: string, partition: number): string {
  const { buffer, keyStart, keyEnd, valueStart, valueEnd } = cursor;
  const wrong = (what: string) => new BrokenPromise(`${topic}-${partition} at offset ${cursor.offset}: ${what}`);
  if (valueStart < 0) throw wrong('a null value, which nobody wrote');
  const id = idOf(buffer, valueStart, valueEnd);
  const payload = id === undefined ? undefined : payloadOf(id);
  if (id === undefined || payload === undefined) {
    throw wrong(
      `foreign bytes ${JSON.stringify(buffer.toString('latin1', valueStart, Math.min(valueEnd, valueStart + 40)))}`,
    );
  }
  if (!isAt(buffer, valueStart, valueEnd, payload.value)) throw wrong(`the value of ${id} has other bytes`);
  const isKeyRight = payload.key === null ? keyStart < 0 : keyStart >= 0 && isAt(buffer, keyStart, keyEnd, payload.key);
  if (!isKeyRight) throw wrong(`the key of ${id} is another one`);
  if (cursor.headerCount > 0 || payload.headers.length > 0) {
    const headers = cursor
      .headers()
      .map(({ key, value }) => ({ key, value: value === null ? null : Buffer.from(value) }));
    if (!isDeepStrictEqual(headers, payload.headers)) throw wrong(`the headers of ${id} are others`);
  }
  const mayDiffer = cursor.timestampType !== 'create' || /^[pk]/.test(id);
  if (!mayDiffer && cursor.timestamp !== payload.timestamp)
    throw wrong(`the timestamp of ${id} is ${cursor.timestamp}`);
  return id;
}

function isAt(buffer: Buffer, start: number, end: number, expected: Buffer): boolean {
  return end - start === expected.length && buffer.compare(expected, 0, expected.length, start, end) === 0;
}
