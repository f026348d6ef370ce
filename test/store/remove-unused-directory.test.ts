import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DataDirectory, openDataDirectory } from '../../src/store/data-directory.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { interleaved, interpose, killedAt, unsyncedFileSystem } from './interposed-file-system.js';

const fs = unsyncedFileSystem;
const WAY = { create: true, removeUnused: true };

describe('a data directory to which nothing came', () => {
  it('goes when it is closed, with the directories above it that were made for it', async () => {
    const parent = temporaryDirectory();
    const directory = await openDataDirectory(fs, join(parent, 'a', 'b', '.klog'), WAY);
    expect(directory.created).toBe(true);
    await directory.close();
    expect(readdirSync(parent)).toEqual([]);
  });

  it('stays where nobody asked for that, or it was there before', async () => {
    const path = join(temporaryDirectory(), '.klog');
    await (await openDataDirectory(fs, path, { create: true })).close();
    await (await openDataDirectory(fs, path, WAY)).close();
    expect(existsSync(join(path, 'klog.json'))).toBe(true);
  });

  it('stays, filled, where an empty one was', async () => {
    const path = join(temporaryDirectory(), '.klog');
    mkdirSync(path);
    await (await openDataDirectory(fs, path, WAY)).close();
    expect(existsSync(join(path, 'klog.json'))).toBe(true);
  });

  it.each(['topics/t.json', 'topics/t.gone', 'log/t-0', 'log/recovery-point-offset-checkpoint', 'groups', 'mine'])(
    'stays once there is %s in it',
    async (name) => {
      const path = join(temporaryDirectory(), '.klog');
      const directory = await openDataDirectory(fs, path, WAY);
      writeFileSync(join(path, name), '');
      await directory.close();
      expect(existsSync(join(path, name))).toBe(true);
      expect(existsSync(join(path, 'klog.json'))).toBe(true);
    },
  );

  it('stays while somebody else has it open', async () => {
    const path = join(temporaryDirectory(), '.klog');
    const directory = await openDataDirectory(fs, path, WAY);
    const other = await openDataDirectory(fs, path);
    await directory.close();
    expect(existsSync(join(path, 'klog.json'))).toBe(true);
    await other.close();
  });

  it('leaves the directories above it that somebody has put something into', async () => {
    const parent = temporaryDirectory();
    const directory = await openDataDirectory(fs, join(parent, 'a', 'b', '.klog'), WAY);
    writeFileSync(join(parent, 'a', 'mine'), '');
    await directory.close();
    expect(readdirSync(join(parent, 'a'))).toEqual(['mine']);
  });

  it('is there for whoever opens it at the very moment in which it goes', async () => {
    let met = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const path = join(temporaryDirectory(), '.klog');
      const first = await openDataDirectory(interleaved(seed), path, WAY);
      let opened: DataDirectory | undefined;
      const opening = (async () => {
        opened = await openDataDirectory(interleaved(seed + 1000), path, { create: true });
      })();
      await first.close();
      if (opened === undefined) met++;
      await opening;
      // What it holds a lock of is what is at the path.
      writeFileSync(join(path, 'topics', 't.json'), '');
      expect(readdirSync(join(path, 'log')).sort()).toEqual(['.lock', 'meta.properties']);
      await expect(openDataDirectory(fs, path).then((third) => third.close())).resolves.toBeUndefined();
      await opened?.close();
    }
    expect(met).toBeGreaterThan(20);
  });

  it('comes back after a kill at any moment of going, and leaves nothing beside it', async () => {
    const whole = killedAt(Number.POSITIVE_INFINITY);
    const directory = await openDataDirectory(whole.fs, join(temporaryDirectory(), '.klog'), WAY);
    const opening = whole.calls();
    await directory.close();
    expect(whole.calls()).toBeGreaterThan(opening + 10);
    for (let last = opening + 1; last <= whole.calls(); last++) {
      const parent = temporaryDirectory();
      const path = join(parent, '.klog');
      const { fs: dying } = killedAt(last);
      // What it cannot do any more is no failure of the command.
      await (await openDataDirectory(dying, path, WAY)).close();
      await (await openDataDirectory(fs, path, { create: true })).close();
      expect(existsSync(join(path, 'klog.json'))).toBe(true);
      expect(readdirSync(parent)).toEqual(['.klog']);
    }
  });

  it('gives up without an error where it may not be removed', async () => {
    const path = join(temporaryDirectory(), '.klog');
    const refusing = interpose(({ name, path: at }) => {
      if (name === 'rename' && at === path) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    });
    await (await openDataDirectory(refusing, path, WAY)).close();
    expect(existsSync(join(path, 'klog.json'))).toBe(true);
  });
});
