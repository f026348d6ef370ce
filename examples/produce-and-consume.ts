// Writes three orders and reads them back: npx tsx examples/produce-and-consume.ts [DIRECTORY]
import { openClient } from 'klog';

await using client = await openClient({ directory: process.argv[2] ?? '.klog', create: true });

// Made at the first record, with one partition. When `sendAll` resolves the records survive a power loss.
await using producer = client.producer({ createTopics: true });
const stored = await producer.sendAll([
  { topic: 'orders', key: 'alice', value: JSON.stringify({ item: 'tea', count: 2 }) },
  {
    topic: 'orders',
    key: 'bob',
    value: JSON.stringify({ item: 'cups', count: 4 }),
    headers: [{ key: 'via', value: 'web' }],
  },
  { topic: 'orders', key: 'alice', value: null }, // a tombstone: alice has no order any more
]);
console.log(`stored at offsets ${stored.map(({ offset }) => offset).join(', ')}`);

// Reads what is there now, and ends.
for await (const record of client.consumer({ topics: ['orders'] })) {
  console.log(`${record.partition}@${record.offset} ${record.key} = ${record.value}`);
}
