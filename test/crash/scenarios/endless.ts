/** Writes until the power goes: for losses on a real file system. */
import type { Scenario } from './scenario.js';

export const endless: Scenario = {
  name: 'endless',
  about: 'two processes write, over rolls, until the power goes',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders', partitions: 2, configs: { 'segment.bytes': '20000' } });
    const other = stage.start('other');
    const producer = client.producer({ lingerMs: 0 });
    for (;;) {
      await Promise.race([other, stage.sendAll(producer, 'orders', 0, stage.ids(3))]);
      await stage.sendAll(producer, 'orders', 1, stage.ids(1));
    }
  },
  parts: {
    async other(stage) {
      const client = await stage.open();
      const producer = client.producer({ lingerMs: 0 });
      for (;;) await stage.sendAll(producer, 'orders', 0, stage.ids(2, 1));
    },
  },
};
