/**
 * The lock file of an import, `topics/.import-<id>`: held for as long as the importing process lives. Topics in the
 * state `importing` name it. Empty, its topics go when nobody holds it; once it says `committed`, they stay.
 */
import { join } from 'node:path';
import { KlogError } from '../errors.js';
import { type FileSystem, readWhole, writeFully } from '../storage/file-system.js';
import { type HeldLock, lockExclusively } from './file-lock.js';
import { IMPORT_LOCK_PREFIX } from './layout.js';

const COMMITTED = Buffer.from('committed\n');

export async function takeImportLock(fs: FileSystem, directory: string, importId: string): Promise<HeldLock> {
  return await lockExclusively(fs, pathOf(directory, importId), 'an import of topics', 0);
}

/** What became of an import. `undefined`: it goes on. Else whether it was committed; release the lock. */
export async function takeOverImport(
  fs: FileSystem,
  directory: string,
  importId: string,
): Promise<{ readonly committed: boolean; readonly lock: HeldLock } | undefined> {
  let lock: HeldLock;
  try {
    lock = await takeImportLock(fs, directory, importId);
  } catch (error) {
    if (error instanceof KlogError && error.code === 'KLOG_LOCKED') return undefined;
    throw error;
  }
  try {
    const bytes = await readWhole(fs, pathOf(directory, importId));
    return { committed: bytes !== undefined && COMMITTED.equals(bytes), lock };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** From here on all topics of the import come, whatever happens. Its lock is held. */
export async function commitImportLock(fs: FileSystem, directory: string, importId: string): Promise<void> {
  const file = await fs.open(pathOf(directory, importId), 'write');
  try {
    await writeFully(file, COMMITTED, 0, COMMITTED.length, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.syncDirectory(directory);
}

/** Removes lock files that nobody holds and no topic names. The admin lock is held. */
export async function sweepImportLocks(
  fs: FileSystem,
  directory: string,
  idsInUse: () => Promise<ReadonlySet<string>>,
): Promise<void> {
  const names = (await fs.readDirectory(directory)).filter((name) => name.startsWith(IMPORT_LOCK_PREFIX));
  if (names.length === 0) return;
  const inUse = await idsInUse();
  for (const name of names) {
    const importId = name.slice(IMPORT_LOCK_PREFIX.length);
    if (inUse.has(importId)) continue;
    const left = await takeOverImport(fs, directory, importId);
    if (left === undefined) continue;
    try {
      await fs.unlink(join(directory, name));
    } finally {
      await left.lock.release();
    }
  }
}

function pathOf(directory: string, importId: string): string {
  return join(directory, `${IMPORT_LOCK_PREFIX}${importId}`);
}
