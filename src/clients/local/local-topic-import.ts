import { KlogError } from '../../errors.js';
import { checkBatches, splitBatches } from '../../format/batch-run.js';
import { MAGIC_AT, MAGIC_V2 } from '../../format/record-batch.js';
import { storageError } from '../../store/system-error.js';
import type { TopicPartition } from '../client.js';
import type { GroupSnapshot } from '../log-snapshot.js';
import type { ImportedTopic, TopicImport } from '../topic-import.js';
import type { Appended, LocalStore, PartitionLog, LocalTopicImport as StoreImport } from './local-store.js';

/** What a power loss may take at most of one partition, and what the system has to keep in memory until then. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

/** @param prepareOffsets makes ready what groups have committed; what it answers commits it */
export async function beginImport(
  store: LocalStore,
  topics: readonly ImportedTopic[],
  prepareOffsets: PrepareOffsets,
): Promise<TopicImport> {
  const modes = new Map(topics.map(({ topic, mode = 'create' }) => [topic, mode] as const));
  for (const [topic, mode] of modes) {
    // Before anything is made.
    if (mode !== 'create') await store.topics.get(topic);
  }
  const created = topics.filter(({ mode = 'create' }) => mode === 'create');
  const pending = created.length === 0 ? undefined : await store.importTopics(created);
  return new LocalTopicImport(store, modes, pending, prepareOffsets);
}

type PrepareOffsets = (groups: readonly GroupSnapshot[]) => Promise<() => Promise<void>>;

type Modes = ReadonlyMap<string, NonNullable<ImportedTopic['mode']>>;

/** The partition that is being filled: one after the other, so that one has its files open. */
interface OpenPartition extends TopicPartition {
  readonly log: PartitionLog;
  readonly keepOffsets: boolean;
  /** The last append that is not known to be durable. */
  appended: Appended | undefined;
  unsynced: number;
}

class LocalTopicImport implements TopicImport {
  readonly #store: LocalStore;
  readonly #modes: Modes;
  readonly #created: StoreImport | undefined;
  readonly #prepareOffsets: PrepareOffsets;
  #open: OpenPartition | undefined;
  #isOver = false;

  constructor(store: LocalStore, modes: Modes, created: StoreImport | undefined, prepareOffsets: PrepareOffsets) {
    this.#store = store;
    this.#modes = modes;
    this.#created = created;
    this.#prepareOffsets = prepareOffsets;
  }

  async append(partition: TopicPartition, batches: Uint8Array): Promise<void> {
    if (this.#isOver) throw new KlogError('KLOG_CLOSED', 'the import is over');
    checkBatches(batches, 0, Number.MAX_SAFE_INTEGER);
    try {
      await this.#append(await this.#partition(partition), splitBatches(batches));
    } catch (error) {
      throw storageError(error, `cannot write to ${partition.topic}:${partition.partition}`, partition);
    }
  }

  async commit(groups: readonly GroupSnapshot[] = []): Promise<void> {
    if (this.#isOver) throw new KlogError('KLOG_CLOSED', 'the import is over');
    for (const { offsets } of groups) for (const { topic } of offsets) this.#mustBeNew(topic);
    await this.#settle();
    const commitOffsets = groups.length === 0 ? undefined : await this.#prepareOffsets(groups);
    this.#isOver = true;
    await this.#created?.commit(commitOffsets);
  }

  async abort(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#open = undefined;
    await this.#created?.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }

  #mustBeNew(topic: string): void {
    if (this.#modes.get(topic) === 'create') return;
    throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} is not among the topics that this import makes`, {
      topic,
    });
  }

  async #append(open: OpenPartition, batches: readonly Uint8Array[]): Promise<void> {
    const { topic, partition, keepOffsets } = open;
    if (!keepOffsets && batches.some((batch) => batch[MAGIC_AT]! < MAGIC_V2)) {
      throw new KlogError('UNSUPPORTED_FOR_MESSAGE_FORMAT', 'batches older than v2 cannot be given new offsets', {
        topic,
        partition,
      });
    }
    const appended = await open.log.append(batches, { keepOffsets });
    if (open.appended !== undefined && open.appended.cutCount !== appended.cutCount) {
      throw new KlogError('KLOG_OUTCOME_UNKNOWN', `${topic}:${partition} was cut back while it was written to`, {
        topic,
        partition,
      });
    }
    open.appended = appended;
    open.unsynced += appended.bytes;
    if (open.unsynced >= SYNC_EVERY_BYTES) await this.#settle();
  }

  /** What was appended so far is durable. */
  async #settle(): Promise<void> {
    const open = this.#open;
    if (open?.appended === undefined) return;
    await open.log.durable(open.appended);
    open.appended = undefined;
    open.unsynced = 0;
  }

  async #partition({ topic, partition }: TopicPartition): Promise<OpenPartition> {
    if (this.#open?.topic === topic && this.#open.partition === partition) return this.#open;
    await this.#settle();
    const mode = this.#modes.get(topic);
    if (mode === undefined) {
      throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} is not among the imported topics`, { topic });
    }
    const log =
      mode === 'create'
        ? this.#created!.partitionLog(topic, partition)
        : await this.#store.partitionLog(topic, partition);
    this.#open = { topic, partition, log, keepOffsets: mode !== 'append', appended: undefined, unsynced: 0 };
    return this.#open;
  }
}
