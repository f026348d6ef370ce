/** Deleting and making again a topic under its writers. The wrong variants of the model topic.pml. */
import { createPartition } from '../../../src/storage/create-partition.js';
import type { FileSystem } from '../../../src/storage/file-system.js';
import { DEFAULT_LOG_CONFIG } from '../../../src/storage/log-config.js';
import type { Scenario } from '../../support/explore.js';
import { PromisedLog } from '../../support/invariants.js';
import type { ProcessBody } from '../../support/scheduler.js';
import { type CallTest, never } from './calls.js';
import {
  batchOf,
  DIRECTORY,
  judgeSettled,
  partitionView,
  preparePartition,
  type StorageModule,
} from './partition-scenario.js';
import { describeVariant } from './variant.js';

const LEAVING = '/log/t-0.gone-delete';
const COMING = '/log/t-0.new';
/** Not there yet, or not any more. */
const GONE = ['UNKNOWN_TOPIC_OR_PARTITION', 'ENOENT'];

const byAdmin: CallTest = (call) => call.process.name === 'admin';

interface TopicScenario {
  readonly writers: number;
  readonly batches: number;
}

/**
 * Writers that send whatever happens, and an admin that deletes the topic and makes it again, and resumes when killed.
 */
function topicScenario(storage: StorageModule, { writers, batches }: TopicScenario): Scenario {
  return {
    prepare: preparePartition,
    build(world) {
      // Of the new topic only: what the old one promised went with it.
      const promised = new PromisedLog(world.disk, partitionView);
      let state: 'there' | 'deleting' | 'absent' | 'there again' = 'there';
      let sent = 0;
      world.disk.observers.push(promised.beforeWrite);
      world.afterEachStep(() => {
        if (state === 'there again') promised.afterStep();
      });

      const writer: ProcessBody = async ({ fs, clock }) => {
        const config = DEFAULT_LOG_CONFIG;
        const options = { topic: 't', partition: 0, config, clock, lockWaitMs: Number.POSITIVE_INFINITY };
        while (sent < batches) {
          const send = `send ${++sent}`;
          const born = state;
          try {
            const log = await storage.PartitionLog.open(fs, DIRECTORY, options);
            const appended = await log.append([batchOf(send)]);
            await log.durable(appended);
            if (born === 'there again') promised.acknowledged(appended.baseOffset, send);
            await log.close();
          } catch (error) {
            if (!GONE.includes((error as { code: string }).code)) throw error;
          }
        }
      };

      const admin: ProcessBody = async ({ fs, clock }) => {
        if (state === 'there') state = 'deleting';
        if (state === 'deleting') {
          if (await fs.stat(DIRECTORY)) {
            const release = await storage.holdPartition(fs, DIRECTORY, Number.POSITIVE_INFINITY);
            await fs.rename(DIRECTORY, LEAVING);
            await release();
          }
          await removeAll(fs, LEAVING);
          state = 'absent';
        }
        if (state === 'absent') {
          if (!(await fs.stat(DIRECTORY))) {
            await removeAll(fs, COMING);
            await fs.makeDirectory(COMING);
            await createPartition(fs, COMING, { topicId: 'AAAAAAAAAAAAAAAAAAAAAg', clock });
            await fs.rename(COMING, DIRECTORY);
          }
          await fs.syncDirectory('/log');
          state = 'there again';
        }
      };

      world.spawn('admin', admin);
      for (let i = 1; i <= writers; i++) world.spawn(`w${i}`, writer);
      world.atEnd(async () => {
        if (state !== 'there again') throw new Error(`I6: the topic is ${state} at the end`);
        await judgeSettled(world, storage, promised);
      });
    },
  };
}

async function removeAll(fs: FileSystem, directory: string): Promise<void> {
  if (!(await fs.stat(directory))) return;
  for (const name of await fs.readDirectory(directory)) await fs.unlink(`${directory}/${name}`);
  await fs.removeDirectory(directory);
}

describeVariant({
  model: 'topic',
  name: 'DELETE_NO_LOCKS',
  flaw: "renamed between a writer's check and its open by path: it appends to the new topic under the old one's lock",
  scenario: (storage) => topicScenario(storage, { writers: 1, batches: 2 }),
  options: {
    preemptions: 2,
    orders: 0,
    tearAt: never,
    contendAt: () => false,
    switchAt: ({ name, process }) =>
      process.name === 'admin' ? name === 'rename' : name === 'stat' || name === 'open',
  },
  caught: /without the append lock of its log|the log of t:0 is damaged/,
});

describeVariant({
  model: 'topic',
  name: 'NO_INODE_CHECK',
  flaw: 'who waited for the lock of a deleted log opens the segment of the new one',
  scenario: (storage) => topicScenario(storage, { writers: 1, batches: 2 }),
  options: {
    preemptions: 1,
    orders: 0,
    tearAt: never,
    contendAt: () => false,
    switchAt: byAdmin,
    kills: { count: 1, at: byAdmin },
  },
  caught: /without the append lock of its log|the log of t:0 is damaged/,
});
