import { join } from 'node:path';
import { isInternalTopic } from '../../format/topic-name.js';
import type { FileSystem } from '../../storage/file-system.js';
import { partitionDirectoryName } from '../../storage/log-files.js';
import { LOG_DIRECTORY, TOPICS_DIRECTORY, topicOfFileName } from '../../store/layout.js';
import { statDirectory } from '../../store/stat-directory.js';
import { readTopicFile, type TopicFile } from '../../store/topic-file.js';
import type { PartitionOperand } from '../values/parse-partition.js';

export interface MissingPartition {
  readonly topic: string;
  readonly partition: number;
  /** The directory that should be there. */
  readonly path: string;
}

/** The partitions of a topic in use whose directories are gone. */
export async function missingPartitionsOf(
  fs: FileSystem,
  dataDirectory: string,
  { topic, partitions, state }: TopicFile,
): Promise<MissingPartition[]> {
  // What is being made or deleted is completed by the next change of topics; partitions of internal topics come with
  // their use.
  if (state !== 'active' || isInternalTopic(topic)) return [];
  const missing: MissingPartition[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const path = join(dataDirectory, LOG_DIRECTORY, partitionDirectoryName(topic, partition));
    if ((await statDirectory(fs, path)) === undefined) missing.push({ topic, partition, path });
  }
  return missing;
}

/** Of all topics, or of those meant. A broker's directory has no list of topics to go by: nothing is missing there. */
export async function findMissingPartitions(
  fs: FileSystem,
  dataDirectory: string,
  meant?: Pick<PartitionOperand, 'topic' | 'partition'>,
): Promise<MissingPartition[]> {
  const topicsDirectory = join(dataDirectory, TOPICS_DIRECTORY);
  if ((await statDirectory(fs, topicsDirectory)) === undefined) return [];
  const missing: MissingPartition[] = [];
  for (const name of (await fs.readDirectory(topicsDirectory)).sort()) {
    const topic = topicOfFileName(name);
    if (topic === undefined || (meant !== undefined && meant.topic !== topic)) continue;
    const file = await readTopicFile(fs, topicsDirectory, topic);
    if (file !== undefined) missing.push(...(await missingPartitionsOf(fs, dataDirectory, file)));
  }
  return missing.filter(({ partition }) => meant?.partition === undefined || meant.partition === partition);
}
