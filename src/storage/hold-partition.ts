import { KlogError } from '../errors.js';
import { ControlFile } from './control-file.js';
import type { FileSystem } from './file-system.js';
import { type KernelLock, PartitionLocks } from './partition-locks.js';

/**
 * Takes the three locks of a partition: nothing is appended or acknowledged until they are let go. Whoever gets one of
 * them after the directory was renamed meanwhile finds that the path leads to another file or none, and writes nothing.
 * @returns what lets go of them
 * @throws KlogError KLOG_LOCKED after `lockWaitMs`
 */
export async function holdPartition(
  fs: FileSystem,
  directory: string,
  lockWaitMs: number,
): Promise<() => Promise<void>> {
  const control = await ControlFile.open(fs, directory, 'create');
  const locks = new PartitionLocks(control.file, lockWaitMs);
  const taken: KernelLock[] = [];
  try {
    for (const lock of [locks.queue, locks.append, locks.sync]) {
      // Without a wait none is begun: it could not be taken back.
      if (!lock.tryAcquire()) {
        if (lockWaitMs <= 0) throw new KlogError('KLOG_LOCKED', `${directory} is in use`, { file: directory });
        await lock.acquire();
      }
      taken.push(lock);
    }
    if (!(await control.isCurrent(fs))) {
      throw new KlogError('KLOG_LOCKED', `${directory} was exchanged while its locks were waited for`, {
        file: directory,
      });
    }
    return async () => control.close();
  } catch (error) {
    // The file is closed only when an abandoned wait ends: the other locks must not be held so long.
    for (const lock of taken) lock.release();
    await control.close();
    throw error;
  }
}
