/** Whether a topic may be made under a name. */
import { KlogError } from '../errors.js';
import { collidesWith, hasCollisionCharacters } from '../format/topic-name.js';
import type { FileSystem } from '../storage/file-system.js';
import { existingDirectory, type PartitionRange } from './partition-directories.js';
import type { TopicFile } from './topic-file.js';
import type { TopicFiles } from './topic-files.js';

/** What a new topic may be in the way of. */
export interface TakenNames {
  readonly logDirectory: string;
  readonly files: TopicFiles;
  /** Names of all topics, in whatever state. */
  readonly taken: readonly string[];
}

/**
 * With `validateOnly` what an interrupted change has left is no obstacle: the next change that is no mere check deals
 * with it.
 * @throws KlogError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, KLOG_LOCKED
 */
export async function assertFree(
  fs: FileSystem,
  { logDirectory, files, taken: names }: TakenNames,
  { topic, partitions }: { readonly topic: string; readonly partitions: number },
  validateOnly: boolean,
): Promise<void> {
  const there = names.includes(topic) ? await files.read(topic) : undefined;
  if (there !== undefined) {
    if (validateOnly && there.state !== 'active') return;
    throw taken(there);
  }
  const other = hasCollisionCharacters(topic) ? names.find((name) => collidesWith(name, topic)) : undefined;
  if (other !== undefined) {
    throw new KlogError('INVALID_TOPIC_EXCEPTION', `topic ${topic} collides with topic ${other}`, {
      topic,
      hint: 'Kafka does not tell "." and "_" apart in the names of metrics: choose another name',
    });
  }
  await assertNoDirectory(fs, logDirectory, { topic, first: 0, end: partitions });
}

function taken({ topic, state }: TopicFile): KlogError {
  if (state === 'deleting') {
    const message = `topic ${topic} is still being deleted: a process holds one of its partitions`;
    return new KlogError('KLOG_LOCKED', message, {
      topic,
      hint: `\`klog topic delete ${topic}\` waits for it and names it`,
    });
  }
  if (state === 'importing') {
    return new KlogError('KLOG_LOCKED', `topic ${topic} is being imported by another process`, {
      topic,
      hint: 'Try again when it has finished, or end it',
    });
  }
  return new KlogError('TOPIC_ALREADY_EXISTS', `topic ${topic} exists already`, { topic });
}

/**
 * Directories that no topic's file speaks of were made by a broker, or by hand: they are not written over.
 * @throws KlogError TOPIC_ALREADY_EXISTS
 */
export async function assertNoDirectory(
  fs: FileSystem,
  logDirectory: string,
  range: Omit<PartitionRange, 'topicId'>,
): Promise<void> {
  const there = await existingDirectory(fs, logDirectory, range);
  if (there === undefined) return;
  throw new KlogError('TOPIC_ALREADY_EXISTS', `${there} is there already, though no topic of klog owns it`, {
    topic: range.topic,
    file: there,
    hint: 'Choose another name, or move it out of the way',
  });
}
