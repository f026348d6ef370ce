// What a codec costs by itself: it compresses, or decompresses, the bytes of a file, a batch's worth at a time, as klog
// loads it. Arguments: a JSON of codec, way (compress, decompress) and library; the file. Prints its measurement, of
// the codec's calls only.
import { openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SelfTimer } from '../self-timer.mjs';

const BATCH_BYTES = 1024 * 1024;
const { codec: type, way, library } = JSON.parse(process.argv[2]);
const { loadCodec } = await import(pathToFileURL(join(library, 'format', 'compression.js')).href);
const codec = await loadCodec(type);

const file = openSync(process.argv[3], 'r');
const batch = Buffer.alloc(BATCH_BYTES);
const timer = new SelfTimer();
for (;;) {
  const length = readSync(file, batch, 0, BATCH_BYTES, null);
  if (length === 0) break;
  const source = batch.subarray(0, length);
  if (way === 'compress') {
    timer.run(() => codec.compress(source));
  } else {
    const packed = codec.compress(source);
    timer.run(() => codec.decompress(packed, BATCH_BYTES));
  }
}
timer.print();
