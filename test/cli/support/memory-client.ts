import type {
  Admin,
  CompactedPartition,
  CompactTopicOptions,
  ConfigChange,
  DeletedRecords,
  ErasedRecords,
  EraseSelection,
  ListedOffset,
  NewTopic,
  RecordsToDelete,
  RetainedPartition,
  TopicConfigEntry,
  TopicConfigs,
  TopicDescription,
  TopicListing,
} from '../../../src/clients/admin.js';
import type { Client } from '../../../src/clients/client.js';
import type { OffsetSpec } from '../../../src/clients/consumer.js';
import { KlogError } from '../../../src/errors.js';

interface MemoryTopic {
  readonly topic: string;
  partitions: number;
  configs: Record<string, string>;
}

const DEFAULTS: TopicConfigs = {
  'cleanup.policy': 'delete',
  'retention.bytes': '-1',
  'retention.ms': '604800000',
  'segment.bytes': '1073741824',
};

/**
 * Topics without records, for what the command line makes of an `Admin`. Every partition holds the offsets 10 to 20.
 */
export class MemoryClient implements Client {
  readonly topics = new Map<string, MemoryTopic>();
  /** What was asked for of upkeep, in order; only what would change something. */
  readonly upkeep: unknown[] = [];
  closed = 0;

  add(topic: string, partitions = 1, configs: Record<string, string> = {}): this {
    this.topics.set(topic, { topic, partitions, configs });
    return this;
  }

  admin(): Admin {
    return new MemoryAdmin(this.topics, this.upkeep);
  }

  producer(): never {
    throw new Error('no producer here');
  }

  consumer(): never {
    throw new Error('no consumer here');
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class MemoryAdmin implements Admin {
  readonly #topics: Map<string, MemoryTopic>;
  readonly #upkeep: unknown[];

  constructor(topics: Map<string, MemoryTopic>, upkeep: unknown[]) {
    this.#topics = topics;
    this.#upkeep = upkeep;
  }

  async createTopic({ topic, partitions = 1, configs = {} }: NewTopic, options: { validateOnly?: boolean } = {}) {
    if (topic.includes('/')) throw new KlogError('INVALID_TOPIC_EXCEPTION', `illegal topic name '${topic}'`, { topic });
    if (this.#topics.has(topic)) throw new KlogError('TOPIC_ALREADY_EXISTS', `topic ${topic} exists`, { topic });
    const created = { topic, partitions, configs: checked(configs) };
    if (options.validateOnly !== true) this.#topics.set(topic, created);
    return listing(created);
  }

  async createTopics(topics: readonly NewTopic[], options: { validateOnly?: boolean } = {}) {
    const outcomes: (TopicListing | KlogError)[] = [];
    for (const topic of topics) {
      outcomes.push(await this.createTopic(topic, options).catch((error: unknown) => error as KlogError));
    }
    return outcomes;
  }

  async deleteTopic(topic: string): Promise<void> {
    this.#get(topic);
    this.#topics.delete(topic);
  }

  // Commands of groups are tested on directories.
  listGroups = noGroups;
  describeGroups = noGroups;
  alterGroupOffsets = noGroups;
  deleteGroup = noGroups;
  deleteGroupOffsets = noGroups;
  copyGroup = noGroups;
  evictGroupMember = noGroups;

  async listTopics(options: { internal?: boolean } = {}): Promise<TopicListing[]> {
    return [...this.#topics.values()].map(listing).filter(({ internal }) => !internal || options.internal === true);
  }

  async describeTopic(topic: string): Promise<TopicDescription> {
    const found = this.#get(topic);
    const configs = Object.entries(DEFAULTS).map(([name, value]): TopicConfigEntry => {
      const own = found.configs[name];
      return { name, value: own ?? value, source: own === undefined ? 'default' : 'topic' };
    });
    const partitionDetails = Array.from({ length: found.partitions }, (_, partition) => {
      const marks = { logStartOffset: 10, highWatermark: 20, lastStableOffset: 20, logEndOffset: 20 };
      return { partition, ...marks, leaderEpoch: 0, segments: 1, sizeInBytes: 1234 };
    });
    return { ...listing(found), configs, partitionDetails };
  }

  async createPartitions(topic: string, partitions: number, options: { validateOnly?: boolean } = {}): Promise<void> {
    const found = this.#get(topic);
    if (partitions <= found.partitions) throw new KlogError('INVALID_PARTITIONS', 'only grows', { topic });
    if (options.validateOnly !== true) found.partitions = partitions;
  }

  async alterConfigs(topic: string, change: ConfigChange, options: { validateOnly?: boolean } = {}) {
    const found = this.#get(topic);
    const next: Record<string, string> = { ...found.configs };
    for (const name of change.delete ?? []) delete next[name];
    Object.assign(next, checked(change.set ?? {}));
    for (const [name, value] of Object.entries(change.append ?? {})) {
      next[name] = `${next[name] ?? DEFAULTS[name]},${value}`;
    }
    for (const [name, value] of Object.entries(change.subtract ?? {})) {
      const items = (next[name] ?? DEFAULTS[name] ?? '').split(',');
      next[name] = items.filter((item) => item !== value).join(',');
    }
    if (options.validateOnly !== true) found.configs = next;
    return next;
  }

  async listOffsets(topic: string, spec: OffsetSpec, partitions?: readonly number[]): Promise<ListedOffset[]> {
    const found = this.#get(topic);
    const asked = partitions ?? Array.from({ length: found.partitions }, (_, partition) => partition);
    return asked.map((partition) => {
      if (partition >= found.partitions) {
        throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} has no partition ${partition}`, {
          topic,
          partition,
        });
      }
      if (spec === 'start') return { topic, partition, offset: 10, timestamp: -1 };
      if (spec === 'end') return { topic, partition, offset: 20, timestamp: -1 };
      if (typeof spec === 'number') return { topic, partition, offset: spec, timestamp: -1 };
      if ('fromEnd' in spec) return { topic, partition, offset: Math.max(10, 20 - spec.fromEnd), timestamp: -1 };
      if (typeof spec !== 'object' || !('timestamp' in spec)) throw new Error('not asked for by any command');
      // Partition 0 has a record of every second from 1 to 10, the others have none so late.
      const isLate = partition > 0 || spec.timestamp > 10_000;
      return isLate
        ? { topic, partition, offset: -1, timestamp: -1 }
        : { topic, partition, offset: 10 + spec.timestamp / 1000, timestamp: spec.timestamp };
    });
  }

  async deleteRecords(
    topic: string,
    offsets: readonly RecordsToDelete[],
    options: { validateOnly?: boolean } = {},
  ): Promise<DeletedRecords[]> {
    this.#get(topic);
    if (options.validateOnly !== true) this.#upkeep.push({ deleteRecords: topic, offsets });
    return offsets.map(({ partition, beforeOffset }) => {
      if (beforeOffset > 20) throw new KlogError('OFFSET_OUT_OF_RANGE', `${topic}:${partition} ends at 20`, { topic });
      const lowWatermark = Math.max(10, beforeOffset);
      return { topic, partition, lowWatermark, offsets: lowWatermark - 10, segments: 0, sizeInBytes: 0 };
    });
  }

  async compactTopic(topic: string, options: CompactTopicOptions = {}): Promise<CompactedPartition[]> {
    const { partitions, configs } = this.#get(topic);
    if (!configs['cleanup.policy']?.includes('compact')) {
      throw new KlogError('INVALID_CONFIG', `topic ${topic} is not compacted`, { topic });
    }
    if (options.validateOnly !== true) this.#upkeep.push({ compactTopic: topic });
    const chosen = options.partitions ?? Array.from({ length: partitions }, (_, partition) => partition);
    return chosen.map((partition) => {
      const sizes = { segmentsBefore: 2, segmentsAfter: 1, sizeBefore: 1000, sizeAfter: 500 };
      const skipped = partition === 0 ? undefined : 'nothing to do';
      return { topic, partition, skipped, firstDirtyOffset: 20, recordsBefore: 10, recordsAfter: 4, ...sizes };
    });
  }

  async applyRetention(): Promise<RetainedPartition[]> {
    throw new Error('not asked for by any command');
  }

  async eraseRecords(topic: string, selection: EraseSelection, options: { validateOnly?: boolean } = {}) {
    const { partitions } = this.#get(topic);
    if (options.validateOnly !== true) this.#upkeep.push({ eraseRecords: topic, selection });
    const { partition: only } = selection;
    const asked = only === undefined ? Array.from({ length: partitions }, (_, partition) => partition) : [only];
    return asked.map((partition): ErasedRecords => {
      // Keys that begin with k are in partition 0 only.
      const found = 'offset' in selection ? selection.offset < 20 : partition === 0 && selection.key[0] === 0x6b;
      return { topic, partition, records: found ? 1 : 0, segments: found ? 1 : 0, cutFiles: 0 };
    });
  }

  snapshot(): never {
    throw new Error('no records here');
  }

  importTopics(): never {
    throw new Error('no records here');
  }

  #get(topic: string): MemoryTopic {
    const found = this.#topics.get(topic);
    if (found === undefined) throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `unknown topic '${topic}'`, { topic });
    return found;
  }
}

function listing({ topic, partitions }: MemoryTopic): TopicListing {
  return { topic, topicId: `id-of-${topic}`, partitions, internal: topic.startsWith('__') };
}

function checked(configs: TopicConfigs): Record<string, string> {
  for (const name of Object.keys(configs)) {
    if (!(name in DEFAULTS)) throw new KlogError('INVALID_CONFIG', `unknown topic config '${name}'`);
  }
  return { ...configs };
}

function noGroups(): never {
  throw new Error('no groups here');
}
