import { randomBytes as systemRandomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { KlogError } from '../errors.js';
import { type FileStat, type FileSystem, type OpenFile, readWhole } from '../storage/file-system.js';
import { decodeMetaProperties, type MetaProperties } from '../storage/meta-properties.js';
import { CREATING_LOCK, createDirectory, fillDirectory, isUnfinished } from './create-directory.js';
import { lockShared } from './file-lock.js';
import { checkKlogJson, damagedKlogJson, decodeKlogJson, type LockMechanism, lockMechanismOf } from './klog-json.js';
import {
  DEFAULT_DIRECTORY_NAME,
  KLOG_JSON,
  LOG_DIRECTORY,
  LOG_LOCK,
  META_PROPERTIES,
  TOPICS_DIRECTORY,
} from './layout.js';
import { checkFileSystem } from './network-file-system.js';
import { removeUnusedDirectory } from './remove-unused-directory.js';
import { assertNoLink, statDirectory } from './stat-directory.js';
import { storageError, systemErrorCode } from './system-error.js';

export interface OpenDirectoryOptions {
  /** Make it if there is none. Default false. */
  readonly create?: boolean | undefined;
  /** A directory that this call has made goes again when it is closed and nothing was put into it. Default false. */
  readonly removeUnused?: boolean | undefined;
  /** Only read: needs no permission to write, and takes no lock that it cannot have. Default false. */
  readonly readOnly?: boolean | undefined;
  /** Default false: NFS and the like are refused. */
  readonly allowNetworkFileSystem?: boolean | undefined;
  /** Longest wait for a lock, in milliseconds. Default 10,000. */
  readonly lockWaitMs?: number | undefined;
  /** Default that of the platform klog runs on. */
  readonly lockMechanism?: LockMechanism | undefined;
  readonly randomBytes?: ((length: number) => Uint8Array) | undefined;
}

export const DEFAULT_LOCK_WAIT_MS = 10_000;
const OTHERS_MAY_WRITE = 0o002;
const MAX_ATTEMPTS = 3;

/** One open data directory. While it is open no broker can take it over. */
export interface DataDirectory {
  /** Absolute. */
  readonly path: string;
  /** `log/`: the partitions. */
  readonly logDirectory: string;
  /** `topics/`: what topics there are. */
  readonly topicsDirectory: string;
  readonly readOnly: boolean;
  /** Made by this call. */
  readonly created: boolean;
  /** For people, one line each: who else can write here, what the file system does not promise. */
  readonly warnings: readonly string[];
  /** Kafka's ids of cluster and directory. */
  metaProperties(): Promise<MetaProperties>;
  close(): Promise<void>;
}

/**
 * Opens a data directory, and makes it first if `create` says so.
 * @throws KlogError KLOG_NOT_FOUND: nothing there · KLOG_BAD_DIRECTORY: something else is there · CORRUPT_MESSAGE: a
 * part of it is missing or damaged · KLOG_PERMISSION_DENIED · UNSUPPORTED_VERSION: made for a newer klog ·
 * KLOG_NETWORK_FILE_SYSTEM · KLOG_LOCKED: a broker runs on it
 */
export async function openDataDirectory(
  fs: FileSystem,
  path: string,
  options: OpenDirectoryOptions = {},
): Promise<DataDirectory> {
  const absolute = resolve(path);
  try {
    return await open(fs, absolute, options);
  } catch (error) {
    throw storageError(error, `cannot open the data directory ${absolute}`);
  }
}

async function open(fs: FileSystem, path: string, options: OpenDirectoryOptions): Promise<DataDirectory> {
  const warning = await checkFileSystem(fs, path, options.allowNetworkFileSystem ?? false);
  const warnings = warning === undefined ? [] : [warning];
  for (let attempt = 1; ; attempt++) {
    const creation = await createIfMissing(fs, path, options);
    try {
      return await enter(fs, path, creation, warnings, options);
    } catch (error) {
      // Whoever had made it may have taken it back since it was looked at (remove-unused-directory.ts).
      if (options.create !== true || attempt === MAX_ATTEMPTS || !(await isMissing(fs, path))) throw error;
    }
  }
}

interface Creation {
  readonly created: boolean;
  /** The directory and what is above it, as far as none of it was there. */
  readonly made: readonly string[];
}

async function createIfMissing(fs: FileSystem, path: string, options: OpenDirectoryOptions): Promise<Creation> {
  const state = await lookAt(fs, path);
  if (state === 'klog') return { created: false, made: [] };
  if (options.readOnly === true || options.create !== true) throw nothingThere(path);
  const createOptions = {
    lockMechanism: options.lockMechanism ?? lockMechanismOf(process.platform),
    lockWaitMs: options.lockWaitMs ?? DEFAULT_LOCK_WAIT_MS,
    randomBytes: options.randomBytes ?? systemRandomBytes,
  };
  const made = state === 'missing' ? await createDirectory(fs, path, createOptions) : [];
  // Also where somebody else's empty directory came first.
  if ((await lookAt(fs, path)) !== 'klog') await fillDirectory(fs, path, createOptions);
  return { created: true, made };
}

async function enter(
  fs: FileSystem,
  path: string,
  { created, made }: Creation,
  warnings: string[],
  options: OpenDirectoryOptions,
): Promise<DataDirectory> {
  const { readOnly = false, lockWaitMs = DEFAULT_LOCK_WAIT_MS, removeUnused = false } = options;
  const file = join(path, KLOG_JSON);
  const bytes = await readWhole(fs, file);
  if (bytes === undefined) throw nothingThere(path);
  const lockMechanism = options.lockMechanism ?? lockMechanismOf(process.platform);
  checkKlogJson(decodeKlogJson(bytes, file), path, readOnly ? 'read' : 'write', lockMechanism);
  const stat = await statThroughLink(fs, path);
  if (stat !== undefined && (stat.mode & OTHERS_MAY_WRITE) !== 0) {
    warnings.push(`${path} can be written to by everybody: chmod o-w it`);
  }
  const logDirectory = join(path, LOG_DIRECTORY);
  for (const inside of [logDirectory, join(path, TOPICS_DIRECTORY)]) {
    await assertNoLink(fs, inside);
    if ((await fs.stat(inside))?.kind !== 'directory') throw damagedDirectory(inside);
  }
  const lock = await holdLogLock(fs, logDirectory, readOnly, lockWaitMs);
  if (!readOnly) await removeLeftover(fs, join(path, CREATING_LOCK));
  return {
    path,
    logDirectory,
    topicsDirectory: join(path, TOPICS_DIRECTORY),
    readOnly,
    created,
    warnings,
    metaProperties: () => readMetaProperties(fs, join(logDirectory, META_PROPERTIES)),
    close: async () => {
      await lock?.close();
      if (removeUnused) await removeUnusedDirectory(fs, made, options.randomBytes ?? systemRandomBytes);
    },
  };
}

async function isMissing(fs: FileSystem, path: string): Promise<boolean> {
  try {
    return (await fs.stat(path)) === undefined;
  } catch {
    return false;
  }
}

/**
 * `missing`: nothing. `empty`: nothing yet, or an unfinished one. Throws for everything that is not, and cannot become,
 * klog's.
 */
async function lookAt(fs: FileSystem, path: string): Promise<'missing' | 'empty' | 'klog'> {
  const stat = await statThroughLink(fs, path);
  if (stat === undefined) {
    if ((await fs.stat(path)) !== undefined) throw badDirectory(path, 'is neither a directory nor a link to one');
    return 'missing';
  }
  if (stat.kind !== 'directory') throw badDirectory(path, 'is a file, not a directory');
  if ((await fs.stat(join(path, KLOG_JSON))) !== undefined) return 'klog';
  const names = await fs.readDirectory(path);
  if (isUnfinished(names)) return 'empty';
  if (names.includes(TOPICS_DIRECTORY) && names.includes(LOG_DIRECTORY)) {
    throw damagedKlogJson(join(path, KLOG_JSON), 'it is missing');
  }
  if ((await fs.stat(join(dirname(path), KLOG_JSON))) !== undefined) {
    throw badDirectory(path, 'is a part of a klog directory', `Use -d ${dirname(path)}`);
  }
  if (looksLikeBrokers(names)) {
    throw badDirectory(
      path,
      'is the log directory of a Kafka broker, not a klog directory',
      `\`klog log dump ${path}/TOPIC-PARTITION\` reads it, when the broker is stopped`,
    );
  }
  const below = join(path, DEFAULT_DIRECTORY_NAME);
  const hint = (await fs.stat(join(below, KLOG_JSON))) === undefined ? 'Name an empty or a new one' : `Use -d ${below}`;
  throw badDirectory(path, `is not a klog directory (it has no ${KLOG_JSON}), and not empty`, hint);
}

function looksLikeBrokers(names: readonly string[]): boolean {
  return names.includes(META_PROPERTIES) || names.includes('recovery-point-offset-checkpoint');
}

/** The path a user gave may itself be a link to the directory; nothing inside may be one. */
async function statThroughLink(fs: FileSystem, path: string): Promise<FileStat | undefined> {
  const stat = await fs.stat(path);
  return stat?.kind === 'other' ? statDirectory(fs, path) : stat;
}

async function holdLogLock(
  fs: FileSystem,
  logDirectory: string,
  readOnly: boolean,
  waitMs: number,
): Promise<OpenFile | undefined> {
  let file: OpenFile;
  try {
    file = await fs.open(join(logDirectory, LOG_LOCK), readOnly ? 'read' : 'create');
  } catch (error) {
    const code = systemErrorCode(error);
    if (readOnly && (code === 'EACCES' || code === 'EPERM' || code === 'ENOENT')) return undefined;
    throw error;
  }
  try {
    await lockShared(file, `${logDirectory} (by a Kafka broker, or a klog that migrates it)`, waitMs);
    const isInPlace = (await fs.stat(file.path))?.inode === (await file.stat()).inode;
    if (!isInPlace) throw nothingThere(dirname(logDirectory));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function removeLeftover(fs: FileSystem, path: string): Promise<void> {
  if ((await fs.stat(path)) !== undefined) await fs.unlink(path);
}

async function readMetaProperties(fs: FileSystem, file: string): Promise<MetaProperties> {
  const bytes = await readWhole(fs, file);
  if (bytes === undefined) throw new KlogError('KLOG_BAD_DIRECTORY', `${file} is missing`, { file });
  return decodeMetaProperties(bytes);
}

function nothingThere(path: string): KlogError {
  return new KlogError('KLOG_NOT_FOUND', `there is no klog directory at ${path}`, {
    file: path,
    hint: '`klog produce` and `klog topic create` make it; -d or KLOG_DIR name another one',
  });
}

/** `klog.json` says that this is a log, and a part that every log has is gone. */
function damagedDirectory(path: string): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `the log is damaged: the directory ${path} is missing`, {
    file: path,
    hint: 'Bring it back from a copy',
  });
}

function badDirectory(path: string, what: string, hint?: string): KlogError {
  return new KlogError('KLOG_BAD_DIRECTORY', `${path} ${what}`, { file: path, hint });
}
