import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlFile } from '../../src/storage/control-file.js';
import { LeaderGates } from '../../src/storage/leader-gates.js';
import { PartitionLocks } from '../../src/storage/partition-locks.js';
import { unsyncedFileSystem } from '../store/interposed-file-system.js';
import { buildBatch } from '../support/build-batch.js';
import { newPartition, openLog, readAll } from './real-partition.js';

const SEQUENCE = 7;

/** Kernel locks know open files, not processes: each of these is as good as a process. */
let directory: string;
let opened: ControlFile[];

beforeEach(async () => {
  directory = await newPartition();
  opened = [];
});

afterEach(async () => {
  for (const control of opened) await control.close();
});

async function gates(waitMs = 5000): Promise<LeaderGates> {
  const control = await ControlFile.open(unsyncedFileSystem, directory, 'write');
  opened.push(control);
  return new LeaderGates(control.file, waitMs);
}

describe('a gate', () => {
  it('is had by one, and let go of with the next one taken', async () => {
    const [one, other] = [await gates(), await gates()];
    expect(one.take(SEQUENCE)).toBe(true);
    expect(one.take(SEQUENCE)).toBe(true);
    expect(other.take(SEQUENCE)).toBe(false);
    expect(other.take(SEQUENCE + 1)).toBe(true);
    other.letGo();
    expect(one.take(SEQUENCE + 1)).toBe(true);
    expect(other.take(SEQUENCE)).toBe(true);
  });

  it('lets in all who wait, at once', async () => {
    const leader = await gates();
    leader.take(SEQUENCE);
    const waiting = await Promise.all([1, 2, 3].map(() => gates()));
    const passed = Promise.all(waiting.map((one) => one.passed(SEQUENCE)));
    setTimeout(() => leader.letGo(), 20);
    expect(await passed).toEqual([true, true, true]);
    expect(leader.take(SEQUENCE)).toBe(true);
  });

  it('is passed when its leader dies', async () => {
    const leader = await gates();
    leader.take(SEQUENCE);
    const passed = (await gates()).passed(SEQUENCE);
    await opened.shift()?.close();
    expect(await passed).toBe(true);
  });

  it('that nobody has is passed', async () => {
    expect(await (await gates()).passed(SEQUENCE)).toBe(true);
  });

  it('of a leader that has stopped is waited for once, however many syncs later come to it', async () => {
    const leader = await gates();
    leader.take(SEQUENCE);
    const one = await gates(20);
    const control = opened.at(-1)!;
    const { waitLock } = control.file;
    let waits = 0;
    control.file.waitLock = (...range) => {
      waits++;
      return waitLock.apply(control.file, range);
    };
    expect(await one.passed(SEQUENCE)).toBe(false);
    for (let i = 1; i < 4; i++) {
      const waited = new Promise((resolve) => setImmediate(resolve, 'waited'));
      expect(await Promise.race([one.passed(SEQUENCE + 8 * i), waited])).toBe(false);
    }
    expect(waits).toBe(1);
    leader.letGo();
    await expect.poll(() => one.passed(SEQUENCE)).toBe(true);
  });
});

describe('who is to lead and has stopped', () => {
  it('keeps nobody from leading once gates have been waited for', async () => {
    const log = await openLog(directory, { lockWaitMs: 500 });
    const holder = await ControlFile.open(unsyncedFileSystem, directory, 'write');
    const locks = new PartitionLocks(holder.file, 1000);
    await locks.sync.acquire();
    // Its sync lock is free again soon; its gates are not.
    const stopped = await gates();
    stopped.take((await holder.read()).safe?.sequence ?? 0);
    const appended = await log.append([buildBatch(['a'])]);
    setTimeout(() => locks.sync.release(), 10);
    await log.durable(appended);
    expect(await readAll(directory)).toEqual(['a']);
    await log.close();
    await holder.close();
  });

  it('gives its gate back when it stops waiting for the sync lock', async () => {
    const log = await openLog(directory, { lockWaitMs: 20 });
    const holder = await ControlFile.open(unsyncedFileSystem, directory, 'write');
    const locks = new PartitionLocks(holder.file, 1000);
    await locks.sync.acquire();
    const appended = await log.append([buildBatch(['a'])]);
    await expect(log.durable(appended)).rejects.toMatchObject({ code: 'KLOG_OUTCOME_UNKNOWN' });
    expect((await gates()).take((await holder.read()).safe?.sequence ?? 0)).toBe(true);
    locks.sync.release();
    await log.close();
    await holder.close();
  });
});
