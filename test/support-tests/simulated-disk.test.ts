import { describe, expect, it } from 'vitest';
import type { OpenFile } from '../../src/storage/file-system.js';
import { replaceFile, writeFully } from '../../src/storage/file-system.js';
import { allKept, allLost, chosenFate, type Fate, randomChooser, scriptedChooser } from '../support/chooser.js';
import { runScript } from '../support/scheduler.js';
import { SimulatedDisk } from '../support/simulated-disk.js';

const kept: Fate = allKept;

function machine(): SimulatedDisk {
  return new SimulatedDisk();
}

function text(disk: SimulatedDisk, path: string, view: 'cached' | 'durable' = 'cached'): string | undefined {
  const bytes = disk.bytes(path, view);
  return bytes && Buffer.from(bytes).toString('latin1');
}

/** Sectors as letters: one for each 512 bytes, '.' for zeros. */
function sectors(disk: SimulatedDisk, path: string, view: 'cached' | 'durable' = 'cached'): string {
  const bytes = disk.bytes(path, view) ?? new Uint8Array(0);
  let letters = '';
  for (let at = 0; at < bytes.length; at += 512) letters += bytes[at] ? String.fromCharCode(bytes[at]!) : '.';
  return letters;
}

function sector(letters: string): Buffer {
  return Buffer.concat([...letters].map((letter) => Buffer.alloc(512, letter)));
}

async function create(disk: SimulatedDisk, path: string, content: Buffer): Promise<OpenFile> {
  const file = await disk.process('p').open(path, 'create');
  await writeFully(file, content, 0, content.length, 0);
  return file;
}

async function synced(disk: SimulatedDisk, path: string, content: Buffer): Promise<OpenFile> {
  const file = await create(disk, path, content);
  await file.sync();
  await disk.process('p').syncDirectory('/');
  return file;
}

describe('the cache and the disk', () => {
  it('keeps synced bytes over a power loss and loses the others', async () => {
    const disk = machine();
    const file = await synced(disk, '/a', Buffer.from('old'));
    await file.write(Buffer.from('newer'), 0, 5, 0);
    expect(text(disk, '/a')).toBe('newer');
    expect(text(disk, '/a', 'durable')).toBe('old');
    disk.powerLoss(allLost);
    expect(text(disk, '/a')).toBe('old');
  });

  it('keeps unsynced bytes that happened to be written back', async () => {
    const disk = machine();
    const file = await synced(disk, '/a', Buffer.from('old'));
    await file.write(Buffer.from('newer'), 0, 5, 0);
    disk.powerLoss(kept);
    expect(text(disk, '/a')).toBe('newer');
  });

  it('tears a write of several sectors into any combination', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const disk = machine();
      const file = await synced(disk, '/a', sector('aaa'));
      await file.write(sector('bbb'), 0, 1536, 0);
      disk.powerLoss(chosenFate(randomChooser(seed)));
      outcomes.add(sectors(disk, '/a'));
    }
    expect([...outcomes].sort()).toEqual(['aaa', 'aab', 'aba', 'abb', 'baa', 'bab', 'bba', 'bbb']);
  });

  it('finds any content a sector had since its last sync, but none from before', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const disk = machine();
      const file = await synced(disk, '/a', sector('a'));
      for (const letter of 'bcd') {
        await file.write(sector(letter), 0, 512, 0);
        if (letter === 'b') await file.sync();
      }
      disk.powerLoss(chosenFate(randomChooser(seed)));
      outcomes.add(sectors(disk, '/a'));
    }
    expect([...outcomes].sort()).toEqual(['b', 'c', 'd']);
  });

  it('lets a grown file end anywhere between the durable size and the new one, with zeros where no data came', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const disk = machine();
      const file = await synced(disk, '/a', sector('a'));
      await file.write(sector('bc'), 0, 1024, 512);
      disk.powerLoss(chosenFate(randomChooser(seed)));
      outcomes.add(sectors(disk, '/a'));
    }
    expect([...outcomes].sort()).toEqual(['a', 'a.', 'a..', 'a.c', 'ab', 'ab.', 'abc']);
  });

  it('may undo a truncation that was not synced', async () => {
    const disk = machine();
    const file = await synced(disk, '/a', sector('ab'));
    await file.truncate(512);
    expect(sectors(disk, '/a')).toBe('a');
    disk.powerLoss(allLost);
    expect(sectors(disk, '/a')).toBe('ab');
  });

  it('reads zeros where a file was cut and has grown again', async () => {
    const disk = machine();
    const file = await synced(disk, '/a', sector('ab'));
    await file.truncate(1);
    await file.truncate(1024);
    const bytes = Buffer.alloc(1024, 'x');
    expect(await file.read(bytes, 0, 1024, 0)).toBe(1024);
    expect(bytes.equals(Buffer.concat([Buffer.from('a'), Buffer.alloc(1023)]))).toBe(true);
  });

  it('reads nothing behind the end, and what there is before it', async () => {
    const disk = machine();
    const file = await create(disk, '/a', Buffer.from('abc'));
    const bytes = Buffer.alloc(4);
    expect(await file.read(bytes, 1, 3, 1)).toBe(2);
    expect(bytes.toString('latin1')).toBe('\0bc\0');
    expect(await file.read(bytes, 0, 4, 3)).toBe(0);
    expect(await file.read(bytes, 0, 4, 99)).toBe(0);
  });
});

describe('a failed sync', () => {
  it('loses bytes, and the next sync succeeds without them', async () => {
    const disk = machine();
    const file = await synced(disk, '/a', sector('aa'));
    await file.write(sector('bb'), 0, 1024, 0);
    disk.file('/a')!.failSync({ ...allLost, sector: (_path, n, count) => (n === 0 ? count - 1 : 0) }, '/a');
    expect(disk.hasLostSectors).toBe(true);
    await file.sync();
    expect(sectors(disk, '/a')).toBe('bb');
    expect(sectors(disk, '/a', 'durable')).toBe('ba');
    disk.evict();
    expect(sectors(disk, '/a')).toBe('ba');
    expect(disk.hasLostSectors).toBe(false);
  });

  it('is mended by writing the same bytes again', async () => {
    const disk = machine();
    const file = await synced(disk, '/a', sector('a'));
    await file.write(sector('b'), 0, 512, 0);
    disk.file('/a')!.failSync(allLost, '/a');
    await file.write(sector('b'), 0, 512, 0);
    await file.sync();
    expect(sectors(disk, '/a', 'durable')).toBe('b');
  });

  it('keeps dirty pages when the cache drops the clean ones', async () => {
    const disk = machine();
    const file = await synced(disk, '/a', sector('aa'));
    await file.write(sector('b'), 0, 512, 512);
    disk.evict();
    expect(sectors(disk, '/a')).toBe('ab');
    disk.file('/a')!.writeBack(1);
    expect(sectors(disk, '/a', 'durable')).toBe('ab');
  });
});

describe('names', () => {
  it('are lost with everything below them unless their directory is synced', async () => {
    const disk = machine();
    const p = disk.process('p');
    await p.makeDirectory('/d');
    const file = await create(disk, '/d/a', Buffer.from('x'));
    await file.sync();
    await p.syncDirectory('/d');
    expect(disk.list('/d', 'durable')).toBeUndefined();
    await p.syncDirectory('/');
    expect(disk.list('/d', 'durable')).toEqual(['a']);
    disk.powerLoss(allLost);
    expect(text(disk, '/d/a')).toBe('x');
  });

  it('survive a power loss one by one, in any order', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const disk = machine();
      for (const name of 'ab') await disk.process('p').open(`/${name}`, 'create');
      disk.powerLoss(chosenFate(randomChooser(seed)));
      outcomes.add(disk.list('/')!.join(''));
    }
    expect([...outcomes].sort()).toEqual(['', 'a', 'ab', 'b']);
  });

  it('a rename is one change: both names or neither', async () => {
    for (const fate of [allLost, allKept]) {
      const disk = machine();
      await synced(disk, '/a', Buffer.from('x'));
      await disk.process('p').rename('/a', '/b');
      disk.powerLoss(fate);
      expect(disk.list('/')).toEqual(fate === allLost ? ['a'] : ['b']);
    }
  });

  it('of files removed without a sync of the directory come back', async () => {
    const disk = machine();
    await synced(disk, '/a', Buffer.from('x'));
    await disk.process('p').unlink('/a');
    await disk.process('p').unlink('/a');
    expect(disk.list('/')).toEqual([]);
    disk.powerLoss(allLost);
    expect(text(disk, '/a')).toBe('x');
  });

  it('go to the disk together with earlier changes of the same name', async () => {
    const disk = machine();
    const p = disk.process('p');
    for (const name of ['/d', '/e']) await p.makeDirectory(name);
    await p.syncDirectory('/');
    await create(disk, '/e/x', Buffer.from('old'));
    await p.unlink('/e/x');
    const file = await create(disk, '/d/a', Buffer.from('new'));
    await file.sync();
    await p.rename('/d/a', '/e/x');
    await p.syncDirectory('/d');
    disk.powerLoss(allKept);
    expect(text(disk, '/e/x')).toBe('new');
    expect(disk.list('/d')).toEqual([]);
  });

  it('a failed sync of a directory leaves some of them for the next one', async () => {
    const disk = machine();
    const p = disk.process('p');
    for (const name of 'ab') await p.open(`/${name}`, 'create');
    disk.failSyncDirectory('/', { ...allLost, name: (what) => what.includes('/b') });
    expect(disk.list('/', 'durable')).toEqual(['b']);
    await p.syncDirectory('/');
    expect(disk.list('/', 'durable')).toEqual(['a', 'b']);
  });

  it('replaceFile leaves the old content or the new when power is lost before its last sync', async () => {
    for (const [fate, content] of [
      [allLost, 'old'],
      [allKept, 'new'],
    ] as const) {
      const disk = machine();
      await replaceFile(disk.process('p'), '/', 'a', Buffer.from('old'));
      await runScript(disk, async (s) => {
        s.spawn('q', ({ fs }) => replaceFile(fs, '/', 'a', Buffer.from('new')));
        await s.until('q', (call) => call.name === 'syncDirectory');
        s.powerLoss(fate);
      });
      expect(text(disk, '/a')).toBe(content);
    }
  });

  it('directories must be empty to be removed, and files are no directories', async () => {
    const disk = machine();
    const p = disk.process('p');
    p.makeDirectory('/d');
    await create(disk, '/d/a', Buffer.from('x'));
    expect(() => p.removeDirectory('/d')).toThrow(expect.objectContaining({ code: 'ENOTEMPTY' }));
    expect(() => p.readDirectory('/d/a')).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    expect(() => p.makeDirectory('/d')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(() => p.open('/d', 'read')).toThrow(expect.objectContaining({ code: 'EISDIR' }));
    expect(() => p.open('/e/a', 'create')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => p.open('/d/a', 'create-new')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    await p.unlink('/d/a');
    await p.removeDirectory('/d');
    expect(await p.stat('/d')).toBeUndefined();
  });
});

describe('processes', () => {
  it('give out an inode number again only when no name and no open file leads to it', async () => {
    const disk = machine();
    const p = disk.process('p');
    const first = await synced(disk, '/a', Buffer.from('x'));
    const { inode } = await first.stat();
    await p.unlink('/a');
    await p.syncDirectory('/');
    const second = await p.open('/b', 'create');
    expect((await second.stat()).inode).not.toBe(inode);
    await first.close();
    const third = await p.open('/c', 'create');
    expect((await third.stat()).inode).toBe(inode);
  });

  it('once killed get no answers, and their files are closed', async () => {
    const disk = machine();
    const p = disk.process('p');
    const file = await p.open('/a', 'create');
    expect(file.tryLock({ start: 0, length: 1 })).toBe(true);
    disk.kill(p);
    expect(disk.heldLocks()).toEqual([]);
    const answer = await Promise.race([file.stat(), new Promise((resolve) => setImmediate(resolve, 'none'))]);
    expect(answer).toBe('none');
    expect(disk.process('p')).not.toBe(p);
  });

  it('see another boot id after a power loss, and the same until then', async () => {
    const disk = machine();
    const before = disk.process('p').bootId();
    expect(before).toHaveLength(16);
    expect(disk.process('q').bootId()).toEqual(before);
    disk.powerLoss();
    expect(disk.process('p').bootId()).not.toEqual(before);
  });

  it('a copy of the machine goes its own way', async () => {
    const disk = machine();
    const file = await synced(disk, '/a', Buffer.from('old'));
    await file.write(Buffer.from('new'), 0, 3, 0);
    expect(() => disk.clone()).toThrow(/still open/);
    await file.close();
    const copy = disk.clone();
    copy.powerLoss(allLost);
    expect(text(copy, '/a')).toBe('old');
    expect(text(disk, '/a')).toBe('new');
  });
});

describe('locks', () => {
  const range = { start: 10, length: 5 };

  it('belong to the open file, not to the process', async () => {
    const disk = machine();
    const [one, other] = [await create(disk, '/a', Buffer.from('')), await disk.process('p').open('/a', 'write')];
    expect(one.tryLock(range)).toBe(true);
    expect(one.tryLock(range)).toBe(true);
    expect(other.tryLock(range)).toBe(false);
    await (await disk.process('p').open('/a', 'read')).close();
    expect(other.tryLock(range)).toBe(false);
    await one.close();
    expect(other.tryLock(range)).toBe(true);
  });

  it('shared ones go together, and a part may be unlocked', async () => {
    const disk = machine();
    const a = await create(disk, '/a', Buffer.from(''));
    const b = await disk.process('q').open('/a', 'write');
    expect(a.tryLock(range, { shared: true })).toBe(true);
    expect(b.tryLock(range, { shared: true })).toBe(true);
    expect(b.tryLock(range)).toBe(false);
    a.unlock({ start: 12, length: 1 });
    expect(b.tryLock({ start: 12, length: 1 })).toBe(true);
    expect(b.tryLock({ start: 11, length: 1 })).toBe(false);
    expect(b.tryLock({ start: 14, length: 1 })).toBe(false);
    expect(a.tryLock({ start: 12, length: 1 }, { shared: true })).toBe(false);
  });

  it('a freed one goes to whom the chooser names', async () => {
    const disk = new SimulatedDisk({ chooser: scriptedChooser([1]) });
    const holder = await create(disk, '/a', Buffer.from(''));
    const granted: string[] = [];
    holder.tryLock(range);
    for (const name of ['x', 'y']) {
      const file = await disk.process(name).open('/a', 'write');
      void file.waitLock(range).then(() => granted.push(name));
    }
    holder.unlock(range);
    await new Promise(setImmediate);
    expect(granted).toEqual(['y']);
    disk.kill(disk.process('y'));
    await new Promise(setImmediate);
    expect(granted).toEqual(['y', 'x']);
  });
});

describe('errors', () => {
  it('come at the nth call that fits, and Node has no name for EDQUOT', async () => {
    const disk = machine();
    const file = await create(disk, '/a', Buffer.from('x'));
    disk.failCall({ name: 'write', path: '/a', nth: 2, code: 'EDQUOT' });
    expect(await file.write(Buffer.from('y'), 0, 1, 0)).toBe(1);
    expect(() => file.write(Buffer.from('z'), 0, 1, 0)).toThrow(
      expect.objectContaining({ code: 'Unknown system error -122', errno: -122, syscall: 'write', path: '/a' }),
    );
    expect(await file.write(Buffer.from('z'), 0, 1, 0)).toBe(1);
    expect(text(disk, '/a')).toBe('z');
  });

  it('a full disk gives a short write, then ENOSPC, and room again after a truncation', async () => {
    const disk = machine();
    disk.freeBytes = 5;
    const file = await disk.process('p').open('/a', 'create');
    expect(await file.write(Buffer.from('abcdefgh'), 0, 8, 0)).toBe(5);
    expect(() => file.write(Buffer.from('f'), 0, 1, 5)).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(await file.write(Buffer.from('x'), 0, 1, 0)).toBe(1);
    await file.truncate(3);
    expect(await file.write(Buffer.from('yz'), 0, 2, 3)).toBe(2);
  });

  it('a read-only file system refuses every change and gives what it has', async () => {
    const disk = machine();
    const file = await create(disk, '/a', Buffer.from('x'));
    disk.readOnly = true;
    const refused = expect.objectContaining({ code: 'EROFS' });
    expect(() => file.write(Buffer.from('y'), 0, 1, 0)).toThrow(refused);
    expect(() => file.truncate(0)).toThrow(refused);
    expect(() => disk.process('p').open('/b', 'create')).toThrow(refused);
    expect(() => disk.process('p').rename('/a', '/b')).toThrow(refused);
    expect(await file.read(Buffer.alloc(1), 0, 1, 0)).toBe(1);
  });

  it('a file opened for reading cannot be written, and a closed one cannot be used', async () => {
    const disk = machine();
    await create(disk, '/a', Buffer.from('x'));
    const file = await disk.process('p').open('/a', 'read');
    expect(() => file.write(Buffer.from('y'), 0, 1, 0)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    await file.close();
    expect(() => file.stat()).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });
});
