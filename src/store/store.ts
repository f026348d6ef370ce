import { randomBytes } from 'node:crypto';
import { uptime } from 'node:os';
import { KlogError } from '../errors.js';
import type { CompressionType } from '../format/compression.js';
import { isInternalTopic } from '../format/topic-name.js';
import type { FileSystem } from '../storage/file-system.js';
import type { Clock } from '../storage/log-context.js';
import { partitionDirectoryName } from '../storage/log-files.js';
import { PartitionLog } from '../storage/partition-log.js';
import { CountingFileSystem } from './counting-file-system.js';
import {
  type DataDirectory,
  DEFAULT_LOCK_WAIT_MS,
  type OpenDirectoryOptions,
  openDataDirectory,
} from './data-directory.js';
import { holdPartitions } from './hold-partitions.js';
import { deleted, PartitionPlaces, type TopicPartition } from './partition-places.js';
import { PartitionPool } from './partition-pool.js';
import { type PartitionSize, partitionSize } from './partition-size.js';
import { StoredPartitionLog, StoredPartitionReader } from './stored-partition.js';
import { type TopicConfigs, toLogConfig } from './topic-config.js';
import { TopicImport } from './topic-import.js';
import type { NewImportedTopic } from './topic-imports.js';
import { Topics } from './topics.js';
import { UpkeepQueue } from './upkeep-queue.js';

export interface OpenStoreOptions extends OpenDirectoryOptions {
  /** Default the system's. */
  readonly clock?: Clock | undefined;
  /** Most descriptors for the files of partitions. Default 224; a partition in use is never closed to stay below it. */
  readonly maxDescriptors?: number | undefined;
  /** What upkeep in the background could not do. Default: a process warning of type KlogWarning. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** A topic, and the settings that clients act on. */
export interface StoredTopic {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: number;
  readonly configs: TopicConfigs;
  /** Kafka: `max.message.bytes`. */
  readonly maxMessageBytes: number;
  /** Kafka: `compression.type`, `none` where that says `producer`. */
  readonly compression: CompressionType;
  /** Whether `cleanup.policy` has `compact`: records without a key are refused. */
  readonly isCompacted: boolean;
}

/** With what Node and the command line have open besides, no process has more than 256. */
const DEFAULT_MAX_DESCRIPTORS = 224;

/**
 * Opens the data directory at `path`, and makes it first if `create` says so.
 * @throws KlogError KLOG_NOT_FOUND, KLOG_BAD_DIRECTORY, KLOG_PERMISSION_DENIED, UNSUPPORTED_VERSION,
 * KLOG_NETWORK_FILE_SYSTEM, KLOG_LOCKED
 */
export async function openStore(fs: FileSystem, path: string, options: OpenStoreOptions = {}): Promise<Store> {
  return new Store(fs, await openDataDirectory(fs, path, options), options);
}

/** One data directory, open in this process: its topics, and the partitions that are written and read here. */
export class Store {
  readonly directory: DataDirectory;
  readonly topics: Topics;
  /**
   * Called while topics are being made, before anything else is, or one is being deleted, before its name is free: what
   * is known by their names is not theirs. Again where a delete is completed.
   */
  onTopicNames: ((topics: ReadonlySet<string>) => Promise<void>) | undefined;
  readonly #fs: CountingFileSystem;
  readonly #clock: Clock;
  readonly #lockWaitMs: number;
  readonly #pool: PartitionPool;
  readonly #places: PartitionPlaces;
  readonly #logs = new Map<string, StoredPartitionLog>();
  readonly #upkeep: UpkeepQueue;
  readonly #warn: (message: string) => void;
  #clockWarned = false;

  constructor(fs: FileSystem, directory: DataDirectory, options: OpenStoreOptions) {
    this.directory = directory;
    this.#clock = options.clock ?? { now: Date.now, uptime: () => uptime() * 1000 };
    this.#warn = options.onWarning ?? ((message) => process.emitWarning(message, 'KlogWarning'));
    this.#upkeep = new UpkeepQueue(this.#warn);
    this.#lockWaitMs = options.lockWaitMs ?? DEFAULT_LOCK_WAIT_MS;
    this.#fs = new CountingFileSystem(fs, () => this.#pool.closeIdle());
    this.#pool = new PartitionPool(options.maxDescriptors ?? DEFAULT_MAX_DESCRIPTORS, () => this.#fs.openFiles);
    this.topics = new Topics(this.#fs, directory, {
      clock: this.#clock,
      lockWaitMs: this.#lockWaitMs,
      randomBytes: options.randomBytes ?? randomBytes,
      onCreate: async (topics) => await this.onTopicNames?.(topics),
      onDelete: async (topic) => await this.#letGo(topic),
      onDeleted: async (topic) => await this.onTopicNames?.(new Set([topic])),
    });
    this.#places = new PartitionPlaces(this.#fs, directory, this.topics);
  }

  /** Descriptors in use for the files of partitions. */
  get openDescriptors(): number {
    return this.#fs.openFiles;
  }

  /** For files beside the partitions, within the same number of descriptors. */
  get fileSystem(): FileSystem {
    return this.#fs;
  }

  /** `undefined`: there is no such topic. @throws KlogError INVALID_TOPIC_EXCEPTION */
  async topic(name: string): Promise<StoredTopic | undefined> {
    const found = await this.topics.find(name);
    if (found === undefined) return undefined;
    const { topic, topicId, partitions, configs } = found;
    const { maxMessageBytes, compressionType, cleanupPolicy } = toLogConfig(configs);
    const compression = compressionType === 'producer' ? 'none' : compressionType;
    const isCompacted = cleanupPolicy !== 'delete';
    return { topic, topicId, partitions, configs, maxMessageBytes, compression, isCompacted };
  }

  /**
   * The writing side of a partition, one for the whole process. It takes up the topic's configs of now.
   * @param options.lockWaitMs longest wait for one of its locks; default that of the store
   * @param options.topicId of the topic that is meant
   * @throws KlogError UNKNOWN_TOPIC_OR_PARTITION, also where another topic has the name by now, KLOG_PERMISSION_DENIED
   */
  async partitionLog(
    topic: string,
    partition: number,
    { lockWaitMs = this.#lockWaitMs, topicId: meant }: { lockWaitMs?: number | undefined; topicId?: string } = {},
  ): Promise<StoredPartitionLog> {
    if (this.directory.readOnly) {
      throw new KlogError('KLOG_PERMISSION_DENIED', `${this.directory.path} was opened for reading only`, { topic });
    }
    const { topicId, configs } = await this.#places.topicOf(topic, partition);
    if (meant !== undefined && topicId !== meant) throw deleted(topic);
    await this.#places.makeInternal(topic, partition);
    const key = `${partitionDirectoryName(topic, partition)} ${lockWaitMs}`;
    const identity = JSON.stringify([topicId, configs]);
    let log = this.#logs.get(key);
    if (log?.identity !== identity) {
      await log?.retire();
      const onRoll = () =>
        this.#upkeep.add(`${topic}:${partition}`, (signal) => this.#keep({ topic, partition }, lockWaitMs, signal));
      const options = { topic, partition, config: toLogConfig(configs), clock: this.#clock, lockWaitMs, onRoll };
      const slot = this.#pool.slot(() =>
        this.#places.open({ topic, partition }, topicId, (directory) =>
          PartitionLog.open(this.#fs, directory, options),
        ),
      );
      log = new StoredPartitionLog(slot, identity);
      this.#logs.set(key, log);
    }
    await log.open();
    return log;
  }

  /**
   * A reading side of a partition; close it when done. @throws KlogError UNKNOWN_TOPIC_OR_PARTITION,
   * KLOG_PERMISSION_DENIED
   */
  async partitionReader(topic: string, partition: number): Promise<StoredPartitionReader> {
    const { topicId } = await this.#places.topicOf(topic, partition);
    await this.#places.makeInternal(topic, partition);
    const settle = async () => (await this.partitionLog(topic, partition)).trySettle();
    const options = { topic, partition, ...(this.directory.readOnly ? {} : { settle }) };
    // Who only writes does without the reading side.
    const { PartitionReader } = await import('../storage/partition-reader.js');
    const slot = this.#pool.slot(() =>
      this.#places.open({ topic, partition }, topicId, (directory) =>
        PartitionReader.open(this.#fs, directory, options),
      ),
    );
    const control = this.#places.controlFileOf(topic, partition);
    const watch = (listener: () => void) => this.#fs.watch(control, listener);
    const reader = new StoredPartitionReader(slot, watch);
    await reader.open();
    return reader;
  }

  /** What keeps a partition in order: retention, compaction, trimming, erasing. @throws as {@link partitionLog} */
  async partitionUpkeep(topic: string, partition: number): Promise<StoredPartitionLog> {
    return await this.partitionLog(topic, partition);
  }

  /** What a partition takes on the disk. @throws KlogError UNKNOWN_TOPIC_OR_PARTITION */
  async partitionSize(topic: string, partition: number): Promise<PartitionSize> {
    await this.#places.topicOf(topic, partition);
    const directory = this.#places.directoryOf(topic, partition);
    const isUnused = isInternalTopic(topic) && (await this.#fs.stat(directory)) === undefined;
    return isUnused ? { segments: 0, sizeInBytes: 0 } : await partitionSize(this.#fs, directory);
  }

  /**
   * Makes topics to be filled with batches, which come all together at the end.
   * @throws KlogError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG, KLOG_LOCKED
   */
  async importTopics(topics: readonly NewImportedTopic[]): Promise<TopicImport> {
    const pending = await this.topics.imports.begin(topics);
    const configs = new Map(pending.topics.map((topic) => [topic.topic, topic.configs]));
    return new TopicImport(pending, this.topics.imports, (topic, partition) => {
      // Nothing is deleted or compacted before it is all there, however old it is.
      const all = { cleanupPolicy: 'delete', retentionMs: -1, retentionBytes: -1 } as const;
      const config = { ...toLogConfig(configs.get(topic) ?? {}), ...all };
      const options = { topic, partition, config, clock: this.#clock, lockWaitMs: this.#lockWaitMs };
      const directory = this.#places.directoryOf(topic, partition);
      return new StoredPartitionLog(
        this.#pool.slot(() => PartitionLog.open(this.#fs, directory, options)),
        pending.importId,
      );
    });
  }

  /**
   * Keeps partitions as they are until the answer is called: nothing is appended, nothing acknowledged.
   * @throws KlogError KLOG_LOCKED, KLOG_PERMISSION_DENIED
   */
  async holdPartitions(partitions: readonly TopicPartition[]) {
    if (this.directory.readOnly) {
      throw new KlogError('KLOG_PERMISSION_DENIED', `${this.directory.path} was opened for reading only`);
    }
    const directories: string[] = [];
    for (const { topic, partition } of partitions)
      directories.push(await this.#places.ownDirectoryOf(topic, partition));
    return await holdPartitions(this.#fs, directories, this.#lockWaitMs);
  }

  /** Closes every partition, then lets go of the directory. Upkeep that is under way has a few seconds to finish. */
  async close(): Promise<void> {
    try {
      await this.#upkeep.close();
      await this.#pool.close();
    } finally {
      await this.directory.close();
    }
  }

  /**
   * By the configs of now: who appends may have opened the partition long ago, and what is deleted does not come back.
   */
  async #keep({ topic, partition }: TopicPartition, lockWaitMs: number, signal: AbortSignal): Promise<void> {
    const log = await this.partitionLog(topic, partition, { lockWaitMs });
    const { skipped } = await log.upkeepAfterRoll(signal);
    if (skipped !== 'clock' || this.#clockWarned) return;
    this.#clockWarned = true;
    this.#warn(`the clock has jumped, so nothing of topic ${topic} is deleted by its age for now`);
  }

  /** Files of a deleted topic that stay open keep their space on the disk. */
  async #letGo(topic: string): Promise<void> {
    for (const [key, log] of this.#logs) {
      if (key.startsWith(`${topic}-`)) await log.retire();
    }
  }
}
