/** Finds what a consumer reads: topics and partitions as named, where each begins, and where it ends. */
import type { KlogError } from '../../errors.js';
import type { ConsumerOptions, OffsetSpec, PartitionRange } from '../consumer.js';
import { unknownPartition } from '../unknown-partition.js';
import type { LocalStore, PartitionMarks, PartitionReader } from './local-store.js';
import { isOutOfRange, outOfRange, type PartitionBounds, resolveOffset } from './offset-range.js';

/** Partitions that are opened at the same time. */
const CONCURRENT_OPENS = 8;

export interface PlannedPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly reader: PartitionReader;
  readonly marks: PartitionMarks;
  readonly from: number;
  /** Infinite when following without an end. */
  readonly end: number;
  /** Where the backlog ends: what was there at the beginning. */
  readonly backlogEnd: number;
}

interface Choice {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly from: OffsetSpec;
  readonly to: OffsetSpec | undefined;
}

/** Opens a reader for each partition; whoever calls closes them. Of a failure nothing stays open. */
export async function planPartitions(
  store: LocalStore,
  options: ConsumerOptions,
  isFollowing: boolean,
): Promise<PlannedPartition[]> {
  const choices = await choosePartitions(store, options);
  const isCommittedOnly = options.isolationLevel !== 'read_uncommitted';
  const found = new Array<PlannedPartition>(choices.length);
  const lost: KlogError[] = [];
  const readers: PartitionReader[] = [];
  let next = 0;
  const openAll = async (): Promise<void> => {
    while (next < choices.length) {
      const index = next++;
      const { topic, topicId, partition, from, to } = choices[index]!;
      const reader = await store.partitionReader(topic, partition);
      // Known from now on, so that it is closed if anything fails.
      readers.push(reader);
      const marks = await reader.marks();
      const visibleEnd = isCommittedOnly ? marks.lastStableOffset : marks.highWatermark;
      const bounds: PartitionBounds = { reader, marks, visibleEnd };
      let start = await resolveOffset(from, bounds);
      if (isOutOfRange(from, marks)) lost.push(outOfRange(topic, partition, start, marks));
      start = Math.max(start, marks.logStartOffset);
      const end = await resolveEnd(to, bounds, isFollowing);
      found[index] = {
        topic,
        topicId,
        partition,
        reader,
        marks,
        from: start,
        end,
        backlogEnd: Math.min(end, visibleEnd),
      };
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: CONCURRENT_OPENS }, openAll));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  const error = failure?.reason ?? (lost.length === choices.length ? lost[0] : undefined);
  if (error !== undefined) {
    await Promise.all(readers.map((reader) => reader.close()));
    throw error;
  }
  return found;
}

async function resolveEnd(to: OffsetSpec | undefined, bounds: PartitionBounds, isFollowing: boolean): Promise<number> {
  if (to === undefined) return isFollowing ? Number.POSITIVE_INFINITY : bounds.visibleEnd;
  const end = await resolveOffset(to, bounds);
  return isFollowing ? end : Math.min(end, bounds.visibleEnd);
}

/** Each partition once, topics as named, partitions ascending. */
async function choosePartitions(store: LocalStore, options: ConsumerOptions): Promise<Choice[]> {
  const { from = 'start', to } = options;
  const choices: Choice[] = [];
  const known = new Set<string>();
  for (const selection of options.topics) {
    const { topic, partitions } = typeof selection === 'string' ? { topic: selection } : selection;
    const { topicId, partitions: count } = await store.topics.get(topic);
    const named = partitions ?? Array.from({ length: count }, (_, partition) => partition);
    const ranges = named.map((range): PartitionRange => (typeof range === 'number' ? { partition: range } : range));
    for (const range of ranges.toSorted((a, b) => a.partition - b.partition)) {
      const { partition } = range;
      if (!Number.isInteger(partition) || partition < 0 || partition >= count) {
        throw unknownPartition(topic, partition, count);
      }
      const name = `${topic}-${partition}`;
      if (known.has(name)) continue;
      known.add(name);
      choices.push({ topic, topicId, partition, from: range.from ?? from, to: range.to ?? to });
    }
  }
  return choices;
}
