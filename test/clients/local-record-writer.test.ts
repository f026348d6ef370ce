import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { LocalProducer } from '../../src/clients/local/local-producer.js';
import type { Acknowledgement, ProducerOptions, RecordWriter } from '../../src/clients/producer.js';
import { KlogError } from '../../src/errors.js';
import { MemoryStore } from '../support/memory-store.js';
import { readValues } from '../support/read-values.js';

const seams = { now: () => 1000, elapsed: () => performance.now(), random: () => 0.5 };
const ticks = async (count = 10): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

describe('LocalRecordWriter', () => {
  let store: MemoryStore;
  beforeEach(() => {
    store = new MemoryStore();
  });

  async function open(topic = 't', options: ProducerOptions = {}): Promise<[RecordWriter, LocalProducer]> {
    const producer = new LocalProducer(store, options, seams);
    return [await producer.writer(topic), producer];
  }

  /** Everything there is, as room allows. */
  async function write(writer: RecordWriter, texts: readonly string[], key: string | null = null): Promise<void> {
    for (const text of texts) {
      const bytes = Buffer.from(`${key ?? ''}${text}`);
      const keyEnd = key?.length ?? -1;
      const hasRoom =
        key === null
          ? writer.appendValue(bytes, 0, bytes.length, 1)
          : writer.append(bytes, 0, keyEnd, bytes, keyEnd, bytes.length, 1, null, -1);
      if (!hasRoom) await writer.ready();
    }
  }

  it('refuses an oversized record exactly, with the reason, and goes on', async () => {
    const [partition] = store.add('t', 1, { maxMessageBytes: 1000 });
    const [writer, producer] = await open();
    const bytes = Buffer.alloc(2000, 'x');
    expect(() => writer.appendValue(bytes, 0, 931, 1)).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
    writer.appendValue(bytes, 0, 930, 1);
    writer.appendValue(bytes, 0, 1, 1);
    expect(() => writer.appendValue(bytes, 0, 931, 1)).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
    writer.appendValue(bytes, 0, 2, 1);
    await producer.close();
    expect(readValues(partition!).map((value) => value!.length)).toEqual([930, 1, 2]);
    expect(partition!.batches[0]!.bytes.length).toBe(1000);
  });

  it('lingers for ever without looking all the time', async () => {
    const [partition] = store.add('t');
    const [writer, producer] = await open('t', { lingerMs: Number.POSITIVE_INFINITY });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    writer.appendValue(Buffer.from('a'), 0, 1, 1);
    await delay(20);
    const own = timers.mock.calls.length;
    timers.mockRestore();
    expect(own).toBe(1);
    expect(partition!.batches).toEqual([]);
    await producer.close();
    expect(readValues(partition!)).toEqual(['a']);
  });

  it('takes nothing once its producer closes, from when on nobody would hear of it', async () => {
    const [partition] = store.add('t');
    const [writer, producer] = await open();
    const bytes = Buffer.from('ab');
    const refused = expect.objectContaining({ code: 'KLOG_CLOSED' });
    const lines = writer.lineAppender!({ delimiter: 0x0a, keySeparator: undefined })!;
    writer.appendValue(bytes, 0, 1, 1);
    const closing = producer.close();
    expect(() => writer.appendValue(bytes, 1, 2, 1)).toThrow(refused);
    expect(lines.append(Buffer.from('x\n'.repeat(9)), 0, 18, 1)).toBe(0);
    await closing;
    expect(() => writer.append(null, -1, -1, bytes, 1, 2, 1, null, -1)).toThrow(refused);
    await writer.flush();
    expect(readValues(partition!)).toEqual(['a']);
  });

  it('refuses a bad timestamp on the fast path too, without losing its batch', async () => {
    const [partition] = store.add('t');
    const [writer, producer] = await open();
    const bytes = Buffer.from('abc');
    writer.appendValue(bytes, 0, 1, 1);
    expect(() => writer.appendValue(bytes, 1, 2, 2 ** 53)).toThrow(
      expect.objectContaining({ code: 'INVALID_TIMESTAMP' }),
    );
    writer.appendValue(bytes, 2, 3, 1);
    await producer.close();
    expect(readValues(partition!)).toEqual(['a', 'c']);
  });

  it('refuses keyless records of a compacted topic on the fast path too', async () => {
    store.add('t', 1, { isCompacted: true });
    const [writer] = await open();
    const bytes = Buffer.from('abc');
    expect(() => writer.appendValue(bytes, 0, 1, 1)).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }));
    writer.append(bytes, 0, 1, bytes, 1, 2, 1, null, -1);
    expect(() => writer.appendValue(bytes, 0, 1, 1)).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }));
  });

  it('asks a partitioner for each keyless record when it wants to be asked', async () => {
    const partitions = store.add('t', 3);
    const [writer, producer] = await open('t', { partitioner: 'round-robin' });
    await write(writer, ['a', 'b', 'c', 'd']);
    await producer.close();
    expect(partitions.map(readValues)).toEqual([['a', 'd'], ['b'], ['c']]);
  });

  it('moves a keyless stream to the partition with the lowest end at each batch', async () => {
    const partitions = store.add('t', 3);
    const [writer, producer] = await open('t', { batchBytes: 2000 });
    await write(
      writer,
      Array.from({ length: 300 }, () => 'x'.repeat(100)),
    );
    await producer.close();
    const counts = partitions.map((partition) => readValues(partition).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(20);
  });

  it('sends what lingers, though nobody calls', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const [partition] = store.add('t');
      const [writer] = await open('t', { lingerMs: 20 });
      await write(writer, ['a']);
      await vi.advanceTimersByTimeAsync(19);
      expect(partition!.batches).toHaveLength(0);
      await vi.advanceTimersByTimeAsync(1);
      expect(readValues(partition!)).toEqual(['a']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('lets what lingers wait for the sync before it, and share its batch with what comes meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const [partition] = store.add('t');
      let syncIsOver = () => {};
      partition!.beforeDurable = () =>
        new Promise<void>((resolve) => {
          syncIsOver = resolve;
        });
      const [writer, producer] = await open('t', { lingerMs: 5 });
      await write(writer, ['a']);
      await vi.advanceTimersByTimeAsync(5);
      await write(writer, ['b']);
      await vi.advanceTimersByTimeAsync(50);
      await write(writer, ['c']);
      await vi.advanceTimersByTimeAsync(50);
      expect(partition!.batches).toHaveLength(1);
      partition!.beforeDurable = () => {};
      syncIsOver();
      await ticks();
      expect(readValues(partition!)).toEqual(['a', 'b', 'c']);
      expect(partition!.batches).toHaveLength(2);
      // What comes then lingers for itself.
      await write(writer, ['d']);
      await vi.advanceTimersByTimeAsync(4);
      expect(partition!.batches).toHaveLength(2);
      await vi.advanceTimersByTimeAsync(1);
      expect(partition!.batches).toHaveLength(3);
      await producer.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('fills a batch on until it is its turn: six partitions are written at a time', async () => {
    const partitions = store.add('t', 7);
    const going: (() => void)[] = [];
    for (const partition of partitions) {
      partition.beforeAppend = () =>
        new Promise<void>((resolve) => {
          going.push(resolve);
        });
    }
    const [writer, producer] = await open('t', { lingerMs: 0 });
    const bytes = Buffer.from('x');
    const writeToAll = () => {
      for (let i = 0; i < 7; i++) writer.append(null, -1, -1, bytes, 0, 1, 1, null, i);
    };
    writeToAll();
    await vi.waitFor(() => expect(going).toHaveLength(6));
    writeToAll();
    await delay(5);
    writeToAll();
    for (const partition of partitions) partition.beforeAppend = () => {};
    for (const go of going) go();
    await producer.close();
    expect(partitions.map(({ batches }) => batches.length)).toEqual([2, 2, 2, 2, 2, 2, 1]);
    expect(partitions.map((partition) => readValues(partition).length)).toEqual(new Array(7).fill(3));
  });

  it('sends a full batch behind a sync that still runs', async () => {
    const [partition] = store.add('t');
    let syncIsOver = () => {};
    partition!.beforeDurable = () =>
      new Promise<void>((resolve) => {
        syncIsOver = resolve;
      });
    const [writer, producer] = await open('t', { batchBytes: 200, lingerMs: 1_000_000 });
    await write(writer, ['a'.repeat(150), 'b'.repeat(150)]);
    await ticks();
    partition!.beforeDurable = () => {};
    await write(writer, ['c'.repeat(150)]);
    await ticks();
    expect(partition!.batches).toHaveLength(2);
    syncIsOver();
    await producer.close();
    expect(partition!.batches).toHaveLength(3);
  });

  it('leaves no timer behind that would keep the process alive', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      store.add('t');
      const [writer, producer] = await open('t', { lingerMs: 1_000_000 });
      await write(writer, ['a']);
      // The other looks for altered topics, and keeps nothing alive.
      expect(vi.getTimerCount()).toBe(2);
      await producer.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps acknowledgements of two writers and of send apart', async () => {
    const [partition] = store.add('t');
    const [first, producer] = await open();
    const second = await producer.writer('t');
    const runs: [string, Acknowledgement][] = [];
    first.onAcknowledged = (run) => runs.push(['first', run]);
    second.onAcknowledged = (run) => runs.push(['second', run]);
    await write(first, ['a', 'b']);
    const sent = producer.send({ topic: 't', value: 'c' });
    await write(second, ['d']);
    await write(first, ['e']);
    await producer.flush();
    expect(await sent).toMatchObject({ offset: 2 });
    expect(runs.map(([who, { firstOffset, lastOffset }]) => [who, firstOffset, lastOffset])).toEqual([
      ['first', 0, 1],
      ['second', 3, 3],
      ['first', 4, 4],
    ]);
    expect(readValues(partition!)).toEqual(['a', 'b', 'c', 'd', 'e']);
    await producer.close();
  });

  it('throws the failure of an earlier batch from every later call, and acknowledges nothing behind it', async () => {
    const [partition] = store.add('t');
    const [writer, producer] = await open('t', { batchBytes: 200 });
    let acknowledged = 0;
    writer.onAcknowledged = ({ records }) => {
      acknowledged += records;
    };
    await write(writer, ['a'.repeat(150)]);
    await writer.flush();
    partition!.beforeDurable = () => {
      throw new KlogError('KLOG_SYNC_FAILED', 'the disk said no');
    };
    await write(writer, ['b'.repeat(150), 'c'.repeat(150), 'd']);
    await ticks();
    const failure = expect.objectContaining({ code: 'KLOG_SYNC_FAILED' });
    expect(() => writer.appendValue(Buffer.from('e'), 0, 1, 1)).toThrow(failure);
    expect(() => writer.append(null, -1, -1, Buffer.from('e'), 0, 1, 1, null, -1)).toThrow(failure);
    await expect(writer.ready()).rejects.toEqual(failure);
    await expect(writer.flush()).rejects.toEqual(failure);
    await expect(producer.close()).rejects.toEqual(failure);
    expect(acknowledged).toBe(1);
  });

  describe('memory', () => {
    it('answers false when the buffer is full, and ready resolves when it is not', async () => {
      const [partition] = store.add('t');
      const [writer, producer] = await open('t', { bufferBytes: 100_000, batchBytes: 10_000 });
      let release!: () => void;
      const writing = new Promise<void>((resolve) => {
        release = resolve;
      });
      partition!.beforeAppend = () => writing;
      const value = Buffer.alloc(1000, 'x');
      let taken = 1;
      while (writer.appendValue(value, 0, value.length, 1)) taken++;
      expect(taken).toBeGreaterThan(40);
      expect(taken).toBeLessThanOrEqual(100);
      let isReady = false;
      const ready = writer.ready().then(() => {
        isReady = true;
      });
      await ticks();
      expect(isReady).toBe(false);
      release();
      await ready;
      await producer.close();
      expect(readValues(partition!)).toHaveLength(taken);
    });

    it('stays bounded with a thousand partitions, none of which fills its batch', async () => {
      const partitions = store.add('t', 1000);
      const [writer, producer] = await open('t', { bufferBytes: 4 * 1024 * 1024, lingerMs: 60_000 });
      const value = Buffer.alloc(1000, 'x');
      for (let i = 0; i < 30_000; i++) {
        const hasRoom = writer.append(null, -1, -1, value, 0, value.length, 1, null, (i * 7) % 1000);
        if (!hasRoom) await writer.ready();
      }
      await ticks(3);
      const written = partitions.reduce((sum, { logEndOffset }) => sum + logEndOffset, 0);
      expect(written).toBeGreaterThan(30_000 - 4 * 1024);
      await producer.close();
      expect(partitions.every(({ logEndOffset }) => logEndOffset === 30)).toBe(true);
    });

    it('takes records of 16 MiB one at a time', async () => {
      const [partition] = store.add('t');
      partition!.keep = false;
      const [writer, producer] = await open();
      const value = Buffer.alloc(16 * 1024 * 1024);
      for (let i = 0; i < 4; i++) {
        if (!writer.appendValue(value, 0, value.length, 1)) await writer.ready();
      }
      await producer.close();
      expect(partition!.logEndOffset).toBe(4);
    });

    it('is used again: a long stream allocates no buffer per batch', async () => {
      const [partition] = store.add('t');
      partition!.keep = false;
      const buffers = new Set<ArrayBufferLike>();
      const { append } = partition!;
      partition!.append = (batches) => {
        for (const { buffer } of batches) buffers.add(buffer);
        return append.call(partition, batches);
      };
      const [writer, producer] = await open('t', { batchBytes: 64 * 1024 });
      const value = Buffer.alloc(1000, 'x');
      for (let i = 0; i < 20_000; i++) {
        if (!writer.appendValue(value, 0, value.length, 1)) await writer.ready();
        if (i % 100 === 0) await ticks(1);
      }
      await producer.close();
      expect(buffers.size).toBeLessThanOrEqual(16);
    });

    it('is used again by many partitions, too', async () => {
      const partitions = store.add('t', 200);
      const buffers = new Set<ArrayBufferLike>();
      let batches = 0;
      for (const partition of partitions) {
        partition.keep = false;
        const { append } = partition;
        partition.append = (given) => {
          for (const { buffer } of given) buffers.add(buffer);
          batches += given.length;
          return append.call(partition, given);
        };
      }
      const [writer, producer] = await open('t', { bufferBytes: 800_000, lingerMs: 1_000_000 });
      const value = Buffer.alloc(500, 'x');
      for (let i = 0; i < 20_000; i++) {
        if (!writer.append(null, -1, -1, value, 0, value.length, 1, null, i % 200)) await writer.ready();
        if (i % 200 === 0) await ticks(1);
      }
      await producer.close();
      expect(batches).toBeGreaterThan(5000);
      // Those that are filled, those on their way, and those of before there were as many partitions, which were
      // larger.
      expect(buffers.size).toBeLessThanOrEqual(1000);
    });
  });
});
