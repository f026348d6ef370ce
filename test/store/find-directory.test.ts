import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFileSystem as fs } from '../../src/storage/file-system-node.js';
import { findDirectory } from '../../src/store/find-directory.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { interpose } from './interposed-file-system.js';

/** home/a/b/c, with a `.klog` in each of `places`. */
function tree(...places: string[]) {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'home', 'a', 'b', 'c'), { recursive: true });
  for (const place of places) mkdirSync(join(root, place, '.klog'));
  return { root, home: join(root, 'home'), cwd: join(root, 'home', 'a', 'b', 'c') };
}

describe('findDirectory', () => {
  it('takes the nearest at or above the working directory', async () => {
    const { root, home, cwd } = tree('home/a/b', 'home/a');
    expect(await findDirectory(fs, { cwd, home })).toEqual({ path: join(root, 'home/a/b/.klog'), exists: true });
    const at = join(root, 'home/a');
    expect(await findDirectory(fs, { cwd: at, home })).toEqual({ path: join(at, '.klog'), exists: true });
  });

  it('looks into the home directory, and not above it', async () => {
    const inHome = tree('home', '.');
    expect(await findDirectory(fs, inHome)).toEqual({ path: join(inHome.home, '.klog'), exists: true });
    const above = tree('.');
    expect(await findDirectory(fs, above)).toEqual({ path: join(above.cwd, '.klog'), exists: false });
  });

  it('goes up to the root where the working directory is not below the home directory', async () => {
    const { root, cwd } = tree('.');
    const found = await findDirectory(fs, { cwd, home: join(root, 'elsewhere') });
    expect(found).toEqual({ path: join(root, '.klog'), exists: true });
  });

  it('passes over one that another user owns, above', async () => {
    const { root, home, cwd } = tree('home/a/b', 'home/a');
    const foreign = interpose(() => {}, { stat: (path) => owned(path, join(root, 'home/a/b/.klog')) });
    expect(await findDirectory(foreign, { cwd, home })).toEqual({ path: join(root, 'home/a/.klog'), exists: true });
  });

  it('refuses one that another user owns, right here', async () => {
    const { cwd, home } = tree('home/a/b/c');
    const foreign = interpose(() => {}, { stat: (path) => owned(path, join(cwd, '.klog')) });
    await expect(findDirectory(foreign, { cwd, home })).rejects.toMatchObject({
      code: 'KLOG_PERMISSION_DENIED',
      message: expect.stringContaining('uid 4711'),
    });
  });

  it('does not cross a file system', async () => {
    const { root, cwd, home } = tree('home/a');
    const mounted = interpose(() => {}, {
      stat: async (path) => {
        const stat = await fs.stat(path);
        return stat === undefined ? undefined : { ...stat, device: path.startsWith(join(root, 'home/a/b')) ? 7 : 8 };
      },
    });
    expect(await findDirectory(mounted, { cwd, home })).toEqual({ path: join(cwd, '.klog'), exists: false });
  });

  it('follows no link, and names a file in its place', async () => {
    const { root, cwd, home } = tree('home');
    symlinkSync(join(root, 'home', '.klog'), join(root, 'home', 'a', '.klog'));
    expect(await findDirectory(fs, { cwd, home })).toEqual({ path: join(home, '.klog'), exists: true });
    writeFileSync(join(cwd, '.klog'), '');
    await expect(findDirectory(fs, { cwd, home })).rejects.toMatchObject({ code: 'KLOG_BAD_DIRECTORY' });
  });
});

async function owned(path: string, foreign: string) {
  const stat = await fs.stat(path);
  return stat !== undefined && path === foreign ? { ...stat, uid: 4711 } : stat;
}
