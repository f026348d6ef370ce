import type { FileSystem } from '../storage/file-system.js';
import { holdPartition } from '../storage/hold-partition.js';

/**
 * Keeps partitions as they are: while their locks are held nothing is appended and nothing becomes safe, so nobody is
 * acknowledged and no reader sees more. Writers wait meanwhile. Directories are locked in the order of their names,
 * whoever does so, and nobody else takes locks of two partitions at a time: no two can wait for each other.
 * @returns what lets go of them
 * @throws KlogError KLOG_LOCKED
 */
export async function holdPartitions(
  fs: FileSystem,
  directories: readonly string[],
  lockWaitMs: number,
): Promise<() => Promise<void>> {
  const held: (() => Promise<void>)[] = [];
  const release = async () => {
    for (const letGo of held.splice(0)) await letGo();
  };
  try {
    for (const directory of [...new Set(directories)].sort()) {
      held.push(await holdPartition(fs, directory, lockWaitMs));
    }
    return release;
  } catch (error) {
    await release();
    throw error;
  }
}
