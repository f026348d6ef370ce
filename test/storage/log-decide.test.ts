import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildBatch } from '../support/build-batch.js';
import { newPartition, openLog } from './real-partition.js';

function overwrite(path: string, position: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([1]), 0, 1, position);
  closeSync(file);
}

describe('the log as who decides sees it', () => {
  it('is read anew where it was cut back and has grown again, though others wrote more or less at its places', async () => {
    const directory = await newPartition();
    const deciding = await openLog(directory);
    await deciding.append([buildBatch(['a long one']), buildBatch(['b'])]);
    const read = async (offset: number) => {
      let base = -1;
      await deciding.appendDecided(async (end) => {
        const { buffer, start, nextOffset } = await end.fetch(offset, 10_000);
        base = Number(buffer.readBigInt64BE(start));
        expect(nextOffset).toBe(end.offset);
        return [];
      });
      return base;
    };
    expect(await read(0)).toBe(0);
    // A sync failed, and the kernel let go of what was in the first batch.
    overwrite(join(directory, '00000000000000000000.log'), 70);
    overwrite(join(directory, 'klog.end'), 2048);
    const other = await openLog(directory);
    await other.append([buildBatch(['x']), buildBatch(['y']), buildBatch(['z'])]);
    expect(await read(2)).toBe(2);
    await other.close();
    await deciding.close();
  });
});
