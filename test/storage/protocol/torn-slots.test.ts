/** TORN_IS_NONE of the model core.pml: a slow reader meets each slot of S while it is being written. */
import { describe, expect, it } from 'vitest';
import { flaw } from '../../support/flaws.js';
import { loadWithFlaw } from '../../support/load-with-flaw.js';
import { runScript } from '../../support/scheduler.js';
import { SimulatedDisk } from '../../support/simulated-disk.js';
import { World } from '../../support/world.js';
import { type CallTest, isWriteOfSafe, ofControlFile } from './calls.js';
import { partitionScenario, STORAGE_ENTRIES, type StorageModule } from './partition-scenario.js';
import { rightStorage } from './variant.js';

const FIRST_SLOT_OF_SAFE = 1024;
const SECOND_SLOT_OF_SAFE = 1536;

const isLook: CallTest = (call) => call.name === 'read' && ofControlFile(call);

/**
 * Batches 0, 1 and 2 are of one writer, 3 of another, which is not synced at the end. The reader's one read of the
 * control file begins while the writer is in the middle of the first slot, and goes on while the writer, a batch
 * further, is in the middle of the second. Answers how far the reader gets.
 */
async function readAcrossTwoWrites(storage: StorageModule): Promise<unknown> {
  const disk = new SimulatedDisk();
  const scenario = partitionScenario(storage, { writers: 2, batches: 4, readers: 1 });
  await scenario.prepare?.(disk);
  let read: unknown;
  const copy = disk.clone();
  await runScript(copy, async () => {
    const world = new World(copy);
    scenario.build(world);
    const s = world.scheduler;
    const untilWriteOfSafe = (position: number) =>
      s.until('w1', (call) => isWriteOfSafe(call) && call.position === position);
    await s.until('w1', (call) => call.name === 'wait');
    await s.until('w2', (call) => call.name === 'wait');
    await untilWriteOfSafe(SECOND_SLOT_OF_SAFE);
    await untilWriteOfSafe(FIRST_SLOT_OF_SAFE);
    // The first look is that of opening.
    await s.until('r1', isLook);
    await s.step('r1');
    await s.tearWrite('w1');
    const look = await s.until('r1', isLook);
    s.tear(look, SECOND_SLOT_OF_SAFE - look.position);
    await untilWriteOfSafe(SECOND_SLOT_OF_SAFE);
    await s.until('w2', (call) => call.name === 'waitLock');
    await s.tearWrite('w1');
    await s.step('r1');
    // Both slots look torn to the reader now. Without the flaw it looks again, and finds the first one whole.
    read = await s.finish('r1');
  });
  return read;
}

describe('TORN_IS_NONE: a reader takes two torn slots for "no control file"', () => {
  it('looks again without the flaw, and gets what is safe', async () => {
    expect(await readAcrossTwoWrites(await rightStorage())).toBe(2);
  });

  it('is caught', async () => {
    const flawed = await loadWithFlaw<StorageModule>(STORAGE_ENTRIES, ...flaw('core', 'TORN_IS_NONE'));
    await expect(readAcrossTwoWrites(flawed)).rejects.toThrow(/I5: offset 3 was shown to r1 and is not on the disk/);
  });
});
