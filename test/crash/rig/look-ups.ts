/** By the indexes: an offset from the middle, and the time of a record, lead where reading everything led. */
import type { Client } from '../../../src/clients/client.js';
import { BrokenPromise, type Content, type PartitionContent } from './read-everything.js';

export async function lookUps(client: Client, content: Content): Promise<void> {
  for (const [topic, partitions] of content) {
    for (const [partition, found] of partitions.entries()) {
      const { offsets } = found;
      if (offsets.length < 2) continue;
      const from = offsets[offsets.length - 1 - (offsets.length >> 2)]!;
      const consumer = client.consumer({ topics: [{ topic, partitions: [partition] }], from });
      for await (const { cursor } of consumer.batches()) {
        if (cursor.next() && cursor.offset === from) break;
        throw new BrokenPromise(`${topic}-${partition}: reading from ${from} begins at ${cursor.offset}`);
      }
      await consumer.close();
      await timeLookUp(client, topic, partition, found);
    }
  }
}

async function timeLookUp(
  client: Client,
  topic: string,
  partition: number,
  { offsets, timestamps }: PartitionContent,
): Promise<void> {
  const timestamp = timestamps[timestamps.length >> 1]!;
  const expected = offsets[timestamps.findIndex((other) => other >= timestamp)];
  const [found] = await client.admin().listOffsets(topic, { timestamp }, [partition]);
  if (found?.offset !== expected) {
    throw new BrokenPromise(`${topic}-${partition}: time ${timestamp} leads to ${found?.offset}, expected ${expected}`);
  }
}
