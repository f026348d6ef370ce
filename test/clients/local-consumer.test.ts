import { beforeEach, describe, expect, it } from 'vitest';
import type { ConsumerOptions, ConsumerRecord, CorruptRange } from '../../src/clients/consumer.js';
import { LocalConsumer } from '../../src/clients/local/local-consumer.js';
import { KlogError } from '../../src/errors.js';
import { loadCodec } from '../../src/format/compression.js';
import { buildTransactionMarker } from '../../src/format/control-record.js';
import { crc32c } from '../../src/format/crc32c.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { buildBatch } from '../support/build-batch.js';
import { type MemoryPartition, MemoryStore } from '../support/memory-store.js';

const seams = { now: () => 0, elapsed: () => performance.now(), random: () => 0 };

describe('LocalConsumer', () => {
  let store: MemoryStore;
  let partition: MemoryPartition;
  beforeEach(() => {
    store = new MemoryStore();
    partition = store.add('t')[0]!;
  });

  const consumerOf = (options: Partial<ConsumerOptions> = {}): LocalConsumer =>
    new LocalConsumer(store, { topics: ['t'], ...options }, seams);

  async function read(options: Partial<ConsumerOptions> = {}): Promise<ConsumerRecord[]> {
    const records: ConsumerRecord[] = [];
    for await (const record of consumerOf(options)) records.push(record);
    return records;
  }
  const values = async (options: Partial<ConsumerOptions> = {}): Promise<string[]> =>
    (await read(options)).map(({ value }) => String(value));

  /** A batch at the end of a partition. */
  function put(texts: readonly string[], fields: Parameters<typeof buildBatch>[1] = {}, to = partition): void {
    to.put(buildBatch(texts, { baseOffset: to.logEndOffset, ...fields }));
  }

  function putMarker(result: 'ABORT' | 'COMMIT', producerId: number): void {
    const marker = buildTransactionMarker({
      result,
      producerId,
      producerEpoch: 0,
      coordinatorEpoch: 0,
      timestamp: 1,
    });
    new RecordBatch().reset(marker, 0).setBaseOffset(partition.logEndOffset);
    partition.put(marker);
  }

  it('keeps the memory of records apart from the buffers it reads into', async () => {
    for (let i = 0; i < 50; i++) put([`${i}`.padStart(2000, '.')]);
    const records = await read({ maxFetchBytes: 5000 });
    expect(records.map(({ value }) => String(value))).toEqual(
      Array.from({ length: 50 }, (_, i) => `${i}`.padStart(2000, '.')),
    );
  });

  it('closes what it is just opening of a topic that has grown', async () => {
    let elapsed = 0;
    const consumer = new LocalConsumer(store, { topics: ['t'], follow: true }, { ...seams, elapsed: () => elapsed });
    const records = consumer[Symbol.asyncIterator]();
    put(['a']);
    await records.next();
    put(['b']);
    const [, added] = store.add('t', 2);
    elapsed += 2000;
    const open = store.partitionReader.bind(store);
    let closing: Promise<void> | undefined;
    store.partitionReader = async (...place) => {
      closing = consumer.close();
      await new Promise((resolve) => setImmediate(resolve));
      return open(...place);
    };
    await records.next();
    await closing;
    expect([partition.openReaders, added!.openReaders]).toEqual([0, 0]);
  });

  it('hands out records across chunks of the copy, small and large, with keys before values', async () => {
    const texts = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd((i * 997) % 5000, 'x'));
    texts.push('y'.repeat(100_000), 'z');
    put(texts);
    expect(await values()).toEqual(texts);
  });

  it('leaves out control records, whose offsets count', async () => {
    put(['a']);
    putMarker('COMMIT', 7);
    put(['b']);
    expect((await read()).map(({ offset }) => offset)).toEqual([0, 2]);
    const consumer = consumerOf();
    for await (const _ of consumer);
    expect(await consumer.position({ topic: 't', partition: 0 })).toBe(3);
  });

  it('passes over the gap that compaction left, and an empty batch', async () => {
    put(['a', 'b']);
    partition.put(buildBatch([], { baseOffset: 2, lastOffsetDelta: 3 }));
    partition.put(buildBatch(['c'], { baseOffset: 100 }));
    expect((await read()).map(({ offset }) => offset)).toEqual([0, 1, 100]);
    expect((await read({ from: 50 })).map(({ offset }) => offset)).toEqual([100]);
  });

  it('begins and ends in the middle of a compressed batch', async () => {
    put(['a', 'b', 'c', 'd'], { codec: await loadCodec('gzip') });
    expect(await values({ from: 1, to: 3 })).toEqual(['b', 'c']);
  });

  describe('transactions', () => {
    beforeEach(() => {
      const of = (producerId: number) => ({ producerId, producerEpoch: 0, transactional: true, baseSequence: 0 });
      put(['plain']); // 0
      put(['aborted-1', 'aborted-2'], of(7)); // 1, 2
      put(['committed'], of(8)); // 3
      put(['aborted-3'], of(7)); // 4
      putMarker('ABORT', 7); // 5
      put(['committed later, same producer'], of(7)); // 6
      putMarker('COMMIT', 8); // 7
      putMarker('COMMIT', 7); // 8
      put(['open'], of(9)); // 9
      put(['plain behind an open one']); // 10
      partition.aborted.push({ producerId: 7, firstOffset: 1, lastOffset: 5 });
      partition.firstUnstableOffset = 9;
    });
    const committed = ['plain', 'committed', 'committed later, same producer'];

    it('are left out when aborted, and everything behind an open one waits', async () => {
      expect(await values()).toEqual(committed);
    });

    it('are left out when reading begins inside them', async () => {
      expect(await values({ from: 4 })).toEqual(['committed later, same producer']);
    });

    it('are left out block by block', async () => {
      expect(await values({ maxFetchBytes: 1 })).toEqual(committed);
    });

    it('are shown under read_uncommitted, markers never', async () => {
      expect(await values({ isolationLevel: 'read_uncommitted' })).toEqual([
        'plain',
        'aborted-1',
        'aborted-2',
        'committed',
        'aborted-3',
        'committed later, same producer',
        'open',
        'plain behind an open one',
      ]);
    });

    it('come when they are committed, to a follower that waits without spinning', async () => {
      const aborting = new AbortController();
      const seen: string[] = [];
      const following = (async () => {
        for await (const { value } of consumerOf({ follow: true, signal: aborting.signal })) {
          seen.push(String(value));
          if (seen.length === 5) aborting.abort();
        }
      })();
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(seen).toEqual(committed);
      const before = partition.fetches;
      put(['more behind it']); // 11: still nothing to show
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(partition.fetches - before).toBeLessThanOrEqual(1);
      partition.firstUnstableOffset = Number.POSITIVE_INFINITY;
      putMarker('COMMIT', 9);
      await following;
      expect(seen).toEqual([...committed, 'open', 'plain behind an open one']);
    });
  });

  describe('damage', () => {
    beforeEach(() => {
      for (const text of ['a', 'b', 'c', 'd']) put([text]);
      partition.damage = { offset: 1, nextOffset: 3 };
    });

    it('ends the iteration after everything before it was handed out', async () => {
      const seen: string[] = [];
      const reading = async () => {
        for await (const { value } of consumerOf()) seen.push(String(value));
      };
      await expect(reading()).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' });
      expect(seen).toEqual(['a']);
      expect(partition.openReaders).toBe(0);
    });

    it('is passed over when told to, and reported once', async () => {
      const damages: CorruptRange[] = [];
      expect(await values({ skipCorrupt: true, onCorrupt: (damage) => damages.push(damage) })).toEqual(['a', 'd']);
      expect(damages).toEqual([
        { topic: 't', partition: 0, file: 'memory', position: 7, length: 5, offset: 1, reason: 'damaged' },
      ]);
    });

    it('inside a batch whose checksum is right names the partition, and can be passed over', async () => {
      partition.damage = undefined;
      const bytes = Buffer.from(buildBatch(['x', 'y'], { baseOffset: partition.logEndOffset }));
      bytes[bytes.length - 1] = 0x10; // eight headers that are not there
      bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length), 17);
      partition.put(bytes);
      put(['z']);
      const seen: string[] = [];
      const reading = async () => {
        for await (const { value } of consumerOf({ from: 3 })) seen.push(String(value));
      };
      await expect(reading()).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE', place: { topic: 't', partition: 0 } });
      expect(seen).toEqual(['d', 'x']);
      const damages: CorruptRange[] = [];
      const options = { from: 3, skipCorrupt: true, onCorrupt: (damage: CorruptRange) => damages.push(damage) };
      expect(await values(options)).toEqual(['d', 'z']);
      expect(damages).toMatchObject([{ topic: 't', partition: 0, offset: 4, length: bytes.length }]);
    });
  });

  it('goes on at the log start when retention was quicker', async () => {
    for (const text of ['a', 'b', 'c', 'd']) put([text]);
    const seen: string[] = [];
    for await (const { value } of consumerOf({ maxFetchBytes: 1 })) {
      seen.push(String(value));
      if (seen.length > 1) continue;
      partition.logStartOffset = 3;
      partition.batches.splice(0, 3);
    }
    // The second was already being read ahead.
    expect(seen.at(-1)).toBe('d');
    expect(seen).not.toContain('c');
  });

  it('reads the next block while the batches of this one are handed out', async () => {
    for (let i = 0; i < 10; i++) put([`${i}`]);
    const fetched: number[] = [];
    partition.beforeFetch = (offset) => void fetched.push(offset);
    const iterator = consumerOf({ maxFetchBytes: 1 })[Symbol.asyncIterator]();
    expect(String((await iterator.next()).value!.value)).toBe('0');
    expect(fetched).toEqual([0, 1]);
    await iterator.return!();
  });

  it('does not hand out what was read ahead before a seek', async () => {
    for (let i = 0; i < 10; i++) put([`${i}`]);
    const consumer = consumerOf({ maxFetchBytes: 1 });
    const seen: string[] = [];
    for await (const { value } of consumer) {
      seen.push(String(value));
      if (seen.length === 2) await consumer.seek({ topic: 't', partition: 0 }, 8);
    }
    expect(seen).toEqual(['0', '1', '8', '9']);
  });

  it('fails a follower with what went wrong while it waited', async () => {
    put(['a']);
    const consumer = consumerOf({ follow: true });
    const iterator = consumer[Symbol.asyncIterator]();
    await iterator.next();
    partition.waitForMore = async () => {
      throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', 'deleted');
    };
    await expect(iterator.next()).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    expect(partition.openReaders).toBe(0);
  });

  it('begins between the high watermark and the log end: bounded it has nothing, following it waits there', async () => {
    put(['a']);
    put(['b']);
    put(['c']);
    partition.highWatermark = 1;
    for (const from of [2, 3]) expect(await read({ from })).toEqual([]);
    expect(await read({ from: 2, order: 'time' })).toEqual([]);
    await expect(read({ from: 4 })).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringMatching(/begins at 0 and ends at 3$/),
    });
    const consumer = consumerOf({ from: 2, follow: true });
    const iterator = consumer[Symbol.asyncIterator]();
    const first = iterator.next();
    put(['d']);
    expect(String((await first).value?.value)).toBe('c');
    await consumer.seek({ topic: 't', partition: 0 }, 4);
    await consumer.close();
  });

  it('closes its readers at the end, after a break, and after an error at the start', async () => {
    store.add('other', 3);
    put(['a', 'b']);
    const open = () => partition.openReaders;
    await read();
    expect(open()).toBe(0);
    for await (const _ of consumerOf({ follow: true })) break;
    expect(open()).toBe(0);
    await expect(read({ topics: ['t', 'other'], from: 9 })).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    expect(open()).toBe(0);
    for await (const _ of consumerOf().batches()) break;
    expect(open()).toBe(0);
  });

  it('follows a thousand partitions in turn, so that a busy one does not hold up the others', async () => {
    const many = store.add('many', 1000);
    const consumer = consumerOf({ topics: ['many'], follow: true });
    const iterator = consumer.batches()[Symbol.asyncIterator]();
    const pending = iterator.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let i = 0; i < 5; i++) put([`${i}`], {}, many[3]!);
    put(['quiet'], {}, many[997]!);
    const order = [(await pending).value!.partition];
    // Not all of a thousand are watched: the others are looked at in turn.
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (let i = 0; i < 2; i++) order.push((await iterator.next()).value!.partition);
    expect(order).toContain(997);
    await consumer.close();
  });

  it('merges a thousand partitions by time within its memory', async () => {
    const many = store.add('many', 1000);
    const asked: number[] = [];
    many.forEach((one, i) => {
      for (let j = 0; j < 3; j++) put([`${j}-${i}`], { timestamps: [j * 1000 + ((i * 7) % 1000)] }, one);
      const { fetch } = one;
      one.fetch = (offset, maxBytes) => {
        asked.push(maxBytes);
        return fetch.call(one, offset, maxBytes);
      };
    });
    const records = await read({ topics: ['many'], order: 'time' });
    expect(records).toHaveLength(3000);
    for (let i = 1; i < records.length; i++) {
      expect(records[i]!.timestamp).toBeGreaterThanOrEqual(records[i - 1]!.timestamp);
    }
    expect(Math.max(...asked)).toBeLessThanOrEqual(16 * 1024 + 1024);
  });
});
