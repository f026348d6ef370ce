/** The protocol as it is, under every single fault at every call, and under many at once. */
import { describe, expect, it } from 'vitest';
import { allKept, allLost } from '../../support/chooser.js';
import { type ExploreOptions, explore, walk } from '../../support/explore.js';
import { type PartitionScenario, partitionScenario } from './partition-scenario.js';
import { expectHolds, rightStorage } from './variant.js';

const DEATHS = ['KLOG_SYNC_FAILED', 'KLOG_OUTCOME_UNKNOWN', 'KAFKA_STORAGE_ERROR', 'KLOG_DISK_FULL', 'ENOSPC', 'EIO'];

async function expectAlwaysHolds(scenario: PartitionScenario, options: ExploreOptions): Promise<void> {
  const exploration = await explore(partitionScenario(await rightStorage(), scenario), options);
  expectHolds(exploration);
  expect(exploration.complete).toBe(true);
}

describe('two writers that roll at every batch, and a follower', () => {
  const scenario = { writers: 2, batches: 2, followers: 1, batchesPerSegment: 1, expectedErrors: DEATHS };
  const alone: ExploreOptions = { preemptions: 0, orders: 0, details: 0 };

  it('hold over a kill at every call and in the middle of every write', () =>
    expectAlwaysHolds(scenario, { ...alone, kills: 1 }));

  it.each([
    ['takes', allLost],
    ['leaves', allKept],
  ])('hold over a power loss at every call that %s everything that is not synced', (_, fate) =>
    expectAlwaysHolds(scenario, { ...alone, powerLosses: { count: 1, at: () => true, fate } }),
  );

  it('hold over a failure of every sync', () => expectAlwaysHolds(scenario, { ...alone, details: 1, failedSyncs: 1 }));

  it('hold over a short write everywhere', () => expectAlwaysHolds(scenario, { ...alone, shortWrites: 1 }));
});

describe('an append of two batches that rolls between them', () => {
  const scenario = { writers: 1, batches: 4, batchesAtOnce: 2, batchesPerSegment: 1, expectedErrors: DEATHS };

  it('holds when any call that could need space finds none', () =>
    expectAlwaysHolds(scenario, {
      preemptions: 0,
      errors: { count: 1, code: 'ENOSPC', at: ({ name }) => name === 'write' || name === 'open' },
    }));

  it('holds over a failure of every sync', () =>
    expectAlwaysHolds(scenario, { preemptions: 0, details: 0, failedSyncs: 1 }));
});

describe('random walks', () => {
  const walks = async (scenario: PartitionScenario, options: ExploreOptions & { walks: number }) =>
    expectHolds(await walk(partitionScenario(await rightStorage(), scenario), options));

  it('hold for three writers, a follower and a reader with kills and power losses', () =>
    walks(
      { writers: 3, batches: 6, followers: 1, readers: 1, polls: 3, batchesPerSegment: 2 },
      { kills: 3, powerLosses: 2, shortWrites: 1, walks: 100, patience: 30 },
    ));

  it('hold for three writers and a follower with failed syncs, kills and evictions', () =>
    walks(
      { writers: 3, batches: 6, followers: 1, polls: 2, batchesPerSegment: 3, expectedErrors: DEATHS, evictions: true },
      {
        kills: 2,
        failedSyncs: { count: 2, at: ({ path }) => !path.endsWith('klog.end') },
        evictions: 2,
        walks: 100,
      },
    ));
});
