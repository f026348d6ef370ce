import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LocalProducer } from '../../src/clients/local/local-producer.js';
import type { ProducerOptions } from '../../src/clients/producer.js';
import { KlogError } from '../../src/errors.js';
import { loadCodec } from '../../src/format/compression.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { MemoryStore } from '../support/memory-store.js';
import { readValues } from '../support/read-values.js';

const seams = { now: () => 1_700_000_000_000, elapsed: () => performance.now(), random: () => 0.5 };

function producerOn(store: MemoryStore, options: ProducerOptions = {}): LocalProducer {
  return new LocalProducer(store, options, seams);
}

/** A gate that opens once. */
function gate(): { readonly passed: Promise<void>; open(): void } {
  let open!: () => void;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

const ticks = async (count = 20): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

describe('LocalProducer', () => {
  let store: MemoryStore;
  beforeEach(() => {
    store = new MemoryStore();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('puts times too far apart for one batch into several, by send and by writer', async () => {
    const [partition] = store.add('orders', 1);
    await using producer = producerOn(store);
    const times = [-1, Number.MAX_SAFE_INTEGER, 0, -1, Number.MAX_SAFE_INTEGER, 5];
    const metadata = await producer.sendAll(times.map((timestamp) => ({ topic: 'orders', value: 'v', timestamp })));
    expect(metadata.map(({ offset, timestamp }) => [offset, timestamp])).toEqual(times.map((time, i) => [i, time]));
    const writer = await producer.writer('orders');
    for (const time of times) writer.appendValue(Buffer.from('w'), 0, 1, time);
    await writer.flush();
    expect(readValues(partition!)).toEqual([...times.map(() => 'v'), ...times.map(() => 'w')]);
  });

  it('answers partition, offset and timestamp of each record of a sendAll, in the order given', async () => {
    store.add('orders', 3);
    await using producer = producerOn(store);
    const metadata = await producer.sendAll([
      { topic: 'orders', value: 'a', partition: 2 },
      { topic: 'orders', value: 'b', partition: 0, timestamp: 5 },
      { topic: 'orders', value: 'c', partition: 2 },
    ]);
    expect(metadata).toEqual([
      { topic: 'orders', partition: 2, offset: 0, timestamp: 1_700_000_000_000 },
      { topic: 'orders', partition: 0, offset: 0, timestamp: 5 },
      { topic: 'orders', partition: 2, offset: 1, timestamp: 1_700_000_000_000 },
    ]);
  });

  it('keeps the order of calls within a partition, whether the topic is known yet or not', async () => {
    const [partition] = store.add('t');
    await using producer = producerOn(store);
    const sends = Array.from({ length: 50 }, (_, i) => producer.send({ topic: 't', value: `${i}` }));
    await ticks(1);
    sends.push(...Array.from({ length: 50 }, (_, i) => producer.send({ topic: 't', value: `${50 + i}` })));
    const offsets = (await Promise.all(sends)).map(({ offset }) => offset);
    expect(offsets).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(readValues(partition!)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  });

  it('takes the append time as the timestamp where the log gives one', async () => {
    const [partition] = store.add('t');
    partition!.appendTime = 777;
    await using producer = producerOn(store);
    expect(await producer.send({ topic: 't', value: 'x', timestamp: 5 })).toMatchObject({ timestamp: 777 });
  });

  it('stores text as UTF-8, null and empty as different, headers with order and duplicates', async () => {
    const [partition] = store.add('t');
    await using producer = producerOn(store);
    const headers = [
      { key: 'h', value: 'é' },
      { key: 'h', value: null },
      { key: 'a', value: new Uint8Array([255]) },
    ];
    await producer.sendAll([
      { topic: 't', key: 'ключ', value: '€', headers },
      { topic: 't', key: '', value: null },
      { topic: 't', key: null, value: '' },
      { topic: 't', key: new Uint8Array([0, 255]), value: new Uint8Array([1]) },
    ]);
    const records = [];
    const { openCursor, RecordCursor } = await import('../../src/format/record-cursor.js');
    const cursor = openCursor(new RecordCursor(), partition!.batches[0]!.bytes, 0);
    while (cursor.next()) records.push(cursor.toRecord());
    expect(records.map(({ key, value }) => [key && Buffer.from(key), value && Buffer.from(value)])).toEqual([
      [Buffer.from('ключ'), Buffer.from('€')],
      [Buffer.from(''), null],
      [null, Buffer.from('')],
      [Buffer.from([0, 255]), Buffer.from([1])],
    ]);
    expect(records[0]!.headers.map(({ key, value }) => [key, value && Buffer.from(value).toString('hex')])).toEqual([
      ['h', 'c3a9'],
      ['h', null],
      ['a', 'ff'],
    ]);
  });

  it('lets a record wait for others no longer than the linger', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const [partition] = store.add('t');
    const producer = producerOn(store, { lingerMs: 50 });
    await producer.sendAll([{ topic: 't', value: 'first: the topic is known' }]);
    const sent = producer.send({ topic: 't', value: 'x' });
    await vi.advanceTimersByTimeAsync(30);
    const later = producer.send({ topic: 't', value: 'y' });
    await vi.advanceTimersByTimeAsync(19);
    expect(partition!.appends).toEqual([1]);
    await vi.advanceTimersByTimeAsync(2);
    expect((await sent).offset).toBe(1);
    expect((await later).offset).toBe(2);
    expect(partition!.batches).toHaveLength(2);
    await producer.close();
  });

  it('sends a sendAll without lingering, and what comes while the disk is busy in one batch behind it', async () => {
    const [partition] = store.add('t');
    const producer = producerOn(store, { lingerMs: 60_000 });
    const busy = gate();
    await producer.sendAll([{ topic: 't', value: '0' }]);
    partition!.beforeAppend = () => busy.passed;
    const first = producer.sendAll([{ topic: 't', value: '1' }]);
    const others = ['2', '3', '4'].map((value) => producer.sendAll([{ topic: 't', value }]));
    busy.open();
    await Promise.all([first, ...others]);
    expect(partition!.batches.map(({ baseOffset, nextOffset }) => nextOffset - baseOffset)).toEqual([1, 1, 3]);
    await producer.close();
  });

  it('closes a batch at batchBytes', async () => {
    const [partition] = store.add('t');
    await using producer = producerOn(store, { batchBytes: 1000 });
    await producer.sendAll(Array.from({ length: 30 }, () => ({ topic: 't', value: 'x'.repeat(100) })));
    for (const { bytes } of partition!.batches) expect(bytes.length).toBeLessThanOrEqual(1000);
    expect(partition!.batches.length).toBeGreaterThan(3);
    expect(partition!.batches.length).toBeLessThan(6);
  });

  it('never makes a batch larger than max.message.bytes of several records', async () => {
    const [partition] = store.add('t', 1, { maxMessageBytes: 200 });
    await using producer = producerOn(store);
    await producer.sendAll(Array.from({ length: 50 }, (_, i) => ({ topic: 't', value: 'x'.repeat((i * 37) % 125) })));
    for (const { bytes } of partition!.batches) expect(bytes.length).toBeLessThanOrEqual(200);
  });

  it("compresses with the codec asked for, and with the topic's otherwise", async () => {
    const [own] = store.add('own', 1, { compression: 'gzip' });
    await loadCodec('gzip');
    const value = 'so repetitive '.repeat(100);
    await using asked = producerOn(store, { compression: 'lz4' });
    await using silent = producerOn(store);
    await asked.send({ topic: 'own', value });
    await silent.send({ topic: 'own', value });
    const types = own!.batches.map(({ bytes }) => new RecordBatch().reset(bytes, 0).compressionType);
    expect(types).toEqual(['lz4', 'gzip']);
    expect(own!.batches[1]!.bytes.length).toBeLessThan(200);
    expect(readValues(own!)).toEqual([value, value]);
  });

  describe('refuses', () => {
    it('a record larger than max.message.bytes, exactly', async () => {
      store.add('t', 1, { maxMessageBytes: 1000 });
      await using producer = producerOn(store);
      // 61 of the batch, 2 + 1 + 1 + 1 + 1 + 2 + 1 of the record.
      const fits = 1000 - 61 - 9;
      await expect(producer.send({ topic: 't', value: 'x'.repeat(fits) })).resolves.toBeDefined();
      await expect(producer.send({ topic: 't', value: 'x'.repeat(fits + 1) })).rejects.toMatchObject({
        code: 'MESSAGE_TOO_LARGE',
      });
      await expect(producer.send({ topic: 't', value: 'the next' })).resolves.toMatchObject({ offset: 1 });
    });

    it('all of a sendAll if one record is too large, before taking any', async () => {
      const [partition] = store.add('t', 1, { maxMessageBytes: 1000 });
      await using producer = producerOn(store);
      const records = ['a', 'b', 'x'.repeat(2000)].map((value) => ({ topic: 't', value }));
      await expect(producer.sendAll(records)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
      expect(partition!.appends).toEqual([]);
    });

    it('a keyless record for a compacted topic', async () => {
      store.add('t', 1, { isCompacted: true });
      await using producer = producerOn(store);
      await expect(producer.send({ topic: 't', value: 'x' })).rejects.toMatchObject({ code: 'INVALID_RECORD' });
      await expect(producer.send({ topic: 't', key: '', value: 'x' })).resolves.toBeDefined();
    });

    it('a partition that is not there, a topic that is not there, a timestamp that is no number', async () => {
      store.add('t', 2);
      await using producer = producerOn(store);
      const code = (record: object) => producer.send({ topic: 't', value: 'x', ...record }).catch((e) => e.code);
      expect(await code({ partition: 2 })).toBe('UNKNOWN_TOPIC_OR_PARTITION');
      expect(await code({ topic: 'missing' })).toBe('UNKNOWN_TOPIC_OR_PARTITION');
      expect(await code({ timestamp: 2 ** 53 })).toBe('INVALID_TIMESTAMP');
      await expect(producer.send({ topic: 't' } as never)).rejects.toThrow(TypeError);
    });

    it('anything once it is closed', async () => {
      store.add('t');
      const producer = producerOn(store);
      await producer.close();
      await expect(producer.send({ topic: 't', value: 'x' })).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
      await expect(producer.sendAll([{ topic: 't', value: 'x' }])).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
      await expect(producer.writer('t')).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
      await producer.close();
    });
  });

  it('finds a topic that came after it was refused, and makes one when told to', async () => {
    await using producer = producerOn(store);
    await expect(producer.send({ topic: 't', value: 'x' })).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
    store.add('t');
    await expect(producer.send({ topic: 't', value: 'x' })).resolves.toMatchObject({ offset: 0 });
    await using making = producerOn(store, { createTopics: true });
    await expect(making.send({ topic: 'new', value: 'x' })).resolves.toMatchObject({ topic: 'new', offset: 0 });
  });

  describe('where records go', () => {
    it('sends keys where Kafka sends them, an empty key too', async () => {
      store.add('t', 10);
      await using producer = producerOn(store);
      const metadata = await producer.sendAll(['', 'a', 'kafka'].map((key) => ({ topic: 't', key, value: 'x' })));
      const { partitionForKey } = await import('../../src/format/murmur2.js');
      const expected = ['', 'a', 'kafka'].map((key) => partitionForKey(Buffer.from(key), 0, key.length, 10));
      expect(metadata.map(({ partition }) => partition)).toEqual(expected);
    });

    it('sends each keyless batch to the partition with the lowest end, ties to the lowest number', async () => {
      const partitions = store.add('t', 3);
      partitions[0]!.logEndOffset = 2;
      partitions[0]!.highWatermark = 2;
      await using producer = producerOn(store);
      const went = [];
      for (let i = 0; i < 6; i++) went.push((await producer.sendAll([{ topic: 't', value: 'x' }]))[0]!.partition);
      expect(went).toEqual([1, 2, 1, 2, 0, 1]);
    });

    it('sends one record after the other round the partitions, keyed or not', async () => {
      store.add('t', 3);
      await using producer = producerOn(store, { partitioner: 'round-robin' });
      const records = ['a', 'b', 'c', 'd'].map((key) => ({ topic: 't', key, value: 'x' }));
      expect((await producer.sendAll(records)).map(({ partition }) => partition)).toEqual([0, 1, 2, 0]);
    });

    it('lets a function choose, and -1 mean where keyless records go', async () => {
      store.add('t', 3);
      await using producer = producerOn(store, {
        partitioner: (_key, value, count) => (value!.length === 1 ? count - 1 : -1),
      });
      const records = ['x', 'long'].map((value) => ({ topic: 't', key: 'k', value }));
      expect((await producer.sendAll(records)).map(({ partition }) => partition)).toEqual([2, 0]);
    });

    it('refuses what a function chooses outside the partitions', async () => {
      store.add('t', 3);
      await using producer = producerOn(store, { partitioner: () => 3 });
      await expect(producer.send({ topic: 't', value: 'x' })).rejects.toThrow('-1 to 2');
    });
  });

  describe('acks', () => {
    it('all: resolves after the sync, in order, though later syncs may end first', async () => {
      const [partition] = store.add('t');
      await using producer = producerOn(store);
      await producer.sendAll([{ topic: 't', value: 'known' }]);
      const gates = [gate(), gate()];
      partition!.beforeDurable = ({ baseOffset }) => gates[baseOffset - 1]!.passed;
      const resolved: number[] = [];
      const note = async (sent: Promise<readonly { offset: number }[]>) => {
        resolved.push((await sent)[0]!.offset);
      };
      const first = note(producer.sendAll([{ topic: 't', value: '1' }]));
      await ticks(2);
      const second = note(producer.sendAll([{ topic: 't', value: '2' }]));
      await ticks();
      expect(partition!.durables).toBe(3);
      gates[1]!.open();
      await ticks();
      expect(resolved).toEqual([]);
      gates[0]!.open();
      await Promise.all([first, second]);
      expect(resolved).toEqual([1, 2]);
    });

    it('written: resolves before the sync, which comes all the same', async () => {
      const [partition] = store.add('t');
      const syncing = gate();
      partition!.beforeDurable = () => syncing.passed;
      const producer = producerOn(store, { acks: 'written' });
      await expect(producer.sendAll([{ topic: 't', value: 'x' }])).resolves.toMatchObject([{ offset: 0 }]);
      expect(partition!.highWatermark).toBe(0);
      const closing = producer.close();
      await ticks();
      syncing.open();
      await closing;
      expect(partition!.highWatermark).toBe(1);
    });

    it('none: resolves at once, and the record is written all the same', async () => {
      const [partition] = store.add('t');
      const producer = producerOn(store, { acks: 'none' });
      const writing = gate();
      partition!.beforeAppend = () => writing.passed;
      await expect(producer.send({ topic: 't', value: 'x' })).resolves.toMatchObject({ offset: -1, partition: 0 });
      writing.open();
      await producer.close();
      expect(readValues(partition!)).toEqual(['x']);
      expect(partition!.highWatermark).toBe(1);
    });
  });

  describe('after a failure', () => {
    it('everything later of the partition fails with it, earlier records and other partitions stand', async () => {
      const [sick, well] = store.add('t', 2);
      const producer = producerOn(store);
      await producer.sendAll([{ topic: 't', partition: 0, value: 'before' }]);
      const appending = gate();
      sick!.beforeAppend = async () => {
        await appending.passed;
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      };
      const to = (partition: number) => producer.sendAll([{ topic: 't', partition, value: 'x' }]);
      const outcomes = Promise.allSettled([
        to(0),
        to(0),
        to(1),
        producer.send({ topic: 't', partition: 0, value: 'y' }),
      ]);
      appending.open();
      const codes = (await outcomes).map((o) => (o.status === 'rejected' ? o.reason.code : o.value));
      expect(codes).toMatchObject(['KLOG_DISK_FULL', 'KLOG_DISK_FULL', [{ offset: 0 }], 'KLOG_DISK_FULL']);
      sick!.beforeAppend = () => {};
      await expect(to(0)).rejects.toMatchObject({ code: 'KLOG_DISK_FULL' });
      await expect(producer.flush()).rejects.toMatchObject({ code: 'KLOG_DISK_FULL' });
      await expect(producer.close()).rejects.toMatchObject({ code: 'KLOG_DISK_FULL' });
      expect(readValues(sick!)).toEqual(['before']);
      expect(readValues(well!)).toEqual(['x']);
    });

    it('of a sync, batches appended behind it are not acknowledged even if their own sync succeeds', async () => {
      const [partition] = store.add('t');
      const producer = producerOn(store);
      const failing = gate();
      partition!.beforeDurable = async ({ baseOffset }) => {
        if (baseOffset > 0) return;
        await failing.passed;
        throw new KlogError('KLOG_SYNC_FAILED', 'the disk said no');
      };
      const first = producer.sendAll([{ topic: 't', value: '1' }]);
      const settled = first.catch((error: KlogError) => error.code);
      await ticks();
      const second = producer.sendAll([{ topic: 't', value: '2' }]).catch((error: KlogError) => error.code);
      await ticks();
      failing.open();
      expect(await settled).toBe('KLOG_SYNC_FAILED');
      expect(await second).toBe('KLOG_SYNC_FAILED');
      await expect(producer.close()).rejects.toMatchObject({ code: 'KLOG_SYNC_FAILED' });
    });

    it('a sendAll over two partitions rejects only when the fate of all its records is known', async () => {
      const [sick, slow] = store.add('t', 2);
      const producer = producerOn(store);
      sick!.beforeAppend = () => {
        throw new KlogError('KLOG_LOCKED', 'busy');
      };
      const slowly = gate();
      slow!.beforeDurable = () => slowly.passed;
      let rejected = false;
      const sent = producer.sendAll([0, 1].map((partition) => ({ topic: 't', partition, value: 'x' }))).catch(() => {
        rejected = true;
      });
      await ticks();
      expect(rejected).toBe(false);
      slowly.open();
      await sent;
      expect(rejected).toBe(true);
      await producer.close().catch(() => {});
    });

    it('leaves a block with the error of the call, not with that of closing', async () => {
      const [partition] = store.add('t');
      partition!.beforeAppend = () => {
        throw new KlogError('KLOG_LOCKED', 'busy');
      };
      const block = async () => {
        await using producer = producerOn(store);
        await producer.sendAll([{ topic: 't', value: 'x' }]);
      };
      await expect(block()).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    });

    it('leaves a block with an error that no call has told of', async () => {
      const [partition] = store.add('t');
      partition!.beforeAppend = () => {
        throw new KlogError('KLOG_LOCKED', 'busy');
      };
      const block = async () => {
        await using producer = producerOn(store, { acks: 'none' });
        await producer.send({ topic: 't', value: 'x' });
      };
      await expect(block()).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
    });

    it('of a background sync under acks written, the next call fails', async () => {
      const [partition] = store.add('t');
      partition!.beforeDurable = () => {
        throw new KlogError('KLOG_SYNC_FAILED', 'the disk said no');
      };
      const producer = producerOn(store, { acks: 'written' });
      await producer.sendAll([{ topic: 't', value: 'x' }]);
      await ticks();
      await expect(producer.sendAll([{ topic: 't', value: 'y' }])).rejects.toMatchObject({ code: 'KLOG_SYNC_FAILED' });
      await producer.close().catch(() => {});
    });

    it.each(['written', 'none'] as const)(
      'of the last sync, which nobody has waited for, closing fails (acks=%s)',
      async (acks) => {
        const [partition] = store.add('t');
        const syncing = gate();
        partition!.beforeDurable = async () => {
          await syncing.passed;
          throw new KlogError('KLOG_SYNC_FAILED', 'the disk said no');
        };
        const producer = producerOn(store, { acks });
        await producer.sendAll([{ topic: 't', value: 'x' }]);
        const closing = producer.close();
        await ticks();
        syncing.open();
        await expect(closing).rejects.toMatchObject({ code: 'KLOG_SYNC_FAILED' });
      },
    );
  });

  it('keeps at most four appends waiting for their sync, and gathers the rest', async () => {
    const [partition] = store.add('t');
    const producer = producerOn(store);
    await producer.sendAll([{ topic: 't', value: 'known' }]);
    const syncing = gate();
    partition!.beforeDurable = () => syncing.passed;
    const sends = [];
    for (let i = 0; i < 20; i++) {
      sends.push(producer.sendAll([{ topic: 't', value: `${i}` }]));
      await ticks(3);
    }
    expect(partition!.appends).toHaveLength(5);
    syncing.open();
    await Promise.all(sends);
    expect(partition!.appends).toHaveLength(6);
    expect(readValues(partition!)).toEqual(['known', ...Array.from({ length: 20 }, (_, i) => `${i}`)]);
    await producer.close();
  });

  it('makes send wait while the buffer is full, and loses no order', async () => {
    const [partition] = store.add('t');
    const producer = producerOn(store, { bufferBytes: 40_000, batchBytes: 1000 });
    await producer.sendAll([{ topic: 't', value: 'known' }]);
    const writing = gate();
    partition!.beforeAppend = () => writing.passed;
    const values = Array.from({ length: 2000 }, (_, i) => `${i}`.padStart(100, '.'));
    const sends = values.map((value) => producer.send({ topic: 't', value }));
    const flushed = producer.flush();
    await ticks();
    writing.open();
    await Promise.all([...sends, flushed]);
    expect(readValues(partition!)).toEqual(['known', ...values]);
    await producer.close();
  });
});

describe('topics that a producer writes to', () => {
  it('are read again only when some topic has changed, and until that has been a moment ago', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const store = new MemoryStore();
    const [partition] = store.add('orders', 1);
    const reads = vi.spyOn(store, 'topic');
    const changed = vi.spyOn(store.topics, 'lastChange').mockResolvedValue(seams.now() - 60_000);
    const producer = producerOn(store, { lingerMs: 0 });
    try {
      const sent = producer.send({ topic: 'orders', value: 'v' });
      await vi.advanceTimersByTimeAsync(10);
      await sent;
      // Once more, for it may have been altered since it was read.
      await vi.advanceTimersByTimeAsync(60_000);
      expect([reads.mock.calls.length, changed.mock.calls.length]).toEqual([2, 60]);
      changed.mockResolvedValue(seams.now());
      await vi.advanceTimersByTimeAsync(3000);
      expect(reads.mock.calls.length).toBe(5);
      changed.mockResolvedValue(seams.now() - 10_000);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(reads.mock.calls.length).toBe(6);
      expect(partition!.appends).toEqual([1]);
    } finally {
      await producer.close();
      vi.useRealTimers();
    }
  });
});
