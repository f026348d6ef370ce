/** What takes records away: trims, retention, compaction, erasing; and what comes beside it. */
import type { Admin } from '../../../src/clients/admin.js';
import type { Client } from '../../../src/clients/client.js';
import { KlogError } from '../../../src/errors.js';
import { lastOfKeys, readEverything } from '../rig/read-everything.js';
import type { Scenario, Stage } from './scenario.js';

const TOPIC = 'orders';
/** Segments of a few batches. */
const SMALL_SEGMENTS = { 'segment.bytes': '1200' };
const COPY_TRIES = 20;
const COMPACTED = { 'segment.bytes': '1500', 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' };

async function write(stage: Stage, client: Client, batches: number, writer = 0, largest = 400): Promise<void> {
  const producer = client.producer({ lingerMs: 0 });
  for (let n = 0; n < batches; n++) await stage.sendAll(producer, TOPIC, 0, stage.keyedIds(3, writer, largest));
  await producer.close();
}

async function trimTo(stage: Stage, admin: Admin, offset: number): Promise<void> {
  stage.say(`trimming ${TOPIC} 0 ${offset}`);
  await admin.deleteRecords(TOPIC, [{ partition: 0, beforeOffset: offset }]);
  stage.say(`trimmed ${TOPIC} 0 ${offset}`);
}

async function compact(stage: Stage, admin: Admin): Promise<void> {
  stage.say(`compacting ${TOPIC}`);
  const [done] = await admin.compactTopic(TOPIC, { force: true });
  stage.say(`compacted ${TOPIC} 0 ${done!.firstDirtyOffset}`);
}

async function endOf(admin: Admin): Promise<number> {
  return (await admin.listOffsets(TOPIC, 'end', [0]))[0]!.offset;
}

export const trimming: Scenario = {
  name: 'trim',
  about: 'the log start is raised within a segment, over several, and over everything there is',
  async run(stage) {
    const client = await stage.open();
    const admin = client.admin();
    await stage.create(client, { topic: TOPIC, configs: SMALL_SEGMENTS });
    await write(stage, client, 6);
    await trimTo(stage, admin, 2);
    await trimTo(stage, admin, 9);
    await write(stage, client, 2);
    await trimTo(stage, admin, await endOf(admin));
    await write(stage, client, 2);
    await client.close();
  },
};

export const retention: Scenario = {
  name: 'retention',
  about: 'the oldest segments go by size, asked for and after rolls',
  async run(stage) {
    const client = await stage.open();
    const admin = client.admin();
    await stage.create(client, { topic: TOPIC, configs: SMALL_SEGMENTS });
    await write(stage, client, 9, 0, 900);
    stage.say(`retaining ${TOPIC} 2000`);
    await admin.alterConfigs(TOPIC, { set: { 'retention.bytes': '2000' } });
    const [retained] = await admin.applyRetention(TOPIC);
    if (retained!.segments === 0) throw new Error('retention has deleted nothing');
    stage.say(`trimmed ${TOPIC} 0 ${retained!.lowWatermark}`);
    await write(stage, client, 5);
    await client.close();
  },
};

export const compaction: Scenario = {
  name: 'compaction',
  about: 'segments are merged and exchanged for what compaction leaves of them, twice',
  async run(stage) {
    const client = await stage.open();
    const admin = client.admin();
    await stage.create(client, { topic: TOPIC, configs: COMPACTED });
    stage.say(`compacting ${TOPIC}`);
    await write(stage, client, 7);
    await compact(stage, admin);
    await write(stage, client, 3);
    await compact(stage, admin);
    await write(stage, client, 1);
    await client.close();
  },
};

export const erasing: Scenario = {
  name: 'erase',
  about: 'records are erased by key and by offset, from closed segments and from the one written to',
  async run(stage) {
    const client = await stage.open();
    const admin = client.admin();
    await stage.create(client, { topic: TOPIC, configs: SMALL_SEGMENTS });
    await write(stage, client, 6);
    stage.say(`erasing ${TOPIC} k3`);
    await admin.eraseRecords(TOPIC, { key: Buffer.from('k3') });
    stage.say(`erased ${TOPIC} k3`);
    const producer = client.producer({ lingerMs: 0 });
    const [id] = stage.keyedIds(1);
    await stage.send(producer, TOPIC, 0, id!);
    await producer.close();
    await client.close();
  },
};

export const importing: Scenario = {
  name: 'import',
  about: 'a topic is filled from a snapshot of another, unseen until it is whole',
  async run(stage) {
    const client = await stage.open();
    const admin = client.admin();
    await stage.create(client, { topic: TOPIC, configs: SMALL_SEGMENTS });
    await write(stage, client, 5);
    const before = (await readEverything(client)).get(TOPIC)![0]!;
    const snapshot = await admin.snapshot({ topics: [TOPIC] });
    stage.say('creating copy 1');
    const filled = await admin.importTopics([{ topic: 'copy', configs: SMALL_SEGMENTS }]);
    for await (const batches of snapshot.batches({ topic: TOPIC, partition: 0 })) {
      await filled.append({ topic: 'copy', partition: 0 }, batches);
    }
    await filled.commit();
    await snapshot.close();
    stage.say('created copy 1');
    stage.sayAll(before.ids.map((id, at) => `ack copy 0 ${before.offsets[at]} ${id}`));
    await write(stage, client, 1);
    await client.close();
  },
};

function besideWriter(number: number, batches: number): (stage: Stage) => Promise<void> {
  return async (stage) => {
    const client = await stage.open();
    await write(stage, client, batches, number, 300);
    await client.close();
  };
}

export const compactionBeside: Scenario = {
  name: 'compaction-beside',
  isConcurrent: true,
  about: 'compaction beside three writers, one of which ends in the middle of its syncs',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: TOPIC, configs: COMPACTED });
    stage.say(`compacting ${TOPIC}`);
    await write(stage, client, 4);
    const writers = ['w1', 'w2', 'dying'].map((part) => stage.start(part));
    for (let n = 0; n < 2; n++) await client.admin().compactTopic(TOPIC, { force: true });
    await Promise.all(writers);
    await compact(stage, client.admin());
    await client.close();
  },
  parts: {
    w1: besideWriter(1, 3),
    w2: besideWriter(2, 3),
    async dying(stage) {
      const client = await stage.open();
      await write(stage, client, 1, 3, 300);
      const producer = client.producer({ lingerMs: 0 });
      const sent = stage.keyedIds(2, 3).map((id) => stage.send(producer, TOPIC, 0, id));
      const failed = Promise.all(sent).then(() => new Promise(() => {}));
      // Somewhere between the first write and the end of the sync.
      await Promise.race([failed, new Promise((resolve) => setTimeout(resolve, 1 + stage.random() * 3))]);
      await stage.exit();
    },
  },
};

export const trimBeside: Scenario = {
  name: 'trim-beside-compaction',
  isConcurrent: true,
  about: 'the log start is raised by another process while the log is compacted',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: TOPIC, configs: COMPACTED });
    stage.say(`compacting ${TOPIC}`);
    await write(stage, client, 8);
    const trims = stage.start('trims');
    for (let n = 0; n < 3; n++) {
      await client.admin().compactTopic(TOPIC, { force: true });
      await write(stage, client, 1, 1);
    }
    await trims;
    await client.close();
  },
  parts: {
    async trims(stage) {
      const client = await stage.open();
      for (const offset of [4, 9, 15]) await trimTo(stage, client.admin(), offset);
      await client.close();
    },
  },
};

export const recreateBeside: Scenario = {
  name: 'recreate-beside-compaction',
  isConcurrent: true,
  about: 'the topic is deleted and made again by another process while the log is compacted',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: TOPIC, configs: COMPACTED });
    stage.say(`compacting ${TOPIC}`);
    await write(stage, client, 6);
    const again = stage.start('again');
    for (let n = 0; n < 4; n++) {
      // In between there is no such topic; or the one that is compacted has gone.
      try {
        await client.admin().compactTopic(TOPIC, { force: true });
      } catch (error) {
        if (!(error instanceof KlogError && error.code === 'UNKNOWN_TOPIC_OR_PARTITION')) throw error;
      }
    }
    await again;
    await client.close();
  },
  parts: {
    async again(stage) {
      const client = await stage.open();
      stage.say(`deleting ${TOPIC}`);
      await client.admin().deleteTopic(TOPIC);
      stage.say(`deleted ${TOPIC}`);
      await stage.create(client, { topic: TOPIC, configs: COMPACTED });
      stage.say(`compacting ${TOPIC}`);
      await write(stage, client, 3, 5);
      await client.close();
    },
  },
};

export const hotCopy: Scenario = {
  name: 'hot-copy',
  isConcurrent: true,
  about:
    'cp -r of the directory beside a writer and a compaction; every copy holds what was acknowledged before it began',
  async run(stage) {
    const client = await stage.open();
    await stage.create(client, { topic: TOPIC, configs: COMPACTED });
    stage.say(`compacting ${TOPIC}`);
    await write(stage, client, 5);
    const other = stage.start('other');
    for (let n = 0; n < 3; n++) await copyIsWhole(stage, client);
    await other;
    await client.close();
  },
  parts: {
    async other(stage) {
      const client = await stage.open();
      for (let n = 0; n < 3; n++) {
        await write(stage, client, 1, 1);
        await client.admin().compactTopic(TOPIC, { force: true });
      }
      await client.close();
    },
  },
};

/** Of each key the last record of before is in the copy, or a later one. */
async function copyIsWhole(stage: Stage, client: Client): Promise<void> {
  const before = (await readEverything(client)).get(TOPIC)![0]!;
  const copied = await copyDirectory(stage);
  try {
    const copy = await stage.openAt(copied);
    const after = lastOfKeys((await readEverything(copy)).get(TOPIC)![0]!);
    await copy.close();
    for (const [key, offset] of lastOfKeys(before)) {
      const there = after.get(key) ?? -1;
      if (there < offset) throw new Error(`a copy has ${key} at ${there}, and before it began it was at ${offset}`);
    }
  } finally {
    stage.discard(copied);
  }
}

/** A cp that fails, because a file goes while it looks at it, says so: it is made again. */
async function copyDirectory(stage: Stage): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return await stage.copy();
    } catch (error) {
      if (tries === COPY_TRIES) throw error;
    }
  }
}

const YEAR = 365 * 24 * 3600_000;

export const clockJumps: Scenario = {
  name: 'clock-jumps',
  about: 'the clock goes on and back by years between rolls by time; retention by age deletes nothing',
  async run(stage) {
    let jump = 0;
    const client = await stage.open({ now: () => Date.now() + jump, uptime: () => performance.now() + 1e6 });
    const configs = { 'message.timestamp.type': 'LogAppendTime', 'segment.ms': '600000', 'retention.ms': '3600000' };
    await stage.create(client, { topic: TOPIC, configs });
    await client.admin().applyRetention(TOPIC);
    for (const years of [0, 10, -10, 0, 3]) {
      jump = years * YEAR;
      await write(stage, client, 2);
      const [kept] = await client.admin().applyRetention(TOPIC);
      if (years !== 0 && kept!.skipped !== 'clock') throw new Error(`a jump of ${years} years was believed`);
    }
    await client.close();
  },
};
