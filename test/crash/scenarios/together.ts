/** Several processes, or a reader beside a writer. */
import { idOf } from '../rig/payload.js';
import type { Scenario, Stage } from './scenario.js';

function writer(number: number): (stage: Stage) => Promise<void> {
  return async (stage) => {
    const client = await stage.open();
    const producer = client.producer({ lingerMs: 0 });
    for (let n = 0; n < 6; n++) await stage.sendAll(producer, 'orders', 0, stage.ids(2, number, 500));
    await client.close();
  };
}

export const groupCommit: Scenario = {
  name: 'group-commit',
  isConcurrent: true,
  about: 'three processes write to one partition, one sync for all, over rolls',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders', configs: { 'segment.bytes': '3000' } });
    await client.close();
    await Promise.all(['w1', 'w2', 'w3'].map((part) => stage.start(part)));
  },
  parts: { w1: writer(1), w2: writer(2), w3: writer(3) },
};

const TO_SEE = 25;
/** A reader that has waited so long takes it that its writer was killed. */
const MOST_PATIENCE_MS = 5000;

export const readerBeside: Scenario = {
  name: 'reader-beside',
  isConcurrent: true,
  about: 'a reader beside a writer is shown nothing that a crash takes back',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: 'orders', configs: { 'segment.bytes': '4000' } });
    const reader = stage.startAndWait('reader');
    const producer = client.producer({ lingerMs: 0, batchBytes: 600 });
    const ids = stage.ids(TO_SEE);
    await stage.send(producer, 'orders', 0, ids[0]!);
    await reader.isReady;
    for (let n = 1; n < TO_SEE; n += 2) {
      await Promise.all(ids.slice(n, n + 2).map((id) => stage.send(producer, 'orders', 0, id)));
      await new Promise((resolve) => setTimeout(resolve, stage.random() * 4));
    }
    await reader.ended;
    await client.close();
  },
  parts: {
    async reader(stage) {
      const client = await stage.open();
      const over = new AbortController();
      const consumer = client.consumer({ topics: ['orders'], follow: true, signal: over.signal });
      const patience = setTimeout(() => over.abort(), MOST_PATIENCE_MS);
      let seen = 0;
      for await (const { offset, value } of consumer) {
        patience.refresh();
        stage.say(`saw orders 0 ${offset} ${idOf(value!)}`);
        if (++seen === 1) stage.ready();
        if (seen === TO_SEE) break;
      }
      clearTimeout(patience);
      await client.close();
    },
  },
};
