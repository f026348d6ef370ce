import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadCodec } from '../../src/format/compression.js';
import { interpose } from '../store/interposed-file-system.js';
import {
  allBytes,
  append,
  batchOf,
  leftovers,
  newPartition,
  openLog,
  type Row,
  readAll,
  rows,
  segments,
  transaction,
} from './upkeep-log.js';

const key = (text: string) => Buffer.from(text);

describe('erase', () => {
  const given: Row[] = [
    ['ann', 'secret-1'],
    ['bob', 'public-2'],
    ['ann', 'secret-3'],
    ['cid', 'public-4'],
  ];

  it.each([
    ['of several segments', 100],
    ['of the segment that is written to', 1_000_000],
  ])('a key %s: the old bytes are gone, all other records keep their offsets', async (_, segmentBytes) => {
    const directory = await newPartition();
    const log = await openLog(directory, { segmentBytes });
    await rows(log, ...given);
    writeFileSync(`${directory}/00000000000000000000.log.cut-123`, 'torn secret-1');
    expect(await log.erase({ key: key('ann') }, { validateOnly: true })).toMatchObject({ records: 2, cutFiles: 1 });
    expect(allBytes(directory).includes('secret')).toBe(true);
    expect(await log.erase({ key: key('ann') })).toMatchObject({ records: 2, cutFiles: 1 });
    expect(await readAll(directory)).toEqual([
      { offset: 1, key: 'bob', value: 'public-2' },
      { offset: 3, key: 'cid', value: 'public-4' },
    ]);
    expect(allBytes(directory).includes('secret')).toBe(false);
    expect(leftovers(directory)).toEqual([]);
    await rows(log, ['ann', 'new']);
    expect((await readAll(directory)).at(-1)).toEqual({ offset: 4, key: 'ann', value: 'new' });
    await log.close();
  });

  it('of the segment that is written to fails where the disk has no room to close it, and erases when there is', async () => {
    const directory = await newPartition();
    let isFull = false;
    const fs = interpose(({ name, path }) => {
      const needsRoom = name.startsWith('open create') && path.endsWith('.log');
      if (isFull && needsRoom) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', path });
    });
    const log = await openLog(directory, {}, { fs });
    await rows(log, ...given);
    isFull = true;
    await expect(log.erase({ key: key('ann') })).rejects.toMatchObject({ code: 'KLOG_DISK_FULL' });
    expect(allBytes(directory).includes('secret')).toBe(true);
    isFull = false;
    expect(await log.erase({ key: key('ann') })).toMatchObject({ records: 2 });
    expect(allBytes(directory).includes('secret')).toBe(false);
    await log.close();
  });

  it('one record of a compressed batch', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await append(log, batchOf(given, { codec: await loadCodec('gzip') }));
    expect(await log.erase({ offset: 2 })).toEqual({ records: 1, segments: 1, cutFiles: 0 });
    expect((await readAll(directory)).map(({ offset }) => offset)).toEqual([0, 1, 3]);
    expect(await log.erase({ offset: 2 })).toEqual({ records: 0, segments: 0, cutFiles: 0 });
    await log.close();
  });

  it('never takes a marker, nor what else a transaction needs', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await append(log, ...transaction(5, [['ann', 'secret']], 'COMMIT'));
    expect(await log.erase({ offset: 1 })).toMatchObject({ records: 0 });
    expect(await log.erase({ key: key('ann') })).toMatchObject({ records: 1 });
    expect(await readAll(directory)).toEqual([]);
    expect(segments(directory)).toEqual([0, 2]);
    await log.close();
  });

  it('refuses offsets that are not there yet', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await rows(log, ...given);
    for (const offset of [4, -1]) {
      await expect(log.erase({ offset })).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    }
    await log.close();
  });
});

describe('beside a trim', () => {
  const given: Row[] = ['ann', 'bob', 'ann', 'cid', 'ann', 'dan'].map((name, i) => [name, `${name}-${i}`]);

  it.each([
    ['counted', 1],
    ['written anew', 2],
  ])('a segment that goes before it is %s takes its records with it', async (_, nth) => {
    const directory = await newPartition();
    const other = await openLog(directory, { segmentBytes: 100 });
    await rows(other, ...given);
    const first = segments(directory)[0]!;
    let opened = 0;
    const fs = interpose(async ({ name, path }) => {
      if (name === 'open read' && path.endsWith(`${String(first).padStart(20, '0')}.log`) && ++opened === nth) {
        await other.trim(segments(directory)[1]!);
      }
    });
    const log = await openLog(directory, { segmentBytes: 100 }, { fs });
    const { records } = await log.erase({ key: key('ann') });
    expect(opened).toBe(nth);
    expect(records).toBe(2);
    expect((await readAll(directory)).map(({ value }) => value)).toEqual(['bob-1', 'cid-3', 'dan-5']);
    expect(leftovers(directory)).toEqual([]);
    await log.close();
    await other.close();
  });
});
