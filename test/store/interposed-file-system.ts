/**
 * A file system between the code under test and the disk, which sees every call before it is made and may let it fail.
 * Syncs do not reach the disk: what these tests take away is the process, not the page cache.
 */

import type { FileSystem, LockRange, OpenFile, OpenMode } from '../../src/storage/file-system.js';
import { nodeFileSystem } from '../../src/storage/file-system-node.js';

export interface FileCall {
  readonly name: string;
  readonly path: string;
}

/** Before each call. May throw, or wait. */
export type BeforeCall = (call: FileCall) => void | Promise<void>;

export interface InterposedFileSystem extends FileSystem {
  /** As the kernel does when a process dies: its files are closed, its locks are free. */
  closeAll(): Promise<void>;
}

export function interpose(before: BeforeCall, overrides: Partial<FileSystem> = {}): InterposedFileSystem {
  const inner: FileSystem = nodeFileSystem;
  const open = new Set<OpenFile>();
  let isClosed = false;
  const fs: InterposedFileSystem = {
    async open(path: string, mode: OpenMode) {
      await before({ name: `open ${mode}`, path });
      const file = await inner.open(path, mode);
      // A process that died meanwhile holds it no more.
      if (isClosed) await file.close();
      else open.add(file);
      return interposedFile(file, before, open);
    },
    async stat(path) {
      await before({ name: 'stat', path });
      return inner.stat(path);
    },
    async readDirectory(path) {
      await before({ name: 'readDirectory', path });
      return inner.readDirectory(path);
    },
    async makeDirectory(path) {
      await before({ name: 'makeDirectory', path });
      await inner.makeDirectory(path);
    },
    async removeDirectory(path) {
      await before({ name: 'removeDirectory', path });
      await inner.removeDirectory(path);
    },
    async rename(from, to) {
      await before({ name: 'rename', path: from });
      await inner.rename(from, to);
    },
    async unlink(path) {
      await before({ name: 'unlink', path });
      await inner.unlink(path);
    },
    async syncDirectory(path) {
      await before({ name: 'syncDirectory', path });
    },
    bootId: () => inner.bootId(),
    watch: () => undefined,
    async closeAll() {
      isClosed = true;
      for (const file of open) await file.close();
      open.clear();
    },
    ...overrides,
  };
  return fs;
}

function interposedFile(file: OpenFile, before: BeforeCall, open: Set<OpenFile>): OpenFile {
  const { path } = file;
  return {
    path,
    async read(buffer, start, length, position) {
      await before({ name: 'read', path });
      return file.read(buffer, start, length, position);
    },
    async write(buffer, start, length, position) {
      await before({ name: 'write', path });
      return file.write(buffer, start, length, position);
    },
    async truncate(size) {
      await before({ name: 'truncate', path });
      await file.truncate(size);
    },
    async sync() {
      await before({ name: 'sync', path });
    },
    async stat() {
      await before({ name: 'fstat', path });
      return file.stat();
    },
    async close() {
      if (!open.delete(file)) return;
      await file.close();
    },
    tryLock: (range: LockRange, options) => file.tryLock(range, options),
    waitLock: (range: LockRange, options) => file.waitLock(range, options),
    unlock: (range: LockRange) => file.unlock(range),
    lockHolder: (range: LockRange) => file.lockHolder?.(range),
  };
}

export class Killed extends Error {}

/** Dies before its nth call: that one and all later ones are not made, and its locks are free. */
export function killedAt(n: number): { readonly fs: FileSystem; readonly calls: () => number } {
  let calls = 0;
  const fs = interpose(async ({ name, path }) => {
    if (++calls < n) return;
    if (calls === n) {
      // What others of this process have begun is done: a kill does not undo it.
      await new Promise(setImmediate);
      await fs.closeAll();
    }
    throw new Killed(`killed before call ${n}, ${name} ${path}`);
  });
  return { fs, calls: () => calls };
}

/** Fails the nth call with a system error, once. */
export function failingAt(n: number, code: string): { readonly fs: FileSystem; readonly calls: () => number } {
  let calls = 0;
  const fs = interpose(({ path }) => {
    if (++calls === n) throw systemError(code, path);
  });
  return { fs, calls: () => calls };
}

export function systemError(code: string, path = '?'): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}

/** Gives way to others for a random number of turns before each call. */
export function interleaved(seed: number): FileSystem {
  let state = seed * 2654435761 + 1;
  return interpose(async () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    for (let turns = state >>> 30; turns > 0; turns--) await new Promise(setImmediate);
  });
}

/** The disk without syncs. */
export const unsyncedFileSystem: FileSystem = interpose(() => {});
