import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONTROL_FILE_SIZE, ControlFile } from '../../src/storage/control-file.js';
import { decodeControlRecord, firstControlRecord } from '../../src/storage/control-record.js';
import { interpose, systemError, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { seededRandom } from '../support/chooser.js';
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

  it.each([
    ['that was read', true],
    ['made of nothing', false],
  ])('never writes over the newest record, whoever wrote that: a record %s', async (_, goesOn) => {
    const directory = await newPartition();
    const path = join(directory, 'klog.end');
    const holders = [1, 2, 3].map(() => ControlFile.open(unsyncedFileSystem, directory, 'write'));
    const random = seededRandom(1);
    for (let i = 1; i <= 60; i++) {
      // As under the lock: one looks, and then writes once or a few times.
      const control = await holders[Math.floor(random() * holders.length)]!;
      const { safe } = await control.read();
      for (let writes = Math.floor(random() * 3); writes >= 0; writes--) {
        const before = await control.read();
        const bytes = readFileSync(path);
        const next = goesOn ? { ...before.safe!, offset: i } : record(i);
        await control.writeSafe(next);
        expect(next.sequence).toBe(before.safe!.sequence + 1);
        const [one, other] = [1024, 1536].map((at) =>
          readFileSync(path)
            .subarray(at, at + 256)
            .equals(bytes.subarray(at, at + 256)),
        );
        expect(one).not.toBe(other);
        expect(decodeControlRecord(bytes, one ? 1024 : 1536)?.sequence).toBe(before.safe!.sequence);
      }
      expect((await control.read()).safe!.sequence).toBeGreaterThan(safe!.sequence);
    }
    for (const holder of holders) await (await holder).close();
  });

  it('looks where the newest stands when the page was lost, or nothing was read', async () => {
    const directory = await newPartition();
    const path = join(directory, 'klog.end');
    const control = await ControlFile.open(unsyncedFileSystem, directory, 'write');
    const safe = (await control.read()).safe!;
    await control.writeSafe({ ...safe, offset: 1 });
    const other = await ControlFile.open(unsyncedFileSystem, directory, 'write');
    await other.writeSafe({ ...safe, offset: 2 });
    // It goes on from a sequence that is not the newest any more: as after a lost page.
    await control.writeSafe({ ...safe, offset: 3 });
    expect((await other.read()).safe).toMatchObject({ offset: 3, sequence: safe.sequence + 3 });
    const [first, second] = [1024, 1536].map((at) => decodeControlRecord(readFileSync(path), at)?.offset);
    expect([first, second].sort()).toEqual([2, 3]);
    await control.close();
    await other.close();
  });
});
