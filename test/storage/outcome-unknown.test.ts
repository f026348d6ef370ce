/** Once records are in the log, no error may invite to send them again: they would come twice. */
import { describe, expect, it } from 'vitest';
import { ControlFile } from '../../src/storage/control-file.js';
import { PartitionLocks } from '../../src/storage/partition-locks.js';
import { interpose, systemError, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { buildBatch } from '../support/build-batch.js';
import { newPartition, openLog, readAll, write } from './real-partition.js';

/** Two batches fill a segment. */
const SMALL = { segmentBytes: 200 };
const batch = (text: string) => buildBatch([text.padEnd(20, '.')]);

/** As another process that stays in the middle of it. Answers what ends it. */
async function hold(directory: string, lock: 'append' | 'sync'): Promise<() => Promise<void>> {
  const control = await ControlFile.open(unsyncedFileSystem, directory, 'write');
  await new PartitionLocks(control.file, 1000)[lock].acquire();
  return () => control.close();
}

describe('a lock that is not to be had in time', () => {
  it('after the append leaves the outcome unknown, and the records come once it is free', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { lockWaitMs: 20 });
    const letGo = await hold(directory, 'sync');
    const appended = await log.append([batch('a')]);
    const failure = await log.durable(appended).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'KLOG_OUTCOME_UNKNOWN',
      retriable: false,
      place: { topic: 't', partition: 0, offset: 0 },
      message: expect.stringMatching(/^records 0 to 0 of t:0 were written, .* lock was not free within 20 ms/),
      cause: expect.objectContaining({ code: 'KLOG_LOCKED' }),
    });
    await letGo();
    await write(log, 'b');
    expect((await readAll(directory)).map((text) => text[0])).toEqual(['a', 'b']);
    await log.close();
  });

  it('after the append, when a dead leader has left something to settle', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { lockWaitMs: 20 });
    const appended = await log.append([batch('a')]);
    const control = await ControlFile.open(unsyncedFileSystem, directory, 'write');
    await control.setSyncing(true);
    await control.close();
    const letGo = await hold(directory, 'append');
    await expect(log.durable(appended)).rejects.toMatchObject({ code: 'KLOG_OUTCOME_UNKNOWN', retriable: false });
    await letGo();
    await log.durable(appended);
    await log.close();
  });

  it('before anything was written is to be tried again', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { lockWaitMs: 20, config: SMALL });
    await write(log, ...['a', 'b'].map((text) => text.padEnd(20, '.')));
    const letGo = await hold(directory, 'sync');
    // It needs a new segment, and so the lock.
    await expect(log.append([batch('c')])).rejects.toMatchObject({ code: 'KLOG_LOCKED', retriable: true });
    await letGo();
    await log.durable(await log.append([batch('c')]));
    expect((await readAll(directory)).map((text) => text[0])).toEqual(['a', 'b', 'c']);
    await log.close();
  });

  it('in the middle of an append that rolls is not: what came before the roll stays', async () => {
    const directory = await newPartition();
    const log = await openLog(directory, { lockWaitMs: 20, config: SMALL });
    const letGo = await hold(directory, 'sync');
    await expect(log.append(['a', 'b', 'c'].map(batch))).rejects.toMatchObject({
      code: 'KLOG_OUTCOME_UNKNOWN',
      retriable: false,
      message: expect.stringMatching(/^records 0 to 1 of t:0 were written/),
    });
    await letGo();
    await log.durable(await log.append([batch('c')]));
    expect((await readAll(directory)).map((text) => text[0])).toEqual(['a', 'b', 'c']);
    await log.close();
  });
});

it('a full disk behind a roll leaves the outcome of what came before it unknown', async () => {
  const directory = await newPartition();
  let isFull = false;
  const fs = interpose(({ name, path }) => {
    if (name === 'write' && path.endsWith('2.log')) isFull = true;
    if (isFull && name === 'write') throw systemError('ENOSPC', path);
  });
  const log = await openLog(directory, { fs, config: SMALL });
  await expect(log.append(['a', 'b', 'c'].map(batch))).rejects.toMatchObject({ code: 'KLOG_OUTCOME_UNKNOWN' });
  isFull = false;
  await log.close();
});
