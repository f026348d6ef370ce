// Some members of a group in a process of their own: argv[2] is what it shall do, as JSON (member-process.ts). One line of
// stdout an event, begun by the monotonic time in microseconds, which all processes of a machine share:
//   <time> <member> joined|assigned|revoked|lost|begin|end|committed|closed|failed …
// SIGTERM, or the end of stdin, ends it gracefully.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const plan = JSON.parse(process.argv[2]);
const { openClient } = await import(pathToFileURL(join(plan.library, 'index.js')).href);

const now = () => Number(process.hrtime.bigint() / 1000n);
const say = (member, ...what) => {
  const line = Buffer.from(`${now()} ${member} ${what.join(' ')}\n`);
  for (let at = 0; at < line.length; ) {
    try {
      at += writeSync(1, line, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
};
const places = (partitions) => partitions.map(({ topic, partition }) => `${topic}:${partition}`).join(',');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const ending = new AbortController();
const end = () => ending.abort();
process.on('SIGTERM', end);
process.stdin.on('end', end).resume();

const client = await openClient({ directory: plan.directory });
const running = Array.from({ length: plan.members ?? 1 }, (_, i) =>
  run(plan.name === undefined ? `m${i}` : `${plan.name}.${i}`),
);
await Promise.allSettled(running);
await client.close().catch((error) => say('client', 'failed', error.code ?? error.message));
process.exit(0);

async function run(name) {
  const commits = plan.commit === 'none';
  /** How far was handled what is not committed, by partition: only who commits by itself needs it. */
  const handled = new Map();
  const commit = async (partitions) => {
    const offsets = partitions.flatMap(({ topic, partition }) => handled.get(`${topic}:${partition}`) ?? []);
    if (offsets.length > 0) await consumer.commit(offsets);
    for (const { topic, partition } of partitions) handled.delete(`${topic}:${partition}`);
  };
  const handle = async ({ topic, partition, offset }) => {
    say(name, 'begin', `${topic}:${partition}`, offset);
    if (plan.handlerMs > 0) await sleep(Math.random() * plan.handlerMs);
    say(name, 'end', `${topic}:${partition}`, offset);
    if (commits) handled.set(`${topic}:${partition}`, { topic, partition, offset: offset + 1 });
    if (plan.pauses && Math.random() < 0.1) {
      consumer.pause([{ topic, partition }]);
      setTimeout(() => consumer.resume([{ topic, partition }]), Math.random() * 20);
    }
    if (commits && Math.random() < 0.3) await commit([...handled.values()]);
  };
  const consumer = client.consumer({
    ...(plan.patterns === undefined
      ? { topics: plan.topics }
      : { patterns: plan.patterns.map((one) => new RegExp(one)) }),
    follow: plan.follow ?? true,
    signal: ending.signal,
    group: {
      id: plan.group,
      clientId: name,
      ...(plan.instanceId === undefined ? {} : { instanceId: plan.instanceId }),
      ...(plan.assignor === undefined ? {} : { assignor: plan.assignor }),
      commit: plan.commit ?? 'auto',
      autoCommitIntervalMs: plan.autoCommitIntervalMs ?? 5000,
      onAssigned: (partitions) =>
        say(name, 'assigned', partitions.map((p) => `${p.topic}:${p.partition}@${p.offset}`).join(',')),
      onRevoked: async (partitions) => {
        say(name, 'revoked', places(partitions));
        if (commits) await commit(partitions);
      },
      onLost: (partitions) => say(name, 'lost', places(partitions)),
      onReset: ({ topic, partition, committed, offset }) =>
        say(name, 'reset', `${topic}:${partition}`, committed, offset),
    },
  });
  try {
    await consumer.assignment();
    say(name, 'joined', (await consumer.share()).memberId);
    if (plan.batches) {
      for await (const { topic, partition, cursor } of consumer.batches()) {
        while (cursor.next()) await handle({ topic, partition, offset: cursor.offset });
      }
    } else {
      for await (const record of consumer) if (!plan.quiet) await handle(record);
    }
    await consumer.close();
    say(name, 'closed');
  } catch (error) {
    say(name, 'failed', error.code ?? '-', JSON.stringify(error.stack));
  }
}
