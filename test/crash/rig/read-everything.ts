/** Reads every record of a client's topics, and holds each against the bytes that its id stands for. */
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '../../../src/clients/client.js';
import type { RecordCursor } from '../../../src/format/record-cursor.js';
import { idOf, type Payload, payloadOf } from './payload.js';

/** What a partition holds. */
export interface PartitionContent {
  readonly firstOffset: number;
  /** By offset from `firstOffset` on. */
  readonly ids: string[];
}

/** By topic, then by partition. */
export type Content = Map<string, PartitionContent[]>;

/** A state that breaks a promise. */
export class BrokenPromise extends Error {}

export async function readEverything(client: Client): Promise<Content> {
  const content: Content = new Map();
  const listed = await client.admin().listTopics();
  for (const { topic, partitions } of listed) {
    const found: { first: number; ids: string[] }[] = [];
    for (let partition = 0; partition < partitions; partition++) found.push({ first: 0, ids: [] });
    content.set(topic, []);
    const consumer = client.consumer({ topics: [topic] });
    for await (const { partition, cursor } of consumer.batches()) {
      const { ids } = found[partition]!;
      while (cursor.next()) {
        const place = `${topic}-${partition} at offset ${cursor.offset}`;
        if (ids.length === 0) found[partition]!.first = cursor.offset;
        const expected = found[partition]!.first + ids.length;
        if (cursor.offset !== expected) throw new BrokenPromise(`${place}: offset ${expected} was expected`);
        ids.push(checkRecord(cursor, place));
      }
    }
    await consumer.close();
    content.set(
      topic,
      found.map(({ first, ids }) => ({ firstOffset: first, ids })),
    );
  }
  return content;
}

function checkRecord(cursor: RecordCursor, place: string): string {
  const { buffer, keyStart, keyEnd, valueStart, valueEnd } = cursor;
  if (valueStart < 0) throw new BrokenPromise(`${place}: a null value, which nobody wrote`);
  const value = buffer.subarray(valueStart, valueEnd);
  const id = idOf(value);
  const payload = id === undefined ? undefined : payloadOf(id);
  if (id === undefined || payload === undefined) {
    throw new BrokenPromise(`${place}: foreign bytes ${JSON.stringify(value.latin1Slice(0, 40))}`);
  }
  if (!value.equals(payload.value)) throw new BrokenPromise(`${place}: the value of ${id} has other bytes`);
  const key = keyStart < 0 ? null : buffer.subarray(keyStart, keyEnd);
  if (key === null ? payload.key !== null : payload.key === null || !payload.key.equals(key)) {
    throw new BrokenPromise(`${place}: the key of ${id} is another one`);
  }
  checkHeaders(cursor, payload, place);
  const mayDiffer = cursor.timestampType !== 'create' || id.startsWith('p');
  if (!mayDiffer && cursor.timestamp !== payload.timestamp) {
    throw new BrokenPromise(`${place}: the timestamp of ${id} is ${cursor.timestamp}`);
  }
  return id;
}

function checkHeaders(cursor: RecordCursor, { id, headers }: Payload, place: string): void {
  if (cursor.headerCount === 0 && headers.length === 0) return;
  const found = cursor.headers().map(({ key, value }) => ({ key, value: value === null ? null : Buffer.from(value) }));
  if (!isDeepStrictEqual(found, headers)) throw new BrokenPromise(`${place}: the headers of ${id} are others`);
}
