/** The roll to a second segment. The wrong variants of the model roll.pml. */
import { SYNC_RANGE } from '../../../src/storage/partition-locks.js';
import { isControlWrite, isDataSync, never, ofControlFile } from './calls.js';
import { type PartitionScenario, partitionScenario, type StorageModule } from './partition-scenario.js';
import { describeVariant } from './variant.js';

const scenario = (options: PartitionScenario) => (storage: StorageModule) => partitionScenario(storage, options);

describeVariant({
  model: 'roll',
  name: 'ROLL_NO_FLAG',
  flaw: "the roll's sync of the old segment fails without syncing set, and the next bare sync publishes",
  scenario: scenario({
    writers: 2,
    batches: 2,
    batchesPerSegment: 1,
    expectedErrors: ['KLOG_SYNC_FAILED', 'KLOG_OUTCOME_UNKNOWN', 'KAFKA_STORAGE_ERROR'],
  }),
  options: {
    preemptions: 2,
    orders: 0,
    details: 0,
    // Between append and sync; and when the one whose sync failed gives up, before it comes back and settles.
    contendAt: (start) => start === SYNC_RANGE.start,
    switchAt: (call) => call.name === 'close' && ofControlFile(call),
    tearAt: never,
    failedSyncs: { count: 1, at: isDataSync },
  },
  caught: /I5: offset \d was published by S = \d and is not on the disk/,
});

describeVariant({
  model: 'roll',
  name: 'ROLL_CREATE_FIRST',
  flaw: 'the new name survives a power loss and S does not: the tail of the old segment is taken for synced',
  scenario: scenario({
    writers: 1,
    batches: 6,
    batchesAtOnce: 2,
    batchesPerSegment: 5,
    // So small that a slot of the control file can be torn.
    sectorBytes: 128,
  }),
  options: {
    preemptions: 0,
    powerLosses: {
      count: 1,
      at: () => true,
      fate: {
        sector: (path, sector, count) => (path.endsWith('klog.end') && sector % 2 === 0 ? count - 1 : 0),
        size: () => 0,
        name: () => true,
      },
    },
  },
  caught: /I7: S is 5, but there is no whole batch at offset 4/,
});

describeVariant({
  model: 'roll',
  name: 'ODD_FORGOTTEN',
  flaw: 'killed between the new file and A: the next writer goes on in the old segment',
  // The second send does not fit any more and rolls, the third would fit.
  scenario: scenario({ writers: 2, batches: 3, batchesPerSegment: 2, largeSends: [2] }),
  options: { preemptions: 0, orders: 1, kills: { count: 1, at: isControlWrite } },
  caught: /I4: a write to 0+\.log, but the log goes on with 0+1\.log/,
});

describeVariant({
  model: 'roll',
  name: 'ROLL_NO_SYNC',
  flaw: 'the old segment is left without a sync',
  scenario: scenario({ writers: 2, batches: 2, batchesPerSegment: 1 }),
  options: { preemptions: 1, orders: 0, tearAt: never },
  caught: /I5: offset 0 was published by S = 1 and is not on the disk/,
});

describeVariant({
  model: 'roll',
  name: 'NO_DIR_FSYNC',
  flaw: "the new segment's name is not synced",
  scenario: scenario({ writers: 1, batches: 2, batchesPerSegment: 1 }),
  options: { preemptions: 0, details: 0, powerLosses: 1 },
  caught: /I5: offset 1 was published by S = 2 and is not on the disk/,
});

describeVariant({
  model: 'roll',
  name: 'STALE_FD',
  flaw: 'the leader syncs the segment that it once opened',
  scenario: scenario({ writers: 2, batches: 3, batchesPerSegment: 1 }),
  options: { preemptions: 0, orders: 1 },
  caught: /I5: offset 1 was published by S = 2 and is not on the disk/,
});

describeVariant({
  model: 'roll',
  name: 'SETTLE_ONE_SEGMENT',
  flaw: 'a settler stops at the end of the segment that S names',
  scenario: scenario({ writers: 1, batches: 2, batchesPerSegment: 1 }),
  options: { preemptions: 0, details: 0, powerLosses: 1 },
  caught: /I[13]: .*promised (is )?2/,
});
