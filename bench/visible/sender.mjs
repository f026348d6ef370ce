// Sends entries one at a time, each when the one before is done and a short while has passed, so that the receiver
// sleeps. Its one argument is a JSON: way, events, pauseMs, file or directory, library. At its end it prints, unless
// its output is the way, how long each send took to be done.
import { fdatasync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { now, stamp } from './stamps.mjs';

const { way, events, pauseMs, file, directory, library } = JSON.parse(process.argv[2]);

const WAYS = {
  pipe: () => () => void writeSync(1, stamp()),
  watch() {
    const fd = openSync(file, 'a');
    return () => void writeSync(fd, stamp());
  },
  synced() {
    const data = openSync(`${file}.data`, 'w');
    const fd = openSync(file, 'a');
    return async () => {
      const entry = stamp();
      writeSync(data, entry);
      await new Promise((resolve, reject) => {
        fdatasync(data, (error) => (error === null ? resolve() : reject(error)));
      });
      writeSync(fd, entry);
    };
  },
  async klog() {
    const { openClient } = await import(pathToFileURL(join(library, 'index.js')).href);
    const client = await openClient({ directory });
    const producer = client.producer({ acks: 'all' });
    return () => producer.sendAll([{ topic: 'visible', value: stamp().subarray(0, -1) }]);
  },
};

const send = await WAYS[way]();
const doneNs = [];
for (let i = 0; i < events; i++) {
  await sleep(pauseMs * (0.5 + Math.random()));
  const start = now();
  await send();
  doneNs.push(now() - start);
}
if (way === 'pipe') process.exit(0);
process.stdout.write(JSON.stringify(doneNs), () => process.exit(0));
