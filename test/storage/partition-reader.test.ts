import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ControlFile } from '../../src/storage/control-file.js';
import { createPartition } from '../../src/storage/create-partition.js';
import { PartitionLocks } from '../../src/storage/partition-locks.js';
import { PartitionReader } from '../../src/storage/partition-reader.js';
import { interpose, systemError, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { buildBatch } from '../support/build-batch.js';
import {
  afterReboot,
  counting,
  drain,
  newPartition,
  openLog,
  openReader,
  readAll,
  segmentPath,
  write,
} from './real-partition.js';

const texts = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}`.padEnd(40, '.'));

async function written(count: number, config = {}): Promise<string> {
  const directory = await newPartition();
  const log = await openLog(directory, { config });
  await write(log, ...texts(0, count));
  await log.close();
  return directory;
}

/** Changes bytes of the nth batch of a segment. */
function damage(directory: string, base: number, nth: number, change: (bytes: Buffer, at: number) => void): void {
  const path = segmentPath(directory, base);
  const bytes = readFileSync(path);
  // All batches are of one size.
  change(bytes, nth * (12 + bytes.readInt32BE(8)));
  writeFileSync(path, bytes);
}

/** Reads on behind each damage; answers the texts, and from where to where something is missing. */
async function skipping(reader: PartitionReader, maxBytes = 300): Promise<{ read: string[]; gaps: number[][] }> {
  const read: string[] = [];
  const gaps: number[][] = [];
  for (let next = 0; ; ) {
    try {
      const { end, nextOffset } = await reader.fetch(next, maxBytes);
      if (end === 0) return { read, gaps };
      read.push(...texts(next, nextOffset));
      next = nextOffset;
    } catch (error) {
      expect(error).toMatchObject({ code: 'CORRUPT_MESSAGE', place: { topic: 't', partition: 0, offset: next } });
      const { nextOffset } = await reader.skipDamage(next, '');
      expect(nextOffset).toBeGreaterThan(next);
      gaps.push([next, nextOffset]);
      next = nextOffset;
    }
  }
}

const DAMAGES: readonly (readonly [string, (bytes: Buffer, at: number) => void])[] = [
  ['the body', (bytes, at) => bytes.writeUInt8(bytes[at + 80]! ^ 1, at + 80)],
  ['the checksum', (bytes, at) => bytes.writeUInt8(bytes[at + 17]! ^ 1, at + 17)],
  ['a length that is too large for the file', (bytes, at) => bytes.writeUInt8(0x40, at + 8)],
  ['a length that leads into the next batch', (bytes, at) => bytes.writeUInt8(bytes[at + 11]! ^ 16, at + 11)],
  ['a length that is negative', (bytes, at) => bytes.writeUInt8(0x80, at + 8)],
  ['the magic', (bytes, at) => bytes.writeUInt8(0x42, at + 16)],
  ['the highest bit of the base offset', (bytes, at) => bytes.writeUInt8(0x80, at)],
  ['the second byte of the base offset', (bytes, at) => bytes.writeUInt8(0x7f, at + 1)],
  ['everything', (bytes, at) => bytes.fill(0, at, at + 100)],
];

describe.each(DAMAGES)('damage to %s', (_, change) => {
  // Segments of four batches: the first, one in the middle, the last of a closed segment, the last of all.
  it.each([[[0]], [[5]], [[7]], [[11]], [[1, 2, 9]]])(
    'of batch %j costs these batches and no other',
    async (numbers) => {
      const directory = await written(12, { segmentBytes: 450, indexIntervalBytes: 100 });
      // The last one first: the first one tells their size.
      for (const number of [...numbers].reverse()) damage(directory, number - (number % 4), number % 4, change);
      for (const maxBytes of [1, 300, 10_000]) {
        const reader = await openReader(directory);
        const { read, gaps } = await skipping(reader, maxBytes);
        const lost = gaps.flatMap(([from = 0, to = 0]) => Array.from({ length: to - from }, (_, i) => from + i));
        expect(lost).toEqual(numbers);
        expect(read).toEqual(texts(0, 12).filter((_, i) => !numbers.includes(i)));
        await reader.close();
      }
      // What lies behind is found by offset, too, by a reader that has not come that way.
      for (let offset = 0; offset < 12; offset++) {
        const reader = await openReader(directory);
        const found = await reader.fetch(offset, 1).catch((error: unknown) => error);
        if (numbers.includes(offset)) expect(found).toMatchObject({ code: 'CORRUPT_MESSAGE' });
        else expect(found, `offset ${offset}`).toMatchObject({ nextOffset: offset + 1 });
        await reader.close();
      }
    },
  );
});

describe('opening', () => {
  it('settles what a writer has left that was killed between its batch and A', async () => {
    const directory = await written(3);
    const path = segmentPath(directory, 0);
    const whole = readFileSync(path);
    const behind = Buffer.from(whole.subarray(0, whole.length / 3));
    behind.writeBigInt64BE(3n, 0);
    writeFileSync(path, Buffer.concat([whole, behind]));
    const settler = { settle: async () => (await openLog(directory)).close() };
    const reader = await PartitionReader.open(unsyncedFileSystem, directory, { topic: 't', partition: 0, ...settler });
    expect((await reader.marks()).highWatermark).toBe(4);
    await reader.close();
  });
});

describe('a segment that is gone', () => {
  const config = { segmentBytes: 450, indexIntervalBytes: 100 };

  it.each([0, 1, 2])('number %i is damage that is named, and passed over on demand', async (number) => {
    const directory = await written(20, config);
    const bases = readdirSync(directory)
      .filter((name) => name.endsWith('.log'))
      .map((name) => Number.parseInt(name, 10));
    const [from, to] = [bases.sort((a, b) => a - b)[number]!, bases[number + 1]!];
    rmSync(segmentPath(directory, from));
    const reader = await openReader(directory);
    const { read, gaps } = await skipping(reader);
    expect(gaps).toEqual([[from, to]]);
    expect(read).toEqual(texts(0, 20).filter((_, i) => i < from || i >= to));
    await reader.close();
  });

  it('emptied instead is the same', async () => {
    const directory = await written(20, config);
    const second = readdirSync(directory)
      .filter((name) => name.endsWith('.log'))
      .sort()[1]!;
    truncateSync(`${directory}/${second}`, 0);
    const reader = await openReader(directory);
    expect((await skipping(reader)).gaps).toHaveLength(1);
    await reader.close();
  });
});

describe('a reader', () => {
  it('crosses segments that others begin, as slow as it is, and closes what it opens', async () => {
    const directory = await newPartition();
    const config = { segmentBytes: 450, indexIntervalBytes: 100 };
    const log = await openLog(directory, { config });
    const { fs, open } = counting();
    const reader = await openReader(directory, fs);
    const read: string[] = [];
    for (let round = 0; round < 12; round++) {
      await write(log, ...texts(round * 5, round * 5 + 5));
      const { end, nextOffset } = await reader.fetch(read.length, 250);
      if (end > 0) read.push(...texts(read.length, nextOffset));
      expect((await reader.offsetForTime(1000))?.offset).toBe(0);
      expect(open()).toBeLessThanOrEqual(4);
    }
    expect(read.length).toBeLessThan(40);
    expect(await drain(reader, read.length)).toEqual(texts(read.length, 60));
    await reader.close();
    expect(open()).toBe(0);
    await log.close();
  });

  it('used by several tasks at once answers each of them', async () => {
    const directory = await written(40, { segmentBytes: 450, indexIntervalBytes: 100 });
    const reader = await openReader(directory);
    const answers = await Promise.all(
      [39, 0, 17, 3, 28, 11].flatMap((offset) => [drain(reader, offset), reader.offsetForTime(1000), reader.marks()]),
    );
    for (const [i, offset] of [39, 0, 17, 3, 28, 11].entries()) expect(answers[i * 3]).toEqual(texts(offset, 40));
    await reader.close();
  });

  it('sees nothing that is not safe, in this boot', async () => {
    const directory = await written(3);
    const log = await openLog(directory);
    await log.append([buildBatch(['not safe'])]);
    expect(await readAll(directory)).toEqual(texts(0, 3));
    await log.close();
  });

  it('finds nothing, and no error, between what is safe and what is appended, and goes on there', async () => {
    const directory = await written(3);
    const log = await openLog(directory);
    const reader = await openReader(directory);
    const appended = await log.append([buildBatch(['d']), buildBatch(['e'])]);
    for (const offset of [3, 4, 5]) {
      expect(await reader.fetch(offset, 100)).toMatchObject({ start: 0, end: 0, nextOffset: offset });
    }
    await expect(reader.fetch(6, 100)).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringMatching(/begins at 0 and ends at 5$/),
    });
    const more = reader.waitForMore(4, {});
    await log.durable(appended);
    expect(await more).toBe(true);
    expect(await drain(reader, 4)).toEqual(['e']);
    await reader.close();
    await log.close();
  });

  it('that may not write reads whole batches after another boot, and goes on from there', async () => {
    const directory = await written(3);
    const log = await openLog(directory);
    await log.append([buildBatch(['was on the disk'])]);
    await log.close();
    let logReads = 0;
    const fs = interpose(
      ({ name, path }) => {
        if (name === 'read' && path.endsWith('.log')) logReads++;
      },
      { bootId: () => new Uint8Array(16).fill(9) },
    );
    const reader = await openReader(directory, fs);
    expect(await drain(reader)).toEqual([...texts(0, 3), 'was on the disk']);
    logReads = 0;
    for (let i = 0; i < 10; i++) expect((await reader.marks()).highWatermark).toBe(4);
    // What was found whole is not gone through again at each look.
    expect(logReads).toBe(0);
    const settler = await openLog(directory, { fs: afterReboot(9) });
    await write(settler, 'after');
    expect(await drain(reader, 3)).toEqual(['was on the disk', 'after']);
    await settler.close();
    await reader.close();
  });

  it.each(['ENOSPC', 'EACCES', 'EROFS'])('reads what is safe when settling fails with %s', async (code) => {
    const directory = await written(3);
    const log = await openLog(directory);
    await log.append([buildBatch(['not safe'])]);
    await log.close();
    const reader = await openReader(directory, unsyncedFileSystem, async () => {
      throw systemError(code);
    });
    expect(await drain(reader)).toEqual(texts(0, 3));
    expect(await reader.waitForMore(3, { timeoutMs: 400 })).toBe(false);
    await reader.close();
  });

  it('does not wait for a roll whose process has died', async () => {
    const directory = await written(3);
    const control = await ControlFile.open(unsyncedFileSystem, directory, 'create');
    const { safe } = await control.read();
    await control.writeSafe({ ...safe!, layoutVersion: safe!.layoutVersion + 1 });
    const start = performance.now();
    expect(await readAll(directory)).toEqual(texts(0, 3));
    // Who is alive is waited for, up to 30 s.
    expect(performance.now() - start).toBeLessThan(20_000);
    await control.close();
  });

  it('waits for who settles a log without S, however long that takes', async () => {
    const directory = await written(3);
    writeFileSync(`${directory}/klog.end`, Buffer.alloc(4096));
    const control = await ControlFile.open(unsyncedFileSystem, directory, 'create');
    const locks = new PartitionLocks(control.file, 1000);
    expect(locks.sync.tryAcquire()).toBe(true);
    setTimeout(() => locks.sync.release(), 1800);
    expect(await readAll(directory)).toEqual(texts(0, 3));
    await control.close();
  });

  it('is told when its topic is deleted, and never shown another of the same name', async () => {
    const directory = await written(3);
    const [waiting, opened, fresh] = [
      await openReader(directory),
      await openReader(directory),
      await openReader(directory),
    ];
    expect(await drain(opened)).toEqual(texts(0, 3));
    const wait = waiting.waitForMore(3, {});
    renameSync(directory, `${directory}.gone`);
    await expect(wait).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    mkdirSync(directory);
    await createPartition(unsyncedFileSystem, directory, {
      topicId: 'AAAAAAAAAAAAAAAAAAAAAg',
      clock: { now: () => 0 },
    });
    const log = await openLog(directory);
    await log.append([buildBatch(['another, not safe'])]);
    await expect(fresh.fetch(0, 1000)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await expect(fresh.offsetForTime(0)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    for (const reader of [waiting, opened, fresh]) await reader.close();
    await log.close();
  });

  it('closed while it is waited with stops, and opens nothing again', async () => {
    const directory = await written(1);
    const { fs, open } = counting();
    const reader = await openReader(directory, fs);
    const wait = reader.waitForMore(1, { timeoutMs: 5000 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await reader.close();
    expect(await wait.catch(() => false)).toBe(false);
    expect(open()).toBe(0);
  });
});

describe('a segment whose file is gone', () => {
  it.each([
    ['the only one', 0, 8],
    ['the last one', 2000, 40],
  ])('is damage, told with its file and passed over: %s', async (_, segmentBytes, count) => {
    const directory = await written(count, segmentBytes === 0 ? {} : { segmentBytes });
    const logs = readdirSync(directory).filter((name) => name.endsWith('.log'));
    const base = Number.parseInt(logs.at(-1)!, 10);
    expect(logs.length > 1).toBe(segmentBytes > 0);
    rmSync(segmentPath(directory, base));
    const reader = await openReader(directory, afterReboot());
    await expect(reader.fetch(base, 1000)).rejects.toMatchObject({
      code: 'CORRUPT_MESSAGE',
      place: { topic: 't', partition: 0, offset: base, file: expect.stringContaining('.log') },
    });
    expect(await skipping(reader)).toEqual({ read: texts(0, base), gaps: [[base, count]] });
    await reader.close();
  });
});

describe('the offset of a time', () => {
  it('is that of the first record as late, with times that go backwards, across segments', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { config: { segmentBytes: 500, indexIntervalBytes: 100 } });
    const times: number[] = [];
    for (let i = 0; i < 40; i++) {
      const batch = [i, i + 1, i + 2].map((n) => 1000 + ((n * 37) % 50) - (n % 7) * 9);
      times.push(...batch);
      await log.durable(await log.append([buildBatch(['x', 'y', 'z'], { timestamps: batch })]));
    }
    const check = async (reader: PartitionReader) => {
      for (let time = 940; time < 1060; time++) {
        const first = times.findIndex((t) => t >= time);
        const expected = first < 0 ? undefined : { offset: first, timestamp: times[first] };
        expect(await reader.offsetForTime(time), `time ${time}`).toEqual(expected);
      }
      await reader.close();
    };
    await check(await openReader(directory));
    await check(await openReader(directory, afterReboot()));
    await log.close();
  });

  it('is found by the time of the append, where that is what records have', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { config: { messageTimestampType: 'LogAppendTime', indexIntervalBytes: 1 } });
    await write(log, ...texts(0, 5));
    const reader = await openReader(directory);
    expect(await reader.offsetForTime(1_000_000)).toEqual({ offset: 0, timestamp: 1_000_000 });
    expect(await reader.offsetForTime(1_000_001)).toBeUndefined();
    await reader.close();
    await log.close();
  });
});
