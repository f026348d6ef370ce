/** Checks the small files of a partition, and names what has been left lying about. */
import { dirname, join } from 'node:path';
import { KlogError } from '../../errors.js';
import { type FileSystem, readWhole } from '../../storage/file-system.js';
import {
  decodeLeaderEpochs,
  LEADER_EPOCH_CHECKPOINT,
  type LeaderEpoch,
} from '../../storage/leader-epoch-checkpoint.js';
import { parseSegmentFileName, segmentFileName } from '../../storage/log-files.js';
import { decodePartitionMetadata, PARTITION_METADATA } from '../../storage/partition-metadata.js';
import { decodeProducerSnapshot } from '../../storage/producer-snapshot.js';
import { TOPICS_DIRECTORY } from '../../store/layout.js';
import { readTopicFile } from '../../store/topic-file.js';
import { problemOf } from './batch-fields.js';
import type { Problems } from './check-report.js';

export interface SideFiles {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly shown: string;
  readonly names: readonly string[];
  readonly topic: string | undefined;
  readonly problems: Problems;
}

/** A missing or damaged file has no entries. */
export async function checkLeaderEpochs(files: SideFiles): Promise<readonly LeaderEpoch[]> {
  return (await decoded(files, LEADER_EPOCH_CHECKPOINT, decodeLeaderEpochs)) ?? [];
}

/** Where klog knows the topic, its id must be the directory's. */
export async function checkPartitionMetadata(files: SideFiles): Promise<void> {
  const metadata = await decoded(files, PARTITION_METADATA, decodePartitionMetadata);
  if (metadata === undefined || files.topic === undefined) return;
  const topics = join(dirname(dirname(files.directory)), TOPICS_DIRECTORY);
  try {
    const file = await readTopicFile(files.fs, topics, files.topic);
    if (file === undefined || file.topicId === metadata.topicId) return;
    const reason = `says topic id ${metadata.topicId}, and the topic has ${file.topicId}`;
    files.problems.damage(join(files.shown, PARTITION_METADATA), reason);
  } catch (error) {
    if (!(error instanceof KlogError)) throw error;
    const { file = join(topics, `${files.topic}.json`) } = error.place;
    files.problems.damage(file, error.message.replace(`${file} is damaged: `, ''));
  }
}

export async function checkSnapshots(files: SideFiles, logEndOffset: number): Promise<void> {
  for (const name of files.names) {
    const parsed = parseSegmentFileName(name);
    if (parsed?.suffix !== '.snapshot' || parsed.state !== undefined) continue;
    await decoded(files, name, decodeProducerSnapshot);
    if (parsed.baseOffset > logEndOffset) {
      files.problems.note(join(files.shown, name), `lies beyond the end of the log, offset ${logEndOffset}`);
    }
  }
}

async function decoded<T>(
  files: SideFiles,
  name: string,
  decode: (bytes: Uint8Array, file: string) => T,
): Promise<T | undefined> {
  const { fs, directory, shown, problems } = files;
  const bytes = await readWhole(fs, join(directory, name));
  if (bytes === undefined) return undefined;
  try {
    return decode(bytes, name);
  } catch (error) {
    if (!(error instanceof KlogError)) throw error;
    problems.damage(join(shown, name), problemOf(error));
    return undefined;
  }
}

const LEFTOVERS: readonly (readonly [RegExp, string])[] = [
  [/\.cut-\d+$/, 'kept aside when the log was settled: not part of it'],
  [/\.damaged-\d+(?:-\d+)?$/, 'kept aside by a repair: not part of the log'],
  [/\.deleted$/, 'waits for its deletion'],
  [/\.cleaned$/, 'unfinished output of compaction or a repair'],
  [/\.swap$/, 'finished output of compaction or a repair, not swapped in yet'],
  [/\.tmp$/, 'an unfinished write'],
];

export function noteLeftovers({ names, shown, problems }: SideFiles): void {
  const inUse = new Set(names);
  for (const name of [...names].sort()) {
    const leftover = LEFTOVERS.find(([pattern]) => pattern.test(name));
    if (leftover !== undefined) problems.note(join(shown, name), leftover[1]);
    const parsed = parseSegmentFileName(name);
    if (parsed === undefined || parsed.state !== undefined || !parsed.suffix.endsWith('index')) continue;
    if (!inUse.has(segmentFileName(parsed.baseOffset, '.log'))) problems.note(join(shown, name), 'has no .log');
  }
}
