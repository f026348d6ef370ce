import type { Client } from '../../clients/client.js';
import type { ConsumerOptions } from '../../clients/consumer.js';

/** Finds a topic or partition that is not there, or a range out of bounds, where nothing may come to be read of it. */
export async function checkRange(client: Client, range: ConsumerOptions): Promise<void> {
  const consumer = client.consumer(range);
  try {
    await consumer.assignment();
  } finally {
    await consumer.close();
  }
}
