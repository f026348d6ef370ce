import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Client } from '../../src/clients/client.js';
import type { GroupConsumer, GroupConsumerOptions } from '../../src/clients/group-consumer.js';
import { openClient } from '../../src/clients/local/open-client.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const DIRECTORY = () => join(temporaryDirectory(), '.klog');

async function open(directory = DIRECTORY()): Promise<Client> {
  const client = await openClient({ directory, create: true });
  onTestFinished(() => client.close());
  return client;
}

async function topicWith(client: Client, topic: string, partitions: number, records: number): Promise<void> {
  await client.admin().createTopic({ topic, partitions });
  await produce(client, topic, partitions, 0, records);
}

async function produce(
  client: Client,
  topic: string,
  partitions: number,
  from: number,
  records: number,
): Promise<void> {
  await using producer = client.producer();
  const all = Array.from({ length: records }, (_, i) => {
    const value = `${from + i}`;
    return { topic, partition: (from + i) % partitions, key: null, value: Buffer.from(value) };
  });
  await Promise.all(all.map((record) => producer.send(record)));
}

function member(client: Client, options: Partial<GroupConsumerOptions> = {}): GroupConsumer {
  return client.consumer({ topics: ['orders'], group: { id: 'billing' }, ...options });
}

async function values(consumer: GroupConsumer): Promise<number[]> {
  const found: number[] = [];
  for await (const { value } of consumer) found.push(Number(value?.toString()));
  return found;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const ascending = (found: readonly number[]) => found.toSorted((a, b) => a - b);

describe('a consumer in a group', () => {
  it('reads everything once, and goes on where the group has come to', async () => {
    const client = await open();
    await topicWith(client, 'orders', 3, 30);
    expect(ascending(await values(member(client)))).toEqual(numbers(0, 30));
    expect(await values(member(client))).toEqual([]);
    await produce(client, 'orders', 3, 30, 6);
    expect(ascending(await values(member(client)))).toEqual(numbers(30, 36));
  });

  it('commits what it lets go of when it leaves, but nothing afterwards', async () => {
    const client = await open();
    await topicWith(client, 'orders', 2, 10);
    const consumer: GroupConsumer = member(client, {
      group: {
        id: 'billing',
        commit: 'none',
        onRevoked: async (partitions) => {
          const offsets = partitions.map(async (one) => ({ ...one, offset: (await consumer.position(one)) - 1 }));
          await consumer.commit(await Promise.all(offsets));
        },
      },
    });
    expect(ascending(await values(consumer))).toEqual(numbers(0, 10));
    expect(ascending(await values(member(client)))).toEqual([8, 9]);
    await expect(consumer.commit()).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
  });

  it('may commit what it lets go of even if it was ended while it joined', async () => {
    const client = await open();
    await topicWith(client, 'orders', 3, 30);
    const stop = new AbortController();
    const revoked: number[] = [];
    const consumer: GroupConsumer = member(client, {
      from: 'end',
      follow: true,
      signal: stop.signal,
      group: {
        id: 'billing',
        commit: 'none',
        onRevoked: async (partitions) => {
          revoked.push(partitions.length);
          await consumer.commit();
        },
      },
    });
    const joined = consumer.share();
    stop.abort();
    await joined;
    await consumer.close();
    expect(revoked).toEqual([3]);
  });

  it('says goodbye, with its last commit, though its client is closed meanwhile', async () => {
    const directory = DIRECTORY();
    const client = await open(directory);
    await topicWith(client, 'orders', 3, 30);
    const records = member(client, { follow: true })[Symbol.asyncIterator]();
    for (let n = 0; n < 3; n++) await records.next();
    const leaving = records.return!();
    await client.close();
    await leaving;
    const [group] = await (await open(directory)).admin().describeGroups(['billing']);
    expect(group!.members).toBe(0);
    // The one in hand is given up.
    expect(group!.offsets.filter(({ committedOffset }) => committedOffset > 0)).toMatchObject([{ committedOffset: 2 }]);
  });

  it('is found dead by the next one when it could not say goodbye', async () => {
    const client = await open();
    await topicWith(client, 'orders', 1, 3);
    const onRevoked = () => {
      throw new Error('nowhere to write to');
    };
    const failing = member(client, { group: { id: 'billing', onRevoked } });
    await expect(values(failing)).rejects.toThrow('nowhere to write to');
    expect(await values(member(client))).toEqual(numbers(0, 3));
  });

  it('shares the partitions with another one, each partition with one of them', async () => {
    const client = await open();
    await topicWith(client, 'orders', 4, 40);
    const [a, b] = [member(client, { follow: true }), member(client, { follow: true })];
    const seen: number[] = [];
    const read = async (consumer: GroupConsumer) => {
      for await (const { value } of consumer) {
        seen.push(Number(value?.toString()));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const reading = [read(a), read(b)];
    await expect.poll(() => seen.length, { timeout: 5_000 }).toBe(40);
    await expect.poll(async () => (await a.assignment()).length).toBe(2);
    await expect.poll(async () => (await b.assignment()).length).toBe(2);
    expect((await a.share()).members).toBe(2);
    await a.close();
    await expect.poll(async () => (await b.assignment()).length).toBe(4);
    await produce(client, 'orders', 4, 40, 8);
    await expect.poll(() => seen.length).toBe(48);
    await b.close();
    await Promise.all(reading);
    expect(ascending(seen)).toEqual(numbers(0, 48));
  });
});
