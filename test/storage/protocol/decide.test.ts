/** The conditional append: several processes count on, each from what the log says last; and its wrong variants. */
import { RecordBatch } from '../../../src/format/record-batch.js';
import type { LogEnd } from '../../../src/storage/log-decide.js';
import type { Scenario } from '../../support/explore.js';
import { PromisedLog } from '../../support/invariants.js';
import type { ProcessBody } from '../../support/scheduler.js';
import { isDataSync, never } from './calls.js';
import {
  batchOf,
  PartitionWork,
  partitionView,
  preparePartition,
  type StorageModule,
  walkBatches,
} from './partition-scenario.js';
import { describeVariant } from './variant.js';

interface Counting {
  readonly counters: number;
  readonly counts: number;
  readonly batchesPerSegment?: number;
}

const numberOf = (identity: string | undefined) => Number(identity?.slice('send '.length) ?? 0);

/** What the last batch counts, by a walk that goes on from what is known, as a group's state does. */
async function lastCount(end: LogEnd, known: { offset: number; count: number; cutCount: number }): Promise<number> {
  if (known.cutCount !== end.cutCount) Object.assign(known, { offset: end.logStartOffset, count: 0 });
  known.cutCount = end.cutCount;
  while (known.offset < end.offset) {
    const { buffer, start, end: blockEnd, nextOffset } = await end.fetch(known.offset, 600);
    const { batches } = walkBatches(buffer.subarray(start, blockEnd));
    known.count = numberOf(batches.at(-1)?.identity);
    known.offset = nextOffset;
  }
  return known.count;
}

function countingScenario(storage: StorageModule, { counters, counts, batchesPerSegment }: Counting): Scenario {
  return {
    prepare: preparePartition,
    build(world) {
      const promised = new PromisedLog(world.disk, partitionView);
      world.disk.observers.push(promised.beforeWrite);
      world.afterEachStep(promised.afterStep);
      const options = { writers: counters, batches: 0, ...(batchesPerSegment && { batchesPerSegment }) };
      const work = new PartitionWork(storage, options, promised);
      const counter: ProcessBody = async ({ fs, clock }) => {
        const known = { offset: 0, count: 0, cutCount: 0 };
        let isEnough = false;
        while (!isEnough) {
          let log: Awaited<ReturnType<PartitionWork['open']>> | undefined;
          try {
            log = await work.open(fs, clock);
            while (!isEnough) {
              const appended = await log.appendDecided(async (end) => {
                const count = await lastCount(end, known);
                isEnough = count >= counts;
                return isEnough ? [] : [batchOf(`send ${count + 1}`)];
              });
              if (appended !== undefined) await log.durable(appended);
            }
          } catch (error) {
            const { code } = error as { code: string };
            if (code !== 'KLOG_SYNC_FAILED' && code !== 'KLOG_OUTCOME_UNKNOWN') throw error;
          }
          await log?.close().catch(() => {});
        }
      };
      for (let i = 1; i <= counters; i++) world.spawn(`c${i}`, counter);
      world.atEnd(() => {
        const found = logOf(world.disk);
        const expected = Array.from({ length: counts }, (_, i) => i + 1);
        if (found.join() !== expected.join()) throw new Error(`counted ${found.join(' ')}`);
      });
    },
  };
}

function logOf(disk: Parameters<Scenario['build']>[0]['disk']): number[] {
  const { directory } = partitionView;
  const names = (disk.list(directory, 'cached') ?? []).filter((name) => partitionView.segmentBase(name) !== undefined);
  const batch = new RecordBatch();
  return names
    .sort()
    .flatMap((name) => walkBatches(disk.bytes(`${directory}/${name}`) ?? new Uint8Array()).batches)
    .filter(({ bytes }) => batch.reset(Buffer.from(bytes), 0).isValid())
    .map(({ identity }) => numberOf(identity));
}

const scenario = (options: Counting) => (storage: StorageModule) => countingScenario(storage, options);

describeVariant({
  model: 'decide',
  name: 'DECIDE_AT_S',
  flaw: 'decided on what is safe, while another append is on its way to be',
  scenario: scenario({ counters: 2, counts: 3 }),
  options: { preemptions: 2, orders: 1, switchAt: isDataSync, contendAt: () => false, tearAt: never },
  caught: /counted .*(\d) \1/,
});

describeVariant({
  model: 'decide',
  name: 'DECIDE_THEN_LOCK',
  flaw: 'decided before the append lock is held',
  scenario: scenario({ counters: 2, counts: 3 }),
  options: { preemptions: 1, orders: 1, switchAt: (call) => call.name === 'write', tearAt: never },
  caught: /counted .*(\d) \1/,
});

describeVariant({
  model: 'decide',
  name: 'TAIL_OF_OLD_LAYOUT',
  flaw: 'files that were the last ones when it was looked before a roll',
  scenario: scenario({ counters: 2, counts: 5, batchesPerSegment: 2 }),
  options: { preemptions: 1, orders: 1, switchAt: isDataSync, contendAt: () => false, tearAt: never },
  caught: /damaged|counted|missing/,
});
