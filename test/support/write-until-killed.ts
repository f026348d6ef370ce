// Writes numbered records to a topic until it is killed; prints the last acknowledged offset after each batch.
import { openClient } from '../../src/index.js';

const [directory, topic] = process.argv.slice(2) as [string, string];
const client = await openClient({ directory });
const writer = await client.producer({ batchBytes: 4096, lingerMs: 1 }).writer(topic);
writer.onAcknowledged = ({ lastOffset }) => process.stdout.write(`${lastOffset}\n`);
for (let i = 0; ; i++) {
  const value = Buffer.from(`${process.pid} ${i}`);
  if (!writer.appendValue(value, 0, value.length, Date.now())) await writer.ready();
  if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
}
