/** What a repair holds while it works: the partition's files and locks, and what keeps a broker or a deletion away. */
import { basename, dirname, join } from 'node:path';
import { KlogError } from '../../errors.js';
import { CONTROL_FILE_NAME, ControlFile } from '../../storage/control-file.js';
import type { FileSystem, OpenFile } from '../../storage/file-system.js';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../storage/log-config.js';
import { type Clock, type FileContext, type LogContext, wasDeleted } from '../../storage/log-context.js';
import { LogSegments } from '../../storage/log-segments.js';
import { PartitionLocks } from '../../storage/partition-locks.js';
import { openDataDirectory } from '../../store/data-directory.js';
import { KLOG_JSON, LOG_DIRECTORY, LOG_LOCK, TOPICS_DIRECTORY } from '../../store/layout.js';
import { systemErrorCode } from '../../store/system-error.js';
import { toLogConfig } from '../../store/topic-config.js';
import { readTopicFile } from '../../store/topic-file.js';
import type { FoundPartition } from './dump-targets.js';

const LOCK_WAIT_MS = 10_000;

export interface RepairOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly allowNetworkFileSystem: boolean;
}

export type HeldPartition =
  | { readonly kind: 'own'; readonly context: LogContext }
  | { readonly kind: 'foreign'; readonly context: FileContext };

/** Runs `work` while nobody else changes the partition's files. KLOG_LOCKED: a broker, or an upkeep, is at it. */
export async function withHeldPartition<T>(
  partition: FoundPartition,
  options: RepairOptions,
  work: (held: HeldPartition) => Promise<T>,
): Promise<T> {
  const { fs } = options;
  const directory = partition.directory.path;
  const dataDirectory = dirname(dirname(directory));
  const isKlogs =
    basename(dirname(directory)) === LOG_DIRECTORY && (await fs.stat(join(dataDirectory, KLOG_JSON))) !== undefined;
  const release = isKlogs
    ? await openDataDirectory(fs, dataDirectory, { allowNetworkFileSystem: options.allowNetworkFileSystem })
    : await keepBrokerAway(fs, dirname(directory));
  try {
    const files = await fileContext(partition, options, isKlogs ? dataDirectory : undefined);
    try {
      const hasControl = (await fs.stat(join(directory, CONTROL_FILE_NAME))) !== undefined;
      if (!isKlogs && !hasControl) return await work({ kind: 'foreign', context: files });
      return await withControl(files, work);
    } finally {
      await files.segments.close();
    }
  } finally {
    await release?.close();
  }
}

async function withControl<T>(files: FileContext, work: (held: HeldPartition) => Promise<T>): Promise<T> {
  const control = await ControlFile.open(files.fs, files.directory, 'create');
  try {
    const locks = new PartitionLocks(control.file, LOCK_WAIT_MS);
    const context: LogContext = { ...files, control, locks };
    await locks.upkeep.acquire();
    try {
      if (!(await control.isCurrent(files.fs))) throw wasDeleted(context);
      return await work({ kind: 'own', context });
    } finally {
      locks.upkeep.release();
    }
  } finally {
    await control.close();
  }
}

async function fileContext(
  { owner, directory }: FoundPartition,
  { fs, clock }: RepairOptions,
  dataDirectory: string | undefined,
): Promise<FileContext> {
  const topic = owner?.topic ?? basename(directory.path);
  return {
    fs,
    directory: directory.path,
    topic,
    partition: owner?.partition ?? 0,
    config: dataDirectory === undefined ? DEFAULT_LOG_CONFIG : await configOf(fs, dataDirectory, topic),
    clock,
    segments: new LogSegments(fs, directory.path),
    bootId: fs.bootId(),
    failure: undefined,
  };
}

async function configOf(fs: FileSystem, dataDirectory: string, topic: string): Promise<LogConfig> {
  try {
    const file = await readTopicFile(fs, join(dataDirectory, TOPICS_DIRECTORY), topic);
    return file === undefined ? DEFAULT_LOG_CONFIG : toLogConfig(file.configs);
  } catch (error) {
    if (error instanceof KlogError) return DEFAULT_LOG_CONFIG;
    throw error;
  }
}

/** A broker holds `.lock` exclusively while it runs, and refuses to start while somebody else does. */
async function keepBrokerAway(fs: FileSystem, logDirectory: string): Promise<OpenFile | undefined> {
  const path = join(logDirectory, LOG_LOCK);
  let file: OpenFile;
  try {
    file = await fs.open(path, 'write');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (file.tryLock({ start: 0, length: 0 })) return file;
  const pid = file.lockHolder?.({ start: 0, length: 0 });
  await file.close();
  const holder = pid === undefined ? 'a process' : `process ${pid}`;
  throw new KlogError('KLOG_LOCKED', `${holder} holds ${path}: a broker runs on this directory`, {
    file: path,
    hint: 'Stop it first',
  });
}
