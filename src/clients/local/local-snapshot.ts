import { KlogError } from '../../errors.js';
import { nextBatch, WalkResult } from '../../format/batch-walk.js';
import { RecordBatch } from '../../format/record-batch.js';
import type { TopicPartition } from '../client.js';
import type {
  DeletedRange,
  GroupSnapshot,
  LogSnapshot,
  PartitionSnapshot,
  SnapshotOptions,
  TopicSnapshot,
} from '../log-snapshot.js';
import { type CommitLog, usedOffsetsPartitions } from './commit-logs.js';
import type { FetchedBatches, LocalStore, PartitionReader, TopicSummary } from './local-store.js';
import { marksOfOneMoment, type WatchedPartition } from './one-moment.js';
import { trimmedBatch } from './trimmed-batch.js';

const DEFAULT_FETCH_BYTES = 1024 * 1024;
/** Partitions that are opened at the same time. */
const CONCURRENT_OPENS = 8;
/** Topics may be created, deleted or given partitions while ends are fixed; then all begins again. */
const MAX_TRIES = 20;

export async function takeSnapshot(store: LocalStore, options: SnapshotOptions): Promise<LogSnapshot> {
  for (let tries = 1; ; tries++) {
    const topics = await chooseTopics(store, options);
    const commits = options.groups === true ? await usedOffsetsPartitions(store) : [];
    const watched = await openAll(store, [...placesOf(topics), ...commits]);
    try {
      const marks = await marksOfOneMoment(store, watched);
      // The moment counts for the topics, too: a record in one of them may be due to a record in one that is new.
      const stillThere = await chooseTopics(store, options).catch(() => []);
      if (sameTopics(topics, stillThere)) {
        const ends = watched
          .slice(0, watched.length - commits.length)
          .map(({ topic, partition }, i): PartitionSnapshot => {
            const { logStartOffset: startOffset, lastStableOffset: endOffset } = marks[i]!;
            return { topic, partition, startOffset, endOffset };
          });
        const ownPlaces = watched.length - commits.length;
        const logs = watched.slice(ownPlaces).map(({ reader }, i) => {
          return { reader, endOffset: marks[ownPlaces + i]!.highWatermark };
        });
        return new LocalSnapshot(topics, watched, ends, logs, options.maxFetchBytes ?? DEFAULT_FETCH_BYTES);
      }
    } catch (error) {
      await closeAll(watched);
      throw error;
    }
    await closeAll(watched);
    if (tries === MAX_TRIES) throw new KlogError('KLOG_LOCKED', 'topics are created or deleted all the time');
  }
}

async function chooseTopics(store: LocalStore, { topics, internal }: SnapshotOptions): Promise<TopicSummary[]> {
  if (topics === undefined) return await store.topics.list({ internal: internal === true });
  const chosen: TopicSummary[] = [];
  for (const topic of new Set(topics)) chosen.push(await store.topics.get(topic));
  return chosen;
}

function sameTopics(a: readonly TopicSummary[], b: readonly TopicSummary[]): boolean {
  const identity = (topics: readonly TopicSummary[]) =>
    topics.map(({ topicId, partitions }) => `${topicId} ${partitions}`).join();
  return identity(a) === identity(b);
}

function placesOf(topics: readonly TopicSummary[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  );
}

async function openAll(store: LocalStore, wanted: readonly TopicPartition[]): Promise<WatchedPartition[]> {
  const opened = new Array<WatchedPartition | undefined>(wanted.length);
  let next = 0;
  const openSome = async (): Promise<void> => {
    while (next < wanted.length) {
      const index = next++;
      const { topic, partition } = wanted[index]!;
      opened[index] = { topic, partition, reader: await store.partitionReader(topic, partition) };
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: CONCURRENT_OPENS }, openSome));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure === undefined) return opened as WatchedPartition[];
  await closeAll(opened.filter((one) => one !== undefined));
  throw failure.reason;
}

async function closeAll(watched: readonly WatchedPartition[]): Promise<void> {
  for (const { reader } of watched) await reader.close();
}

class LocalSnapshot implements LogSnapshot {
  readonly topics: readonly TopicSnapshot[];
  readonly deleted: DeletedRange[] = [];
  readonly #watched: readonly WatchedPartition[];
  readonly #ends: readonly PartitionSnapshot[];
  readonly #commits: readonly CommitLog[];
  readonly #maxFetchBytes: number;
  readonly #walk = new WalkResult();
  readonly #batch = new RecordBatch();

  constructor(
    topics: readonly TopicSummary[],
    watched: readonly WatchedPartition[],
    ends: readonly PartitionSnapshot[],
    commits: readonly CommitLog[],
    maxFetchBytes: number,
  ) {
    this.#watched = watched;
    this.#ends = ends;
    this.#commits = commits;
    this.#maxFetchBytes = maxFetchBytes;
    this.topics = topics.map(({ topic, topicId, configs }) => {
      return { topic, topicId, configs, partitions: ends.filter((end) => end.topic === topic) };
    });
  }

  async *batches({ topic, partition }: TopicPartition): AsyncGenerator<Uint8Array> {
    const index = this.#ends.findIndex((one) => one.topic === topic && one.partition === partition);
    const range = this.#ends[index];
    if (range === undefined) {
      const message = `${topic}:${partition} is not in the snapshot`;
      throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', message, { topic, partition });
    }
    const { reader } = this.#watched[index]!;
    let spare: Buffer | undefined;
    let next = range.startOffset;
    while (next < range.endOffset) {
      const block = await this.#fetch(reader, range, next, spare);
      if (block === undefined) return;
      next = Math.max(next, block.from);
      const { buffer, nextOffset } = block.fetched;
      let { start } = block.fetched;
      const head = nextBatch(buffer, start, block.fetched.end, this.#walk);
      if (head.status === 'batch' && this.#batch.reset(buffer, start).baseOffset < next) {
        const end = start + head.size;
        yield await trimmedBatch(buffer.subarray(start, end), next);
        start = end;
      }
      const end = this.#endWithin(buffer, start, block.fetched.end, range.endOffset);
      if (end > start) yield buffer.subarray(start, end);
      next = nextOffset;
      spare = buffer;
    }
  }

  async groups(): Promise<readonly GroupSnapshot[]> {
    if (this.#commits.length === 0) return [];
    const { groupsIn } = await import('./group-snapshot.js');
    return await groupsIn(this.#commits, this.#ends);
  }

  async close(): Promise<void> {
    await closeAll(this.#watched);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** From `offset` on, or from where the log begins by now. `undefined`: all of the rest was deleted. */
  async #fetch(
    reader: PartitionReader,
    range: PartitionSnapshot,
    offset: number,
    spare: Buffer | undefined,
  ): Promise<{ readonly from: number; readonly fetched: FetchedBatches } | undefined> {
    for (let from = offset; ; ) {
      try {
        const fetched = await reader.fetch(from, this.#maxFetchBytes, spare);
        return fetched.end > fetched.start ? { from, fetched } : undefined;
      } catch (error) {
        if (!(error instanceof KlogError && error.code === 'OFFSET_OUT_OF_RANGE')) throw error;
        const { logStartOffset } = await reader.marks();
        if (logStartOffset <= from) throw error;
        const { topic, partition, endOffset } = range;
        const to = Math.min(logStartOffset, endOffset);
        this.deleted.push({ topic, partition, from, to });
        if (to === endOffset) return undefined;
        from = to;
      }
    }
  }

  /** Where the batches below `endOffset` end. */
  #endWithin(buffer: Buffer, start: number, end: number, endOffset: number): number {
    let at = start;
    while (nextBatch(buffer, at, end, this.#walk).status === 'batch') {
      if (this.#batch.reset(buffer, at).lastOffset >= endOffset) return at;
      at += this.#walk.size;
    }
    return at;
  }
}
