/** One process that writes. */
import { toRecord } from '../rig/payload.js';
import type { Scenario } from './scenario.js';

export const oneByOne: Scenario = {
  name: 'one-by-one',
  about: 'each record acknowledged before the next is sent',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders' });
    const producer = client.producer({ lingerMs: 0 });
    for (const id of stage.ids(18)) await stage.send(producer, 'orders', 0, id);
    await client.close();
  },
};

export const batches: Scenario = {
  name: 'batches',
  about: 'batches of many sectors',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders' });
    const producer = client.producer({ lingerMs: 0 });
    for (let n = 0; n < 10; n++)
      await stage.sendAll(producer, 'orders', 0, stage.ids(1 + Math.floor(stage.random() * 12)));
    await client.close();
  },
};

export const pipelined: Scenario = {
  name: 'pipelined',
  about: 'appends, and rolls, while syncs are under way',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders', configs: { 'segment.bytes': '3000' } });
    const producer = client.producer({ lingerMs: 0, batchBytes: 700 });
    await Promise.all(stage.ids(30).map((id) => stage.send(producer, 'orders', 0, id)));
    await client.close();
  },
};

export const rolling: Scenario = {
  name: 'roll',
  about: 'a new segment every few batches (segment.bytes)',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders', configs: { 'segment.bytes': '1500' } });
    const producer = client.producer({ lingerMs: 0 });
    for (let n = 0; n < 14; n++) await stage.sendAll(producer, 'orders', 0, stage.ids(2, 0, 500));
    await client.close();
  },
};

export const indexEntries: Scenario = {
  name: 'index-entries',
  about: 'an entry in both indexes for almost each batch (index.interval.bytes), and rolls',
  async run(stage) {
    const client = await stage.open();
    const configs = { 'index.interval.bytes': '64', 'segment.bytes': '5000' };
    await stage.create(client, { topic: 'orders', configs });
    const producer = client.producer({ lingerMs: 0 });
    for (let n = 0; n < 20; n++) await stage.sendAll(producer, 'orders', 0, stage.ids(2, 0, 600));
    await client.close();
  },
};

export const severalPartitions: Scenario = {
  name: 'partitions',
  about: 'several partitions written at once',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders', partitions: 3 });
    const producer = client.producer({ lingerMs: 0 });
    for (let n = 0; n < 4; n++) {
      await Promise.all([0, 1, 2].map((p) => stage.sendAll(producer, 'orders', p, stage.ids(2))));
    }
    await client.close();
  },
};

export const compressed: Scenario = {
  name: 'compressed',
  about: 'batches of every codec',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders' });
    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const producer = client.producer({ lingerMs: 0, compression });
      for (let n = 0; n < 3; n++) await stage.sendAll(producer, 'orders', 0, stage.ids(6));
      await producer.close();
    }
    await client.close();
  },
};

export const logAppendTime: Scenario = {
  name: 'log-append-time',
  about: 'batches whose time klog sets (message.timestamp.type)',
  async run(stage) {
    const client = await stage.open();
    const configs = {
      'message.timestamp.type': 'LogAppendTime',
      'segment.bytes': '4000',
      'index.interval.bytes': '500',
    };
    await stage.create(client, { topic: 'orders', configs });
    const producer = client.producer({ lingerMs: 0 });
    for (let n = 0; n < 10; n++) await stage.sendAll(producer, 'orders', 0, stage.ids(3));
    await client.close();
  },
};

export const mixedAcks: Scenario = {
  name: 'mixed-acks',
  about: 'acks written and none between acks all, on one partition',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders' });
    const all = client.producer({ lingerMs: 0 });
    const written = client.producer({ lingerMs: 0, acks: 'written' });
    const none = client.producer({ lingerMs: 0, acks: 'none' });
    for (let n = 0; n < 6; n++) {
      await stage.send(written, 'orders', 0, stage.id(1), 'written');
      await none.send(toRecord('orders', 0, stage.id(2)));
      await stage.send(all, 'orders', 0, stage.id(0));
      await stage.send(written, 'orders', 0, stage.id(1), 'written');
    }
    await client.close();
  },
};

export const writtenLast: Scenario = {
  name: 'written-last',
  about: 'acks written, and closed at once: closing waits for the sync, and tells if it fails',
  async run(stage) {
    const first = await stage.open();
    await stage.create(first, { topic: 'orders' });
    await first.close();
    for (let n = 0; n < 6; n++) {
      const client = await stage.open();
      const producer = client.producer({ lingerMs: 0, acks: 'written' });
      await stage.send(producer, 'orders', 0, stage.id(0), 'written');
      await client.close();
    }
  },
};

export const abruptEnd: Scenario = {
  name: 'abrupt-end',
  about: 'the process ends without closing anything, and the next one goes on; three times',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders', configs: { 'segment.bytes': '2500' } });
    await client.close();
    for (const part of ['first', 'second', 'third']) await stage.start(part);
  },
  parts: Object.fromEntries(
    ['first', 'second', 'third'].map((part, writer) => [
      part,
      async (stage) => {
        const client = await stage.open();
        const producer = client.producer({ lingerMs: 0 });
        for (let n = 0; n < 4; n++) await stage.sendAll(producer, 'orders', 0, stage.ids(2, writer, 600));
        // A batch is on its way when the process goes.
        void producer.send(toRecord('orders', 0, stage.id(writer))).catch(() => {});
        await new Promise((resolve) => setImmediate(resolve));
        await stage.exit();
      },
    ]),
  ),
};
