import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsumerBatch } from '../../src/clients/client.js';
import { LocalConsumer } from '../../src/clients/local/local-consumer.js';
import type { MergeCursor } from '../../src/clients/local/merge-cursor.js';
import type { RecordCursor } from '../../src/format/record-cursor.js';
import { buildBatch } from '../support/build-batch.js';
import { MemoryStore } from '../support/memory-store.js';
import { runs } from '../support/properties.js';

const seams = { now: () => 0, elapsed: () => performance.now(), random: () => 0 };

/** Timestamps of the records of one partition, batch by batch. */
const partitionArbitrary = fc.array(fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }), { maxLength: 5 });
const topicsArbitrary = fc.array(fc.array(partitionArbitrary, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 3,
});

interface Key {
  readonly timestamp: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

function storeOf(topics: number[][][][]): { store: MemoryStore; names: string[]; logs: Key[][] } {
  const store = new MemoryStore();
  const logs: Key[][] = [];
  // Named against the alphabet: ties go by name, not by the order of asking.
  const names = topics.map((_, i) => `t${9 - i}`);
  topics.forEach((partitions, i) => {
    store.add(names[i]!, partitions.length).forEach((one, partition) => {
      const log: Key[] = [];
      for (const timestamps of partitions[partition]!) {
        one.put(buildBatch(timestamps.map(String), { timestamps, baseOffset: one.logEndOffset }));
        for (const timestamp of timestamps) log.push({ timestamp, topic: names[i]!, partition, offset: log.length });
      }
      logs.push(log);
    });
  });
  return { store, names, logs };
}

/** The plain way: of all partitions' next records take the first, again and again. */
function merged(logs: readonly Key[][]): Key[] {
  const left = logs.map((log) => [...log]);
  const order: Key[] = [];
  for (;;) {
    const heads = left.filter((log) => log.length > 0);
    if (heads.length === 0) return order;
    heads.sort(
      ([a], [b]) =>
        a!.timestamp - b!.timestamp ||
        (a!.topic < b!.topic ? -1 : a!.topic > b!.topic ? 1 : a!.partition - b!.partition),
    );
    order.push(heads[0]!.shift()!);
  }
}

describe('TimeOrder', () => {
  it('merges as taking the earliest of all next records does, by record and by batch', async () => {
    await fc.assert(
      fc.asyncProperty(topicsArbitrary, async (topics) => {
        const { store, names, logs } = storeOf(topics);
        const expected = merged(logs);
        const options = { topics: names, order: 'time' as const, maxFetchBytes: 100 };
        const byRecord: Key[] = [];
        for await (const { timestamp, topic, partition, offset } of new LocalConsumer(store, options, seams)) {
          byRecord.push({ timestamp, topic, partition, offset });
        }
        expect(byRecord).toEqual(expected);
        const byBatch: Key[] = [];
        for await (const { topic, partition, cursor } of new LocalConsumer(store, options, seams).batches()) {
          while (cursor.next()) byBatch.push({ timestamp: cursor.timestamp, topic, partition, offset: cursor.offset });
        }
        expect(byBatch).toEqual(expected);
        const atOnce: Key[] = [];
        const batches = new LocalConsumer(store, options, seams).batches();
        for await (const first of batches) {
          for (let batch: ConsumerBatch | undefined = first; batch !== undefined; batch = batches.nextNow?.()) {
            const { topic, partition, cursor } = batch;
            while (cursor.next()) atOnce.push({ timestamp: cursor.timestamp, topic, partition, offset: cursor.offset });
          }
        }
        expect(atOnce).toEqual(expected);
      }),
      { numRuns: runs(60) },
    );
  });

  const key = { topic: 't9', partition: 0 };

  it('goes on at the right place after a seek and a pause in the middle of a run', async () => {
    const { store, names } = storeOf([[[[1, 2, 3, 10]], [[4, 5, 6]]]]);
    const consumer = new LocalConsumer(store, { topics: names, order: 'time' }, seams);
    const seen: number[] = [];
    for await (const { timestamp } of consumer) {
      seen.push(timestamp);
      if (seen.length === 2) await consumer.seek(key, 'start');
      if (seen.length === 4) consumer.pause([key]);
      if (timestamp === 6) setTimeout(() => consumer.resume([key]), 5);
    }
    expect(seen).toEqual([1, 2, 1, 2, 4, 5, 6, 3, 10]);
    expect(await consumer.position(key)).toBe(4);
  });

  it('knows the position of a partition whose records wait for their turn', async () => {
    const { store, names } = storeOf([[[[1, 9]], [[5]]]]);
    const consumer = new LocalConsumer(store, { topics: names, order: 'time' }, seams);
    const positions: number[] = [];
    for await (const _ of consumer) positions.push(await consumer.position(key));
    expect(positions).toEqual([1, 1, 2]);
  });

  it('drops the rest of a run that nobody took', async () => {
    const { store, names } = storeOf([[[[1, 2, 3, 10]], [[4]]]]);
    const seen: number[] = [];
    for await (const { cursor } of new LocalConsumer(store, { topics: names, order: 'time' }, seams).batches()) {
      if (cursor.next()) seen.push(cursor.timestamp);
    }
    expect(seen).toEqual([1, 4, 10]);
  });

  /** By time, of the first of several: at most `most` records. */
  function takeFrom(cursors: readonly RecordCursor[], most: number): number[] {
    const left = (cursors as MergeCursor[]).filter((cursor) => cursor.peek());
    const times: number[] = [];
    while (left.length > 0 && times.length < most) {
      const first = left.reduce((least, cursor) => (cursor.timestamp < least.timestamp ? cursor : least));
      first.next();
      times.push(first.timestamp);
      if (!first.peek()) break;
    }
    for (const cursor of cursors as MergeCursor[]) cursor.unpeek();
    return times;
  }

  it('merges the same whether runs are asked for, or taken from all partitions together', async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('run', 'iterator', 'merge', 'both'), fc.nat(6)), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(topicsArbitrary, steps, async (topics, some) => {
        const { store, names, logs } = storeOf(topics);
        const options = { topics: names, order: 'time' as const, maxFetchBytes: 100 };
        const batches = new LocalConsumer(store, options, seams).batches();
        const iterator = batches[Symbol.asyncIterator]();
        const times: number[] = [];
        for (let step = 0; ; step++) {
          const [way, most] = some[step] ?? ['iterator', 0];
          if (way === 'merge' || way === 'both') batches.mergeNow?.((all) => times.push(...takeFrom(all, most)));
          if (way === 'merge') continue;
          const now = way === 'iterator' ? undefined : batches.nextNow?.();
          const batch = now ?? (await iterator.next()).value;
          if (batch === undefined) break;
          while (batch.cursor.next()) times.push(batch.cursor.timestamp);
        }
        expect(times).toEqual(merged(logs).map(({ timestamp }) => timestamp));
      }),
      { numRuns: runs(150) },
    );
  });

  describe('the next run without waiting', () => {
    const start = async (options: { readonly follow?: boolean } = {}) => {
      // The third record of the first partition is in its second batch.
      const { store, names } = storeOf([[[[1, 3], [5]], [[2, 4, 6]]]]);
      const consumer = new LocalConsumer(store, { topics: names, order: 'time', ...options }, seams);
      const batches = consumer.batches();
      const iterator = batches[Symbol.asyncIterator]();
      return { consumer, iterator, batches, nextNow: () => batches.nextNow?.() };
    };
    const timesOf = (batch: ConsumerBatch | undefined) => {
      const times: number[] = [];
      while (batch?.cursor.next()) times.push(batch.cursor.timestamp);
      return times;
    };

    it('is there until a batch is used up', async () => {
      const { iterator, nextNow } = await start();
      expect(nextNow()).toBeUndefined();
      expect(timesOf((await iterator.next()).value)).toEqual([1]);
      expect(timesOf(nextNow())).toEqual([2]);
      expect(timesOf(nextNow())).toEqual([3]);
      expect(nextNow()).toBeUndefined();
    });

    it('takes turns with the iterator, and drops what nobody took', async () => {
      const { iterator, nextNow } = await start();
      expect(timesOf((await iterator.next()).value)).toEqual([1]);
      expect(timesOf(nextNow())).toEqual([2]);
      expect(nextNow()).toBeDefined();
      // 3 was not taken, and its batch had no other.
      expect(nextNow()).toBeUndefined();
      expect(timesOf((await iterator.next()).value)).toEqual([4]);
      expect(timesOf(nextNow())).toEqual([5]);
      expect(nextNow()).toBeUndefined();
      expect(timesOf((await iterator.next()).value)).toEqual([6]);
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
      expect(nextNow()).toBeUndefined();
    });

    it('is not there while the iterator looks for one, after a pause, at an end, and for who follows', async () => {
      const asked = await start();
      const asking = asked.iterator.next();
      expect(asked.nextNow()).toBeUndefined();
      expect(timesOf((await asking).value)).toEqual([1]);
      asked.consumer.pause([{ topic: 't9', partition: 1 }]);
      expect(asked.nextNow()).toBeUndefined();
      expect(timesOf((await asked.iterator.next()).value)).toEqual([3]);
      await asked.consumer.close();
      expect(asked.nextNow()).toBeUndefined();

      const following = await start({ follow: true });
      expect(timesOf((await following.iterator.next()).value)).toEqual([1]);
      expect(following.nextNow()).toBeUndefined();
      await following.consumer.close();
    });

    it('is behind what was taken of all partitions, whose positions have moved', async () => {
      const { consumer, iterator, batches } = await start();
      expect(batches.mergeNow?.(() => expect.unreachable())).toBe(false);
      expect(timesOf((await iterator.next()).value)).toEqual([1]);
      expect(batches.mergeNow?.((all) => expect(takeFrom(all, 1)).toEqual([2]))).toBe(true);
      expect(await consumer.position({ topic: 't9', partition: 1 })).toBe(1);
      expect(batches.mergeNow?.((all) => expect(all).toHaveLength(2))).toBe(true);
      expect(timesOf(batches.nextNow?.())).toEqual([3]);
      // The batch of the first partition has ended.
      expect(batches.mergeNow?.(() => expect.unreachable())).toBe(false);
      expect(timesOf((await iterator.next()).value)).toEqual([4]);
      consumer.pause([{ topic: 't9', partition: 0 }]);
      expect(batches.mergeNow?.(() => expect.unreachable())).toBe(false);
      expect(timesOf((await iterator.next()).value)).toEqual([6]);
      await consumer.close();
      expect(batches.mergeNow?.(() => expect.unreachable())).toBe(false);
    });

    it('comes again after a pause behind what was taken', async () => {
      const { consumer, iterator, batches } = await start();
      expect(timesOf((await iterator.next()).value)).toEqual([1]);
      expect(batches.mergeNow?.((all) => expect(takeFrom(all, 2)).toEqual([2, 3]))).toBe(true);
      const partition = { topic: 't9', partition: 1 };
      consumer.pause([partition]);
      expect(timesOf((await iterator.next()).value)).toEqual([5]);
      consumer.resume([partition]);
      expect(timesOf((await iterator.next()).value)).toEqual([4, 6]);
    });
  });
});
