/** What every home has to do for consumer groups; see `client.contract.ts`. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../src/clients/client.js';
import type { GroupConsumer } from '../../src/clients/group-consumer.js';
import type { ClientHome } from './client.contract.js';

export function describeGroups(name: string, home: Pick<ClientHome, 'open'>): void {
  describe(`groups: ${name}`, () => {
    let client: Client;
    /** Topic t, two partitions of three records. */
    beforeEach(async () => {
      client = await home.open();
      await client.admin().createTopic({ topic: 't', partitions: 2 });
      await using producer = client.producer();
      const records = [0, 1, 2].flatMap((n) => [0, 1].map((partition) => ({ topic: 't', partition, value: `${n}` })));
      await producer.sendAll(records);
    });
    afterEach(async () => {
      await client.close();
    });

    const consumer = (follow = false): GroupConsumer =>
      client.consumer({ topics: ['t'], group: { id: 'g' }, follow, from: 'start' });

    async function readAll(): Promise<string[]> {
      const read: string[] = [];
      for await (const { partition, value } of consumer()) read.push(`${partition}:${Buffer.from(value!)}`);
      return read.sort();
    }

    async function committed(groupId = 'g'): Promise<number[]> {
      const [group] = await client.admin().describeGroups([groupId]);
      return group!.offsets.map(({ committedOffset }) => committedOffset);
    }

    it('have committed what their members have read', async () => {
      expect(await readAll()).toEqual(['0:0', '0:1', '0:2', '1:0', '1:1', '1:2']);
      expect(await client.admin().listGroups()).toMatchObject([{ groupId: 'g', state: 'Empty', members: 0 }]);
      const [group] = await client.admin().describeGroups(['g']);
      expect(group!.offsets).toMatchObject([
        { topic: 't', partition: 0, committedOffset: 3, logEndOffset: 3, lag: 0, lagMs: 0, memberId: null },
        { topic: 't', partition: 1, committedOffset: 3, logEndOffset: 3, lag: 0, lagMs: 0, memberId: null },
      ]);
      expect(await readAll()).toEqual([]);
    });

    it('go on where they are moved to, whether they were there or not', async () => {
      const admin = client.admin();
      const places = [
        { topic: 't', partition: 0, offset: 2 },
        { topic: 't', partition: 1, offset: 3, metadata: 'm' },
      ];
      await admin.alterGroupOffsets('g', places);
      expect(await readAll()).toEqual(['0:2']);
      await admin.alterGroupOffsets('g', [{ topic: 't', partition: 1, offset: 1 }]);
      expect(await readAll()).toEqual(['1:1', '1:2']);
      expect(await admin.copyGroup('g', 'h')).toEqual([
        { topic: 't', partition: 0, offset: 3, metadata: '' },
        { topic: 't', partition: 1, offset: 3, metadata: '' },
      ]);
      expect(await committed('h')).toEqual([3, 3]);
    });

    it('are known by nobody when they are deleted, and begin anew', async () => {
      const admin = client.admin();
      await readAll();
      expect(await admin.deleteGroupOffsets('g', [{ topic: 't', partition: 1 }])).toHaveLength(1);
      expect(await committed()).toEqual([3]);
      await admin.deleteGroup('g');
      expect(await admin.listGroups()).toEqual([]);
      await expect(admin.describeGroups(['g'])).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
      await expect(admin.deleteGroup('g')).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
      expect(await readAll()).toHaveLength(6);
    });

    it('are not changed while a member reads, and lose it when it is evicted', async () => {
      const admin = client.admin();
      const member = consumer(true);
      await member[Symbol.asyncIterator]().next();
      const change = admin.alterGroupOffsets('g', [{ topic: 't', partition: 0, offset: 0 }]);
      await expect(change).rejects.toMatchObject({ code: 'NON_EMPTY_GROUP' });
      await expect(admin.deleteGroup('g')).rejects.toMatchObject({ code: 'NON_EMPTY_GROUP' });
      const gone = admin.deleteGroupOffsets('g', [{ topic: 't', partition: 0 }]);
      await expect(gone).rejects.toMatchObject({ code: 'GROUP_SUBSCRIBED_TO_TOPIC' });
      const [group] = await admin.describeGroups(['g']);
      expect(group).toMatchObject({ state: 'Stable', members: 1, memberDetails: [{ state: 'alive', topics: ['t'] }] });
      expect(await admin.evictGroupMember('g', group!.memberDetails[0]!.memberId)).toBe(
        group!.memberDetails[0]!.memberId,
      );
      await expect(member.commit([{ topic: 't', partition: 0, offset: 1 }])).rejects.toMatchObject({
        code: 'UNKNOWN_MEMBER_ID',
      });
      await member.close().catch(() => {});
      expect(await admin.listGroups()).toMatchObject([{ state: 'Empty' }]);
    });

    it('are not moved to where there is nothing', async () => {
      const admin = client.admin();
      const move = (partition: number, offset: number, topic = 't') =>
        admin.alterGroupOffsets('g', [{ topic, partition, offset }]);
      await expect(move(0, 4)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
      await expect(move(2, 0)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
      await expect(move(0, 0, 'nowhere')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
      await expect(admin.alterGroupOffsets('', [])).rejects.toMatchObject({ code: 'INVALID_GROUP_ID' });
      expect(await admin.listGroups()).toEqual([]);
    });
  });
}
