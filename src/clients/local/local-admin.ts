import { KlogError } from '../../errors.js';
import type { Groups } from '../../groups/groups.js';
import { describeConfigs } from '../../store/topic-config.js';
import type {
  Admin,
  ApplyRetentionOptions,
  CompactedPartition,
  CompactTopicOptions,
  ConfigChange,
  DeletedRecords,
  DeleteRecordsOptions,
  ErasedRecords,
  EraseRecordsOptions,
  EraseSelection,
  ListedOffset,
  ListTopicsOptions,
  NewTopic,
  PartitionDescription,
  RecordsToDelete,
  RetainedPartition,
  TopicConfigs,
  TopicDescription,
  TopicListing,
} from '../admin.js';
import type { TopicPartition } from '../client.js';
import type { OffsetSpec } from '../consumer.js';
import type {
  ChangeGroupOptions,
  CopyGroupOptions,
  GroupAdmin,
  GroupDescription,
  GroupListing,
  NewGroupOffset,
} from '../group-admin.js';
import type { LogSnapshot, SnapshotOptions } from '../log-snapshot.js';
import type { ImportedTopic, TopicImport } from '../topic-import.js';
import { unknownPartition } from '../unknown-partition.js';
import type { LocalStore, PartitionReader, TopicSummary, Trimmed } from './local-store.js';
import { resolveOffset } from './offset-range.js';

/** Partitions that are looked at at the same time. */
const CONCURRENT_PARTITIONS = 8;

interface ChangeOptions {
  readonly validateOnly?: boolean;
}

export class LocalAdmin implements Admin {
  readonly #store: LocalStore;
  readonly #openGroups: () => Promise<Groups>;
  readonly #now: () => number;
  readonly #groups: () => Promise<GroupAdmin>;

  /** @param groups opens them when they are asked for */
  constructor(store: LocalStore, groups: () => Promise<Groups>, now: () => number) {
    this.#store = store;
    this.#openGroups = groups;
    this.#now = now;
    this.#groups = async () => {
      // Loaded by the few commands that need it.
      const { LocalGroupAdmin } = await import('./local-group-admin.js');
      return new LocalGroupAdmin(store, await groups(), now);
    };
  }

  async listGroups(): Promise<GroupListing[]> {
    return await (await this.#groups()).listGroups();
  }

  async describeGroups(groupIds: readonly string[]): Promise<GroupDescription[]> {
    return await (await this.#groups()).describeGroups(groupIds);
  }

  async alterGroupOffsets(
    groupId: string,
    offsets: readonly NewGroupOffset[],
    options?: ChangeGroupOptions,
  ): Promise<void> {
    await (await this.#groups()).alterGroupOffsets(groupId, offsets, options);
  }

  async deleteGroup(groupId: string, options?: ChangeGroupOptions): Promise<void> {
    await (await this.#groups()).deleteGroup(groupId, options);
  }

  async deleteGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options?: ChangeGroupOptions,
  ): Promise<TopicPartition[]> {
    return await (await this.#groups()).deleteGroupOffsets(groupId, partitions, options);
  }

  async copyGroup(from: string, to: string, options?: CopyGroupOptions): Promise<NewGroupOffset[]> {
    return await (await this.#groups()).copyGroup(from, to, options);
  }

  async evictGroupMember(groupId: string, member: string, options?: ChangeOptions): Promise<string> {
    return await (await this.#groups()).evictGroupMember(groupId, member, options);
  }

  async createTopic(topic: NewTopic, options: ChangeOptions = {}): Promise<TopicListing> {
    return listingOf(await this.#store.topics.create(topic, options));
  }

  async createTopics(topics: readonly NewTopic[], options: ChangeOptions = {}): Promise<(TopicListing | KlogError)[]> {
    const outcomes = await this.#store.topics.createAll(topics, options);
    return outcomes.map((outcome) => (outcome instanceof KlogError ? outcome : listingOf(outcome)));
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#store.topics.delete(topic);
  }

  async listTopics(options: ListTopicsOptions = {}): Promise<TopicListing[]> {
    return (await this.#store.topics.list(options)).map(listingOf);
  }

  async describeTopic(topic: string): Promise<TopicDescription> {
    const summary = await this.#store.topics.get(topic);
    const look = async (reader: PartitionReader, partition: number): Promise<PartitionDescription> => {
      const [marks, size] = await Promise.all([reader.marks(), this.#store.partitionSize(topic, partition)]);
      return { partition, ...marks, ...size };
    };
    const partitionDetails = await this.#eachPartition(topic, all(summary.partitions), look);
    return { ...listingOf(summary), configs: describeConfigs(summary.configs), partitionDetails };
  }

  async createPartitions(topic: string, partitions: number, options: ChangeOptions = {}): Promise<void> {
    await this.#store.topics.createPartitions(topic, partitions, options);
  }

  async alterConfigs(topic: string, change: ConfigChange, options: ChangeOptions = {}): Promise<TopicConfigs> {
    return await this.#store.topics.alterConfigs(topic, change, options);
  }

  async listOffsets(topic: string, spec: OffsetSpec, partitions?: readonly number[]): Promise<ListedOffset[]> {
    const chosen = await this.#choose(topic, partitions);
    return await this.#eachPartition(topic, chosen, async (reader, partition) => {
      if (typeof spec === 'object' && 'timestamp' in spec) {
        const found = await reader.offsetForTime(spec.timestamp);
        return { topic, partition, offset: found?.offset ?? -1, timestamp: found?.timestamp ?? -1 };
      }
      const marks = await reader.marks();
      const offset = await resolveOffset(spec, { reader, marks, visibleEnd: marks.highWatermark });
      return { topic, partition, offset, timestamp: -1 };
    });
  }

  async deleteRecords(
    topic: string,
    offsets: readonly RecordsToDelete[],
    options: DeleteRecordsOptions = {},
  ): Promise<DeletedRecords[]> {
    await this.#choose(
      topic,
      offsets.map(({ partition }) => partition),
    );
    const deleted: DeletedRecords[] = [];
    for (const { partition, beforeOffset } of offsets) {
      const upkeep = await this.#store.partitionUpkeep(topic, partition);
      deleted.push(deletedRecords(topic, partition, await upkeep.trim(beforeOffset, options)));
    }
    return deleted;
  }

  async compactTopic(topic: string, options: CompactTopicOptions = {}): Promise<CompactedPartition[]> {
    const { partitions, ...how } = options;
    const compacted: CompactedPartition[] = [];
    for (const partition of await this.#choose(topic, partitions)) {
      const upkeep = await this.#store.partitionUpkeep(topic, partition);
      compacted.push({ topic, partition, ...(await upkeep.compact(how)) });
    }
    return compacted;
  }

  async applyRetention(topic: string, options: ApplyRetentionOptions = {}): Promise<RetainedPartition[]> {
    const { partitions, ...how } = options;
    const retained: RetainedPartition[] = [];
    for (const partition of await this.#choose(topic, partitions)) {
      const upkeep = await this.#store.partitionUpkeep(topic, partition);
      const { skipped, ...trimmed } = await upkeep.applyRetention(how);
      retained.push({ ...deletedRecords(topic, partition, trimmed), skipped });
    }
    return retained;
  }

  async eraseRecords(
    topic: string,
    selection: EraseSelection,
    options: EraseRecordsOptions = {},
  ): Promise<ErasedRecords[]> {
    const { partition: only } = selection;
    const erased: ErasedRecords[] = [];
    for (const partition of await this.#choose(topic, only === undefined ? undefined : [only])) {
      const upkeep = await this.#store.partitionUpkeep(topic, partition);
      erased.push({ topic, partition, ...(await upkeep.erase(selection, options)) });
    }
    return erased;
  }

  async snapshot(options: SnapshotOptions = {}): Promise<LogSnapshot> {
    // Loaded by the few commands that need it.
    const { takeSnapshot } = await import('./local-snapshot.js');
    return await takeSnapshot(this.#store, options);
  }

  async importTopics(topics: readonly ImportedTopic[]): Promise<TopicImport> {
    const { beginImport } = await import('./local-topic-import.js');
    return await beginImport(this.#store, topics, async (snapshots) => {
      const { preparedOffsets } = await import('./imported-offsets.js');
      return await preparedOffsets(await this.#openGroups(), snapshots, this.#now);
    });
  }

  /** Those asked for, default all. */
  async #choose(topic: string, partitions: readonly number[] | undefined): Promise<readonly number[]> {
    const { partitions: count } = await this.#store.topics.get(topic);
    const missing = partitions?.find(
      (partition) => !(Number.isInteger(partition) && partition >= 0 && partition < count),
    );
    if (missing === undefined) return partitions ?? all(count);
    throw unknownPartition(topic, missing, count);
  }

  async #eachPartition<T>(
    topic: string,
    partitions: readonly number[],
    look: (reader: PartitionReader, partition: number) => Promise<T>,
  ): Promise<T[]> {
    const found = new Array<T>(partitions.length);
    let next = 0;
    const lookAll = async (): Promise<void> => {
      while (next < partitions.length) {
        const index = next++;
        const partition = partitions[index]!;
        const reader = await this.#store.partitionReader(topic, partition);
        try {
          found[index] = await look(reader, partition);
        } finally {
          await reader.close();
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_PARTITIONS }, lookAll));
    return found;
  }
}

function deletedRecords(topic: string, partition: number, trimmed: Trimmed): DeletedRecords {
  const { logStartOffset, ...rest } = trimmed;
  return { topic, partition, lowWatermark: logStartOffset, ...rest };
}

function all(partitions: number): number[] {
  return Array.from({ length: partitions }, (_, partition) => partition);
}

function listingOf({ topic, topicId, partitions, internal }: TopicSummary): TopicListing {
  return { topic, topicId, partitions, internal };
}
