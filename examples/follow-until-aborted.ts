// Follows a topic as records come, until it is told to stop: npx tsx examples/follow-until-aborted.ts [DIRECTORY]
import { openClient } from 'klog';

await using client = await openClient({ directory: process.argv[2] ?? '.klog', create: true });
await client.admin().createTopic({ topic: 'clicks' });

const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());

// Any process may write meanwhile; here it is this one.
const writing = (async () => {
  await using producer = client.producer();
  for (const page of ['/', '/about', '/bye']) await producer.send({ topic: 'clicks', value: page });
})();

for await (const { value } of client.consumer({ topics: ['clicks'], follow: true, signal: stopping.signal })) {
  console.log(`somebody looked at ${value}`);
  if (String(value) === '/bye') stopping.abort();
}
await writing;
console.log('stopped');
