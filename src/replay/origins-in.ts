import type { Client } from '../clients/client.js';
import type { ConsumerOptions } from '../clients/consumer.js';
import { type Origin, originOf } from './origin-headers.js';

/**
 * Goes through topics for records that came from `source`: where each of them stood there. Those of a topic that had
 * its name before are none of them.
 */
export async function* originsIn(
  client: Client,
  topics: readonly string[],
  source: { readonly topic: string; readonly topicId: string },
  { signal, isolationLevel }: Pick<ConsumerOptions, 'signal' | 'isolationLevel'>,
): AsyncGenerator<Origin> {
  const consumer = client.consumer({ topics, ...(signal && { signal }), ...(isolationLevel && { isolationLevel }) });
  try {
    for await (const { cursor } of consumer.batches()) {
      while (cursor.next()) {
        if (cursor.headerCount === 0) continue;
        const origin = originOf(cursor.headers());
        if (origin?.topic === source.topic && (origin.topicId ?? source.topicId) === source.topicId) yield origin;
      }
    }
  } finally {
    await consumer.close();
  }
}
