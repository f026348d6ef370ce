import type {
  AbortedTransaction,
  Appended,
  Damage,
  FetchedBatches,
  LocalStore,
  LocalTopicImport,
  LocalTopics,
  PartitionLog,
  PartitionMarks,
  PartitionReader,
  PartitionUpkeep,
  StoredTopic,
  TopicSummary,
} from '../../src/clients/local/local-store.js';
import { KlogError } from '../../src/errors.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';

interface StoredBatch {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  readonly nextOffset: number;
}

/** One partition in memory, whose every step a test may hold up or fail. */
export class MemoryPartition implements PartitionLog {
  readonly batches: StoredBatch[] = [];
  readonly aborted: AbortedTransaction[] = [];
  readonly #watchers = new Set<() => void>();
  logStartOffset = 0;
  logEndOffset = 0;
  highWatermark = 0;
  /** Below this when set, else the high watermark. */
  firstUnstableOffset = Number.POSITIVE_INFINITY;
  /** Under LogAppendTime. */
  appendTime = -1;
  /** How many batches each append brought. */
  readonly appends: number[] = [];
  durables = 0;
  fetches = 0;
  openReaders = 0;
  /** Keeps the bytes of batches; a test of sheer speed may throw them away. */
  keep = true;
  beforeAppend: () => void | Promise<void> = () => {};
  beforeDurable: (appended: Appended) => void | Promise<void> = () => {};
  beforeFetch: (offset: number) => void | Promise<void> = () => {};

  async append(batches: readonly Uint8Array[]): Promise<Appended> {
    this.appends.push(batches.length);
    await this.beforeAppend();
    const baseOffset = this.logEndOffset;
    let size = 0;
    const view = new RecordBatch();
    for (const given of batches) {
      const bytes = this.keep ? Buffer.from(given) : Buffer.from(given.buffer, given.byteOffset, given.length);
      view.reset(bytes, 0);
      view.setBaseOffset(this.logEndOffset);
      view.setPartitionLeaderEpoch(0);
      if (this.appendTime >= 0) view.setLogAppendTime(this.appendTime);
      const { nextOffset } = view;
      if (this.keep) this.batches.push({ bytes, baseOffset: this.logEndOffset, nextOffset });
      this.logEndOffset = nextOffset;
      size += bytes.length;
    }
    const { appendTime } = this;
    return { baseOffset, lastOffset: this.logEndOffset - 1, cutCount: 0, appendTime, bytes: size };
  }

  async durable(appended: Appended): Promise<void> {
    this.durables++;
    await this.beforeDurable(appended);
    this.highWatermark = Math.max(this.highWatermark, appended.lastOffset + 1);
    for (const wake of [...this.#watchers]) wake();
  }

  /** Puts a batch as it is (a control batch, a transactional one, a gap before it) and makes it visible. */
  put(bytes: Uint8Array): void {
    const view = new RecordBatch().reset(bytes, 0);
    this.batches.push({ bytes: Buffer.from(bytes), baseOffset: view.baseOffset, nextOffset: view.nextOffset });
    this.logEndOffset = view.nextOffset;
    this.highWatermark = view.nextOffset;
    for (const wake of [...this.#watchers]) wake();
  }

  marks(): PartitionMarks {
    const { logStartOffset, logEndOffset, highWatermark } = this;
    const lastStableOffset = Math.min(highWatermark, this.firstUnstableOffset);
    return { logStartOffset, logEndOffset, highWatermark, lastStableOffset, leaderEpoch: 0 };
  }

  async fetch(offset: number, maxBytes: number): Promise<FetchedBatches> {
    this.fetches++;
    await this.beforeFetch(offset);
    if (offset < this.logStartOffset || offset > this.logEndOffset) {
      throw new KlogError('OFFSET_OUT_OF_RANGE', `offset ${offset}`);
    }
    const found: Buffer[] = [];
    let size = 0;
    let nextOffset = offset;
    for (const batch of this.batches) {
      if (batch.nextOffset <= offset) continue;
      if (
        this.damage !== undefined &&
        batch.baseOffset >= this.damage.offset &&
        batch.baseOffset < this.damage.nextOffset
      ) {
        if (found.length === 0)
          throw new KlogError('CORRUPT_MESSAGE', 'damaged', { file: 'memory', position: 7, offset });
        break;
      }
      if (batch.nextOffset > this.highWatermark) break;
      if (found.length > 0 && size + batch.bytes.length > maxBytes) break;
      found.push(batch.bytes);
      size += batch.bytes.length;
      nextOffset = batch.nextOffset;
    }
    return { buffer: Buffer.concat(found), start: 0, end: size, nextOffset };
  }

  /** Where damage is: fetching from there fails, skipping it goes to `nextOffset`. */
  damage: { readonly offset: number; readonly nextOffset: number } | undefined;

  skipDamage(offset: number, reason: string): Damage {
    return { file: 'memory', position: 7, length: 5, offset, nextOffset: this.damage!.nextOffset, reason };
  }

  offsetForTime(timestamp: number): { offset: number; timestamp: number } | undefined {
    const cursor = new RecordCursor();
    for (const { bytes } of this.batches) {
      openCursor(cursor, bytes, 0);
      while (cursor.next()) {
        if (cursor.timestamp >= timestamp) return { offset: cursor.offset, timestamp: cursor.timestamp };
      }
    }
    return undefined;
  }

  waitForMore(beyond: number, { signal, timeoutMs }: { signal?: AbortSignal; timeoutMs?: number }): Promise<boolean> {
    if (this.highWatermark > beyond) return Promise.resolve(true);
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = (more: boolean): void => {
        this.#watchers.delete(look);
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        resolve(more);
      };
      const look = (): void => {
        if (this.highWatermark > beyond) done(true);
      };
      const aborted = (): void => done(false);
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => done(false), timeoutMs);
      this.#watchers.add(look);
      signal?.addEventListener('abort', aborted);
    });
  }
}

/** A store of {@link MemoryPartition}s: for what cannot be made to happen on a disk at will. */
export class MemoryStore implements LocalStore {
  readonly #topics = new Map<string, { stored: StoredTopic; partitions: MemoryPartition[] }>();
  maxOpenReaders = 0;
  #openReaders = 0;

  add(topic: string, partitions = 1, settings: Partial<StoredTopic> = {}): MemoryPartition[] {
    const stored: StoredTopic = {
      topic,
      topicId: `id-of-${topic}`,
      partitions,
      maxMessageBytes: 16 * 1024 * 1024 + 4096,
      compression: 'none',
      isCompacted: false,
      configs: {},
      ...settings,
    };
    const made = Array.from({ length: partitions }, () => new MemoryPartition());
    this.#topics.set(topic, { stored, partitions: made });
    return made;
  }

  async topic(name: string): Promise<StoredTopic | undefined> {
    return this.#topics.get(name)?.stored;
  }

  async partitionLog(topic: string, partition: number): Promise<PartitionLog> {
    return this.#partition(topic, partition);
  }

  async partitionUpkeep(topic: string, partition: number): Promise<PartitionUpkeep> {
    throw new KlogError('KLOG_UNSUPPORTED', 'memory keeps everything', { topic, partition });
  }

  /** Nothing here moves unless a test moves it. */
  async holdPartitions(): Promise<() => Promise<void>> {
    return async () => {};
  }

  async importTopics(): Promise<LocalTopicImport> {
    throw new KlogError('KLOG_UNSUPPORTED', 'memory imports nothing');
  }

  async partitionReader(topic: string, partition: number): Promise<PartitionReader> {
    const from = this.#partition(topic, partition);
    this.#openReaders++;
    this.maxOpenReaders = Math.max(this.maxOpenReaders, this.#openReaders);
    from.openReaders++;
    return {
      marks: async () => from.marks(),
      fetch: (offset, maxBytes) => from.fetch(offset, maxBytes),
      offsetForTime: async (timestamp) => from.offsetForTime(timestamp),
      skipDamage: async (offset, reason) => from.skipDamage(offset, reason),
      abortedTransactions: async (start, end) =>
        from.aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= start && firstOffset < end),
      waitForMore: (beyond, options) => from.waitForMore(beyond, options),
      close: async () => {
        this.#openReaders--;
        from.openReaders--;
      },
    };
  }

  async partitionSize(topic: string, partition: number): Promise<{ segments: number; sizeInBytes: number }> {
    const { batches } = this.#partition(topic, partition);
    return { segments: 1, sizeInBytes: batches.reduce((sum, { bytes }) => sum + bytes.length, 0) };
  }

  readonly topics: LocalTopics = {
    list: async () => [],
    get: async (topic) => this.#summary(topic),
    lastChange: async () => 0,
    create: async ({ topic, partitions = 1 }) => {
      this.add(topic, partitions);
      return this.#summary(topic);
    },
    createAll: async () => notInMemory(),
    createPartitions: async () => notInMemory(),
    alterConfigs: async () => notInMemory(),
    delete: async () => notInMemory(),
  };

  async close(): Promise<void> {}

  #summary(topic: string): TopicSummary {
    const { stored } = this.#topics.get(topic) ?? {};
    if (stored === undefined) throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${topic}`);
    return { topic, topicId: stored.topicId, partitions: stored.partitions, internal: false, configs: {} };
  }

  #partition(topic: string, partition: number): MemoryPartition {
    const found = this.#topics.get(topic)?.partitions[partition];
    if (found === undefined) throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `${topic}-${partition}`);
    return found;
  }
}

function notInMemory(): never {
  throw new Error('not in memory: use a real directory');
}
