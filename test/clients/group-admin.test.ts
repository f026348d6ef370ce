import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Client } from '../../src/clients/client.js';
import type { GroupConsumer } from '../../src/clients/group-consumer.js';
import { systemSeams } from '../../src/clients/local/client-seams.js';
import { openClient } from '../../src/clients/local/open-client.js';
import { Groups } from '../../src/groups/groups.js';
import { openStore } from '../../src/store/store.js';
import { interpose, systemError } from '../store/interposed-file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

async function open(directory = join(temporaryDirectory(), '.klog')): Promise<Client> {
  const client = await openClient({ directory, create: true });
  onTestFinished(() => client.close());
  return client;
}

/** Topic `orders` with two partitions of five records each, the n-th of which was written at n seconds. */
async function withOrders(): Promise<Client> {
  const client = await open();
  await client.admin().createTopic({ topic: 'orders', partitions: 2 });
  await using producer = client.producer();
  for (let n = 0; n < 5; n++) {
    for (const partition of [0, 1]) {
      await producer.send({ topic: 'orders', partition, key: null, value: Buffer.from(`${n}`), timestamp: n * 1000 });
    }
  }
  return client;
}

function member(client: Client, options: { follow?: boolean } = {}): GroupConsumer {
  return client.consumer({ topics: ['orders'], group: { id: 'g', commit: 'none' }, ...options });
}

/** A member that has its partitions, until the test ends or it is closed. */
async function joined(client: Client): Promise<GroupConsumer> {
  const consumer = member(client, { follow: true });
  onTestFinished(() => consumer.close());
  await consumer[Symbol.asyncIterator]().next();
  return consumer;
}

const at = (partition: number, offset: number) => ({ topic: 'orders', partition, offset });

describe('groups from outside', () => {
  it('are none where no group ever was, and nothing is made by looking', async () => {
    const client = await open();
    const admin = client.admin();
    expect(await admin.listGroups()).toEqual([]);
    await expect(admin.describeGroups(['g'])).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
    await expect(admin.deleteGroup('g')).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
    await expect(admin.evictGroupMember('g', 'm')).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
    expect(await admin.listTopics({ internal: true })).toEqual([]);
  });

  it('begin with the offsets they are given', async () => {
    const client = await withOrders();
    const admin = client.admin();
    await admin.alterGroupOffsets('g', [at(0, 3), { ...at(1, 5), metadata: 'by hand' }]);
    expect(await admin.listGroups()).toEqual([{ groupId: 'g', state: 'Empty', protocolType: '', members: 0 }]);
    const [group] = await admin.describeGroups(['g']);
    expect(group).toMatchObject({ generation: -1, protocol: null, memberDetails: [] });
    const [first, second] = group!.offsets;
    expect(first).toMatchObject({ topic: 'orders', partition: 0, committedOffset: 3, logEndOffset: 5, lag: 2 });
    // The next record was written at three seconds.
    expect(Date.now() - first!.lagMs).toBeCloseTo(3000, -4);
    expect(second).toMatchObject({ committedOffset: 5, lag: 0, lagMs: 0, metadata: 'by hand', memberId: null });

    const values: string[] = [];
    for await (const { partition, value } of member(client)) values.push(`${partition}:${Buffer.from(value!)}`);
    expect(values).toEqual(['0:3', '0:4']);
  });

  it('are changed whole or not at all', async () => {
    const admin = (await withOrders()).admin();
    const change = (...offsets: ReturnType<typeof at>[]) => admin.alterGroupOffsets('g', offsets);
    await expect(change(at(0, 1), at(1, 6))).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    await expect(change(at(0, 1), at(1, -1))).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    await expect(change(at(0, 1), at(2, 0))).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await expect(change({ ...at(0, 1), topic: 'nowhere' })).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
    await admin.alterGroupOffsets('g', [at(0, 1)], { validateOnly: true });
    await admin.alterGroupOffsets('g', []);
    expect(await admin.listGroups()).toEqual([]);
    expect(await admin.listTopics({ internal: true })).toMatchObject([{ topic: 'orders' }]);
  });

  it('show their members, and are not changed behind the backs of these', async () => {
    const client = await withOrders();
    const admin = client.admin();
    const consumer = await joined(client);
    const [group] = await admin.describeGroups(['g']);
    expect(group).toMatchObject({ state: 'Stable', generation: 0, protocol: 'range', members: 1 });
    const [only] = group!.memberDetails;
    expect(only).toMatchObject({ state: 'alive', pid: process.pid, instanceId: null, topics: ['orders'] });
    expect(only!.assigned).toEqual([
      { topic: 'orders', partition: 0 },
      { topic: 'orders', partition: 1 },
    ]);
    // Nothing is committed: everything remains.
    expect(group!.offsets.map(({ committedOffset, lag, memberId }) => [committedOffset, lag, memberId])).toEqual([
      [-1, 5, only!.memberId],
      [-1, 5, only!.memberId],
    ]);

    const held = expect.objectContaining({
      code: 'NON_EMPTY_GROUP',
      message: expect.stringContaining(`${process.pid}`),
    });
    await expect(admin.alterGroupOffsets('g', [at(0, 3)])).rejects.toEqual(held);
    await expect(admin.alterGroupOffsets('g', [at(0, 3)], { validateOnly: true })).rejects.toEqual(held);
    await expect(admin.deleteGroup('g')).rejects.toEqual(held);
    await expect(admin.deleteGroupOffsets('g', [at(0, 0)])).rejects.toMatchObject({
      code: 'GROUP_SUBSCRIBED_TO_TOPIC',
    });
    await admin.alterGroupOffsets('g', [at(0, 3)], { force: true });
    expect((await admin.describeGroups(['g']))[0]!.offsets[0]).toMatchObject({ committedOffset: 3 });

    await consumer.close();
    expect(await admin.listGroups()).toMatchObject([{ state: 'Empty', members: 0 }]);
    await admin.alterGroupOffsets('g', [at(0, 2)]);
  });

  it('lose a member that is evicted', async () => {
    const client = await withOrders();
    const admin = client.admin();
    const consumer = await joined(client);
    const { memberId } = (await admin.describeGroups(['g']))[0]!.memberDetails[0]!;
    await expect(admin.evictGroupMember('g', 'nobody')).rejects.toMatchObject({ code: 'KLOG_NOT_FOUND' });
    expect(await admin.evictGroupMember('g', memberId)).toBe(memberId);
    expect(await admin.listGroups()).toMatchObject([{ state: 'Empty', members: 0 }]);
    await expect(consumer.commit([at(0, 1)])).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER_ID' });
  });

  it('are deleted with their offsets, members evicted by force', async () => {
    const client = await withOrders();
    const admin = client.admin();
    await admin.alterGroupOffsets('g', [at(0, 3)]);
    await admin.alterGroupOffsets('other', [at(0, 4)]);
    const consumer = await joined(client);
    await admin.deleteGroup('g', { force: true });
    await expect(consumer.commit([at(0, 4)])).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER_ID' });
    await consumer.close().catch(() => {});
    expect((await admin.listGroups()).map(({ groupId }) => groupId)).toEqual(['other']);
    await expect(admin.deleteGroup('g')).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
    await admin.deleteGroup('other', { validateOnly: true });
    await admin.deleteGroup('other');
    expect(await admin.listGroups()).toEqual([]);
  });

  it('forget single offsets', async () => {
    const admin = (await withOrders()).admin();
    await admin.alterGroupOffsets('g', [at(0, 3), at(1, 4)]);
    const both = [at(0, 0), at(7, 0)].map(({ topic, partition }) => ({ topic, partition }));
    expect(await admin.deleteGroupOffsets('g', both)).toEqual([{ topic: 'orders', partition: 0 }]);
    expect((await admin.describeGroups(['g']))[0]!.offsets.map(({ partition }) => partition)).toEqual([1]);
    expect(await admin.deleteGroupOffsets('g', both)).toEqual([]);
  });

  it('are copied, beside what the other one has', async () => {
    const client = await withOrders();
    const admin = client.admin();
    await admin.createTopic({ topic: 'more' });
    await admin.alterGroupOffsets('a', [at(0, 3), { topic: 'more', partition: 0, offset: 0 }]);
    await admin.alterGroupOffsets('b', [at(0, 1), at(1, 4)]);
    expect(await admin.copyGroup('a', 'b', { topics: ['orders'] })).toEqual([{ ...at(0, 3), metadata: '' }]);
    const [b] = await admin.describeGroups(['b']);
    expect(b!.offsets.map(({ partition, committedOffset }) => [partition, committedOffset])).toEqual([
      [0, 3],
      [1, 4],
    ]);
    await expect(admin.copyGroup('nobody', 'b')).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
  });

  it('are seen by who may not write', async () => {
    const directory = join(temporaryDirectory(), '.klog');
    const client = await open(directory);
    await client.admin().createTopic({ topic: 'orders' });
    await client.admin().alterGroupOffsets('g', [at(0, 0)]);
    const reader = await openClient({ directory, readOnly: true });
    onTestFinished(() => reader.close());
    expect(await reader.admin().listGroups()).toMatchObject([{ groupId: 'g' }]);
    expect((await reader.admin().describeGroups(['g']))[0]!.offsets).toHaveLength(1);
    await expect(reader.admin().describeGroups(['other'])).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
    await expect(reader.admin().alterGroupOffsets('g', [at(0, 0)])).rejects.toMatchObject({
      code: 'KLOG_PERMISSION_DENIED',
    });
  });

  it('forget a topic that is deleted: one of the same name is read from its beginning', async () => {
    const client = await withOrders();
    const admin = client.admin();
    await admin.createTopic({ topic: 'more' });
    await admin.alterGroupOffsets('g', [at(0, 3), at(1, 5), { topic: 'more', partition: 0, offset: 0 }]);
    await admin.alterGroupOffsets('only', [at(0, 1)]);
    await admin.deleteTopic('orders');
    expect((await admin.listGroups()).map(({ groupId }) => groupId)).toEqual(['g']);
    const [group] = await admin.describeGroups(['g']);
    expect(group!.offsets.map(({ topic }) => topic)).toEqual(['more']);
    await admin.createTopic({ topic: 'orders', partitions: 2 });
    await client.producer().send({ topic: 'orders', partition: 0, key: null, value: Buffer.from('new') });
    const values: string[] = [];
    for await (const { value } of member(client)) values.push(Buffer.from(value!).toString());
    expect(values).toEqual(['new']);
  });

  it('forget it last: what they write for it may need the room that its records had', async () => {
    const directory = join(temporaryDirectory(), '.klog');
    const client = await open(directory);
    const admin = client.admin();
    await admin.createTopic({ topic: 'orders' });
    await client.producer().send({ topic: 'orders', key: null, value: Buffer.from('x') });
    await admin.alterGroupOffsets('g', [{ topic: 'orders', partition: 0, offset: 1 }]);
    const records = join(directory, 'log', 'orders-0');
    const store = await openStore(
      interpose(({ name, path }) => {
        if (name === 'write' && path.includes('__consumer_offsets') && existsSync(records))
          throw systemError('ENOSPC', path);
      }),
      directory,
    );
    const groups = new Groups(store, systemSeams);
    store.onTopicNames = (topics) => groups.forgetTopics(topics);
    await store.topics.delete('orders');
    await groups.close();
    await store.close();
    expect(await admin.listGroups()).toEqual([]);
  });

  it('forget it also where a member still commits what it had of it', async () => {
    const client = await withOrders();
    const admin = client.admin();
    const consumer = client.consumer({ topics: ['orders'], group: { id: 'g' }, follow: true });
    const records = consumer[Symbol.asyncIterator]();
    for (let n = 0; n < 3; n++) await records.next();
    await admin.deleteTopic('orders');
    await consumer.close().catch(() => {});
    await admin.createTopic({ topic: 'orders', partitions: 2 });
    const offsets = await admin.describeGroups(['g']).then(([group]) => group!.offsets);
    expect(offsets).toEqual([]);
  });

  it('forget it for good: what a member has of it counts for no topic of that name', async () => {
    const client = await withOrders();
    const admin = client.admin();
    const consumer = client.consumer({ topics: ['orders'], group: { id: 'g' }, follow: true });
    const records = consumer[Symbol.asyncIterator]();
    for (let n = 0; n < 3; n++) await records.next();
    await admin.deleteTopic('orders');
    await admin.createTopic({ topic: 'orders', partitions: 2 });
    await consumer.commit([at(0, 2)]);
    await consumer.close();
    const [group] = await admin.describeGroups(['g']);
    expect(group!.offsets).toEqual([]);
    expect(group!.members).toBe(0);
  });
});
