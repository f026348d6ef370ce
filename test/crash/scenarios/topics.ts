/** Topics come and go; one is written into another. */
import { KlogError } from '../../../src/errors.js';
import { transfer } from '../../../src/replay/transfer.js';
import { idOf } from '../rig/payload.js';
import { readEverything } from '../rig/read-everything.js';
import type { Scenario } from './scenario.js';

export const topicsComeAndGo: Scenario = {
  name: 'topics',
  about: 'topics made, grown, altered, deleted and made again',
  async run(stage) {
    const client = await stage.open();
    const admin = client.admin();
    const producer = client.producer({ lingerMs: 0 });
    await stage.create(client, { topic: 'orders' });
    await stage.sendAll(producer, 'orders', 0, stage.ids(2));
    await stage.create(client, { topic: 'users', partitions: 2, configs: { 'segment.bytes': '2000' } });
    await stage.sendAll(producer, 'users', 1, stage.ids(2));
    stage.say('growing orders 3');
    await admin.createPartitions('orders', 3);
    stage.say('grown orders 3');
    await admin.alterConfigs('users', { set: { 'retention.ms': '60000' } });
    stage.say('deleting users');
    await admin.deleteTopic('users');
    stage.say('deleted users');
    await stage.create(client, { topic: 'users' });
    await producer.close();
    const again = client.producer({ lingerMs: 0 });
    await stage.sendAll(again, 'users', 0, stage.ids(2));
    await stage.sendAll(again, 'orders', 2, stage.ids(2));
    await client.close();
  },
};

export const copying: Scenario = {
  name: 'copy',
  about: 'the records of one topic are written into another',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders', configs: { 'segment.bytes': '3000' } });
    const producer = client.producer({ lingerMs: 0, batchBytes: 2000 });
    await stage.sendAll(producer, 'orders', 0, stage.ids(20));
    await stage.create(client, { topic: 'copy', configs: { 'segment.bytes': '2000' } });
    const writer = await producer.writer('copy');
    const ids: string[] = [];
    const noted = client.consumer({ topics: ['orders'] });
    for await (const { value } of noted) ids.push(idOf(value!)!);
    writer.onAcknowledged = ({ partition, firstOffset, lastOffset }) => {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        stage.say(`ack copy ${partition} ${offset} ${ids[offset]}`);
      }
    };
    await transfer(client.consumer({ topics: ['orders'] }).batches(), writer, { keepPartitions: true });
    await writer.flush();
    await client.close();
  },
};

/** What the crash has left is settled, written on and settled again; this itself may be cut short anywhere. */
export function recovery(after: string): Scenario {
  return {
    name: `recovery-${after}`,
    about: `recovery from a crash of ${after}, itself cut short`,
    after,
    async run(stage) {
      const client = await stage.open();
      const content = await readEverything(client);
      const producer = client.producer({ lingerMs: 0 });
      for (const [topic, partitions] of content) {
        for (const [partition, { offsets, ids }] of partitions.entries()) {
          stage.sayAll(ids.map((id, at) => `saw ${topic} ${partition} ${offsets[at]} ${id}`));
          try {
            await stage.sendAll(producer, topic, partition, stage.keyedIds(2, 7));
          } catch (error) {
            // A delete that was begun goes on as soon as topics are changed.
            if (!(error instanceof KlogError && error.code === 'UNKNOWN_TOPIC_OR_PARTITION')) throw error;
          }
        }
      }
      await stage.create(client, { topic: 'later' });
      await client.close();
    },
  };
}
