/** Rounds on a small disk: filled to the last byte, read, freed in one of three ways, written again. */
import type { NewTopic } from '../../../src/clients/admin.js';
import type { Client } from '../../../src/clients/client.js';
import type { ProducerRecord } from '../../../src/clients/producer.js';
import { KlogError } from '../../../src/errors.js';
import { newId, toRecord } from '../rig/payload.js';
import { readEverything } from '../rig/read-everything.js';
import type { Scenario, Stage } from './scenario.js';

const KEPT = 'orders';
const FILLER_WRITER = 5;
/** Older than any retention. */
const FILLER_TIMESTAMP = 1_700_000_000_000;
/** From large to small, so that nothing fits any more in the end. */
const FILLER_SIZES = [400_000, 20_000, 500];

/** What fills the disk, and how it is made to give its space back. By turns. */
interface Filler extends NewTopic {
  free(stage: Stage, client: Client): Promise<void>;
}

const FILLERS: readonly Filler[] = [
  {
    topic: 'deleted',
    async free(stage, client) {
      stage.say(`deleting ${this.topic}`);
      await client.admin().deleteTopic(this.topic);
      stage.say(`deleted ${this.topic}`);
    },
  },
  {
    topic: 'trimmed',
    configs: { 'segment.bytes': '1000000' },
    async free(_stage, client) {
      const [trimmed] = await client.admin().deleteRecords(this.topic, [{ partition: 0, beforeOffset: -1 }]);
      if (trimmed!.segments === 0) throw new Error('the trim has freed nothing');
    },
  },
  {
    topic: 'retained',
    // Its records are of long ago, but just written: only the retention that is asked for takes them.
    configs: { 'segment.bytes': '1000000', 'retention.ms': '3600000' },
    async free(_stage, client) {
      const [retained] = await client.admin().applyRetention(this.topic);
      if (retained!.segments === 0) throw new Error('the retention has freed nothing');
    },
  },
];

export const diskFullRounds: Scenario = {
  name: 'disk-full',
  about: 'a disk is filled to its last byte, read, freed and written again',
  async run(stage) {
    const rounds = Number(process.env.KLOG_CRASH_ROUNDS ?? 3);
    const first = await stage.open();
    await stage.create(first, { topic: KEPT, configs: { 'segment.bytes': '20000' } });
    await first.close();
    let expected = 0;
    for (let round = 1; round <= rounds; round++) {
      const filler = FILLERS[round % FILLERS.length]!;
      expected += await write(stage, 3);
      await fill(stage, filler);
      await writingIsRefused(stage, filler.topic);
      await mustHave(stage, expected);
      await withClient(stage, (client) => filler.free(stage, client));
      expected += await write(stage, 2);
      await mustHave(stage, expected);
      stage.say(`round ${round}`);
    }
  },
};

async function withClient<T>(stage: Stage, task: (client: Client) => Promise<T>): Promise<T> {
  const client = await stage.open();
  try {
    return await task(client);
  } finally {
    await client.close().catch(() => {});
  }
}

function write(stage: Stage, count: number): Promise<number> {
  return withClient(stage, async (client) => {
    const producer = client.producer({ lingerMs: 0 });
    for (const id of stage.ids(count, 0, 400)) await stage.send(producer, KEPT, 0, id);
    await producer.close();
    return count;
  });
}

/** Until not even a small record has room. */
async function fill(stage: Stage, { topic, configs = {} }: Filler): Promise<void> {
  await withClient(stage, async (client) => {
    const topics = await client.admin().listTopics();
    if (!topics.some((listed) => listed.topic === topic)) await stage.create(client, { topic, configs });
  });
  for (const size of FILLER_SIZES) {
    await withClient(stage, async (client) => {
      const producer = client.producer({ lingerMs: 0 });
      const refused = await untilRefused(async () => {
        await producer.send(fillerRecord(topic, size));
      });
      mustBeFull(refused);
    });
  }
}

let fillerNumber = 0;
function fillerRecord(topic: string, size: number): ProducerRecord {
  return { ...toRecord(topic, 0, newId('p', FILLER_WRITER, fillerNumber++, size)), timestamp: FILLER_TIMESTAMP };
}

async function writingIsRefused(stage: Stage, topic: string): Promise<void> {
  await withClient(stage, async (client) => {
    const producer = client.producer({ lingerMs: 0 });
    // A block of the file's may have room yet.
    mustBeFull(await untilRefused(() => producer.send(fillerRecord(topic, 4000))));
  });
}

async function untilRefused(task: () => Promise<unknown>): Promise<unknown> {
  for (;;) {
    try {
      await task();
    } catch (error) {
      return error;
    }
  }
}

function mustBeFull(error: unknown): void {
  if (!(error instanceof KlogError && error.code === 'KLOG_DISK_FULL')) throw error;
}

async function mustHave(stage: Stage, expected: number): Promise<void> {
  await withClient(stage, async (client) => {
    const found = (await readEverything(client)).get(KEPT)?.[0]?.ids.length;
    if (found !== expected) throw new Error(`${KEPT} has ${found} records, ${expected} were acknowledged`);
  });
}
