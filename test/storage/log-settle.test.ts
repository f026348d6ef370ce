import { appendFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { interpose, systemError, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { buildBatch } from '../support/build-batch.js';
import { afterReboot, contents, copyOf, newPartition, openLog, readAll, segmentPath, write } from './real-partition.js';

const CONFIG = { indexIntervalBytes: 150 };
const texts = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}`.padEnd(40, '.'));

/** Batches whose times rise, stand still and fall. */
const timed = (text: string, i: number) => buildBatch([text], { timestamps: [1000 + ((i * 7) % 23) * 10] });

describe('the indexes after a power loss', () => {
  it('are those that a writer without one would have written, wherever the files were lost from', async () => {
    const whole = await newPartition();
    const all = texts(0, 60);
    const uninterrupted = await openLog(whole, { config: CONFIG });
    for (const [i, text] of all.entries()) await uninterrupted.durable(await uninterrupted.append([timed(text, i)]));
    await uninterrupted.close();
    const expected = contents(whole, '.log', '.index', '.timeindex');
    const config = { ...CONFIG, segmentBytes: 1e9 };
    for (const reboots of [[30], [1], [10, 20, 50]]) {
      for (const damage of [
        (path: string) => truncateSync(path, 0),
        (path: string) => writeFileSync(path, Buffer.alloc(4096, 0xee)),
        (path: string) => rmSync(path),
      ]) {
        const directory = await newPartition();
        let boot = 1;
        let log = await openLog(directory, { config, fs: afterReboot(boot) });
        for (const [i, text] of all.entries()) {
          if (reboots.includes(i)) {
            await log.close();
            damage(segmentPath(directory, 0, '.index'));
            damage(segmentPath(directory, 0, '.timeindex'));
            log = await openLog(directory, { config, fs: afterReboot(++boot) });
          }
          await log.durable(await log.append([timed(text, i)]));
        }
        await log.close();
        const size = (name: string) => expected[name]!.length;
        for (const [name, bytes] of Object.entries(contents(directory, '.log', '.index', '.timeindex'))) {
          expect(bytes.slice(0, size(name)), name).toBe(expected[name]);
        }
      }
    }
  });

  it('of a closed segment are the same and have the same size', async () => {
    const config = { indexIntervalBytes: 150, segmentBytes: 1500 };
    const all = texts(0, 40);
    const run = async (reboots: readonly number[]) => {
      const directory = await newPartition();
      let boot = 1;
      let log = await openLog(directory, { config, fs: afterReboot(boot) });
      for (const [i, text] of all.entries()) {
        if (reboots.includes(i)) {
          await log.close();
          log = await openLog(directory, { config, fs: afterReboot(++boot) });
        }
        await log.durable(await log.append([timed(text, i)]));
      }
      await log.close();
      return contents(directory, '.log', '.index', '.timeindex');
    };
    expect(await run([3, 17, 18, 30])).toEqual(await run([]));
  });
});

describe('what a writer left', () => {
  it('is settled by the next when the sync of the directory fails, which is told as any failed sync', async () => {
    const directory = await newPartition();
    const before = await openLog(directory);
    await write(before, 'a', 'b');
    await before.close();
    appendFileSync(segmentPath(directory), 'torn');
    const fs = interpose(({ name, path }) => {
      if (name === 'syncDirectory') throw systemError('EIO', path);
    });
    await expect(openLog(directory, { fs })).rejects.toMatchObject({ code: 'KLOG_SYNC_FAILED' });
    const next = await openLog(directory);
    await write(next, 'd');
    await next.close();
    expect((await readAll(directory)).map((text) => text.trim())).toEqual(['a', 'b', 'd']);
  });

  it('in the middle of a write is kept aside, and cut off', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await write(log, 'a', 'b');
    await log.close();
    const torn = buildBatch(['c'], { baseOffset: 2 }).subarray(0, 65);
    appendFileSync(segmentPath(directory), torn);
    const next = await openLog(directory);
    await write(next, 'd');
    await next.close();
    expect(await readAll(directory)).toEqual(['a', 'b', 'd']);
    expect(Object.values(contents(directory, '.cut-138'))).toEqual([Buffer.from(torn).toString('hex')]);
  });

  it('in the middle of a write keeps nobody from reading a full disk, and from making room on it', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { config: { segmentBytes: 138 } });
    await write(log, 'a', 'b', 'c');
    const torn = buildBatch(['d'], { baseOffset: 3 }).subarray(0, 65);
    appendFileSync(segmentPath(directory, 2), torn);
    await log.close();
    const files = () => readdirSync(directory).sort();
    const before = files();
    let isFull = true;
    const fs = interpose(({ name, path }) => {
      if (isFull && name === 'write' && !/\.log$|klog\.end$/.test(path)) throw systemError('ENOSPC', path);
      if (name === 'unlink' && path.endsWith('.log')) isFull = false;
    });
    const full = await openLog(directory, { fs });
    await expect(write(full, 'e')).rejects.toMatchObject({
      code: 'KLOG_DISK_FULL',
      message: 'no space to append to t:0',
    });
    expect(files()).toEqual(before);
    expect(await readAll(directory, fs)).toEqual(['a', 'b', 'c']);
    expect(await full.trim(2)).toMatchObject({ logStartOffset: 2, segments: 1 });
    await write(full, 'e');
    await full.close();
    expect(await readAll(directory, fs, 2)).toEqual(['c', 'e']);
  });

  it('is an epoch of its own wherever A went back, even if nothing was there to cut off any more', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await write(log, 'a');
    const waiting = await log.append([buildBatch(['lost'])]);
    // A settler cut it off, and died before it wrote the epoch.
    truncateSync(segmentPath(directory), 69);
    const settler = await openLog(directory);
    await write(settler, 'b');
    await write(settler, 'c');
    // A second cut, behind the first.
    await settler.append([buildBatch(['lost too'])]);
    truncateSync(segmentPath(directory), 3 * 69 + 10);
    await write(settler, 'd');
    await expect(log.durable(waiting)).rejects.toMatchObject({ code: 'KLOG_OUTCOME_UNKNOWN' });
    await settler.close();
    await log.close();
    expect(await readAll(directory)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('behind a failed sync is written again, and what the disk gave back instead is cut off', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await write(log, 'a');
    const failing = await openLog(directory, {
      fs: interpose(({ name, path }) => {
        if (name === 'sync') throw systemError('EIO', path);
      }),
    });
    await expect(write(failing, 'b')).rejects.toMatchObject({ code: 'KLOG_SYNC_FAILED' });
    await expect(write(failing, 'c')).rejects.toMatchObject({ code: 'KLOG_SYNC_FAILED' });
    await failing.close();
    const large = 'x'.repeat(600_000);
    const other = await openLog(directory);
    const appended = await other.append([buildBatch([large])]);
    const dead = await openLog(directory, {
      fs: interpose(({ name, path }) => {
        if (name === 'sync') throw systemError('EIO', path);
      }),
    }).catch(() => undefined);
    await dead?.durable(appended).catch(() => {});
    await dead?.close();
    // The cache drops a page between the check of the batch and its rewriting: zeros are read from then on.
    let reads = 0;
    const evicting = interpose(async ({ name, path }) => {
      if (name !== 'read' || !path.endsWith('.log') || ++reads !== 4) return;
      const file = await unsyncedFileSystem.open(path, 'write');
      await file.write(Buffer.alloc(4096), 0, 4096, 300_000);
      await file.close();
    });
    const settler = await openLog(directory, { fs: evicting });
    await write(settler, 'end');
    await settler.close();
    await other.close();
    await log.close();
    const found = await readAll(directory);
    expect(found.at(-1)).toBe('end');
    expect(found.filter((text) => text.length > 1000 && text !== large)).toEqual([]);
  });
});

describe('a directory from elsewhere', () => {
  it('copied at any state of its last segment is a prefix, to read and to go on with', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { config: { segmentBytes: 400 } });
    const all = texts(0, 12);
    await write(log, ...all);
    await log.append([buildBatch(['not safe'])]);
    const copy = copyOf(directory);
    for (const cut of [0, 1, 70, 107, 150]) {
      const partial = copyOf(copy);
      truncateSync(segmentPath(partial, 9), cut);
      const there = [...texts(0, 9), ...texts(9, 9 + Math.floor(cut / 108))];
      expect(await readAll(partial)).toEqual(there);
      const next = await openLog(partial, { config: { segmentBytes: 400 } });
      await write(next, 'more');
      await next.close();
      expect(await readAll(partial)).toEqual([...there, 'more']);
    }
    await log.close();
  });

  it('without klog.end, as a broker leaves it, is read and written', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { config: { segmentBytes: 400 } });
    await write(log, ...texts(0, 12));
    await log.close();
    rmSync(join(directory, 'klog.end'));
    expect(await readAll(directory)).toEqual(texts(0, 12));
    const next = await openLog(directory);
    await write(next, 'more');
    await next.close();
    expect(await readAll(directory)).toEqual([...texts(0, 12), 'more']);
    expect(await readAll(directory, afterReboot())).toEqual([...texts(0, 12), 'more']);
  });
});
