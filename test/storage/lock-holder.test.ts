import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeFileSystem } from '../../src/storage/file-system-node.js';
import { findLockHolder, type ProcReader } from '../../src/storage/lock-holder.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** `/proc` with one process, 42, that has one file open. */
function proc(lockLines: string, dev = 5): ProcReader {
  return {
    readdirSync: (path) => (path === '/proc' ? ['self', '41', '42', 'locks'] : path.includes('/42/') ? ['3'] : []),
    readFileSync: () => `pos:\t0\nflags:\t02100002\nmnt_id:\t27\nino:\t99\n${lockLines}`,
    statSync: () => ({ dev, ino: 99 }),
  };
}

describe('findLockHolder', () => {
  const file = { device: 5, inode: 99 };

  it.each([
    ['the whole file, of an open file', 'lock:\t1: OFDLCK ADVISORY  WRITE -1 fe:00:99 0 EOF\n', 42],
    ['the whole file, of a process as Java locks', 'lock:\t1: POSIX  ADVISORY  WRITE 42 fe:00:99 0 EOF\n', 42],
    ['a shared lock', 'lock:\t1: OFDLCK ADVISORY  READ -1 fe:00:99 0 EOF\n', 42],
    ['the byte before', 'lock:\t1: OFDLCK ADVISORY  WRITE -1 fe:00:99 4096 4096\n', undefined],
    ['the byte itself', 'lock:\t1: OFDLCK ADVISORY  WRITE -1 fe:00:99 4097 4097\n', 42],
    ['the byte behind', 'lock:\t1: OFDLCK ADVISORY  WRITE -1 fe:00:99 4098 4098\n', undefined],
    [
      'another lock first',
      'lock:\t1: OFDLCK ADVISORY  READ -1 fe:00:99 0 0\nlock:\t2: OFDLCK ADVISORY  WRITE -1 fe:00:99 4097 4097\n',
      42,
    ],
    ['another file', 'lock:\t1: OFDLCK ADVISORY  WRITE -1 fe:00:98 0 EOF\n', undefined],
    ['no lock', '', undefined],
  ])('looks for byte 4097: %s', (_, lines, pid) => {
    expect(findLockHolder(proc(lines), file, 4097, 1)).toBe(pid);
  });

  it('minds the device, and that a range of length 0 has no end', () => {
    const line = 'lock:\t1: OFDLCK ADVISORY  WRITE -1 fe:00:99 5000 5000\n';
    expect(findLockHolder(proc(line), file, 4097, 0)).toBe(42);
    expect(findLockHolder(proc(line, 6), file, 4097, 0)).toBeUndefined();
  });

  it('finds nothing where there is no /proc', () => {
    const none = () => {
      throw new Error('ENOENT');
    };
    const nothing: ProcReader = { readdirSync: none, readFileSync: none, statSync: none };
    expect(findLockHolder(nothing, file, 0, 0)).toBeUndefined();
  });
});

describe.runIf(process.platform === 'linux')('a lock in another process', () => {
  it('is shown with its pid, and none once it is free', async () => {
    const path = join(temporaryDirectory(), 'lock');
    const addon = createRequire(import.meta.url).resolve('fs-native-extensions');
    const script = `
      const fd = require('fs').openSync(${JSON.stringify(path)}, 'w');
      if (require(${JSON.stringify(addon)}).tryLock(fd, 10, 1)) console.log('held');
      process.stdin.resume();`;
    const holder = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    const file = await nodeFileSystem.open(path, 'write');
    expect(file.lockHolder?.({ start: 10, length: 1 })).toBe(holder.pid);
    expect(file.lockHolder?.({ start: 0, length: 0 })).toBe(holder.pid);
    expect(file.lockHolder?.({ start: 11, length: 1 })).toBeUndefined();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(file.lockHolder?.({ start: 0, length: 0 })).toBeUndefined();
    await file.close();
  });
});
