/** Rounds on a small disk: filled to the last byte, read, freed by deleting a topic, written again. */
import type { Client } from '../../../src/clients/client.js';
import { KlogError } from '../../../src/errors.js';
import { toRecord } from '../rig/payload.js';
import { readEverything } from '../rig/read-everything.js';
import type { Scenario, Stage } from './scenario.js';

const KEPT = 'orders';
const FILLER = 'filler';
const FILLER_WRITER = 5;
/** From large to small, so that nothing fits any more in the end. */
const FILLER_SIZES = [400_000, 20_000, 500];

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
      expected += await write(stage, 3);
      await fill(stage);
      await writingIsRefused(stage);
      await mustHave(stage, expected);
      await withClient(stage, async (client) => {
        stage.say(`deleting ${FILLER}`);
        await client.admin().deleteTopic(FILLER);
        stage.say(`deleted ${FILLER}`);
      });
      expected += await write(stage, 2);
      await mustHave(stage, expected);
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
async function fill(stage: Stage): Promise<void> {
  await withClient(stage, (client) => stage.create(client, { topic: FILLER }));
  for (const size of FILLER_SIZES) {
    await withClient(stage, async (client) => {
      const producer = client.producer({ lingerMs: 0 });
      const refused = await untilRefused(async () => {
        await producer.send(toRecord(FILLER, 0, stage.id(FILLER_WRITER, size)));
      });
      mustBeFull(refused);
    });
  }
}

async function writingIsRefused(stage: Stage): Promise<void> {
  await withClient(stage, async (client) => {
    const producer = client.producer({ lingerMs: 0 });
    // A block of the file's may have room yet.
    mustBeFull(await untilRefused(() => producer.send(toRecord(FILLER, 0, stage.id(FILLER_WRITER, 4000)))));
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
