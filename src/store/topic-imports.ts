/**
 * Topics that are filled before anybody sees them, and then come all together.
 *
 * ```
 *   begin ──▶ importing ──commit──▶ active        importing: no topic for anybody; the import's lock file is held
 *                 └──abort, or the process dies──▶ gone
 * ```
 * The lock file's content is the commit point of all topics of an import: a process that dies behind it leaves topics
 * in the state `importing` that the next change makes active; one that dies before it, topics that the next change
 * removes.
 */
import { KlogError } from '../errors.js';
import { validateTopicName } from '../format/topic-name.js';
import { newUuid, uuidToText } from '../format/uuid.js';
import type { FileSystem } from '../storage/file-system.js';
import type { HeldLock } from './file-lock.js';
import { commitImportLock, sweepImportLocks, takeImportLock, takeOverImport } from './import-lock.js';
import { checkPartitions } from './partition-count.js';
import type { PartitionRange } from './partition-directories.js';
import { normalizeConfigs } from './topic-config.js';
import { dropTopicFile, type TopicFile, writeTopicFile } from './topic-file.js';
import type { NewTopic, Topic } from './topics.js';

export interface NewImportedTopic extends NewTopic {
  /** Where each partition's log begins. Default 0. */
  readonly startOffsets?: readonly number[];
}

export interface PendingImport {
  readonly importId: string;
  readonly topics: readonly Topic[];
}

/** What it takes of {@link Topics}. */
export interface ImportHost {
  /** Runs under the admin lock. */
  change<T>(what: string, operation: () => Promise<T>): Promise<T>;
  assertFree(topic: string, partitions: number): Promise<void>;
  build(range: PartitionRange): Promise<void>;
  remove(range: PartitionRange, lockWaitMs: number): Promise<void>;
  topicOf(file: TopicFile): Topic;
}

export interface ImportOptions {
  readonly lockWaitMs: number;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Called before topics come to be there. */
  readonly onCreate?: (topics: ReadonlySet<string>) => Promise<void>;
}

interface OwnImport {
  readonly importId: string;
  readonly files: TopicFile[];
  readonly lock: HeldLock;
}

export class TopicImports {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #options: ImportOptions;
  readonly #host: ImportHost;
  readonly #own = new Map<string, OwnImport>();

  /** @param directory that of the topic files */
  constructor(fs: FileSystem, directory: string, options: ImportOptions, host: ImportHost) {
    this.#fs = fs;
    this.#directory = directory;
    this.#options = options;
    this.#host = host;
  }

  /**
   * @throws KlogError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG, KLOG_LOCKED
   */
  async begin(newTopics: readonly NewImportedTopic[]): Promise<PendingImport> {
    const files = newTopics.map((newTopic) => this.#fileOf(newTopic));
    const importId = Buffer.from(this.#options.randomBytes(16)).toString('hex');
    return await this.#host.change('import topics', async () => {
      const lock = await takeImportLock(this.#fs, this.#directory, importId);
      const own: OwnImport = { importId, files: [], lock };
      try {
        for (const [index, file] of files.entries()) {
          const { topic, topicId, partitions } = file;
          await this.#host.assertFree(topic, partitions);
          own.files.push(file);
          await writeTopicFile(this.#fs, this.#directory, { ...file, importId });
          const { startOffsets } = newTopics[index]!;
          await this.#host.build({ topic, topicId, first: 0, end: partitions, startOffsets });
        }
      } catch (error) {
        await this.#takeBack(own).catch(() => {});
        throw error;
      }
      this.#own.set(importId, own);
      return { importId, topics: files.map((file) => this.#host.topicOf(file)) };
    });
  }

  /**
   * The topics are there from now on. What was written to them must be durable. `before` says of them what has to be
   * known as soon as they are: should they not come after all, {@link ImportOptions.onCreate} forgets it when others of
   * their names do.
   */
  async commit(importId: string, before: () => Promise<void> = async () => {}): Promise<void> {
    const own = this.#own.get(importId);
    if (own === undefined) throw new KlogError('KLOG_CLOSED', 'the import is over');
    await this.#lastChange(own, 'import topics', async () => {
      try {
        await this.#options.onCreate?.(new Set(own.files.map(({ topic }) => topic)));
        await before();
        await commitImportLock(this.#fs, this.#directory, importId);
        for (const file of own.files) await writeTopicFile(this.#fs, this.#directory, { ...file, state: 'active' });
      } finally {
        // What is left over, the next change decides by the lock file.
        await own.lock.release();
      }
      await sweepImportLocks(this.#fs, this.#directory, async () => new Set());
    });
  }

  /** Removes the topics; nothing happens behind a commit, which decides for itself. */
  async abort(importId: string): Promise<void> {
    const own = this.#own.get(importId);
    if (own === undefined) return;
    await this.#lastChange(own, 'take back an import', () => this.#takeBack(own));
  }

  /** `change` lets go of the import's lock. So does it if it cannot be made: the next one decides by the lock file. */
  async #lastChange(own: OwnImport, what: string, change: () => Promise<void>): Promise<void> {
    this.#own.delete(own.importId);
    let hasBegun = false;
    try {
      await this.#host.change(what, async () => {
        hasBegun = true;
        await change();
      });
    } finally {
      if (!hasBegun) await own.lock.release();
    }
  }

  /** Decides about a topic in the state `importing` whose process has died. The admin lock is held. */
  async resume({ importId, ...file }: TopicFile): Promise<void> {
    const left = await takeOverImport(this.#fs, this.#directory, importId!);
    if (left === undefined) return;
    try {
      if (left.committed) await writeTopicFile(this.#fs, this.#directory, { ...file, state: 'active' });
      else await this.#remove(file, 0);
    } finally {
      await left.lock.release();
    }
  }

  /** Removes lock files that no topic names any more. The admin lock is held. */
  async sweep(files: () => Promise<readonly TopicFile[]>): Promise<void> {
    const inUse = async () => new Set((await files()).flatMap(({ importId }) => importId ?? []));
    await sweepImportLocks(this.#fs, this.#directory, inUse);
  }

  #fileOf({ topic, partitions = 1, configs = {}, startOffsets }: NewImportedTopic): TopicFile {
    validateTopicName(topic);
    checkPartitions(topic, partitions);
    if (startOffsets !== undefined && startOffsets.length !== partitions) {
      throw new TypeError(`${startOffsets.length} start offsets for ${partitions} partitions of topic ${topic}`);
    }
    const topicId = uuidToText(newUuid(() => this.#options.randomBytes(16)));
    return { topic, topicId, partitions, configs: normalizeConfigs(configs), state: 'importing' };
  }

  async #takeBack(own: OwnImport): Promise<void> {
    try {
      for (const file of own.files) await this.#remove(file, this.#options.lockWaitMs);
    } finally {
      await own.lock.release();
    }
    await sweepImportLocks(this.#fs, this.#directory, async () => new Set());
  }

  async #remove({ topic, topicId, partitions }: TopicFile, lockWaitMs: number): Promise<void> {
    await this.#host.remove({ topic, topicId, first: 0, end: partitions }, lockWaitMs);
    await dropTopicFile(this.#fs, this.#directory, topic);
  }
}
