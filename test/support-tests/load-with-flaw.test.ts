import { describe, expect, it } from 'vitest';
import { type Flaw, loadRight, loadWithFlaw } from '../support/load-with-flaw.js';

type FileSystemModule = typeof import('../../src/storage/file-system.js');

const entry = ['storage/file-system.ts'];
const deaf: Flaw = {
  name: 'deaf to short writes',
  model: 'none',
  file: 'storage/file-system.ts',
  find: 'while (done < length) {',
  replace: 'while (done === 0) {',
};

/** Writes `length` bytes to a file that takes one at a time. */
async function written({ writeFully }: FileSystemModule, length: number): Promise<number> {
  let calls = 0;
  const write = () => {
    calls++;
    return 1;
  };
  const oneByte = { path: '/x', write } as unknown as Parameters<typeof writeFully>[0];
  await writeFully(oneByte, new Uint8Array(length), 0, length, 0);
  return calls;
}

describe('loading the source with a flaw', () => {
  it('gives the right code, and the flawed one beside it', async () => {
    expect(await written(await loadRight<FileSystemModule>(entry), 3)).toBe(3);
    expect(await written(await loadWithFlaw<FileSystemModule>(entry, deaf), 3)).toBe(1);
    expect(await written(await loadRight<FileSystemModule>(entry), 3)).toBe(3);
  });

  it('fails when the text of the flaw is gone, or stands there twice', async () => {
    const gone = loadWithFlaw(entry, { ...deaf, find: 'while (notThere) {' });
    await expect(gone).rejects.toThrow(/flaw deaf to short writes is out of date: its text stands 0 times/);
    const often = loadWithFlaw(entry, { ...deaf, find: 'length' });
    await expect(often).rejects.toThrow(/is out of date: its text stands \d+ times in src\/storage\/file-system.ts/);
  });

  it('fails when the file of the flaw is not loaded at all', async () => {
    const elsewhere = loadWithFlaw(entry, { ...deaf, file: 'storage/elsewhere.ts' });
    await expect(elsewhere).rejects.toThrow(/src\/storage\/elsewhere.ts is not loaded/);
  });

  it('keeps packages outside and finds them', async () => {
    const loaded = await loadRight<{ loadCodec: (type: 'snappy') => Promise<{ type: string }> }>([
      'format/compression.ts',
    ]);
    expect((await loaded.loadCodec('snappy')).type).toBe('snappy');
  });
});
