/** A topic that is altered while a producer writes to it. */
import { describe, it } from 'vitest';
import type { Client } from '../../src/clients/client.js';
import { openClient } from '../../src/clients/local/open-client.js';
import type { Producer } from '../../src/clients/producer.js';
import { partitionForKey } from '../../src/format/murmur2.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

const soon = { timeout: 5000, interval: 50 };
const KEYS = Array.from({ length: 20 }, (_, i) => `k${i}`);
const where = (key: string, count: number) => partitionForKey(Buffer.from(key), 0, key.length, count);

/** Topic `t` of one partition, a producer that has written to it, and another client, that of an administrator. */
const withProducer = (use: (producer: Producer, admin: Client, client: Client) => Promise<void>) =>
  inTemporaryDirectory(async (path) => {
    const directory = `${path}/.klog`;
    await using client = await openClient({ directory, create: true });
    await using admin = await openClient({ directory });
    await admin.admin().createTopic({ topic: 't', configs: { 'max.message.bytes': '1000' } });
    const producer = client.producer();
    await producer.send({ topic: 't', key: 'first', value: 'v' });
    await use(producer, admin, client);
    await producer.close().catch(() => {});
  });

const set = (client: Client, name: string, value: string) =>
  client.admin().alterConfigs('t', { set: { [name]: value } });

async function partitionsOf(client: Client): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { key, partition } of client.consumer({ topics: ['t'] })) found.set(String(key), partition);
  return found;
}

describe.concurrent('a topic that is altered', () => {
  it('has its new partitions written to, each key where Kafka sends it', ({ expect }) =>
    withProducer(async (producer, admin) => {
      await admin.admin().createPartitions('t', 3);
      const sent = async () => (await producer.sendAll([{ topic: 't', partition: 2, value: 'v' }]))[0]?.partition;
      await expect.poll(() => sent().catch(() => -1), soon).toBe(2);
      const metadata = await producer.sendAll(KEYS.map((key) => ({ topic: 't', key, value: 'v' })));
      expect(metadata.map(({ partition }) => partition)).toEqual(KEYS.map((key) => where(key, 3)));
      // Keyless ones go to the emptiest, which the new ones are.
      await producer.sendAll(Array.from({ length: 100 }, () => ({ topic: 't', partition: 0, value: 'v' })));
      expect((await producer.send({ topic: 't', value: 'v' })).partition).toBeGreaterThan(0);
    }));

  it('has them written to by a writer, too, line by line or many at once', ({ expect }) =>
    withProducer(async (producer, admin, client) => {
      const writer = await producer.writer('t');
      const appender = writer.lineAppender?.({ delimiter: 10, keySeparator: Buffer.from(':') });
      const line = (key: string) => {
        const bytes = Buffer.from(`${key}v`);
        writer.append(bytes, 0, key.length, bytes, key.length, bytes.length, 1, null, -1);
      };
      const lines = Buffer.from(KEYS.map((key) => `${key}:v\n`).join(''));
      const append = (): number => {
        let taken = 0;
        for (let at = 0; at < lines.length; ) {
          const count = appender?.append(lines, at, lines.length, 1) ?? 0;
          if (count > 0) at = appender!.position;
          else {
            const end = lines.indexOf(10, at);
            line(lines.toString('latin1', at, end).slice(0, -2));
            at = end + 1;
          }
          taken += count;
        }
        return taken;
      };
      append();
      await writer.flush();
      await admin.admin().createPartitions('t', 3);
      const grown = async () => {
        line('probe');
        await writer.flush();
        return (await partitionsOf(client)).get('probe');
      };
      expect(where('probe', 3)).not.toBe(0);
      await expect.poll(grown, soon).toBe(where('probe', 3));
      // First those that begin a batch in each partition, then the others, without another call.
      append();
      expect(append()).toBeGreaterThan(0);
      await writer.flush();
      const found = await partitionsOf(client);
      for (const key of KEYS) expect(found.get(key)).toBe(where(key, 3));
    }));

  it('takes larger records, or refuses them, by its max.message.bytes of now', ({ expect }) =>
    withProducer(async (producer, admin) => {
      const send = () =>
        producer.send({ topic: 't', key: 'large', value: Buffer.alloc(2000) }).then(
          () => 'taken',
          ({ code }) => code,
        );
      expect(await send()).toBe('MESSAGE_TOO_LARGE');
      await set(admin, 'max.message.bytes', '5000');
      await expect.poll(send, soon).toBe('taken');
      await set(admin, 'max.message.bytes', '1000');
      await expect.poll(send, soon).toBe('MESSAGE_TOO_LARGE');
    }));

  it('has its batches compressed as it says now', ({ expect }) =>
    withProducer(async (producer, admin, client) => {
      const latest = async () => {
        const { offset } = await producer.send({ topic: 't', key: 'k', value: 'v'.repeat(500) });
        for await (const { compression } of client.consumer({ topics: ['t'], from: offset }).batches())
          return compression;
        return undefined;
      };
      expect(await latest()).toBe('none');
      await set(admin, 'compression.type', 'gzip');
      await expect.poll(latest, soon).toBe('gzip');
    }));

  it('has the times of its message.timestamp.type of now', ({ expect }) =>
    withProducer(async (producer, admin) => {
      const timestamp = async () => (await producer.send({ topic: 't', key: 'k', value: 'v', timestamp: 7 })).timestamp;
      expect(await timestamp()).toBe(7);
      await set(admin, 'message.timestamp.type', 'LogAppendTime');
      await expect.poll(timestamp, soon).toBeGreaterThan(7);
    }));

  it('takes no record without a key once it is compacted', ({ expect }) =>
    withProducer(async (producer, admin) => {
      const writer = await producer.writer('t');
      const value = Buffer.from('v');
      const append = async () => {
        try {
          writer.appendValue(value, 0, 1, 1);
        } catch (error) {
          return (error as { readonly code: string }).code;
        }
        await writer.flush();
        return 'taken';
      };
      expect(await append()).toBe('taken');
      await set(admin, 'cleanup.policy', 'compact');
      await expect.poll(append, soon).toBe('INVALID_RECORD');
    }));

  it('is not taken for another of its name: nothing goes there that was meant for the former', ({ expect }) =>
    withProducer(async (producer, admin) => {
      const topic = { topic: 'u', partitions: 2 };
      await admin.admin().createTopic(topic);
      await producer.send({ topic: 'u', partition: 0, value: 'v' });
      await admin.admin().deleteTopic('u');
      await admin.admin().createTopic(topic);
      for (const partition of [0, 1]) {
        const sent = producer.send({ topic: 'u', partition, value: 'late' });
        await expect(sent).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
      }
      for await (const { value } of admin.consumer({ topics: ['u'] })) expect.unreachable(String(value));
    }));
});
