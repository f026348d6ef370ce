// Reads two partitions again from a point in time, in the order of the clock: npx tsx examples/replay-from-a-time.ts [DIRECTORY]
import { openClient } from 'klog';

await using client = await openClient({ directory: process.argv[2] ?? '.klog', create: true });
await client.admin().createTopic({ topic: 'measurements', partitions: 2 });

await using producer = client.producer();
const noon = Date.parse('2024-05-01T12:00:00Z');
const minutes = [0, 5, 10, 15, 20, 25];
await producer.sendAll(
  minutes.map((minute, i) => ({
    topic: 'measurements',
    partition: i % 2,
    value: `${20 + i} °C`,
    timestamp: noon + minute * 60_000,
  })),
);

// Half open: from 12:10 on, up to but not including 12:25.
const consumer = client.consumer({
  topics: ['measurements'],
  from: { timestamp: noon + 10 * 60_000 },
  to: { timestamp: noon + 25 * 60_000 },
  order: 'time',
});
for await (const { timestamp, partition, value } of consumer) {
  console.log(`${new Date(timestamp).toISOString()} partition ${partition}: ${value}`);
}
