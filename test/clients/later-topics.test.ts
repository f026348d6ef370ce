/** A consumer without a group that reads what matches a pattern, whenever it is made. */
import { describe, it } from 'vitest';
import type { Client } from '../../src/clients/client.js';
import type { ConsumerOptions } from '../../src/clients/consumer.js';
import { openClient } from '../../src/clients/local/open-client.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

const soon = { timeout: 5000, interval: 20 };

const withClient = (use: (client: Client) => Promise<void>) =>
  inTemporaryDirectory(async (directory) => {
    await using client = await openClient({ directory: `${directory}/.klog`, create: true });
    await use(client);
  });

async function produce(client: Client, topic: string, values: readonly string[], partition = 0): Promise<void> {
  await using producer = client.producer({ createTopics: true });
  await producer.sendAll(values.map((value) => ({ topic, partition, key: null, value: Buffer.from(value) })));
}

async function valuesOf(client: Client, options: ConsumerOptions): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of client.consumer(options)) values.push(String(value));
  return values;
}

function reading(client: Client, options: ConsumerOptions) {
  const values: string[] = [];
  const consumer = client.consumer({ ...options, follow: true });
  const end = (async () => {
    for await (const { value } of consumer) values.push(String(value));
  })();
  end.catch(() => {});
  return { values, consumer, end };
}

describe.concurrent('topics that match a pattern', () => {
  it('reads all topics whose whole name fits, behind those that are named, each once', ({ expect }) =>
    withClient(async (client) => {
      for (const topic of ['b', 'a', 'ab', 'named', 'c']) await produce(client, topic, [topic]);
      const some = { topics: ['named', 'b'], patterns: [/[ab]/, { pattern: /a|c/ }] };
      expect(await valuesOf(client, some)).toEqual(['named', 'b', 'a', 'c']);
      expect(await valuesOf(client, { topics: [], patterns: [/nothing/] })).toEqual([]);
    }));

  it.for(['partition', 'time'] as const)(
    'follows topics that come later, from their beginning: order %s',
    (order, { expect }) =>
      withClient(async (client) => {
        await produce(client, 'log-a', ['a0']);
        await produce(client, 'log-b', ['b0']);
        const { values } = reading(client, { topics: [], patterns: [/log-.*/], from: 'end', order });
        await produce(client, 'other', ['never']);
        await produce(client, 'log-c', ['c0', 'c1']);
        await expect.poll(() => values, soon).toEqual(['c0', 'c1']);
        await client.admin().createPartitions('log-c', 2);
        await produce(client, 'log-c', ['c2'], 1);
        await expect.poll(() => values, soon).toEqual(['c0', 'c1', 'c2']);
      }),
  );

  it('waits where nothing matches yet, and where all that did was deleted', ({ expect }) =>
    withClient(async (client) => {
      const { values, consumer } = reading(client, { topics: [], patterns: [/log-.*/] });
      await produce(client, 'log-a', ['a0']);
      await expect.poll(() => values, soon).toEqual(['a0']);
      await client.admin().deleteTopic('log-a');
      await expect.poll(() => consumer.assignment(), soon).toEqual([]);
      await produce(client, 'log-a', ['a1']);
      await expect.poll(() => values, soon).toEqual(['a0', 'a1']);
    }));

  it('reads a topic that was deleted and made anew at once from its beginning', ({ expect }) =>
    withClient(async (client) => {
      await produce(client, 'log-a', ['a0', 'a1']);
      const { values } = reading(client, { topics: [], patterns: [/log-.*/] });
      await expect.poll(() => values, soon).toEqual(['a0', 'a1']);
      await client.admin().deleteTopic('log-a');
      await produce(client, 'log-a', ['b0', 'b1', 'b2']);
      await expect.poll(() => values, soon).toEqual(['a0', 'a1', 'b0', 'b1', 'b2']);
    }));

  it('reads only the partitions that are asked for of a later topic, however many that has', ({ expect }) =>
    withClient(async (client) => {
      const { values } = reading(client, { topics: [], patterns: [{ pattern: /log-.*/, partitions: [1] }] });
      await produce(client, 'log-a', ['never']);
      await client.admin().createTopic({ topic: 'log-b', partitions: 2 });
      await produce(client, 'log-b', ['never'], 0);
      await produce(client, 'log-b', ['b1'], 1);
      await expect.poll(() => values, soon).toEqual(['b1']);
    }));

  it('fails as ever when a topic that is only named is deleted', ({ expect }) =>
    withClient(async (client) => {
      await produce(client, 'named', ['n']);
      const { values, end } = reading(client, { topics: ['named'], patterns: [/log-.*/] });
      await expect.poll(() => values, soon).toEqual(['n']);
      await client.admin().deleteTopic('named');
      await expect(end).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    }));
});
