/**
 * Takes back a data directory that this process has made and that came to nothing: an import that was refused, a
 * measurement that is over. Nobody else's work is ever in it: every klog process holds `log/.lock` shared for as long
 * as it has the directory open, here it is held exclusively, and then looked at what there is. Who opens the directory
 * at that very moment finds its lock file gone from its path, and makes the directory anew.
 */
import { join } from 'node:path';
import type { FileSystem } from '../storage/file-system.js';
import { type HeldLock, lockExclusively } from './file-lock.js';
import {
  ADMIN_LOCK,
  KLOG_JSON,
  LOG_DIRECTORY,
  LOG_LOCK,
  META_PROPERTIES,
  TOPICS_DIRECTORY,
  temporaryDirectoryPath,
} from './layout.js';
import { removeTree } from './remove-tree.js';

/** @param made the directory and the ones above it that were made for it, each above the one before */
export async function removeUnusedDirectory(
  fs: FileSystem,
  made: readonly string[],
  randomBytes: (length: number) => Uint8Array,
): Promise<void> {
  const [path, ...above] = made;
  if (path === undefined) return;
  let lock: HeldLock | undefined;
  try {
    // Mostly it has a topic, and then nobody needs to be kept out.
    if (!(await isUnused(fs, path))) return;
    lock = await lockExclusively(fs, join(path, LOG_DIRECTORY, LOG_LOCK), path, 0);
    if (!(await isUnused(fs, path))) return;
    // A kill from here on leaves what the next one to make a directory here removes.
    const temporary = temporaryDirectoryPath(path, Buffer.from(randomBytes(8)).toString('hex'));
    await fs.rename(path, temporary);
    await removeTree(fs, temporary);
    for (const parent of above) await fs.removeDirectory(parent);
  } catch {
    // Somebody has it open, or something in a directory above. It stays, and does no harm.
  } finally {
    await lock?.release();
  }
}

/** Whether there is nothing but what every data directory has. */
async function isUnused(fs: FileSystem, path: string): Promise<boolean> {
  return (
    (await hasOnly(fs, path, [KLOG_JSON, LOG_DIRECTORY, TOPICS_DIRECTORY])) &&
    (await hasOnly(fs, join(path, TOPICS_DIRECTORY), [ADMIN_LOCK])) &&
    (await hasOnly(fs, join(path, LOG_DIRECTORY), [LOG_LOCK, META_PROPERTIES]))
  );
}

async function hasOnly(fs: FileSystem, path: string, known: readonly string[]): Promise<boolean> {
  return (await fs.readDirectory(path)).every((name) => known.includes(name));
}
