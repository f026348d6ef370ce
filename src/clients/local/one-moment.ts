/**
 * The marks of many partitions at one moment, although writers go on.
 *
 * All are read, then all again. Marks only rise: if nothing has moved in between, the first look had ended and the
 * second not begun at a moment when all partitions stood exactly so. Where writers are too busy for that, the
 * partitions that moved are held still for the next look (their writers wait for a few milliseconds), and so on with
 * those that move then: sooner or later everything that moves is held.
 */
import { KlogError } from '../../errors.js';
import type { TopicPartition } from '../client.js';
import type { LocalStore, PartitionMarks, PartitionReader } from './local-store.js';

export interface WatchedPartition extends TopicPartition {
  readonly reader: PartitionReader;
}

/** Looks before writers are made to wait. */
const PATIENT_ROUNDS = 10;
/** Without permission to hold anything one can only go on looking. */
const LONGEST_LOOK_MS = 10_000;
const CONCURRENT_LOOKS = 8;

/** In the order of `partitions`. @throws KlogError KLOG_LOCKED */
export async function marksOfOneMoment(
  store: Pick<LocalStore, 'holdPartitions'>,
  partitions: readonly WatchedPartition[],
): Promise<PartitionMarks[]> {
  const start = performance.now();
  const restless = new Set<WatchedPartition>();
  let release: (() => Promise<void>) | undefined;
  try {
    let before = await lookAtAll(partitions);
    for (let round = 1; ; round++) {
      const after = await lookAtAll(partitions);
      const moved = partitions.filter((_, i) => !isSame(before[i]!, after[i]!));
      if (moved.length === 0) return after;
      before = after;
      if (round < PATIENT_ROUNDS) continue;
      for (const partition of moved) restless.add(partition);
      // All anew: locks of several partitions are taken in one order only.
      await release?.();
      release = undefined;
      release = await hold(store, [...restless], start);
      before = await lookAtAll(partitions);
    }
  } finally {
    await release?.();
  }
}

async function hold(
  store: Pick<LocalStore, 'holdPartitions'>,
  partitions: readonly WatchedPartition[],
  start: number,
): Promise<(() => Promise<void>) | undefined> {
  try {
    return await store.holdPartitions(partitions);
  } catch (error) {
    if (!(error instanceof KlogError && error.code === 'KLOG_PERMISSION_DENIED')) throw error;
    if (performance.now() - start < LONGEST_LOOK_MS) return undefined;
    const [{ topic, partition }] = partitions as [WatchedPartition];
    throw new KlogError('KLOG_LOCKED', 'no moment was found in which no partition was written to', {
      topic,
      partition,
      cause: error,
      hint: 'Who may write to the directory can hold its writers for such a moment',
    });
  }
}

async function lookAtAll(partitions: readonly WatchedPartition[]): Promise<PartitionMarks[]> {
  const marks = new Array<PartitionMarks>(partitions.length);
  let next = 0;
  const lookAtSome = async (): Promise<void> => {
    while (next < partitions.length) {
      const index = next++;
      marks[index] = await partitions[index]!.reader.marks();
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT_LOOKS, partitions.length) }, lookAtSome));
  return marks;
}

function isSame(a: PartitionMarks, b: PartitionMarks): boolean {
  return (
    a.highWatermark === b.highWatermark &&
    a.lastStableOffset === b.lastStableOffset &&
    a.logStartOffset === b.logStartOffset
  );
}
