/**
 * From what the user named to the files to be shown: a topic or partition of the klog directory, a file, the directory
 * of a partition, or a directory of logs. Names are all that is looked at: no `klog.json`, no registry of topics, no
 * locks.
 */
import { basename, dirname, join, resolve } from 'node:path';
import { KlogError } from '../../errors.js';
import { validateTopicName } from '../../format/topic-name.js';
import type { FileSystem } from '../../storage/file-system.js';
import {
  type PartitionDirectoryName,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  partitionDirectoryName,
  segmentBaseOffsets,
  segmentFileName,
} from '../../storage/log-files.js';
import { LOG_DIRECTORY } from '../../store/layout.js';
import { nearestName } from '../../store/nearest-name.js';
import { statDirectory } from '../../store/stat-directory.js';
import { type PartitionOperand, parsePartitionOperand } from '../values/parse-partition.js';
import type { DumpFile } from './dump-file.js';
import { baseOffsetOf, fileKindOf } from './file-kind.js';

export interface DumpPlace {
  readonly cwd: string;
  /** The data directory; asked for only where a topic is named. */
  dataDirectory(): Promise<string>;
}

export interface Directory {
  readonly path: string;
  /** As the user named it. */
  readonly shown: string;
  readonly names: readonly string[];
}

export interface FoundPartition {
  /** `undefined`: the directory has not the name of a partition. */
  readonly owner: PartitionDirectoryName | undefined;
  readonly directory: Directory;
  /** The name of the one file in it that is meant. */
  readonly only?: string;
}

/** Whether a path is meant, not a topic. */
export function isPath(operand: string): boolean {
  return operand.includes('/') || operand === '.' || operand === '..' || fileKindOf(operand) !== undefined;
}

/**
 * The files that `operand` means, in the order of partitions and offsets.
 * KLOG_NOT_FOUND, UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, KLOG_USAGE: a file that cannot be shown.
 */
export async function* dumpFiles(fs: FileSystem, operand: string, place: DumpPlace): AsyncGenerator<DumpFile> {
  const path = resolve(place.cwd, operand);
  if (isPath(operand) && (await statDirectory(fs, path)) === undefined) yield await fileAtPath(fs, operand, path);
  else for await (const partition of findPartitions(fs, operand, place)) yield* segmentsOf(partition);
}

/**
 * The partitions that `operand` means: of a topic, in a directory of logs, or the one that a directory is.
 * KLOG_NOT_FOUND, UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, KLOG_USAGE
 */
export async function* findPartitions(
  fs: FileSystem,
  operand: string,
  place: DumpPlace,
): AsyncGenerator<FoundPartition> {
  if (!isPath(operand)) yield* partitionsOfTopic(fs, operand, place);
  else yield* partitionsAt(fs, await requireDirectory(fs, resolve(place.cwd, operand), operand));
}

/** The same, and a single file of a partition. */
export async function* findCheckTargets(
  fs: FileSystem,
  operand: string,
  place: DumpPlace,
): AsyncGenerator<FoundPartition> {
  const path = resolve(place.cwd, operand);
  if (!isPath(operand) || (await statDirectory(fs, path)) !== undefined || (await fs.stat(path)) === undefined) {
    yield* findPartitions(fs, operand, place);
    return;
  }
  const { name } = await fileAtPath(fs, operand, path);
  const directory = await requireDirectory(fs, dirname(path), dirname(operand));
  yield { directory, owner: parsePartitionDirectoryName(basename(dirname(path))), only: name };
}

/** All partitions of a data directory, klog's or a broker's. */
export async function* allPartitions(fs: FileSystem, dataDirectory: string): AsyncGenerator<FoundPartition> {
  yield* await partitionsIn(fs, await requireDirectory(fs, dataDirectory, dataDirectory));
  const log = await openDirectory(fs, join(dataDirectory, LOG_DIRECTORY), join(dataDirectory, LOG_DIRECTORY));
  if (log !== undefined) yield* await partitionsIn(fs, log);
}

async function requireDirectory(fs: FileSystem, path: string, shown: string): Promise<Directory> {
  const directory = await openDirectory(fs, path, shown);
  if (directory !== undefined) return directory;
  if ((await fs.stat(path)) === undefined) {
    throw new KlogError('KLOG_NOT_FOUND', `there is nothing at ${shown}`, { file: shown });
  }
  throw new KlogError('KLOG_USAGE', `${shown} is no directory`, { file: shown });
}

/** The one file at a path. KLOG_NOT_FOUND, KLOG_USAGE */
async function fileAtPath(fs: FileSystem, shown: string, path: string): Promise<DumpFile> {
  if ((await fs.stat(path)) === undefined) {
    throw new KlogError('KLOG_NOT_FOUND', `there is nothing at ${shown}`, { file: shown });
  }
  const name = basename(path);
  const kind = fileKindOf(name);
  if (kind === undefined) {
    throw new KlogError('KLOG_USAGE', `${shown} is no file of a log by its name`, {
      file: shown,
      hint: 'Shown are .log, .index, .timeindex, .txnindex, .snapshot, checkpoints, partition.metadata, meta.properties and klog.end',
    });
  }
  const owner = parsePartitionDirectoryName(basename(dirname(path)));
  const baseOffset = baseOffsetOf(name);
  const segment = parseSegmentFileName(name);
  const inUse = segment !== undefined && segment.state === undefined;
  return {
    path,
    shown,
    name,
    kind,
    topic: owner?.topic,
    partition: owner?.partition,
    baseOffset,
    isFollowed: inUse && (await isFollowed(fs, dirname(path), segment.baseOffset)),
  };
}

/** Whether the directory has a later segment. */
async function isFollowed(fs: FileSystem, directory: string, baseOffset: number): Promise<boolean> {
  try {
    return segmentBaseOffsets(await fs.readDirectory(directory)).some((base) => base > baseOffset);
  } catch {
    // A file may be readable where its directory is not.
    return false;
  }
}

async function* partitionsAt(fs: FileSystem, directory: Directory): AsyncGenerator<FoundPartition> {
  const { path, shown, names } = directory;
  const owner = parsePartitionDirectoryName(basename(path));
  if (owner !== undefined || segmentBaseOffsets(names).length > 0) {
    yield { directory, owner };
    return;
  }
  const partitions = await partitionsIn(fs, directory);
  yield* partitions;
  if (partitions.length > 0) return;
  const log = await openDirectory(fs, join(path, LOG_DIRECTORY), join(shown, LOG_DIRECTORY));
  if (log === undefined) {
    throw new KlogError('KLOG_NOT_FOUND', `${shown} holds neither segments nor directories of partitions`, {
      file: shown,
    });
  }
  yield* await partitionsIn(fs, log);
}

/** The segments in use, in the order of their offsets. */
function* segmentsOf({ directory, owner }: FoundPartition): Generator<DumpFile> {
  const bases = segmentBaseOffsets(directory.names);
  for (const [i, baseOffset] of bases.entries()) {
    const name = segmentFileName(baseOffset, '.log');
    yield {
      path: join(directory.path, name),
      shown: join(directory.shown, name),
      name,
      kind: 'log',
      topic: owner?.topic,
      partition: owner?.partition,
      baseOffset,
      isFollowed: i < bases.length - 1,
    };
  }
}

/** The partitions in a directory of logs, by topic and number: not those being deleted or moved, nor links. */
async function partitionsIn(
  fs: FileSystem,
  logs: Directory,
  wanted: (owner: PartitionDirectoryName) => boolean = () => true,
): Promise<FoundPartition[]> {
  const found: { owner: PartitionDirectoryName; directory: Directory }[] = [];
  for (const name of logs.names) {
    const owner = parsePartitionDirectoryName(name);
    if (owner === undefined || owner.state !== undefined || !wanted(owner)) continue;
    const path = join(logs.path, name);
    if ((await fs.stat(path))?.kind !== 'directory') continue;
    const directory = await openDirectory(fs, path, join(logs.shown, name));
    if (directory !== undefined) found.push({ owner, directory });
  }
  return found.sort((a, b) => compareNames(a.owner.topic, b.owner.topic) || a.owner.partition - b.owner.partition);
}

function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

async function openDirectory(fs: FileSystem, path: string, shown: string): Promise<Directory | undefined> {
  if ((await statDirectory(fs, path)) === undefined) return undefined;
  return { path, shown, names: await fs.readDirectory(path) };
}

async function* partitionsOfTopic(fs: FileSystem, operand: string, place: DumpPlace): AsyncGenerator<FoundPartition> {
  const { topic, partition } = readPartitionOperand(operand);
  const dataDirectory = await place.dataDirectory();
  // A broker's directory has the partitions in itself.
  const logs =
    (await openDirectory(fs, join(dataDirectory, LOG_DIRECTORY), join(dataDirectory, LOG_DIRECTORY))) ??
    (await openDirectory(fs, dataDirectory, dataDirectory));
  if (logs === undefined) throw unknownTopic(topic, `there is no log at ${dataDirectory}`);
  const found = await partitionsIn(
    fs,
    logs,
    (owner) => owner.topic === topic && (partition === undefined || owner.partition === partition),
  );
  if (found.length === 0) throw await explainMissing(fs, { topic, partition }, logs, place);
  yield* found;
}

/** `T` or `T:P`. KLOG_USAGE, INVALID_TOPIC_EXCEPTION */
export function readPartitionOperand(operand: string): Pick<PartitionOperand, 'topic' | 'partition'> {
  const { topic, partition, offset } = parsePartitionOperand(operand, { now: 0 });
  if (offset !== undefined) {
    throw new KlogError('KLOG_USAGE', `'${operand}' names a record`, {
      hint: 'Meant are topics and partitions: orders, orders:0; `klog get` prints a record',
    });
  }
  validateTopicName(topic);
  return { topic, ...(partition === undefined ? {} : { partition }) };
}

async function explainMissing(
  fs: FileSystem,
  { topic, partition }: { readonly topic: string; readonly partition: number | undefined },
  logs: Directory,
  place: DumpPlace,
): Promise<KlogError> {
  const owners = logs.names.map(parsePartitionDirectoryName).filter((owner) => owner?.state === undefined);
  const topics = new Set(owners.map((owner) => owner?.topic).filter((name) => name !== undefined));
  if (partition !== undefined && topics.has(topic)) {
    const name = partitionDirectoryName(topic, partition);
    return new KlogError(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `there is no partition ${topic}:${partition}: no ${name} in ${logs.shown}`,
      {
        topic,
        partition,
      },
    );
  }
  if ((await statDirectory(fs, join(place.cwd, topic))) !== undefined) {
    return unknownTopic(topic, `no partition of it in ${logs.shown}`, `For the directory here say ./${topic}`);
  }
  const nearest = nearestName(topic, topics);
  return unknownTopic(
    topic,
    `no partition of it in ${logs.shown}`,
    nearest === undefined ? undefined : `Did you mean '${nearest}'?`,
  );
}

function unknownTopic(topic: string, why: string, hint?: string): KlogError {
  return new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `unknown topic '${topic}': ${why}`, { topic, hint });
}
