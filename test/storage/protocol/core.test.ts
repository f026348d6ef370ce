/** One segment: append, sync, publish, settle. The wrong variants of the model core.pml. */
import { APPEND_RANGE } from '../../../src/storage/partition-locks.js';
import { allKept, type Fate } from '../../support/chooser.js';
import { isDataSync, isWrite, isWriteOfSafe, never, ofControlFile } from './calls.js';
import { type PartitionScenario, partitionScenario, type StorageModule } from './partition-scenario.js';
import { describeVariant } from './variant.js';

const scenario = (options: PartitionScenario) => (storage: StorageModule) => partitionScenario(storage, options);
const SYNCING_SECTOR = 4;
const failedDataSync = { count: 1, at: isDataSync };

/** A power loss that keeps names, sizes, A and S, but neither syncing nor anything of the segments. */
const hole: Fate = {
  ...allKept,
  sector: (path, sector, count) =>
    path.endsWith('.log') || sector === SYNCING_SECTOR ? 0 : allKept.sector(path, sector, count),
};

describeVariant({
  model: 'core',
  name: 'NO_BOOT',
  flaw: 'after a power loss the size equals A although the bytes between are gone',
  // Both find the append lock busy when they open, and so do not settle then.
  scenario: scenario({ writers: 2, batches: 2 }),
  options: {
    preemptions: 2,
    orders: 0,
    switchAt: never,
    tearAt: never,
    contendAt: (start) => start === APPEND_RANGE.start,
    powerLosses: { count: 1, at: isDataSync, fate: hole },
  },
  caught: /I4: a write at 582 of .*, but the whole batches end at 0/,
});

describeVariant({
  model: 'core',
  name: 'NO_CUT_COUNT',
  flaw: 'a settler cuts a waiting batch, another takes its offset, and S covers that offset',
  scenario: scenario({ writers: 2, batches: 4, evictions: true }),
  options: {
    preemptions: 1,
    orders: 0,
    details: 0,
    switchAt: isDataSync,
    contendAt: () => false,
    failedSyncs: failedDataSync,
    evictions: { count: 1, at: (call) => call.name === 'open' && ofControlFile(call) },
    endless: true,
  },
  caught: /I1: offset 1 was acknowledged to send 2 and holds send 4/,
});

describeVariant({
  model: 'core',
  name: 'LOCK_ORDER',
  flaw: 'who finds syncing set takes the append lock while it holds the sync lock',
  scenario: scenario({
    writers: 2,
    batches: 3,
    batchesPerSegment: 2,
    expectedErrors: ['KLOG_SYNC_FAILED', 'KLOG_OUTCOME_UNKNOWN', 'KAFKA_STORAGE_ERROR'],
  }),
  options: {
    preemptions: 2,
    orders: 0,
    details: 0,
    switchAt: (call) => isDataSync(call) || (call.name === 'stat' && ofControlFile(call)),
    contendAt: () => false,
    tearAt: never,
    failedSyncs: failedDataSync,
  },
  caught: /deadlock/,
});

describeVariant({
  model: 'core',
  name: 'SETTLE_NO_FLAG',
  flaw: "a settler's own sync fails without syncing set, and the next bare sync publishes what it lost",
  scenario: scenario({ writers: 1, batches: 1, followers: 1 }),
  options: { preemptions: 1, orders: 0, details: 0, failedSyncs: failedDataSync },
  caught: /I5: offset 0 was published by S = 1 and is not on the disk/,
});

describeVariant({
  model: 'core',
  name: 'FOLLOWER_TEXT',
  flaw: 'syncing left behind by a dead leader is not settled while A equals S',
  scenario: scenario({ writers: 1, batches: 1 }),
  options: { preemptions: 0, kills: 1 },
  caught: /I6: not settled at the end: .* syncing/,
});

describeVariant({
  model: 'core',
  name: 'NO_RECHECK',
  flaw: 'a reader after a power loss takes whole batches that a writer has meanwhile appended',
  scenario: scenario({ writers: 1, batches: 2, readers: 1 }),
  options: {
    preemptions: 2,
    orders: 1,
    details: 0,
    switchAt: (call) => isDataSync(call) || call.name === 'readDirectory',
    contendAt: () => false,
    powerLosses: { count: 1, at: isDataSync },
  },
  caught: /I5: offset \d was shown to r1 and is not on the disk/,
});

describeVariant({
  model: 'core',
  name: 'NO_SYNCING',
  flaw: "the leader's sync fails without syncing set, and the next bare sync publishes what it lost",
  scenario: scenario({ writers: 2, batches: 2 }),
  options: { preemptions: 1, orders: 0, details: 0, failedSyncs: failedDataSync },
  caught: /I5: offset 0 was published by S = 2 and is not on the disk/,
});

describeVariant({
  model: 'core',
  name: 'PUBLISH_FIRST',
  flaw: 'S is written before the sync',
  scenario: scenario({ writers: 2, batches: 2 }),
  options: { preemptions: 1, orders: 0 },
  caught: /I5: offset 0 was published by S = 1 and is not on the disk/,
});

describeVariant({
  model: 'core',
  name: 'COPY_LATE',
  flaw: 'A is copied after the sync',
  scenario: scenario({ writers: 2, batches: 2 }),
  options: { preemptions: 1, orders: 0 },
  caught: /I5: offset 1 was published by S = 2 and is not on the disk/,
});

describeVariant({
  model: 'core',
  name: 'NO_REWRITE',
  flaw: 'a settler syncs what a failed sync has lost without writing it again',
  scenario: scenario({ writers: 2, batches: 2 }),
  options: { preemptions: 1, orders: 0, details: 0, failedSyncs: failedDataSync },
  caught: /I5: offset \d was .* and is not on the disk/,
});

describeVariant({
  model: 'core',
  name: 'S_NO_LOCK',
  flaw: 'S is written without the sync lock',
  scenario: scenario({ writers: 2, batches: 2 }),
  options: { preemptions: 2, orders: 0, tearAt: never },
  caught: /I3: S went back to 1, below the promised 2/,
});

describeVariant({
  model: 'core',
  name: 'NO_SETTLE',
  flaw: 'whoever gets the append lock of a writer killed in mid-write goes on at A',
  scenario: scenario({ writers: 2, batches: 2 }),
  options: { preemptions: 0, orders: 0, kills: { count: 1, at: isWrite } },
  caught: /I4: a write at 0 of .*, which ends at \d+/,
});

describeVariant({
  model: 'core',
  name: 'ACK_WRITTEN',
  flaw: 'a batch is acknowledged when it is written',
  scenario: scenario({ writers: 1, batches: 1 }),
  options: { preemptions: 1 },
  caught: /I5: offset 0 was acknowledged to send 1 and is not on the disk/,
});

describeVariant({
  model: 'core',
  name: 'ONE_SLOT',
  flaw: 'S is written over itself, so that a leader killed in mid-write leaves none',
  scenario: scenario({ writers: 2, batches: 2, readers: 1 }),
  options: {
    preemptions: 1,
    orders: 1,
    switchAt: isWriteOfSafe,
    contendAt: () => false,
    tearAt: never,
    kills: { count: 1, at: isWriteOfSafe },
  },
  caught: /I5: offset 1 was shown to r1 and is not on the disk/,
});

describeVariant({
  model: 'core',
  name: 'READER_AT_A',
  flaw: 'readers see what is appended',
  scenario: scenario({ writers: 1, batches: 1, readers: 1 }),
  options: { preemptions: 1, orders: 0 },
  caught: /I5: offset 0 was shown to r1 and is not on the disk/,
});

describeVariant({
  model: 'core',
  name: 'CUT_AT_S',
  flaw: 'after a power loss the log is cut at S, which is older than what was acknowledged',
  scenario: scenario({ writers: 1, batches: 1 }),
  options: { preemptions: 0, powerLosses: 1 },
  caught: /I1: offset 0 was published by S = 1 and is not in the log/,
});

describeVariant({
  model: 'core',
  name: 'TRUST_A',
  flaw: 'after a power loss a settler begins at A, below which bytes are gone',
  scenario: scenario({ writers: 1, batches: 1 }),
  options: { preemptions: 0, powerLosses: { count: 1, at: () => true, fate: hole } },
  caught: /I7: S is 1, but there is no whole batch at offset 0/,
});

describeVariant({
  model: 'core',
  name: 'SETTLE_NO_SYNC',
  flaw: 'a settler publishes what it has not synced',
  scenario: scenario({ writers: 1, batches: 1, followers: 1 }),
  options: { preemptions: 1, orders: 0 },
  caught: /I5: offset 0 was published by S = 1 and is not on the disk/,
});
