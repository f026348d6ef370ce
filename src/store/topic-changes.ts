/**
 * Changes of topics are made one at a time, under the admin lock, and each begins with what a killed one has left: a
 * create is taken back, a delete is completed. A topic's file is the commit point of each.
 */
import { join } from 'node:path';
import { KlogError } from '../errors.js';
import { isInternalTopic } from '../format/topic-name.js';
import type { FileSystem } from '../storage/file-system.js';
import { lockGate } from '../storage/lock-gate.js';
import type { Clock } from '../storage/log-context.js';
import type { DataDirectory } from './data-directory.js';
import { lockExclusively } from './file-lock.js';
import { assertFree } from './free-topic-name.js';
import { ADMIN_LOCK } from './layout.js';
import {
  createDirectories,
  type PartitionRange,
  removeDirectories,
  sweepDirectories,
} from './partition-directories.js';
import { storageError } from './system-error.js';
import type { TopicConfigs } from './topic-config.js';
import type { TopicFile } from './topic-file.js';
import { TopicFiles } from './topic-files.js';
import { TopicImports } from './topic-imports.js';

export interface Topic {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: number;
  readonly internal: boolean;
  /** Only those that were set. */
  readonly configs: TopicConfigs;
}

export interface ChangeOptions {
  /** Check, and change nothing. */
  readonly validateOnly?: boolean;
}

export interface TopicsOptions {
  readonly clock: Clock;
  /** Longest wait for the admin lock, and for each lock of a partition that is deleted, in milliseconds. */
  readonly lockWaitMs: number;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Called before topics are made. */
  readonly onCreate?: (topics: ReadonlySet<string>) => Promise<void>;
  /** Called before the directories of a topic are removed. */
  readonly onDelete?: (topic: string) => Promise<void>;
  /** Called when they are, before the name is free. */
  readonly onDeleted?: (topic: string) => Promise<void>;
}

/** What all changes of topics have in common. */
export class TopicChanges {
  readonly files: TopicFiles;
  readonly imports: TopicImports;
  readonly #fs: FileSystem;
  readonly #directory: DataDirectory;
  readonly #options: TopicsOptions;

  constructor(fs: FileSystem, directory: DataDirectory, options: TopicsOptions) {
    this.#fs = fs;
    this.#directory = directory;
    this.#options = options;
    this.files = new TopicFiles(fs, directory.topicsDirectory);
    this.imports = new TopicImports(fs, directory.topicsDirectory, options, {
      change: (what, operation) => this.run(what, {}, operation),
      assertFree: async (topic, partitions) => this.assertFree(topic, partitions, await this.files.names()),
      build: (range) => this.build(range),
      remove: (range, lockWaitMs) => this.#remove(range, lockWaitMs),
      topicOf,
    });
  }

  /**
   * Runs one change under the admin lock, after what earlier ones have left, which it is told. `validateOnly` takes no
   * lock.
   */
  async run<T>(
    what: string,
    options: ChangeOptions,
    operation: (found: readonly TopicFile[]) => Promise<T>,
  ): Promise<T> {
    try {
      if (options.validateOnly === true) return await operation([]);
      if (this.#directory.readOnly) {
        throw new KlogError('KLOG_PERMISSION_DENIED', `${this.#directory.path} was opened for reading only`);
      }
      return await lockGate.run(() => this.#underLock(operation));
    } catch (error) {
      throw storageError(error, `cannot ${what}`);
    }
  }

  /** Brings one interrupted change to its end. A delete whose partition a writer holds stays for the next change. */
  async resume(file: TopicFile): Promise<void> {
    const { topic, topicId, partitions, growingTo } = file;
    if (file.state === 'creating') {
      await this.#remove({ topic, topicId, first: 0, end: partitions }, 0);
      await this.files.drop(topic);
    } else if (file.state === 'deleting') {
      await this.completeDelete(file, 0).catch((error: unknown) => {
        if (!(error instanceof KlogError && error.code === 'KLOG_LOCKED')) throw error;
      });
    } else if (file.state === 'importing') {
      await this.imports.resume(file);
    } else if (growingTo !== undefined) {
      await this.#remove({ topic, topicId, first: partitions, end: growingTo }, 0);
      const { growingTo: _, ...settled } = file;
      await this.files.write(settled);
    }
  }

  /**
   * Of a topic that nobody sees any more. @throws KlogError KLOG_LOCKED when a partition is in use for longer than that
   */
  async completeDelete(file: TopicFile, lockWaitMs: number): Promise<void> {
    const { topic, topicId, partitions, growingTo } = file;
    await this.#options.onDelete?.(topic);
    await this.#remove({ topic, topicId, first: 0, end: Math.max(partitions, growingTo ?? 0) }, lockWaitMs);
    // What this writes may need the room that there is now.
    await this.#options.onDeleted?.(topic);
    await this.files.drop(topic);
  }

  /** @throws KlogError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION */
  async assertFree(
    topic: string,
    partitions: number,
    taken: readonly string[],
    { validateOnly = false }: ChangeOptions = {},
  ): Promise<void> {
    const place = { logDirectory: this.#directory.logDirectory, files: this.files, taken };
    await assertFree(this.#fs, place, { topic, partitions }, validateOnly);
  }

  /** Makes the directories of partitions. */
  async build(range: PartitionRange): Promise<void> {
    await createDirectories(this.#fs, this.#directory.logDirectory, range, this.#options.clock);
  }

  async #underLock<T>(operation: (found: readonly TopicFile[]) => Promise<T>): Promise<T> {
    const path = join(this.#directory.topicsDirectory, ADMIN_LOCK);
    const lock = await lockExclusively(this.#fs, path, 'the lock for changes of topics', this.#options.lockWaitMs);
    try {
      await this.files.sweep();
      const found = await this.files.all();
      // First of all: on a full disk this is what makes room.
      await sweepDirectories(this.#fs, this.#directory.logDirectory);
      for (const file of found) await this.resume(file);
      await this.imports.sweep(() => this.files.all());
      return await operation(found);
    } finally {
      await lock.release();
    }
  }

  async #remove(range: PartitionRange, lockWaitMs: number): Promise<void> {
    await removeDirectories(this.#fs, this.#directory.logDirectory, range, lockWaitMs);
  }
}

export function topicOf(file: TopicFile): Topic {
  const { topic, topicId, partitions, configs } = file;
  return { topic, topicId, partitions, configs, internal: isInternalTopic(topic) };
}
