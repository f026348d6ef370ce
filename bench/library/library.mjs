// An application on the library: it sends records, or iterates over them. Its one argument is a JSON: way, records,
// directory, library. A first tenth is not counted: code that has just been started is slow. Prints its measurement.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SelfTimer } from '../self-timer.mjs';

const RECORD_BYTES = 100;
const AT_ONCE = 1000;

const { way, records, directory, library } = JSON.parse(process.argv[2]);
const { openClient } = await import(pathToFileURL(join(library, 'index.js')).href);
const client = await openClient({ directory, create: true });
const value = Buffer.alloc(RECORD_BYTES, 'v');
const timer = new SelfTimer();

async function produce(sendSome) {
  const producer = client.producer({ createTopics: true });
  const batch = Array.from({ length: AT_ONCE }, () => ({ topic: 'sent', value }));
  const sendMany = async (count) => {
    for (let sent = 0; sent < count; sent += AT_ONCE) await sendSome(producer, batch);
    await producer.flush();
  };
  await sendMany(records / 10);
  await timer.runAsync(() => sendMany(records));
}

async function consume(takeSome) {
  const consumer = client.consumer({ topics: ['sent'], to: records / 10 });
  if ((await takeSome(consumer)) !== records / 10) throw new Error('not all has come');
  const all = client.consumer({ topics: ['sent'], from: records / 10, to: records / 10 + records });
  const count = await timer.runAsync(() => takeSome(all));
  if (count !== records) throw new Error(`${count} of ${records} have come`);
}

/**
 * So many thousands are on their way at once: a batch of the log holds about ten of them, and a few batches are under
 * way.
 */
const ON_THEIR_WAY = 16;
const underWay = [];

async function waitForOldest(sent) {
  underWay.push(sent);
  if (underWay.length > ON_THEIR_WAY) await underWay.shift();
}

const WAYS = {
  /** A promise for each record. */
  send: () => produce((producer, batch) => waitForOldest(Promise.all(batch.map((record) => producer.send(record))))),
  sendAll: () => produce((producer, batch) => waitForOldest(producer.sendAll(batch))),
  iterate: () =>
    consume(async (consumer) => {
      let count = 0;
      let bytes = 0;
      for await (const record of consumer) {
        count++;
        bytes += record.value.length;
      }
      if (bytes !== count * RECORD_BYTES) throw new Error('values are not what was sent');
      return count;
    }),
  batches: () =>
    consume(async (consumer) => {
      let count = 0;
      for await (const { cursor } of consumer.batches()) while (cursor.next()) count++;
      return count;
    }),
};

await WAYS[way]();
await client.close();
timer.print();
