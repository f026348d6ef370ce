/** Reads every record of a client's topics, and holds each against the bytes that its id stands for. */
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '../../../src/clients/client.js';
import type { RecordCursor } from '../../../src/format/record-cursor.js';
import { idOf, payloadOf } from './payload.js';

/** What a partition holds. */
export interface PartitionContent {
  readonly firstOffset: number;
  /** By offset from `firstOffset` on. */
  readonly ids: string[];
  readonly timestamps: number[];
}

/** By topic, then by partition. */
export type Content = Map<string, PartitionContent[]>;

/** A state that breaks a promise. */
export class BrokenPromise extends Error {}

export async function readEverything(client: Client): Promise<Content> {
  const content: Content = new Map();
  const listed = await client.admin().listTopics();
  for (const { topic, partitions } of listed) {
    const found: { first: number; ids: string[]; timestamps: number[] }[] = [];
    for (let partition = 0; partition < partitions; partition++) found.push({ first: 0, ids: [], timestamps: [] });
    content.set(topic, []);
    const consumer = client.consumer({ topics: [topic] });
    for await (const { partition, cursor } of consumer.batches()) {
      const { ids, timestamps } = found[partition]!;
      while (cursor.next()) {
        if (ids.length === 0) found[partition]!.first = cursor.offset;
        const expected = found[partition]!.first + ids.length;
        if (cursor.offset !== expected) {
          throw new BrokenPromise(`${topic}-${partition} has offset ${cursor.offset} where ${expected} was expected`);
        }
        ids.push(checkRecord(cursor, topic, partition));
        timestamps.push(cursor.timestamp);
      }
    }
    await consumer.close();
    content.set(
      topic,
      found.map(({ first, ids, timestamps }) => ({ firstOffset: first, ids, timestamps })),
    );
  }
  return content;
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
  const mayDiffer = cursor.timestampType !== 'create' || id.startsWith('p');
  if (!mayDiffer && cursor.timestamp !== payload.timestamp)
    throw wrong(`the timestamp of ${id} is ${cursor.timestamp}`);
  return id;
}

function isAt(buffer: Buffer, start: number, end: number, expected: Buffer): boolean {
  return end - start === expected.length && buffer.compare(expected, 0, expected.length, start, end) === 0;
}
