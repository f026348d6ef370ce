import { describe, expect, it } from 'vitest';
import { ControlFile } from '../../src/storage/control-file.js';
import { PartitionLocks } from '../../src/storage/partition-locks.js';
import type { Appended } from '../../src/storage/partition-log.js';
import { interpose, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { buildBatch } from '../support/build-batch.js';
import { newPartition, openLog, readAll } from './real-partition.js';

/** A process whose sync of data is under way until it is let go. */
function stoppingAtSync() {
  let reached = () => {};
  let letGo = () => {};
  const isSyncing = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const fs = interpose(async ({ name, path }) => {
    if (name !== 'sync' || !path.endsWith('.log')) return;
    reached();
    await gate;
  });
  return { fs, isSyncing, letGo };
}

describe('a batch that the sync of another process covers', () => {
  it('is acknowledged at its end, without the sync lock', async () => {
    const directory = await newPartition();
    const { fs, isSyncing, letGo } = stoppingAtSync();
    const leader = await openLog(directory, { fs });
    const others = [await openLog(directory, { lockWaitMs: 2000 }), await openLog(directory, { lockWaitMs: 2000 })];
    const appended: Appended[] = [];
    for (const [i, log] of others.entries()) appended.push(await log.append([buildBatch([`of ${i}`])]));
    const leading = leader.durable(await leader.append([buildBatch(['of the leader'])]));
    await isSyncing;
    // Asked for before anybody else waits: it may well get the lock first, and keeps it.
    const control = await ControlFile.open(unsyncedFileSystem, directory, 'write');
    const holder = new PartitionLocks(control.file, 5000);
    const held = holder.sync.acquire();
    const served = Promise.all(others.map((log, i) => log.durable(appended[i]!)));
    letGo();
    await leading;
    await held;
    await served;
    holder.sync.release();
    await control.close();
    expect(await readAll(directory)).toEqual(['of 0', 'of 1', 'of the leader']);
    for (const log of [leader, ...others]) await log.close();
  });

  it('is made durable by its own process when that one dies', async () => {
    const directory = await newPartition();
    const { fs, isSyncing, letGo } = stoppingAtSync();
    const leader = await openLog(directory, { fs });
    const other = await openLog(directory);
    const appended = await other.append([buildBatch(['of the other'])]);
    const leading = leader.durable(await leader.append([buildBatch(['of the leader'])]));
    leading.catch(() => {});
    await isSyncing;
    const durable = other.durable(appended);
    await fs.closeAll();
    await durable;
    expect((await readAll(directory))[0]).toBe('of the other');
    letGo();
    await expect(leading).rejects.toThrow();
    await other.close();
  });

  it('is waited for no longer than for a lock', async () => {
    const directory = await newPartition();
    const { fs, isSyncing, letGo } = stoppingAtSync();
    const leader = await openLog(directory, { fs });
    const other = await openLog(directory, { lockWaitMs: 30 });
    const appended = await other.append([buildBatch(['of the other'])]);
    const leading = leader.durable(await leader.append([buildBatch(['of the leader'])]));
    await isSyncing;
    await expect(other.durable(appended)).rejects.toMatchObject({ code: 'KLOG_OUTCOME_UNKNOWN' });
    letGo();
    await leading;
    await leader.close();
    await other.close();
  });
});
