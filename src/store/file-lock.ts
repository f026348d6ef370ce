import { KlogError } from '../errors.js';
import type { FileSystem, LockRange, OpenFile } from '../storage/file-system.js';

/** Also where only whole files can be locked. */
export const WHOLE_FILE: LockRange = { start: 0, length: 0 };
const LOCK_POLL_MS = 10;

export interface HeldLock {
  release(): Promise<void>;
}

/**
 * Takes a lock file exclusively; it is made if missing. The lock is the kernel's and dies with the process.
 * @param name for the message: "the `name` is held by …"
 * @throws KlogError KLOG_LOCKED when it was not to be had within `waitMs`
 */
export async function lockExclusively(fs: FileSystem, path: string, name: string, waitMs: number): Promise<HeldLock> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const file = await fs.open(path, 'create');
    try {
      await lockWithin(file, false, name, deadline, waitMs);
      // A lock file that was removed meanwhile locks nobody out any more.
      if ((await fs.stat(path))?.inode === (await file.stat()).inode) return { release: async () => file.close() };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

/** Takes a shared lock on an open file. @throws KlogError KLOG_LOCKED when it was not to be had within `waitMs` */
export async function lockShared(file: OpenFile, name: string, waitMs: number): Promise<void> {
  await lockWithin(file, true, name, performance.now() + waitMs, waitMs);
}

/** Asks again and again: a wait in the kernel could not be taken back, and would keep the process from ending. */
async function lockWithin(
  file: OpenFile,
  shared: boolean,
  name: string,
  deadline: number,
  waitMs: number,
): Promise<void> {
  while (!file.tryLock(WHOLE_FILE, { shared })) {
    if (performance.now() >= deadline) throw locked(file, name, waitMs);
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
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
