/** A pause that comes while the next batch is on its way, whatever it comes between. */
import { describe, expect, it } from 'vitest';
import { LocalConsumer } from '../../src/clients/local/local-consumer.js';
import { buildBatch } from '../support/build-batch.js';
import { MemoryStore } from '../support/memory-store.js';

const seams = { now: () => 0, elapsed: () => performance.now(), random: () => 0 };
const BATCHES = [
  ['a', 'b'],
  ['c', 'd'],
];
/** More turns than any batch takes on its way. */
const TURNS = 60;

function consumerOf(order: 'partition' | 'time'): LocalConsumer {
  const store = new MemoryStore();
  const [first, second] = store.add('t', 2);
  for (const texts of BATCHES) {
    for (const partition of [first!, second!]) {
      const baseOffset = partition.logEndOffset;
      const timestamps = texts.map((_, i) => baseOffset + i);
      partition.put(buildBatch(texts, { baseOffset, timestamps }));
    }
  }
  return new LocalConsumer(store, { topics: ['t'], order }, seams);
}

async function pauseAfter(turns: number, consumer: LocalConsumer): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve();
  const partition = { topic: 't', partition: 0 };
  consumer.pause([partition]);
  setTimeout(() => consumer.resume([partition]), 0);
}

const expected = ['0@0', '0@1', '0@2', '0@3', '1@0', '1@1', '1@2', '1@3'];

describe('a pause while the next run of a merge is on its way', () => {
  const merged = ['0@0', '0@1', '0@2', '0@3', '1@0', '1@1', '1@2', '1@3'];

  /** Runs of two records in turn, of one batch a partition. */
  function mergedConsumer(): LocalConsumer {
    const store = new MemoryStore();
    const [first, second] = store.add('t', 2);
    first!.put(buildBatch(['a', 'b', 'e', 'f'], { timestamps: [1, 2, 5, 6] }));
    second!.put(buildBatch(['c', 'd', 'g', 'h'], { timestamps: [3, 4, 7, 8] }));
    // Who follows is handed out nothing without a turn in between.
    return new LocalConsumer(store, { topics: ['t'], order: 'time', follow: true }, seams);
  }

  it.each([1, 2, 3])('neither loses nor repeats a record behind run %i', async (runs) => {
    for (let turns = 0; turns < 30; turns++) {
      const consumer = mergedConsumer();
      const seen: string[] = [];
      let pausing: Promise<void> | undefined;
      let batches = 0;
      for await (const { partition, cursor } of consumer.batches()) {
        while (cursor.next()) seen.push(`${partition}@${cursor.offset}`);
        if (++batches === runs) pausing = pauseAfter(turns, consumer);
        if (seen.length >= merged.length && pausing !== undefined) break;
      }
      await pausing;
      expect(seen.toSorted(), `after ${turns} turns`).toEqual(merged);
    }
  });
});

describe.each(['partition', 'time'] as const)('a pause at any moment, by %s', (order) => {
  it('neither loses nor repeats a record', async () => {
    for (let turns = 0; turns < TURNS; turns++) {
      const consumer = consumerOf(order);
      const pausing = pauseAfter(turns, consumer);
      const seen: string[] = [];
      for await (const { partition, offset } of consumer) seen.push(`${partition}@${offset}`);
      await pausing;
      expect(seen.toSorted(), `after ${turns} turns`).toEqual(expected);
    }
  });

  it('neither loses nor repeats a record of a batch', async () => {
    for (let turns = 0; turns < TURNS; turns++) {
      const consumer = consumerOf(order);
      const pausing = pauseAfter(turns, consumer);
      const seen: string[] = [];
      for await (const { partition, cursor } of consumer.batches()) {
        while (cursor.next()) seen.push(`${partition}@${cursor.offset}`);
      }
      await pausing;
      expect(seen.toSorted(), `after ${turns} turns`).toEqual(expected);
    }
  });

  it('keeps the rest of the batch in hand with the application', async () => {
    const consumer = consumerOf(order);
    const seen: string[] = [];
    for await (const { partition, cursor } of consumer.batches()) {
      while (cursor.next()) {
        seen.push(`${partition}@${cursor.offset}`);
        if (seen.length > 1) continue;
        consumer.pause([{ topic: 't', partition }]);
        setTimeout(() => consumer.resume([{ topic: 't', partition }]), 0);
      }
    }
    expect(seen.toSorted()).toEqual(expected);
  });
});
