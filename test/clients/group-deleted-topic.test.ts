/** A member of a group whose topic is deleted while it reads. */
import { describe, it } from 'vitest';
import type { Client } from '../../src/clients/client.js';
import type { GroupConsumerOptions } from '../../src/clients/group-consumer.js';
import { openClient } from '../../src/clients/local/open-client.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

const withClients = (use: (client: Client, other: Client) => Promise<void>) =>
  inTemporaryDirectory(async (path) => {
    const directory = `${path}/.klog`;
    await using client = await openClient({ directory, create: true });
    await using other = await openClient({ directory });
    await use(client, other);
  });

async function produce(client: Client, topic: string, ...values: string[]): Promise<void> {
  await using producer = client.producer({ createTopics: true });
  await producer.sendAll(values.map((value) => ({ topic, partition: 0, key: null, value: Buffer.from(value) })));
}

/** Reads until it is stopped. */
function reading(client: Client, options: Pick<GroupConsumerOptions, 'topics' | 'patterns'>) {
  const values: string[] = [];
  const told: string[] = [];
  const consumer = client.consumer({
    ...options,
    follow: true,
    group: {
      id: 'g',
      onAssigned: (partitions) => void told.push(...partitions.map(({ topic, offset }) => `${topic}@${offset}`)),
      onTopicDeleted: (topic) => void told.push(`${topic} deleted`),
    },
  });
  const end = (async () => {
    for await (const { value } of consumer) values.push(String(value));
  })();
  end.catch(() => {});
  const stop = async () => {
    await consumer.close();
    await end;
  };
  return { values, told, stop };
}

const soon = { timeout: 5000, interval: 20 };

describe.concurrent('a member of a group', () => {
  it.for<[string, Pick<GroupConsumerOptions, 'topics' | 'patterns'>]>([
    ['by name', { topics: ['a', 'b'] }],
    ['by pattern', { patterns: [/[ab]/] }],
  ])('reads the other topics on, and one of the same name from its beginning: %s', ([, options], { expect }) =>
    withClients(async (client, other) => {
      await produce(other, 'a', 'a0', 'a1', 'a2');
      await produce(other, 'b', 'b0');
      const { values, told, stop } = reading(client, options);
      await expect.poll(() => values, soon).toHaveLength(4);
      await other.admin().deleteTopic('a');
      await expect.poll(() => told, soon).toContain('a deleted');
      await produce(other, 'b', 'b1');
      await expect.poll(() => values, soon).toContain('b1');
      await produce(other, 'a', 'new0', 'new1');
      await expect.poll(() => values, soon).toContain('new1');
      await stop();
      expect(values.toSorted()).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'new0', 'new1']);
      expect(told.filter((text) => text.endsWith('deleted'))).toEqual(['a deleted']);
      const [group] = await other.admin().describeGroups(['g']);
      expect(group?.offsets.map(({ committedOffset }) => committedOffset)).toEqual([2, 2]);
    }),
  );

  it('notices that a topic was deleted and made anew at once, and commits nothing of the former for it', ({ expect }) =>
    withClients(async (client, other) => {
      await produce(other, 'a', 'a0', 'a1', 'a2');
      const { values, told, stop } = reading(client, { topics: ['a'] });
      await expect.poll(() => values, soon).toHaveLength(3);
      await other.admin().deleteTopic('a');
      await produce(other, 'a', 'new0', 'new1', 'new2', 'new3');
      await expect.poll(() => values, soon).toContain('new3');
      await stop();
      expect(values).toEqual(['a0', 'a1', 'a2', 'new0', 'new1', 'new2', 'new3']);
      expect(told).toEqual(['a@0', 'a deleted', 'a@0']);
    }));

  it('waits for a topic that was its only one', ({ expect }) =>
    withClients(async (client, other) => {
      await produce(other, 'a', 'a0');
      const { values, told, stop } = reading(client, { topics: ['a'] });
      await expect.poll(() => values, soon).toEqual(['a0']);
      await other.admin().deleteTopic('a');
      await expect.poll(() => told, soon).toContain('a deleted');
      await other.admin().createTopic({ topic: 'a', partitions: 2 });
      await produce(other, 'a', 'new');
      await expect.poll(() => values, soon).toEqual(['a0', 'new']);
      await stop();
    }));
});
