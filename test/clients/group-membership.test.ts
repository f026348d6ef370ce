/** What a member of a group may rely on: commits, rebalances, eviction, topics and partitions that come. */
import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Client } from '../../src/clients/client.js';
import type { GroupConsumer, GroupConsumerOptions, GroupOptions } from '../../src/clients/group-consumer.js';
import { openClient } from '../../src/clients/local/open-client.js';
import { buildTransactionMarker } from '../../src/format/control-record.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { evictMember } from '../../src/groups/evict.js';
import { Groups } from '../../src/groups/groups.js';
import { nodeFileSystem } from '../../src/store/node-file-system.js';
import { openStore } from '../../src/store/store.js';
import { buildBatch } from '../support/build-batch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

type Options = Omit<Partial<GroupConsumerOptions>, 'group'> & { readonly group?: Partial<GroupOptions> };

class Place {
  readonly directory = join(temporaryDirectory(), '.klog');
  readonly #clients: Client[] = [];

  async client(): Promise<Client> {
    const client = await openClient({ directory: this.directory, create: true });
    this.#clients.push(client);
    onTestFinished(() => client.close());
    return client;
  }

  async topic(topic: string, partitions: number, records = 0): Promise<Client> {
    const client = await this.client();
    await client.admin().createTopic({ topic, partitions });
    await this.produce(topic, partitions, records);
    return client;
  }

  async produce(topic: string, partitions: number, records: number): Promise<void> {
    const client = this.#clients[0]!;
    await using producer = client.producer();
    const all = Array.from({ length: records }, (_, i) => ({
      topic,
      partition: i % partitions,
      key: null,
      value: Buffer.from(`${i}`),
    }));
    await producer.sendAll(all);
  }

  async groups(): Promise<Groups> {
    const store = await openStore(nodeFileSystem, this.directory);
    const groups = new Groups(store, { now: Date.now, elapsed: () => performance.now() });
    onTestFinished(async () => {
      await groups.close();
      await store.close();
    });
    return groups;
  }
}

function member(client: Client, { group, ...options }: Options = {}): GroupConsumer {
  const topics = options.patterns === undefined ? { topics: ['t'] } : {};
  return client.consumer({ ...topics, follow: true, ...options, group: { id: 'g', ...group } });
}

/**
 * More records than can be read in the time after which somebody who is busy looks elsewhere, should each take a
 * millisecond.
 */
const BUSY = 1000;
const p = (partition: number) => ({ topic: 't', partition });
const names = (partitions: readonly { topic: string; partition: number }[]) =>
  partitions
    .map(({ topic, partition }) => `${topic}${partition}`)
    .sort()
    .join(' ');

/** Reads in the background, what came by `topic:partition@offset`. */
function reading(consumer: GroupConsumer) {
  const seen: string[] = [];
  const ended = (async () => {
    for await (const { topic, partition, offset } of consumer) seen.push(`${topic}${partition}@${offset}`);
  })();
  ended.catch(() => {});
  return { seen, ended };
}

const owns = (consumer: GroupConsumer, expected: string) =>
  expect.poll(async () => names(await consumer.assignment()), { timeout: 4_000, interval: 5 }).toBe(expected);

describe('commits', () => {
  it('of a record in hand are made only when asked for', async () => {
    const place = new Place();
    const client = await place.topic('t', 1, 5);
    const consumer = member(client, { follow: false });
    for await (const { offset } of consumer) {
      if (offset < 2) continue;
      expect(await consumer.position(p(0))).toBe(3);
      await expect(consumer.commit([{ ...p(0), offset: 4 }])).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
      await consumer.commit([{ ...p(0), offset: 1, metadata: 'so far' }]);
      expect(await consumer.committed([p(0), p(7)])).toEqual([{ ...p(0), offset: 1, metadata: 'so far' }, undefined]);
      // Leaving the loop gives the record in hand up: it comes again.
      break;
    }
    const next = member(client, { follow: false });
    for await (const { offset } of next) {
      expect(offset).toBe(2);
      await next.commit();
      break;
    }
    const last = member(client, { follow: false, group: { commit: 'none' } });
    const seen: number[] = [];
    for await (const { offset } of last) seen.push(offset);
    expect(seen).toEqual([3, 4]);
    expect(await member(client).committed([p(0)])).toMatchObject([{ offset: 3 }]);
  });

  it('are made by themselves within the interval, of what was handled', async () => {
    const place = new Place();
    const client = await place.topic('t', 1, 3);
    const consumer = member(client, { group: { autoCommitIntervalMs: 20 } });
    const { seen } = reading(consumer);
    await expect.poll(() => seen.length).toBe(3);
    await expect.poll(async () => (await consumer.committed([p(0)]))[0]?.offset).toBe(3);
  });

  it('of a batch count it whole, when the next is asked for', async () => {
    const place = new Place();
    const client = await place.topic('t', 1, 4);
    const controller = new AbortController();
    const consumer = member(client, { signal: controller.signal });
    for await (const batch of consumer.batches()) {
      expect(batch.cursor.next()).toBe(true);
      expect(await consumer.position(p(0))).toBe(4);
      controller.abort();
    }
    expect(await member(client).committed([p(0)])).toMatchObject([{ offset: 4 }]);
  });

  it('count what nobody is handed: behind the marker of a transaction nothing remains', async () => {
    const place = new Place();
    const client = await place.client();
    const marker = buildTransactionMarker({
      result: 'COMMIT',
      producerId: 7,
      producerEpoch: 0,
      coordinatorEpoch: 0,
      timestamp: 1,
    });
    new RecordBatch().reset(marker, 0).setBaseOffset(2);
    const filled = await client.admin().importTopics([{ topic: 't' }]);
    const data = buildBatch(['a', 'b'], { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true });
    await filled.append(p(0), Buffer.concat([data, marker]));
    await filled.commit();
    for await (const _ of member(client, { follow: false }));
    for await (const _ of member(client, { follow: false, group: { id: 'by batch' } }).batches());
    for (const id of ['g', 'by batch']) {
      const [group] = await client.admin().describeGroups([id]);
      expect(group?.offsets).toMatchObject([{ committedOffset: 3, lag: 0 }]);
    }
  });

  it('where a group begins at the end are made at once, so that nothing is skipped when it begins again', async () => {
    const place = new Place();
    const client = await place.topic('t', 1, 5);
    const first = member(client, { from: 'end' });
    const { ended } = reading(first);
    await owns(first, 't0');
    await first.close();
    await ended;
    await place.produce('t', 1, 2);
    const { seen } = reading(member(client, { from: 'end' }));
    await expect.poll(() => seen).toEqual(['t0@5', 't0@6']);
  });
});

describe('rebalances', () => {
  it('tell what comes and goes, and let the application commit before it goes', async () => {
    const place = new Place();
    const client = await place.topic('t', 2, 2);
    const events: string[] = [];
    const a: GroupConsumer = member(client, {
      group: {
        clientId: 'a',
        commit: 'none',
        onAssigned: (partitions) =>
          void events.push(`assigned ${partitions.map((one) => `${names([one])}@${one.offset}`).join(' ')}`),
        onRevoked: async (partitions) => {
          events.push(`revoked ${names(partitions)}`);
          await a.commit();
        },
      },
    });
    const first = reading(a);
    await expect.poll(() => first.seen.length).toBe(2);
    const b = member(client, { group: { clientId: 'b' } });
    const second = reading(b);
    await owns(b, 't1');
    expect(events).toEqual(['assigned t0@0 t1@0', 'revoked t1']);
    expect(await a.committed([p(0), p(1)])).toMatchObject([{ offset: 1 }, { offset: 1 }]);
    await b.close();
    await owns(a, 't0 t1');
    expect(second.seen).toEqual([]);
    expect(first.seen).toHaveLength(2);
  });

  it('wait for the record in hand', async () => {
    const place = new Place();
    const client = await place.topic('t', 1, 1);
    let finish = () => {};
    const hand = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const a = member(client);
    const handling = (async () => {
      for await (const _ of a) await hand;
    })();
    await owns(a, 't0');
    await expect.poll(async () => a.position(p(0))).toBe(1);
    // Sorted before the other by its id, it is to have the only partition.
    const b = member(client, { group: { clientId: '!' } });
    const { seen } = reading(b);
    await b.assignment();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await b.assignment()).toEqual([]);
    finish();
    await owns(b, 't0');
    expect(seen).toEqual([]);
    await a.close();
    await handling;
  });

  it('share out partitions and topics that come, which are read from their beginning', async () => {
    const place = new Place();
    const client = await place.topic('t', 1, 1);
    const consumer = member(client, { patterns: [/t|u.*/], from: 'end' });
    const { seen } = reading(consumer);
    await owns(consumer, 't0');
    await client.admin().createPartitions('t', 2);
    await client.admin().createTopic({ topic: 'ux', partitions: 1 });
    await client.admin().createTopic({ topic: 'other', partitions: 1 });
    await using producer = client.producer();
    for (const [topic, partition] of [
      ['t', 1],
      ['ux', 0],
    ] as const) {
      await producer.send({ topic, partition, key: null, value: Buffer.from('new') });
    }
    await owns(consumer, 't0 t1 ux0');
    await expect.poll(() => seen.toSorted()).toEqual(['t1@0', 'ux0@0']);
  });
});

describe('members', () => {
  it.each(['in a group', 'alone'])(
    '%s read what comes to a partition at its end while they are busy with another',
    async (how) => {
      const place = new Place();
      const client = await place.topic('t', 2);
      const isAlone = how === 'alone';
      const consumer = isAlone ? client.consumer({ topics: ['t'], follow: true, from: 'end' }) : member(client);
      const records = consumer[Symbol.asyncIterator]();
      const first = records.next();
      await owns(consumer as GroupConsumer, 't0 t1');
      // As many batches as records: what is read ahead is little.
      await using producer = client.producer({ batchBytes: 1 });
      await producer.sendAll(Array.from({ length: BUSY }, () => ({ ...p(0), key: null, value: Buffer.from('x') })));
      await first;
      let handled = 1;
      const read = async (until: (partition: number) => boolean) => {
        for (; handled < BUSY; handled++) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          if (until((await records.next()).value!.partition)) return;
        }
      };
      await producer.send({ ...p(1), key: null, value: Buffer.from('heard of by who was waiting until now') });
      await read((partition) => partition === 1);
      // Behind it the partition is at its end again.
      const enough = handled + 10;
      await read(() => handled === enough);
      await producer.send({ ...p(1), key: null, value: Buffer.from('x') });
      await read((partition) => partition === 1);
      expect(handled).toBeLessThan(BUSY - 10);
      await consumer.close();
    },
  );

  it('that are evicted are told, and commit nothing', async () => {
    const place = new Place();
    const client = await place.topic('t', 2, 4);
    const lost: string[] = [];
    const a = member(client, { group: { onLost: (partitions) => void lost.push(names(partitions)) } });
    const { ended, seen } = reading(a);
    await expect.poll(() => seen.length).toBe(4);
    const groups = await place.groups();
    const log = await groups.logOf('g');
    await evictMember(log, groups.topics, 'g', (await a.share()).memberId);
    await expect(ended).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER_ID' });
    expect(lost).toEqual(['t0 t1']);
    expect(log.group('g').committed(p(0))).toBeUndefined();
  });

  it('that fail are out of the group, and others have their partitions', async () => {
    const place = new Place();
    const client = await place.topic('t', 2, 2);
    const other = await place.client();
    const b = member(other);
    const { seen } = reading(b);
    await owns(b, 't0 t1');
    await expect.poll(() => seen.length).toBe(2);
    const failing = { onAssigned: () => Promise.reject(new Error('cannot begin')) };
    await expect(reading(member(client, { group: failing })).ended).rejects.toThrow('cannot begin');
    await owns(b, 't0 t1');
    expect((await b.share()).members).toBe(1);
    expect(readdirSync(join(place.directory, 'groups', 'g'))).toHaveLength(1);
  });

  it('whose lock file is removed stay members', async () => {
    const place = new Place();
    const client = await place.topic('t', 1);
    const other = await place.client();
    const [a, b] = [member(client), member(other)];
    const both = [reading(a), reading(b)];
    await expect.poll(async () => (await a.share()).members).toBe(2);
    const directory = join(place.directory, 'groups', 'g');
    const files = readdirSync(directory);
    for (const file of files) unlinkSync(join(directory, file));
    await expect.poll(() => readdirSync(directory).toSorted(), { timeout: 3_000 }).toEqual(files.toSorted());
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect((await b.share()).members).toBe(2);
    await a.close();
    await b.close();
    for (const { ended } of both) await ended;
    expect(readdirSync(directory)).toEqual([]);
  });

  it('with an instance id exist once', async () => {
    const place = new Place();
    const client = await place.topic('t', 1);
    const first = member(client, { group: { instanceId: 'i' } });
    expect((await first.share()).memberId).toMatch(/^i-/);
    await expect(member(client, { group: { instanceId: 'i' } }).assignment()).rejects.toMatchObject({
      code: 'UNRELEASED_INSTANCE_ID',
    });
    await first.close();
    await owns(member(client, { group: { instanceId: 'i' } }), 't0');
  });

  it('that need not follow end where there is nothing to read, and it has to be committed where they begin', async () => {
    const place = new Place();
    const client = await place.topic('t', 3, 1);
    const seen: number[] = [];
    for await (const { offset } of member(client, { from: 'end', follow: false })) seen.push(offset);
    expect(seen).toEqual([]);
    expect(await member(client).committed([p(0), p(1)])).toMatchObject([{ offset: 1 }, { offset: 0 }]);
  });

  it('that wait for a partition end when it goes to another one instead', async () => {
    const place = new Place();
    const client = await place.topic('t', 2);
    let letGo = () => {};
    const hand = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    // It does not let go of what it has before it is told to.
    const holder = member(client, { group: { clientId: 'm', onRevoked: () => hand } });
    const held = reading(holder);
    await owns(holder, 't0 t1');
    const waiting = reading(member(client, { follow: false, group: { clientId: 'a' } }));
    await expect.poll(async () => (await holder.share()).members).toBe(2);
    // Partitions go to the first members by their ids: with two before it, the one that waits is to have none.
    const first = member(client, { group: { clientId: '!' } });
    const beside = reading(first);
    await expect.poll(async () => (await first.share()).members).toBe(3);
    const second = member(client, { group: { clientId: '"' } });
    const another = reading(second);
    await expect(waiting.ended).rejects.toMatchObject({ code: 'KLOG_NO_PARTITION' });
    letGo();
    await holder.close();
    await first.close();
    await second.close();
    for (const { ended } of [held, beside, another]) await ended;
  });

  it('for which nothing is left end at once unless they follow', async () => {
    const place = new Place();
    const client = await place.topic('t', 1);
    const a = member(client);
    await owns(a, 't0');
    await expect(reading(member(client, { follow: false, group: { clientId: '~' } })).ended).rejects.toMatchObject({
      code: 'KLOG_NO_PARTITION',
    });
  });

  it('that want no topic there is say so, and those that never joined are closed', async () => {
    const place = new Place();
    const client = await place.topic('t', 1);
    const none = member(client, { patterns: [/u.*/], follow: false });
    await expect(reading(none).ended).rejects.toThrow('no topic that it wants');
    const late = member(client, { topics: ['v'], waitForTopics: true, timeoutMs: 1 });
    await reading(late).ended;
    for (const call of [late.share(), late.commit(), late.seek(p(0), 0)]) {
      await expect(call).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
    }
  });

  it('lose and repeat nothing by a pause at any moment, whether they read by record or by batch', async () => {
    const place = new Place();
    const client = await place.topic('t', 2, 12);
    const expected = [0, 1].flatMap((partition) => [0, 1, 2, 3, 4, 5].map((offset) => `${partition}@${offset}`));
    const pauseLater = async (turns: number, consumer: GroupConsumer) => {
      for (let i = 0; i < turns; i++) await Promise.resolve();
      consumer.pause([p(0), p(1)]);
      setTimeout(() => consumer.resume([p(0), p(1)]), 0);
    };
    for (let turns = 0; turns < 60; turns += 5) {
      const byRecord = member(client, { follow: false, group: { id: `record ${turns}` } });
      const byBatch = member(client, { follow: false, group: { id: `batch ${turns}` } });
      for (const consumer of [byRecord, byBatch]) {
        const seen: string[] = [];
        const see = (partition: number, offset: number) => {
          if (seen.push(`${partition}@${offset}`) === 1) void pauseLater(turns, consumer);
        };
        if (consumer === byRecord) for await (const { partition, offset } of consumer) see(partition, offset);
        else {
          for await (const { partition, cursor } of consumer.batches()) {
            while (cursor.next()) see(partition, cursor.offset);
          }
        }
        expect(seen.toSorted(), `after ${turns} turns`).toEqual(expected);
        expect(await consumer.committed([p(0), p(1)])).toMatchObject([{ offset: 6 }, { offset: 6 }]);
      }
    }
  });

  it('pause, resume and seek within what they own', async () => {
    const place = new Place();
    const client = await place.topic('t', 2, 4);
    const a = member(client);
    a.pause([p(1)]);
    const { seen } = reading(a);
    await expect.poll(() => seen).toEqual(['t0@0', 't0@1']);
    expect(a.paused()).toEqual([p(1)]);
    a.resume([p(1)]);
    await expect.poll(() => seen.slice(2)).toEqual(['t1@0', 't1@1']);
    await a.seek(p(0), 'start');
    await expect.poll(() => seen.slice(4)).toEqual(['t0@0', 't0@1']);
    await expect(a.seek({ topic: 't', partition: 9 }, 0)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });

  it('go on by `from` where their commit lies outside the log, and say so', async () => {
    const place = new Place();
    const client = await place.topic('t', 1, 3);
    const groups = await place.groups();
    const commit = { offset: 99, leaderEpoch: -1, metadata: '', commitTimestamp: 1, expireTimestamp: -1 };
    await (await groups.logOf('g')).decide('g', () => ({ commits: [{ ...p(0), commit }] }));
    const resets: unknown[] = [];
    const { seen } = reading(member(client, { group: { onReset: (reset) => void resets.push(reset) } }));
    await expect.poll(() => seen.length).toBe(3);
    expect(resets).toEqual([{ ...p(0), committed: 99, offset: 0 }]);
  });

  it.each(['', '\ud800'])('need an id for their group: %j is none', async (id) => {
    const place = new Place();
    const client = await place.topic('t', 1);
    await expect(member(client, { group: { id } }).assignment()).rejects.toMatchObject({ code: 'INVALID_GROUP_ID' });
  });
});
