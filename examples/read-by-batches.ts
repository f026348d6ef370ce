// Bytes to bytes, without an object per record: millions of records a second. npx tsx examples/read-by-batches.ts [DIRECTORY]
import { openClient } from 'klog';

await using client = await openClient({ directory: process.argv[2] ?? '.klog', create: true });
await client.admin().createTopic({ topic: 'lines' });

// Writing: a range of any buffer is a record. It is copied at once, so the buffer is free when the call returns.
await using producer = client.producer({ compression: 'lz4' });
const writer = await producer.writer('lines');
const line = Buffer.from('the quick brown fox jumps over the lazy dog');
for (let i = 0; i < 100_000; i++) {
  const hasRoom = writer.appendValue(line, 0, line.length, 1_714_564_800_000 + i);
  if (!hasRoom) await writer.ready();
}
await writer.flush();

// Reading: the cursor says where the key and the value of each record lie in its buffer.
let records = 0;
let bytes = 0;
let words = 0;
for await (const { cursor } of client.consumer({ topics: ['lines'] }).batches()) {
  while (cursor.next()) {
    records++;
    bytes += cursor.valueEnd - cursor.valueStart;
    words++;
    for (let at = cursor.valueStart; at < cursor.valueEnd; at++) if (cursor.buffer[at] === 0x20) words++;
  }
}
console.log(`${records} records, ${words} words, ${bytes} bytes`);
