// One of several writers of the same place: one entry after the other, each when the one before is on the disk. Its one
// argument is a JSON: way, file or directory, library. Says "ready" after a first entry. Each line that it is given then
// tells when measuring begins and ends, on the clock that all processes share: it writes until that end, and prints how
// long each entry took of those that came to their end in between.
import { fdatasync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { now, stamp } from '../visible/stamps.mjs';

const { way, file, directory, library } = JSON.parse(process.argv[2]);

const WAYS = {
  file() {
    const fd = openSync(file, 'a');
    return async () => {
      writeSync(fd, stamp());
      await new Promise((resolve, reject) => {
        fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
      });
    };
  },
  async klog() {
    const { openClient } = await import(pathToFileURL(join(library, 'index.js')).href);
    const client = await openClient({ directory });
    const producer = client.producer({ acks: 'all' });
    return () => producer.sendAll([{ topic: 'writers', partition: 0, value: stamp().subarray(0, -1) }]);
  },
};

const send = await WAYS[way]();
await send();
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const [from, to] = JSON.parse(line);
  const waitsNs = [];
  for (;;) {
    const start = now();
    if (start >= to) break;
    await send();
    const end = now();
    if (end >= from) waitsNs.push(end - Math.max(start, from));
  }
  process.stdout.write(`${JSON.stringify(waitsNs)}\n`);
}
process.exit(0);
