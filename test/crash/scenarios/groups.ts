/** Groups: what is committed. */
import type { Client } from '../../../src/clients/client.js';
import type { Scenario, Stage } from './scenario.js';

const PARTITIONS = 2;
const GROUP = 'billing';

async function write(stage: Stage, client: Client, records: number): Promise<void> {
  const producer = client.producer({ lingerMs: 0 });
  for (let n = 0; n < records; n++) await stage.send(producer, 'orders', n % PARTITIONS, stage.id());
  await producer.close();
}

/** A member from its start to its end, which handles what there is. */
async function handle(stage: Stage, client: Client): Promise<void> {
  const consumer = client.consumer({ topics: ['orders'], group: { id: GROUP, commit: 'none' } });
  for await (const { topic, partition, offset } of consumer) {
    const handled = `${GROUP} ${topic} ${partition} ${offset + 1}`;
    stage.say(`committing ${handled}`);
    await consumer.commit([{ topic, partition, offset: offset + 1 }]);
    stage.say(`committed ${handled}`);
  }
  await consumer.close();
}

export const commits: Scenario = {
  name: 'commits',
  about: 'a group commits record by record; its next member goes on, and what is committed was handled',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders', partitions: PARTITIONS });
    for (const records of [4, 4]) {
      await write(stage, client, records);
      await handle(stage, client);
    }
    await client.close();
  },
};
