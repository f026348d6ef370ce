import { describe, expect, it } from 'vitest';
import { RecordBatch } from '../../src/format/record-batch.js';
import { buildBatch } from '../support/build-batch.js';
import { afterReboot, drain, newPartition, openLog, openReader, readAll } from './real-partition.js';

function batchAt(offset: number, ...texts: string[]): Uint8Array {
  const bytes = Buffer.from(buildBatch(texts));
  new RecordBatch().reset(bytes, 0).setBaseOffset(offset);
  return bytes;
}

async function readFrom(directory: string, offset: number): Promise<string[]> {
  const reader = await openReader(directory);
  const texts = await drain(reader, offset);
  await reader.close();
  return texts;
}

describe('batches that keep their offsets', () => {
  it('leave gaps, and the log goes on behind the last', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    const appended = await log.append([batchAt(5, 'a', 'b'), batchAt(100, 'c')], { keepOffsets: true });
    await log.durable(appended);
    expect(appended.lastOffset).toBe(100);
    const next = await log.append([buildBatch(['d'])]);
    await log.durable(next);
    expect(next.baseOffset).toBe(101);
    await log.close();
    expect(await readAll(directory)).toEqual(['a', 'b', 'c', 'd']);
    expect(await readFrom(directory, 6)).toEqual(['b', 'c', 'd']);
    expect(await readFrom(directory, 7)).toEqual(['c', 'd']);
    expect(await readFrom(directory, 101)).toEqual(['d']);
  });

  it('are found across rolls, and after a power loss', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { config: { segmentBytes: 300, indexIntervalBytes: 1 } });
    const texts: string[] = [];
    for (let i = 0; i < 20; i++) {
      texts.push(`v${i}`);
      await log.durable(await log.append([batchAt(i * 1000, `v${i}`)], { keepOffsets: true }));
    }
    await log.close();
    expect(await readAll(directory, afterReboot())).toEqual(texts);
    expect(await readFrom(directory, 7001)).toEqual(texts.slice(8));
  });

  it('are left alone by who opens the log before they are safe', async () => {
    const directory = await newPartition();
    const importing = await openLog(directory);
    const appended = await importing.append([batchAt(5, 'a'), batchAt(100, 'b')], { keepOffsets: true });
    const reader = await openReader(directory, undefined, async () => (await openLog(directory)).close());
    await reader.close();
    await importing.durable(appended);
    await importing.close();
    expect(await readAll(directory)).toEqual(['a', 'b']);
  });

  it('are not shown after a power loss where they are cut off when it is settled', async () => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await log.durable(await log.append([batchAt(0, 'a')], { keepOffsets: true }));
    await log.append([batchAt(1, 'b'), batchAt(100, 'c')], { keepOffsets: true });
    await log.close();
    const fs = afterReboot();
    const seen = await readAll(directory, fs);
    await (await openLog(directory, { fs })).close();
    expect(await readAll(directory, fs)).toEqual(seen);
  });

  it('keep their times under LogAppendTime', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { config: { messageTimestampType: 'LogAppendTime' } });
    const batch = batchAt(0, 'a');
    await log.append([batch], { keepOffsets: true });
    expect(new RecordBatch().reset(batch, 0).timestampType).toBe('create');
    await log.close();
  });

  it.each([
    ['below the end', [batchAt(3, 'x')], 'OFFSET_OUT_OF_RANGE'],
    ['not ascending', [batchAt(9, 'x', 'y'), batchAt(10, 'z')], 'OFFSET_OUT_OF_RANGE'],
    ['further away than a segment reaches', [batchAt(9, 'x'), batchAt(2 ** 31 + 100, 'z')], 'KLOG_UNSUPPORTED'],
  ])('are refused as a whole: %s', async (_, batches, code) => {
    const directory = await newPartition();
    const log = await openLog(directory);
    await log.durable(await log.append([batchAt(4, 'a')], { keepOffsets: true }));
    await expect(log.append(batches, { keepOffsets: true })).rejects.toMatchObject({ code });
    await log.close();
    expect(await readAll(directory)).toEqual(['a']);
  });
});
