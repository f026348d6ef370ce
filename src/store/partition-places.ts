import { join } from 'node:path';
import { KlogError } from '../errors.js';
import { isInternalTopic, validateTopicName } from '../format/topic-name.js';
import { CONTROL_FILE_NAME } from '../storage/control-file.js';
import type { FileSystem } from '../storage/file-system.js';
import { partitionDirectoryName } from '../storage/log-files.js';
import type { DataDirectory } from './data-directory.js';
import { assertNoLink } from './stat-directory.js';
import { storageError, systemErrorCode } from './system-error.js';
import type { TopicConfigs } from './topic-config.js';
import type { Topics } from './topics.js';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where partitions lie, and whether what lies there is theirs. */
export class PartitionPlaces {
  readonly #fs: FileSystem;
  readonly #directory: DataDirectory;
  readonly #topics: Topics;

  constructor(fs: FileSystem, directory: DataDirectory, topics: Topics) {
    this.#fs = fs;
    this.#directory = directory;
    this.#topics = topics;
  }

  /** The topic of a partition that there is. @throws KlogError UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION */
  async topicOf(topic: string, partition: number): Promise<{ topicId: string; configs: TopicConfigs }> {
    validateTopicName(topic);
    const { topicId, configs, partitions } = await this.#topics.get(topic);
    if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return { topicId, configs };
    throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} has no partition ${partition}`, {
      topic,
      partition,
      hint: partitions === 1 ? 'It has one, partition 0' : `It has ${partitions}, from 0 to ${partitions - 1}`,
    });
  }

  /**
   * Opens a partition's files by their path, which after a delete and a create is another topic's. The topic's file has
   * to have the id when they are open: before a delete renames them it has changed the file.
   */
  async open<T extends { close(): Promise<void> }>(
    place: TopicPartition,
    topicId: string,
    open: (directory: string) => Promise<T>,
  ): Promise<T> {
    const { topic, partition } = place;
    let opened: T;
    try {
      opened = await open(await this.ownDirectoryOf(topic, partition));
    } catch (error) {
      if ((await this.#topics.find(topic))?.topicId !== topicId) throw deleted(topic);
      await this.#assertThere(place, error);
      throw storageError(error, `cannot open ${topic}:${partition}`, place);
    }
    if ((await this.#topics.find(topic))?.topicId === topicId) return opened;
    await opened.close();
    throw deleted(topic);
  }

  /** Partitions of internal topics come with their first use, also by a reader who may write. */
  async makeInternal(topic: string, partition: number): Promise<void> {
    if (!isInternalTopic(topic)) return;
    if (!this.#directory.readOnly) return await this.#topics.ensureInternalPartition(topic, partition);
    if ((await this.#fs.stat(this.directoryOf(topic, partition))) !== undefined) return;
    const message = `partition ${partition} of ${topic} has not been used yet, and ${this.#directory.path} was opened for reading only`;
    throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', message, { topic, partition });
  }

  /** To be opened: it must not be a link to somewhere else. */
  async ownDirectoryOf(topic: string, partition: number): Promise<string> {
    const directory = this.directoryOf(topic, partition);
    await assertNoLink(this.#fs, directory);
    return directory;
  }

  directoryOf(topic: string, partition: number): string {
    return join(this.#directory.logDirectory, partitionDirectoryName(topic, partition));
  }

  controlFileOf(topic: string, partition: number): string {
    return join(this.directoryOf(topic, partition), CONTROL_FILE_NAME);
  }

  /** The topic is there: a partition of it that is not is damage. */
  async #assertThere(place: TopicPartition, cause: unknown): Promise<void> {
    const file = this.directoryOf(place.topic, place.partition);
    if ((await this.#fs.stat(file)) !== undefined && systemErrorCode(cause) !== 'ENOTDIR') return;
    throw new KlogError('CORRUPT_MESSAGE', `the log is damaged: the directory of ${nameOf(place)} is missing`, {
      ...place,
      file,
      cause,
      hint: 'Bring it back from a copy, or delete the topic',
    });
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

/** Perhaps another has the name by now. */
export function deleted(topic: string): KlogError {
  return new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} was deleted meanwhile`, { topic });
}
