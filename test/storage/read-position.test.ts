import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/storage/file-system.js';
import type { PartitionLog } from '../../src/storage/partition-log.js';
import type { PartitionReader } from '../../src/storage/partition-reader.js';
import { interpose } from '../store/interposed-file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { append, batchOf, newPartition, openLog, openReader, type Row, rows } from './upkeep-log.js';

const COUNT = 40;
const CONFIG = { cleanupPolicy: 'compact', segmentBytes: 100_000, indexIntervalBytes: 0 } as const;

/**
 * The first five have one key, all others a key each. Batches are of one size: whatever is left out, places are places
 * again.
 */
const ROWS = Array.from({ length: COUNT }, (_, i): Row => [String.fromCharCode(64 + Math.max(4, i)), 'value', i]);
const LEFT = Array.from({ length: COUNT }, (_, i) => i).slice(4);

async function written(): Promise<{ directory: string; log: PartitionLog }> {
  const directory = await newPartition();
  const log = await openLog(directory, CONFIG);
  await rows(log, ...ROWS);
  return { directory, log };
}

/** `onOpen` is waited for before a `.log` is opened. */
function beforeOpening(onOpen: () => Promise<unknown>): FileSystem {
  const inner = interpose(() => {});
  return Object.assign(Object.create(inner), inner, {
    async open(path: string, mode: Parameters<FileSystem['open']>[1]) {
      if (path.endsWith('.log')) await onOpen();
      return await inner.open(path, mode);
    },
  });
}

/** Base offsets of the batches from there on. */
async function readOn(reader: PartitionReader, from: number): Promise<number[]> {
  const read: number[] = [];
  for (let next = from; next < COUNT; ) {
    const { buffer, end, nextOffset } = await reader.fetch(next, 600);
    for (let at = 0; at < end; at += 12 + buffer.readInt32BE(at + 8)) read.push(Number(buffer.readBigInt64BE(at)));
    next = nextOffset;
  }
  return read;
}

/** The process dies before such a call, once it has made the other. */
function dyingBefore(call: string, once?: string): FileSystem {
  let isDue = once === undefined;
  const isSuch = (wanted: string, name: string, path: string) =>
    wanted.split(' ').every((part, i) => (i === 0 ? name === part : path.endsWith(part)));
  const fs = interpose(async ({ name, path }) => {
    if (isDue && isSuch(call, name, path)) {
      await fs.closeAll();
      throw new Error('killed');
    }
    if (once !== undefined && isSuch(once, name, path)) isDue = true;
  });
  return fs;
}

describe('where a reader goes on', () => {
  it.each(['before it is opened again', 'while it is opened again'])(
    'misses nothing where its file was closed and is compacted %s',
    async (when) => {
      const { directory, log } = await written();
      let compact = async () => {};
      const fs = beforeOpening(() => compact());
      const reader = await openReader(directory, fs);
      const { nextOffset } = await reader.fetch(0, 600);
      expect(nextOffset).toBeGreaterThan(4);
      await reader.release();
      compact = async () => {
        compact = async () => {};
        await log.compact({ force: true });
      };
      if (when.startsWith('before')) await compact();
      expect(await readOn(reader, nextOffset)).toEqual(LEFT.filter((offset) => offset >= nextOffset));
      await reader.close();
      await log.close();
    },
  );

  it('misses nothing where its file was closed while who settles puts another in its place', async () => {
    const { directory, log } = await written();
    await log.close();
    const dying = await openLog(directory, CONFIG, { fs: dyingBefore('rename .log.swap') });
    await expect(dying.compact({ force: true })).rejects.toThrow('killed');
    const reader = await openReader(directory);
    const { nextOffset } = await reader.fetch(0, 600);
    expect(nextOffset).toBeGreaterThan(4);
    await reader.release();
    await expect(openLog(directory, CONFIG, { fs: dyingBefore('syncDirectory', 'rename .log.swap') })).rejects.toThrow(
      'killed',
    );
    expect(await readOn(reader, nextOffset)).toEqual(LEFT.filter((offset) => offset >= nextOffset));
    await reader.close();
  });

  it('misses nothing in a copy made in the middle of an exchange, where its file was closed and the copy settled', async () => {
    const { directory, log } = await written();
    await log.close();
    const dying = await openLog(directory, CONFIG, { fs: dyingBefore('rename .log.swap') });
    await expect(dying.compact({ force: true })).rejects.toThrow('killed');
    const copy = join(temporaryDirectory(), 't-0');
    cpSync(directory, copy, { recursive: true });
    await (await openLog(directory, CONFIG)).close();
    // The last file to be copied.
    cpSync(join(directory, 'klog.end'), join(copy, 'klog.end'));
    const reader = await openReader(copy);
    const { nextOffset } = await reader.fetch(0, 600);
    expect(nextOffset).toBeGreaterThan(4);
    await reader.release();
    await (await openLog(copy, CONFIG)).close();
    expect(await readOn(reader, nextOffset)).toEqual(LEFT.filter((offset) => offset >= nextOffset));
    await reader.close();
  });

  it('reads from the batch of a time that it has looked for, without another look-up', async () => {
    const { directory, log } = await written();
    await append(
      log,
      batchOf([
        ['x', '1', 100],
        ['y', '2', 101],
        ['z', '3', 102],
      ]),
    );
    let reads = 0;
    const fs = interpose(({ name, path }) => {
      if (name === 'read' && path.endsWith('.log')) reads++;
    });
    const reader = await openReader(directory, fs);
    const found = await reader.offsetForTime(101);
    expect(found).toEqual({ offset: COUNT + 1, timestamp: 101 });
    const before = reads;
    const block = await reader.fetch(found!.offset, 10_000);
    expect(reads).toBe(before + 1);
    expect(Number(block.buffer.readBigInt64BE(block.start))).toBe(COUNT);
    expect(block.nextOffset).toBe(COUNT + 3);
    await reader.close();
    await log.close();
  });
});
