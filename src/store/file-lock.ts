import { KlogError } from '../errors.js';
import type { FileSystem, LockRange, OpenFile } from '../storage/file-system.js';
import { KernelLock } from '../storage/partition-locks.js';

/** Also where only whole files can be locked. */
export const WHOLE_FILE: LockRange = { start: 0, length: 0 };
const SHARED_LOCK_POLL_MS = 10;

export interface HeldLock {
  release(): Promise<void>;
}

/**
 * Takes a lock file exclusively; it is made if missing. The lock is the kernel's and dies with the process.
 * @param name for the message: "the `name` is held by …"
 * @throws KlogError KLOG_LOCKED when it was not to be had within `waitMs`
 */
export async function lockExclusively(fs: FileSystem, path: string, name: string, waitMs: number): Promise<HeldLock> {
  for (;;) {
    const file = await fs.open(path, 'create');
    try {
      const lock = new KernelLock(file, WHOLE_FILE, name, waitMs);
      if (!lock.tryAcquire()) {
        if (waitMs <= 0) throw locked(file, name, waitMs);
        await lock.acquire().catch((error: unknown) => {
          throw error instanceof KlogError && error.code === 'KLOG_LOCKED' ? locked(file, name, waitMs) : error;
        });
      }
      // A lock file that was removed meanwhile locks nobody out any more.
      if ((await fs.stat(path))?.inode === (await file.stat()).inode) return { release: async () => file.close() };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

/** Takes a shared lock on an open file, looking again until `waitMs` are over. */
export async function lockShared(file: OpenFile, name: string, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!file.tryLock(WHOLE_FILE, { shared: true })) {
    if (performance.now() >= deadline) throw locked(file, name, waitMs);
    await new Promise((resolve) => setTimeout(resolve, SHARED_LOCK_POLL_MS));
  }
}

function locked(file: OpenFile, name: string, waitMs: number): KlogError {
  const pid = file.lockHolder?.(WHOLE_FILE);
  const holder = pid === undefined ? 'another process' : pid === process.pid ? 'this process itself' : `process ${pid}`;
  return new KlogError('KLOG_LOCKED', `${name} is held by ${holder} (waited ${waitMs} ms)`, {
    file: file.path,
    hint: 'Try again when it has finished, or end it',
  });
}
