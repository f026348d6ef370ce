/**
 * Making a data directory, all or nothing.
 *
 * Where nothing is yet, it is built beside its place and renamed once; of two processes at once one renames first, and
 * the other finds a directory there and uses it. Where an empty directory is (a mounted volume, say, whose parent
 * cannot be written to), it is filled in place under a lock, and `klog.json`, written last, makes it klog's: until then
 * readers find nothing, and after a kill the next writer goes on.
 *
 * A killed builder leaves `<name>.tmp-<hex>`. The next one removes it if nobody holds its lock file.
 */
import { dirname, join } from 'node:path';
import { newUuid, uuidToText } from '../format/uuid.js';
import { type FileSystem, replaceFile, writeFully } from '../storage/file-system.js';
import { encodeMetaProperties } from '../storage/meta-properties.js';
import { type HeldLock, lockExclusively } from './file-lock.js';
import { encodeKlogJson, type LockMechanism, newKlogJson } from './klog-json.js';
import {
  ADMIN_LOCK,
  KLOG_JSON,
  LOG_DIRECTORY,
  LOG_LOCK,
  META_PROPERTIES,
  TOPICS_DIRECTORY,
  temporaryDirectoryPath,
  temporaryDirectoryPrefix,
} from './layout.js';
import { removeTree } from './remove-tree.js';
import { statDirectory } from './stat-directory.js';
import { systemErrorCode } from './system-error.js';

/** Held while a directory is filled in place; nothing else may stand in a directory that is to become klog's. */
export const CREATING_LOCK = '.creating';
const NODE_ID = 1;
const MAX_ATTEMPTS = 10;

export interface CreateDirectoryOptions {
  readonly lockMechanism: LockMechanism;
  readonly lockWaitMs: number;
  readonly randomBytes: (length: number) => Uint8Array;
}

/**
 * Makes the directory where nothing is yet. When it returns there is one, made here or by somebody else meanwhile.
 * Answers what was made here: the directory, then those above it, each above the one before.
 */
export async function createDirectory(
  fs: FileSystem,
  path: string,
  options: CreateDirectoryOptions,
): Promise<readonly string[]> {
  const above = await makeParents(fs, dirname(path));
  await sweepAbandoned(fs, path);
  for (let attempt = 1; ; attempt++) {
    const temporary = temporaryDirectoryPath(path, Buffer.from(options.randomBytes(8)).toString('hex'));
    await fs.makeDirectory(temporary);
    let lock: HeldLock | undefined;
    try {
      // Held until the rename is over: a directory whose lock is free may be removed by others.
      lock = await lockExclusively(fs, join(temporary, CREATING_LOCK), 'a data directory in the making', 0);
      await fill(fs, temporary, options);
      await fs.rename(temporary, path);
      await fs.unlink(join(path, CREATING_LOCK));
      await fs.syncDirectory(dirname(path));
      return [path, ...above];
    } catch (error) {
      await removeTree(fs, temporary).catch(() => {});
      const code = systemErrorCode(error);
      // Somebody else's directory came first.
      if (code === 'EEXIST' || code === 'ENOTEMPTY') return [];
      // Somebody took this one for abandoned before it had its lock.
      if ((code !== 'ENOENT' && code !== 'KLOG_LOCKED') || attempt === MAX_ATTEMPTS) throw error;
    } finally {
      await lock?.release();
    }
  }
}

/** Fills an empty directory, or one whose filling was interrupted. */
export async function fillDirectory(fs: FileSystem, path: string, options: CreateDirectoryOptions): Promise<void> {
  const lockPath = join(path, CREATING_LOCK);
  const lock = await lockExclusively(fs, lockPath, `making ${path}`, options.lockWaitMs);
  try {
    if ((await fs.stat(join(path, KLOG_JSON))) === undefined) await fill(fs, path, options);
    await fs.unlink(lockPath);
  } finally {
    await lock.release();
  }
}

/** Whether a directory without `klog.json` holds nothing but what an interrupted {@link fillDirectory} leaves. */
export function isUnfinished(names: readonly string[]): boolean {
  const own = new Set([CREATING_LOCK, LOG_DIRECTORY, TOPICS_DIRECTORY, `${KLOG_JSON}.tmp`]);
  return names.length === 0 || (names.includes(CREATING_LOCK) && names.every((name) => own.has(name)));
}

async function fill(fs: FileSystem, path: string, options: CreateDirectoryOptions): Promise<void> {
  const log = join(path, LOG_DIRECTORY);
  const topics = join(path, TOPICS_DIRECTORY);
  await ensureDirectory(fs, log);
  await ensureDirectory(fs, topics);
  const id = () => uuidToText(newUuid(() => options.randomBytes(16)));
  const properties = encodeMetaProperties({ version: 1, nodeId: NODE_ID, clusterId: id(), directoryId: id() });
  await writeNewFile(fs, join(log, META_PROPERTIES), properties);
  await writeNewFile(fs, join(log, LOG_LOCK), new Uint8Array(0));
  await writeNewFile(fs, join(topics, ADMIN_LOCK), new Uint8Array(0));
  await fs.syncDirectory(log);
  await fs.syncDirectory(topics);
  await fs.syncDirectory(path);
  await replaceFile(fs, path, KLOG_JSON, encodeKlogJson(newKlogJson(options.lockMechanism)));
}

async function writeNewFile(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fs.open(path, 'create');
  try {
    await file.truncate(0);
    await writeFully(file, bytes, 0, bytes.length, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** True: it was made here. */
async function ensureDirectory(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.makeDirectory(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    return false;
  }
}

async function makeParents(fs: FileSystem, path: string): Promise<string[]> {
  if (dirname(path) === path || (await statDirectory(fs, path)) !== undefined) return [];
  const above = await makeParents(fs, dirname(path));
  const isMade = await ensureDirectory(fs, path);
  await fs.syncDirectory(dirname(path));
  return isMade ? [path, ...above] : [];
}

async function sweepAbandoned(fs: FileSystem, path: string): Promise<void> {
  const parent = dirname(path);
  const prefix = temporaryDirectoryPrefix(path);
  let swept = false;
  for (const name of await fs.readDirectory(parent)) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{16}$/.test(name.slice(prefix.length))) continue;
    const abandoned = join(parent, name);
    if ((await fs.stat(abandoned))?.kind !== 'directory') continue;
    swept = (await removeIfAbandoned(fs, abandoned)) || swept;
  }
  // Once there is a data directory nobody sweeps: an abandoned one must not come back beside it.
  if (swept) await fs.syncDirectory(parent);
}

/** True: it was removed. */
async function removeIfAbandoned(fs: FileSystem, path: string): Promise<boolean> {
  let lock: HeldLock | undefined;
  try {
    lock = await lockExclusively(fs, join(path, CREATING_LOCK), path, 0);
    await removeTree(fs, path);
    return true;
  } catch {
    // Somebody is building it, has just renamed it, or it is another user's.
    return false;
  } finally {
    await lock?.release();
  }
}
