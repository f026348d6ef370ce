/**
 * The directories of a topic's partitions, as they come and go.
 *
 * Both ways lead through a name `<topic>-<partition>.<32 hex>-delete`: a partition is built under one and renamed when
 * it is complete, and renamed back to one before it is removed. What a kill leaves has such a name, which readers pass
 * over, a broker removes by itself, and {@link sweepDirectories} removes before the next change.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createPartition } from '../storage/create-partition.js';
import type { FileSystem } from '../storage/file-system.js';
import { holdPartition } from '../storage/hold-partition.js';
import type { Clock } from '../storage/log-context.js';
import {
  parsePartitionDirectoryName,
  partitionDirectoryInState,
  partitionDirectoryName,
} from '../storage/log-files.js';
import { readPartitionMetadata } from '../storage/partition-metadata.js';
import { removeTree } from './remove-tree.js';
import { sideBySide } from './side-by-side.js';

export interface PartitionRange {
  readonly topic: string;
  readonly topicId: string;
  readonly first: number;
  /** Not included. */
  readonly end: number;
  /** Where each partition's log begins, by its number. Default 0. */
  readonly startOffsets?: readonly number[] | undefined;
}

/** Makes the directories and their names durable. On failure some may be there. */
export async function createDirectories(
  fs: FileSystem,
  logDirectory: string,
  range: PartitionRange,
  clock: Clock,
): Promise<void> {
  const { topic, topicId, first, end } = range;
  const partitions = Array.from({ length: end - first }, (_, index) => first + index);
  await sideBySide(partitions, async (partition) => {
    const built = join(logDirectory, nameOnTheWay(topic, partition));
    await fs.makeDirectory(built);
    await createPartition(fs, built, { topicId, clock, logStartOffset: range.startOffsets?.[partition] ?? 0 });
    await fs.rename(built, join(logDirectory, partitionDirectoryName(topic, partition)));
  });
  await fs.syncDirectory(logDirectory);
}

/**
 * Removes the directories with the topic's id; those that are gone already are no error. Each is renamed while its
 * queue, append and sync locks are held: a writer that has one of them then finds that the path leads elsewhere.
 * @throws KlogError KLOG_LOCKED: a writer kept a partition longer than `lockWaitMs`
 */
export async function removeDirectories(
  fs: FileSystem,
  logDirectory: string,
  range: PartitionRange,
  lockWaitMs: number,
): Promise<void> {
  const removed: string[] = [];
  for (let partition = range.first; partition < range.end; partition++) {
    const directory = join(logDirectory, partitionDirectoryName(range.topic, partition));
    const topicId = await topicIdOf(fs, directory);
    if (topicId !== undefined && topicId !== range.topicId) continue;
    if ((await fs.stat(directory))?.kind !== 'directory') continue;
    const release = await holdPartition(fs, directory, lockWaitMs);
    try {
      const away = join(logDirectory, nameOnTheWay(range.topic, partition));
      await fs.rename(directory, away);
      removed.push(away);
    } finally {
      await release();
    }
  }
  await fs.syncDirectory(logDirectory);
  for (const away of removed) await removeTree(fs, away);
  if (removed.length > 0) await fs.syncDirectory(logDirectory);
}

/** Removes what kills have left: nobody else changes topics meanwhile. */
export async function sweepDirectories(fs: FileSystem, logDirectory: string): Promise<void> {
  for (const name of await fs.readDirectory(logDirectory)) {
    if (!name.endsWith('-delete') || parsePartitionDirectoryName(name)?.state !== 'delete') continue;
    await removeTree(fs, join(logDirectory, name));
  }
}

/** A directory that already has the name of one of the partitions. */
export async function existingDirectory(
  fs: FileSystem,
  logDirectory: string,
  range: Omit<PartitionRange, 'topicId'>,
): Promise<string | undefined> {
  for (let partition = range.first; partition < range.end; partition++) {
    const directory = join(logDirectory, partitionDirectoryName(range.topic, partition));
    if ((await fs.stat(directory)) !== undefined) return directory;
  }
  return undefined;
}

function nameOnTheWay(topic: string, partition: number): string {
  return partitionDirectoryInState(topic, partition, 'delete', randomBytes(16).toString('hex'));
}

/** `undefined`: no readable `partition.metadata`. */
async function topicIdOf(fs: FileSystem, directory: string): Promise<string | undefined> {
  try {
    return (await readPartitionMetadata(fs, directory))?.topicId;
  } catch {
    return undefined;
  }
}
