/**
 * A directory in memory, quick to copy: thousands of inputs a second, each with a directory of its own. One process and
 * one task, so every lock is granted. Reads are checked as the kernel would.
 */
import { dirname } from 'node:path';
import type { FileStat, FileSystem, OpenFile, OpenMode } from '../../src/storage/file-system.js';

interface Contents {
  readonly inode: number;
  /** Never changed in place. */
  bytes: Buffer;
}

export class FuzzDisk implements FileSystem {
  readonly #files: Map<string, Contents>;
  readonly #directories: Set<string>;
  #nextInode: number;

  constructor(from?: FuzzDisk) {
    this.#files = new Map([...(from?.files() ?? [])].map(([path, contents]) => [path, { ...contents }]));
    this.#directories = new Set(from === undefined ? ['/'] : from.directories());
    this.#nextInode = 1000 + this.#files.size;
  }

  files(): ReadonlyMap<string, Contents> {
    return this.#files;
  }

  directories(): ReadonlySet<string> {
    return this.#directories;
  }

  /** The file keeps its inode. */
  put(path: string, bytes: Buffer): void {
    const contents = this.#files.get(path);
    if (contents === undefined) this.#files.set(path, { inode: this.#nextInode++, bytes });
    else contents.bytes = bytes;
  }

  remove(path: string): void {
    this.#files.delete(path);
  }

  open(path: string, mode: OpenMode): OpenFile {
    if (this.#directories.has(path)) throw failure('EISDIR', path);
    let contents = this.#files.get(path);
    if (contents !== undefined && mode === 'create-new') throw failure('EEXIST', path);
    if (contents === undefined) {
      if (mode === 'read' || mode === 'write' || !this.#directories.has(dirname(path))) throw failure('ENOENT', path);
      contents = { inode: this.#nextInode++, bytes: Buffer.alloc(0) };
      this.#files.set(path, contents);
    }
    return new FuzzFile(path, contents, mode !== 'read');
  }

  stat(path: string): FileStat | undefined {
    const times = { modifiedMs: 0, uid: 0 };
    if (this.#directories.has(path)) return { kind: 'directory', size: 0, inode: 1, mode: 0o700, ...times };
    const contents = this.#files.get(path);
    return contents && { kind: 'file', size: contents.bytes.length, inode: contents.inode, mode: 0o600, ...times };
  }

  readDirectory(path: string): string[] {
    if (!this.#directories.has(path)) throw failure('ENOENT', path);
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.#files.keys(), ...this.#directories]
      .filter((name) => name.startsWith(prefix) && name.length > prefix.length && !name.includes('/', prefix.length))
      .map((name) => name.slice(prefix.length));
  }

  makeDirectory(path: string): void {
    if (this.stat(path) !== undefined) throw failure('EEXIST', path);
    if (!this.#directories.has(dirname(path))) throw failure('ENOENT', path);
    this.#directories.add(path);
  }

  removeDirectory(path: string): void {
    if (this.readDirectory(path).length > 0) throw failure('ENOTEMPTY', path);
    this.#directories.delete(path);
  }

  rename(from: string, to: string): void {
    if (this.stat(from) === undefined) throw failure('ENOENT', from);
    const moved = (path: string): string | undefined =>
      path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : undefined;
    for (const path of [...this.#directories]) {
      const target = moved(path);
      if (target === undefined) continue;
      this.#directories.delete(path);
      this.#directories.add(target);
    }
    for (const [path, contents] of [...this.#files]) {
      const target = moved(path);
      if (target === undefined) continue;
      this.#files.delete(path);
      this.#files.set(target, contents);
    }
  }

  unlink(path: string): void {
    if (this.#directories.has(path)) throw failure('EISDIR', path);
    this.#files.delete(path);
  }

  syncDirectory(path: string): void {
    if (!this.#directories.has(path)) throw failure('ENOENT', path);
  }

  bootId(): Uint8Array {
    return Buffer.alloc(16, 0xb0);
  }

  watch(): undefined {
    return undefined;
  }
}

class FuzzFile implements OpenFile {
  readonly path: string;
  readonly #contents: Contents;
  readonly #writable: boolean;
  #closed = false;

  constructor(path: string, contents: Contents, writable: boolean) {
    this.path = path;
    this.#contents = contents;
    this.#writable = writable;
  }

  read(buffer: Uint8Array, start: number, length: number, position: number): number {
    this.#check(position, length);
    if (start < 0 || length < 0 || start + length > buffer.length)
      throw new RangeError(`a read of ${length} at ${start}`);
    const { bytes } = this.#contents;
    return position >= bytes.length
      ? 0
      : bytes.copy(buffer, start, position, Math.min(position + length, bytes.length));
  }

  write(buffer: Uint8Array, start: number, length: number, position: number): number {
    this.#check(position, length);
    if (!this.#writable) throw failure('EBADF', this.path);
    const { bytes } = this.#contents;
    if (position + length > 256 * 1024 * 1024) throw failure('EFBIG', this.path);
    const next = Buffer.alloc(Math.max(bytes.length, position + length));
    bytes.copy(next);
    next.set(buffer.subarray(start, start + length), position);
    this.#contents.bytes = next;
    return length;
  }

  truncate(size: number): void {
    this.#check(0, size);
    const next = Buffer.alloc(size);
    this.#contents.bytes.copy(next);
    this.#contents.bytes = next;
  }

  sync(): void {}

  stat(): FileStat {
    const { bytes, inode } = this.#contents;
    return { kind: 'file', size: bytes.length, inode, modifiedMs: 0, uid: 0, mode: 0o600 };
  }

  close(): void {
    this.#closed = true;
  }

  tryLock(): boolean {
    return true;
  }

  async waitLock(): Promise<void> {}

  unlock(): void {}

  #check(position: number, length: number): void {
    if (this.#closed) throw failure('EBADF', this.path);
    if (!Number.isSafeInteger(position) || position < 0 || !Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`the position ${position} or the length ${length} is none`);
    }
  }
}

function failure(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}
