import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as nodeFs from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { KlogError } from '../../src/errors.js';
import { readWhole, replaceFile, writeFully } from '../../src/storage/file-system.js';
import { nodeFileSystem as fs } from '../../src/storage/file-system-node.js';
import { BYTE_RANGE_LOCKS } from '../../src/storage/native-locks.js';
import { withName } from '../../src/storage/system-call.js';
import { realDisk } from '../support/scratch-space.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let directory: string;
const at = (name: string) => join(directory, name);

beforeEach(() => {
  directory = temporaryDirectory(realDisk());
});

async function failure(action: () => unknown): Promise<NodeJS.ErrnoException> {
  try {
    await action();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error('did not fail');
}

describe('opening', () => {
  it('tells the four modes apart', async () => {
    for (const mode of ['read', 'write'] as const) {
      expect((await failure(() => fs.open(at('a'), mode))).code).toBe('ENOENT');
    }
    await (await fs.open(at('a'), 'create')).close();
    await (await fs.open(at('a'), 'create')).close();
    expect((await failure(() => fs.open(at('a'), 'create-new'))).code).toBe('EEXIST');
    const reader = await fs.open(at('a'), 'read');
    expect((await failure(() => reader.write(Buffer.from('x'), 0, 1, 0))).code).toBe('EBADF');
    await reader.close();
  });

  it('does not follow a link at the end of the path, not even to make its target', async () => {
    nodeFs.symlinkSync(at('victim'), at('link'));
    for (const mode of ['read', 'write', 'create'] as const) {
      expect((await failure(() => fs.open(at('link'), mode))).code).toBe('ELOOP');
    }
    expect((await failure(() => fs.open(at('link'), 'create-new'))).code).toBe('EEXIST');
    expect(nodeFs.existsSync(at('victim'))).toBe(false);
    expect((await fs.stat(at('link')))?.kind).toBe('other');
    nodeFs.writeFileSync(at('victim'), 'x');
    expect((await failure(() => readWhole(fs, at('link')))).code).toBe('ELOOP');
  });

  it('refuses a named pipe and a directory at once', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    for (const mode of ['read', 'write', 'create'] as const) {
      const error = await failure(() => fs.open(at('pipe'), mode));
      expect(error).toBeInstanceOf(KlogError);
      expect(error.message).toContain('named pipe');
    }
    expect((await failure(() => readWhole(fs, at('pipe')))).message).toContain('named pipe');
    expect((await failure(() => readWhole(fs, directory))).code).toBe('KLOG_BAD_DIRECTORY');
    expect((await failure(() => fs.open(directory, 'read'))).code).toBe('KLOG_BAD_DIRECTORY');
  });

  it.each([0o000, 0o022, 0o077, 0o277])('makes 0600 files and 0700 directories under umask %o', async (umask) => {
    const before = process.umask(umask);
    try {
      await (await fs.open(at('file'), 'create')).close();
      await (await fs.open(at('new'), 'create-new')).close();
      await fs.makeDirectory(at('dir'));
    } finally {
      process.umask(before);
    }
    expect((await fs.stat(at('file')))?.mode).toBe(0o600);
    expect((await fs.stat(at('new')))?.mode).toBe(0o600);
    expect((await fs.stat(at('dir')))?.mode).toBe(0o700);
  });

  it('leaves the mode of an existing file alone', async () => {
    nodeFs.writeFileSync(at('shared'), 'x', { mode: 0o640 });
    nodeFs.chmodSync(at('shared'), 0o640);
    await (await fs.open(at('shared'), 'create')).close();
    expect((await fs.stat(at('shared')))?.mode).toBe(0o640);
  });
});

describe('reading and writing', () => {
  it.each([10, 64 * 1024, 64 * 1024 + 1, 3_000_000])('gives back %i bytes from any position', async (size) => {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i++) bytes[i] = (i * 31) ^ (i >> 8);
    const file = await fs.open(at('data'), 'create-new');
    expect(await writeFully(file, bytes, 0, size, 5)).toBe(size + 5);
    await file.sync();
    const target = Buffer.alloc(size + 20, 0xee);
    expect(await file.read(target, 3, size + 10, 5)).toBe(size);
    expect(target.subarray(3, 3 + size).equals(bytes)).toBe(true);
    expect(target[2]).toBe(0xee);
    expect(target[3 + size]).toBe(0xee);
    expect(await file.read(target, 0, 10, size + 5)).toBe(0);
    await file.truncate(7);
    expect((await file.stat()).size).toBe(7);
    expect(await file.read(target, 0, size, 5)).toBe(2);
    await file.close();
  });

  it('replaces a small file in one step over a left-over temporary file', async () => {
    nodeFs.writeFileSync(at('state.tmp'), 'half');
    await replaceFile(fs, directory, 'state', Buffer.from('whole'));
    expect(Buffer.from((await readWhole(fs, at('state')))!).toString()).toBe('whole');
    expect(await fs.readDirectory(directory)).toEqual(['state']);
    expect(await readWhole(fs, at('none'))).toBeUndefined();
  });

  it('removes what is there and does not mind what is not', async () => {
    await (await fs.open(at('a'), 'create')).close();
    await fs.rename(at('a'), at('b'));
    await fs.unlink(at('a'));
    await fs.unlink(at('b'));
    await fs.makeDirectory(at('d'));
    await fs.removeDirectory(at('d'));
    expect(await fs.stat(at('d'))).toBeUndefined();
    expect((await fs.stat(directory))?.kind).toBe('directory');
  });

  it('names the error numbers that Node does not', () => {
    const number = -constants.errno.EDQUOT;
    const error = Object.assign(new Error(), { errno: number, code: `Unknown system error ${number}` });
    expect(withName(error)).toMatchObject({ code: 'EDQUOT' });
  });

  it('knows the boot', () => {
    expect(fs.bootId()).toHaveLength(16);
    if (process.platform === 'linux') expect(Buffer.from(fs.bootId()).equals(Buffer.alloc(16))).toBe(false);
  });
});

describe('a closed file', () => {
  it('is no other file, though another has its descriptor now', async () => {
    const closed = await fs.open(join(directory, 'closed'), 'create');
    await closed.close();
    const other = await fs.open(join(directory, 'other'), 'create');
    const calls = [
      () => closed.write(Buffer.from('x'), 0, 1, 0),
      () => closed.write(Buffer.alloc(100_000), 0, 100_000, 0),
      () => closed.read(Buffer.alloc(1), 0, 1, 0),
      () => closed.read(Buffer.alloc(100_000), 0, 100_000, 0),
      () => closed.truncate(5),
      () => closed.sync(),
      () => closed.stat(),
      () => closed.close(),
    ];
    for (const call of calls) expect((await failure(call)).code, String(call)).toBe('EBADF');
    expect((await other.stat()).size).toBe(0);
    await other.close();
  });
});

describe('watching', () => {
  it('calls after a write by another open file', async () => {
    const file = await fs.open(at('w'), 'create-new');
    let watcher: { close(): void } | undefined;
    await new Promise<void>((resolve) => {
      watcher = fs.watch(at('w'), resolve);
      setTimeout(() => file.write(Buffer.from('x'), 0, 1, 0), 20);
    });
    expect(watcher).toBeDefined();
    watcher?.close();
    await file.close();
  });

  it('answers undefined where it cannot watch', () => {
    expect(fs.watch(at('missing'), () => {})).toBeUndefined();
  });
});

describe.skipIf(!BYTE_RANGE_LOCKS)('locks', () => {
  const range = { start: 4096, length: 1 };

  it('belong to the open file: another of the same process conflicts, closing a third drops nothing', async () => {
    const [a, b, c] = await Promise.all(['create', 'write', 'write'].map(async (m) => fs.open(at('l'), m as 'write')));
    expect(a!.tryLock(range)).toBe(true);
    expect(b!.tryLock(range)).toBe(false);
    expect(b!.tryLock({ start: 4097, length: 1 })).toBe(true);
    await c!.close();
    expect(b!.tryLock(range)).toBe(false);
    a!.unlock(range);
    expect(b!.tryLock(range, { shared: true })).toBe(true);
    expect(a!.tryLock(range, { shared: true })).toBe(true);
    expect(a!.tryLock(range)).toBe(false);
    await a!.close();
    await b!.close();
  });

  it('are waited for, more of them than the thread pool has threads, without holding up its work', async () => {
    const holder = await fs.open(at('l'), 'create');
    const waiters = await Promise.all(Array.from({ length: 6 }, async () => fs.open(at('l'), 'write')));
    expect(holder.tryLock(range)).toBe(true);
    let granted = 0;
    const waits = waiters.map(async (file) => {
      await file.waitLock(range);
      granted++;
      file.unlock(range);
    });
    await holder.sync();
    expect(granted).toBe(0);
    holder.unlock(range);
    await Promise.all(waits);
    expect(granted).toBe(6);
    for (const file of [holder, ...waiters]) await file.close();
  });

  it('are free again when a file closed during its wait was granted one', async () => {
    const holder = await fs.open(at('l'), 'create');
    const waiter = await fs.open(at('l'), 'write');
    holder.tryLock(range);
    const wait = waiter.waitLock(range);
    await waiter.close();
    holder.unlock(range);
    await wait;
    expect(holder.tryLock(range)).toBe(true);
    await holder.close();
  });

  it('are freed by the kernel when their process is killed', async () => {
    const file = await fs.open(at('l'), 'create');
    const addon = createRequire(import.meta.url).resolve('fs-native-extensions');
    const script = `const fd = require('fs').openSync(${JSON.stringify(at('l'))}, 'r+');
      require(${JSON.stringify(addon)}).tryLock(fd, 4096, 1); console.log('held'); setInterval(() => {}, 1000)`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(file.tryLock(range)).toBe(false);
    const wait = file.waitLock(range);
    child.kill('SIGKILL');
    await wait;
    await file.close();
  });
});
