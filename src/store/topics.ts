import { join } from 'node:path';
import { KlogError } from '../errors.js';
import { isInternalTopic, validateTopicName } from '../format/topic-name.js';
import { newUuid, uuidToText } from '../format/uuid.js';
import type { FileSystem } from '../storage/file-system.js';
import { partitionDirectoryName } from '../storage/log-files.js';
import type { DataDirectory } from './data-directory.js';
import { assertNoDirectory } from './free-topic-name.js';
import { nearestName } from './nearest-name.js';
import { checkPartitions } from './partition-count.js';
import { sideBySide } from './side-by-side.js';
import { storageError } from './system-error.js';
import { type ChangeOptions, type Topic, TopicChanges, type TopicsOptions, topicOf } from './topic-changes.js';
import { type ConfigChange, changeConfigs, normalizeConfigs, type TopicConfigs } from './topic-config.js';
import type { TopicFile } from './topic-file.js';
import type { TopicFiles } from './topic-files.js';
import type { TopicImports } from './topic-imports.js';

export type { Topic } from './topic-changes.js';

export interface NewTopic {
  readonly topic: string;
  /** Default 1. */
  readonly partitions?: number;
  readonly configs?: TopicConfigs;
}

/** The topics of a data directory. Reading takes no lock; changes are made one at a time, see `topic-changes.ts`. */
export class Topics {
  readonly #fs: FileSystem;
  readonly #directory: DataDirectory;
  readonly #options: TopicsOptions;
  readonly #changes: TopicChanges;
  readonly #files: TopicFiles;
  readonly imports: TopicImports;

  constructor(fs: FileSystem, directory: DataDirectory, options: TopicsOptions) {
    this.#fs = fs;
    this.#directory = directory;
    this.#options = options;
    this.#changes = new TopicChanges(fs, directory, options);
    this.#files = this.#changes.files;
    this.imports = this.#changes.imports;
  }

  /** By name. */
  async list(options: { readonly internal?: boolean } = {}): Promise<Topic[]> {
    const topics: Topic[] = [];
    for (const file of await this.#files.all()) {
      if (file.state === 'active' && (options.internal === true || !isInternalTopic(file.topic)))
        topics.push(topicOf(file));
    }
    return topics;
  }

  /**
   * When one was last made, altered or deleted, in milliseconds since 1970. Each of these renames a file of the
   * directory; two in the same moment, some milliseconds on many systems, have the same time.
   */
  async lastChange(): Promise<number> {
    return (await this.#fs.stat(this.#directory.topicsDirectory))?.modifiedMs ?? 0;
  }

  /** `undefined`: there is no such topic. @throws KlogError INVALID_TOPIC_EXCEPTION */
  async find(topic: string): Promise<Topic | undefined> {
    validateTopicName(topic);
    const file = await this.#files.read(topic);
    return file?.state === 'active' ? topicOf(file) : undefined;
  }

  /** What tells the topic from one that had its name before. `undefined`: there is no such topic. */
  async idOf(topic: string): Promise<string | undefined> {
    return await this.#files.idOf(topic);
  }

  /** @throws KlogError UNKNOWN_TOPIC_OR_PARTITION, with the nearest name, INVALID_TOPIC_EXCEPTION */
  async get(topic: string): Promise<Topic> {
    const found = await this.find(topic);
    if (found !== undefined) return found;
    const names = (await this.list()).map((other) => other.topic);
    const nearest = nearestName(topic, names);
    throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${topic} in ${this.#directory.path}`, {
      topic,
      hint: nearest === undefined ? undefined : `Did you mean ${nearest}?`,
    });
  }

  /**
   * @throws KlogError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG, KLOG_LOCKED
   */
  async create(newTopic: NewTopic, options: ChangeOptions = {}): Promise<Topic> {
    const [created] = await this.createAll([newTopic], options);
    if (created instanceof KlogError) throw created;
    return created!;
  }

  /**
   * Each topic, or why it was not made; one does not keep the others from being made. What a change costs however small
   * it is, such as reading all topics' files, is paid once.
   * @throws KlogError INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG of any of them, and KLOG_LOCKED: none
   * is made
   */
  async createAll(newTopics: readonly NewTopic[], options: ChangeOptions = {}): Promise<(Topic | KlogError)[]> {
    const files = newTopics.map((newTopic) => this.#fileOf(newTopic));
    const names = files.length === 1 ? `topic ${files[0]!.topic}` : `${files.length} topics`;
    return await this.#changes.run(`create ${names}`, options, async () => {
      const outcomes = new Map<TopicFile, Topic | KlogError>();
      const taken = await this.#files.names();
      const asked = new Set<string>();
      for (const file of files) {
        try {
          if (asked.has(file.topic))
            throw new KlogError('TOPIC_ALREADY_EXISTS', `topic ${file.topic} is asked for twice`);
          asked.add(file.topic);
          await this.#changes.assertFree(file.topic, file.partitions, taken, options);
          taken.push(file.topic);
          outcomes.set(file, topicOf(file));
        } catch (error) {
          outcomes.set(file, storageError(error, `cannot create topic ${file.topic}`));
        }
      }
      const free = files.filter((file) => !(outcomes.get(file) instanceof KlogError));
      if (options.validateOnly !== true && free.length > 0) {
        await this.#options.onCreate?.(new Set(free.map(({ topic }) => topic)));
        await sideBySide(free, async (file, lane) => {
          await this.#createOne(file, lane).catch((error: unknown) => {
            outcomes.set(file, storageError(error, `cannot create topic ${file.topic}`));
          });
        });
      }
      return files.map((file) => outcomes.get(file)!);
    });
  }

  #fileOf({ topic, partitions = 1, configs = {} }: NewTopic): TopicFile {
    validateTopicName(topic);
    checkPartitions(topic, partitions);
    const topicId = uuidToText(newUuid(() => this.#options.randomBytes(16)));
    return { topic, topicId, partitions, configs: normalizeConfigs(configs), state: 'active' };
  }

  async #createOne(file: TopicFile, lane: number): Promise<void> {
    const { topic, topicId, partitions } = file;
    const creating: TopicFile = { ...file, state: 'creating' };
    await this.#files.write(creating, lane);
    try {
      await this.#changes.build({ topic, topicId, first: 0, end: partitions });
      await this.#files.write(file, lane);
    } catch (error) {
      await this.#changes.resume(creating).catch(() => {});
      throw error;
    }
  }

  /**
   * Makes an internal topic unless it is there. Its partitions are made one by one, when they are first used: of fifty
   * a group needs one. @throws KlogError INVALID_CONFIG, KLOG_LOCKED, KLOG_PERMISSION_DENIED
   */
  async ensureInternal(newTopic: Required<NewTopic>): Promise<Topic> {
    const { topic, partitions } = newTopic;
    const found = await this.find(topic);
    if (found !== undefined) return found;
    const configs = normalizeConfigs(newTopic.configs);
    const topicId = uuidToText(newUuid(() => this.#options.randomBytes(16)));
    return await this.#changes.run(`create topic ${topic}`, {}, async () => {
      const other = await this.#files.read(topic);
      if (other?.state === 'active') return topicOf(other);
      await this.#changes.assertFree(topic, partitions, await this.#files.names());
      const created: TopicFile = { topic, topicId, partitions, configs, state: 'active' };
      await this.#files.write(created);
      return topicOf(created);
    });
  }

  /** Makes the directory of a partition of an internal topic unless it is there. */
  async ensureInternalPartition(topic: string, partition: number): Promise<void> {
    const directory = join(this.#directory.logDirectory, partitionDirectoryName(topic, partition));
    if ((await this.#fs.stat(directory)) !== undefined) return;
    await this.#changes.run(`make partition ${partition} of ${topic}`, {}, async () => {
      const { topicId } = await this.#active(topic);
      if ((await this.#fs.stat(directory)) !== undefined) return;
      await this.#changes.build({ topic, topicId, first: partition, end: partition + 1 });
    });
  }

  /** `partitions` is the new total. @throws KlogError INVALID_PARTITIONS, UNKNOWN_TOPIC_OR_PARTITION, KLOG_LOCKED */
  async createPartitions(topic: string, partitions: number, options: ChangeOptions = {}): Promise<Topic> {
    validateTopicName(topic);
    checkPartitions(topic, partitions);
    return await this.#changes.run(`add partitions to topic ${topic}`, options, async () => {
      const { growingTo: _, ...before } = await this.#active(topic);
      if (partitions <= before.partitions) {
        const message = `topic ${topic} cannot have ${partitions} partitions: it has ${before.partitions}, and their number can only grow`;
        throw new KlogError('INVALID_PARTITIONS', message, { topic });
      }
      const range = { topic, topicId: before.topicId, first: before.partitions, end: partitions };
      await assertNoDirectory(this.#fs, this.#directory.logDirectory, range);
      const after: TopicFile = { ...before, partitions };
      if (options.validateOnly === true) return topicOf(after);
      const growing: TopicFile = { ...before, growingTo: partitions };
      await this.#files.write(growing);
      try {
        await this.#changes.build(range);
        await this.#files.write(after);
      } catch (error) {
        await this.#changes.resume(growing).catch(() => {});
        throw error;
      }
      return topicOf(after);
    });
  }

  /**
   * Returns the configs that are set afterwards. @throws KlogError INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION,
   * KLOG_LOCKED
   */
  async alterConfigs(topic: string, change: ConfigChange, options: ChangeOptions = {}): Promise<TopicConfigs> {
    validateTopicName(topic);
    return await this.#changes.run(`alter topic ${topic}`, options, async () => {
      const before = await this.#active(topic);
      const configs = changeConfigs(before.configs, change);
      if (options.validateOnly !== true) await this.#files.write({ ...before, configs });
      return configs;
    });
  }

  /**
   * From the first step on the topic is gone for readers; a delete that is killed, or finds a partition locked for too
   * long, is completed by the next change.
   * @throws KlogError UNKNOWN_TOPIC_OR_PARTITION, KLOG_LOCKED
   */
  async delete(topic: string, options: ChangeOptions = {}): Promise<void> {
    validateTopicName(topic);
    await this.#changes.run(`delete topic ${topic}`, options, async (found) => {
      const before = await this.#files.read(topic);
      // Its own delete was what had been interrupted, and is finished by now.
      if (before === undefined && found.some((file) => file.topic === topic && file.state === 'deleting')) return;
      // Asked for again after a KLOG_LOCKED: go on with it, and wait.
      if (before?.state === 'deleting') return await this.#changes.completeDelete(before, this.#options.lockWaitMs);
      const file = await this.#active(topic);
      if (options.validateOnly === true) return;
      const deleting: TopicFile = { ...file, state: 'deleting' };
      await this.#files.markDeleting(deleting);
      await this.#changes.completeDelete(deleting, this.#options.lockWaitMs);
    });
  }

  async #active(topic: string): Promise<TopicFile> {
    const file = await this.#files.read(topic);
    if (file?.state === 'active') return file;
    await this.get(topic);
    throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} was deleted meanwhile`, { topic });
  }
}
