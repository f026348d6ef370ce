// Sees entries come until it has seen all of them. Its one argument is a JSON: way, events, file or directory, library.
// Says "ready" when it follows, and at its end how old each entry was when it was seen, in nanoseconds.
import { openSync, readSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StampReader } from './stamps.mjs';

const { way, events, file, directory, library } = JSON.parse(process.argv[2]);
const reader = new StampReader();

function finish() {
  process.stdout.write(`${JSON.stringify(reader.latenciesNs)}\n`, () => process.exit(0));
}

function take(bytes) {
  reader.take(bytes);
  if (reader.latenciesNs.length >= events) finish();
}

/** From the file that is watched, wherever the last look ended. */
function watchFile() {
  writeFileSync(file, '');
  const fd = openSync(file, 'r');
  const buffer = Buffer.alloc(64 * 1024);
  let position = 0;
  watch(file, () => {
    const got = readSync(fd, buffer, 0, buffer.length, position);
    position += got;
    if (got > 0) take(buffer.subarray(0, got));
  });
}

const WAYS = {
  watch: watchFile,
  synced: watchFile,
  pipe() {
    process.stdin.on('data', take);
  },
  async klog() {
    const { openClient } = await import(pathToFileURL(join(library, 'index.js')).href);
    const client = await openClient({ directory });
    const consumer = client.consumer({ topics: ['visible'], from: 'start', follow: true });
    const newline = Buffer.from('\n');
    for await (const { cursor } of consumer.batches()) {
      while (cursor.next()) take(Buffer.concat([cursor.value(), newline]));
    }
  },
};

void WAYS[way]();
process.stdout.write('ready\n');
