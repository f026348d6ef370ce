import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONTROL_FILE_SIZE, ControlFile } from '../../src/storage/control-file.js';
import { firstControlRecord } from '../../src/storage/control-record.js';
import { interpose, systemError, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { counting, newPartition } from './real-partition.js';

const record = (offset: number) => ({ ...firstControlRecord(0, 0), offset });

describe('klog.end', () => {
  it('keeps what another has written while it is made longer', async () => {
    const directory = await newPartition();
    rmSync(join(directory, 'klog.end'));
    let between: (() => Promise<void>) | undefined = async () => {
      between = undefined;
      const quick = await ControlFile.open(unsyncedFileSystem, directory, 'create');
      await quick.writeAppended(record(7));
      await quick.writeSafe(record(7));
      await quick.close();
    };
    // The size has been looked at when another makes the file, settles and writes.
    const slow = interpose(async ({ name }) => {
      if (name === 'truncate' || name === 'write') await between?.();
    });
    const control = await ControlFile.open(slow, directory, 'create');
    const { appended, safe } = await control.read();
    expect([appended?.offset, safe?.offset]).toEqual([7, 7]);
    await control.close();
    expect(readFileSync(join(directory, 'klog.end'))).toHaveLength(CONTROL_FILE_SIZE);
  });

  it('is closed again when it cannot be made long enough', async () => {
    const directory = await newPartition();
    truncateSync(join(directory, 'klog.end'), 0);
    const { fs, open } = counting(({ name, path }) => {
      if (name === 'truncate' || name === 'write') throw systemError('ENOSPC', path);
    });
    await expect(ControlFile.open(fs, directory, 'create')).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(open()).toBe(0);
  });

  it('shows the record before while the newest is torn, at whichever byte', async () => {
    const directory = await newPartition();
    const control = await ControlFile.open(unsyncedFileSystem, directory, 'create');
    await control.writeSafe(record(1));
    const before = readFileSync(join(directory, 'klog.end'));
    await control.writeSafe(record(2));
    const after = readFileSync(join(directory, 'klog.end'));
    for (let cut = 1024; cut < 2048; cut += 9) {
      writeFileSync(join(directory, 'klog.end'), Buffer.concat([after.subarray(0, cut), before.subarray(cut)]));
      const fresh = await ControlFile.open(unsyncedFileSystem, directory, 'read');
      expect([1, 2]).toContain((await fresh.read()).safe?.offset);
      await fresh.close();
    }
    await control.close();
  });

  it('counts as missing once it shows less than it has shown', async () => {
    const directory = await newPartition();
    const path = join(directory, 'klog.end');
    const control = await ControlFile.open(unsyncedFileSystem, directory, 'create');
    await control.writeSafe(record(1));
    const older = readFileSync(path);
    await control.writeSafe(record(2));
    await control.writeSafe(record(3));
    expect((await control.read()).safe?.offset).toBe(3);
    writeFileSync(path, older);
    expect((await control.read()).safe).toBeUndefined();
    await control.writeSafe(record(4));
    expect((await control.read()).safe?.offset).toBe(4);
    await control.close();
  });
});
