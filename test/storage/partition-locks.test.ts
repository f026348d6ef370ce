import { describe, expect, it } from 'vitest';
import { ControlFile } from '../../src/storage/control-file.js';
import type { OpenFile } from '../../src/storage/file-system.js';
import { holdPartition } from '../../src/storage/hold-partition.js';
import { KernelLock, PartitionLocks, QUEUE_RANGE } from '../../src/storage/partition-locks.js';
import { systemError, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { newPartition } from './real-partition.js';

async function locks(directory: string, waitMs: number): Promise<{ control: ControlFile; locks: PartitionLocks }> {
  const control = await ControlFile.open(unsyncedFileSystem, directory, 'create');
  return { control, locks: new PartitionLocks(control.file, waitMs) };
}

describe('a lock that another process keeps', () => {
  it('is waited for by each task of a process for its own time, and can be had afterwards', async () => {
    const directory = await newPartition();
    const holder = await locks(directory, 1000);
    const waiter = await locks(directory, 50);
    await holder.locks.append.acquire();
    const start = performance.now();
    const waits = [1, 2, 3].map(() => waiter.locks.append.acquire());
    for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    // The second and third stand behind a wait that was given up but cannot be taken back.
    await expect(waiter.locks.append.acquire()).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    expect(performance.now() - start).toBeLessThan(20_000);
    holder.locks.append.release();
    const patient = new PartitionLocks(waiter.control.file, 5000);
    await patient.append.acquire();
    patient.append.release();
    await waiter.control.close();
    await holder.control.close();
  });

  it('is not lost when an abandoned wait is granted after all', async () => {
    const directory = await newPartition();
    const holder = await locks(directory, 1000);
    const waiter = await locks(directory, 30);
    await holder.locks.sync.acquire();
    await expect(waiter.locks.sync.acquire()).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    holder.locks.sync.release();
    await expect.poll(() => holder.locks.sync.tryAcquire()).toBe(true);
    holder.locks.sync.release();
    await expect.poll(() => waiter.locks.sync.tryAcquire()).toBe(true);
    waiter.locks.sync.release();
    await waiter.control.close();
    await holder.control.close();
  });

  it('is waited for however large the time is', async () => {
    const directory = await newPartition();
    const holder = await locks(directory, 1000);
    const waiter = await locks(directory, 30 * 24 * 60 * 60 * 1000);
    await holder.locks.queue.acquire();
    const wait = waiter.locks.queue.acquire();
    setTimeout(() => holder.locks.queue.release(), 30);
    await wait;
    waiter.locks.queue.release();
    await waiter.control.close();
    await holder.control.close();
  });

  it('does not make a delete that gives up keep the other locks', async () => {
    const directory = await newPartition();
    const holder = await locks(directory, 1000);
    const other = await locks(directory, 1000);
    await holder.locks.sync.acquire();
    await expect(holdPartition(unsyncedFileSystem, directory, 30)).rejects.toMatchObject({
      code: 'KLOG_LOCKED',
    });
    await other.locks.acquireAppend();
    other.locks.append.release();
    await holder.control.close();
    await other.control.close();
  });
});

describe('a kernel that refuses', () => {
  /** An open file whose calls about locks are these. */
  function file(calls: Partial<OpenFile>): OpenFile {
    return { path: 'klog.end', unlock() {}, ...calls } as OpenFile;
  }

  it('passes the turn on once, so that two tasks never hold one lock', async () => {
    let refuse: (error: Error) => void = () => {};
    let free = false;
    const lock = new KernelLock(
      file({
        tryLock: () => free,
        waitLock: () =>
          new Promise((_, reject) => {
            refuse = reject;
          }),
      }),
      QUEUE_RANGE,
      'queue',
      400,
    );
    await expect(lock.acquire()).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    let holders = 0;
    let most = 0;
    const tasks = [1, 2, 3].map(async () => {
      await lock.acquire();
      most = Math.max(most, ++holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders--;
      lock.release();
    });
    free = true;
    refuse(systemError('ENOLCK'));
    await Promise.all(tasks);
    expect(most).toBe(1);
  });

  it('does not block those behind', async () => {
    let refusals = 1;
    const lock = new KernelLock(
      file({
        tryLock() {
          if (refusals-- > 0) throw systemError('ENOLCK');
          return true;
        },
      }),
      QUEUE_RANGE,
      'queue',
      1000,
    );
    const [first, second] = await Promise.allSettled([lock.acquire(), lock.acquire()]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'ENOLCK' } });
    expect(second.status).toBe('fulfilled');
  });
});
