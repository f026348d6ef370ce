/**
 * A state of a directory in memory, as one process finds it: after the machine was started again (as in
 * reboot-file-system.ts), or on the machine that goes on. One client visits it after the other, which saves most of the
 * time a judgement takes. One process, one task: every lock is granted.
 *
 * A process may die in the middle: `diesAt` counts the calls that change something.
 */
import type { FileStat, FileSystem, OpenFile, OpenMode } from '../../../src/storage/file-system.js';
import { Contents, type Entry, type MemoryDisk, type Names, nameOf } from './memory-disk.js';

export interface MemoryOptions {
  readonly bootId: Uint8Array;
  /** Other inodes than those that the files remember. */
  readonly isCopy?: boolean;
  /** The number of the call, from 1 on, with which the process dies: nothing of it is done, nor of any later one. */
  readonly diesAt?: number;
  /** Of that call, if it writes, a part is done. */
  readonly tears?: boolean;
}

const COPIED = 2 ** 51;
const TMPFS = 0x01021994;
/** Everything was written to just now. */
const OWNED = { modifiedMs: Date.now(), uid: 0, device: 1 };

export class Killed extends Error {}

export class MemoryFileSystem implements FileSystem {
  /** Every call that changed something. */
  readonly changes: string[] = [];
  /** Calls that change something, or make it safe. */
  calls = 0;
  /** The call with which the process died was a write, and a part of it was done. */
  hasTorn = false;
  readonly root: string;
  readonly #disk: MemoryDisk;
  readonly #options: MemoryOptions;

  constructor(disk: MemoryDisk, options: MemoryOptions) {
    this.root = disk.root;
    this.#disk = disk;
    this.#options = options;
  }

  open(path: string, mode: OpenMode): OpenFile {
    const entry = this.#disk.find(path);
    if (entry instanceof Contents) {
      if (mode === 'create-new') throw failure('EEXIST', path);
      return new MemoryFile(path, entry, this);
    }
    if (entry !== undefined) throw failure('EISDIR', path);
    const names = this.#disk.parent(path);
    if (mode === 'read' || mode === 'write' || names === undefined) throw failure('ENOENT', path);
    this.change('create', path);
    const contents = this.#disk.newFile();
    names.set(nameOf(path), contents);
    return new MemoryFile(path, contents, this);
  }

  stat(path: string): FileStat | undefined {
    const entry = this.#disk.find(path);
    return entry === undefined ? undefined : this.statOf(entry);
  }

  statOf(entry: Entry): FileStat {
    if (!(entry instanceof Contents)) return { kind: 'directory', size: 0, inode: 1, mode: 0o700, ...OWNED };
    const inode = entry.inode + (this.#options.isCopy === true ? COPIED : 0);
    return { kind: 'file', size: entry.size, inode, mode: 0o600, ...OWNED };
  }

  readDirectory(path: string): string[] {
    return [...this.#directory(path).keys()];
  }

  makeDirectory(path: string): void {
    const names = this.#disk.parent(path);
    if (names === undefined) throw failure('ENOENT', path);
    if (names.has(nameOf(path))) throw failure('EEXIST', path);
    this.change('mkdir', path);
    names.set(nameOf(path), new Map());
  }

  removeDirectory(path: string): void {
    if (this.#directory(path).size > 0) throw failure('ENOTEMPTY', path);
    this.change('rmdir', path);
    this.#disk.directoryMoved();
    this.#disk.parent(path)?.delete(nameOf(path));
  }

  rename(from: string, to: string): void {
    const entry = this.#disk.find(from);
    const there = this.#disk.find(to);
    const target = this.#disk.parent(to);
    if (entry === undefined || target === undefined) throw failure('ENOENT', from);
    if (there instanceof Map && there.size > 0) throw failure('ENOTEMPTY', to);
    this.change('rename', from);
    if (entry instanceof Map) this.#disk.directoryMoved();
    this.#disk.parent(from)?.delete(nameOf(from));
    target.set(nameOf(to), entry);
  }

  unlink(path: string): void {
    if (this.#disk.find(path) === undefined) return;
    this.change('unlink', path);
    this.#disk.parent(path)?.delete(nameOf(path));
  }

  syncDirectory(path: string): void {
    this.count(path);
  }

  bootId(): Uint8Array {
    return this.#options.bootId;
  }

  statfsType(): number {
    return TMPFS;
  }

  watch(): undefined {
    return undefined;
  }

  /** Before something is changed. */
  change(what: string, path: string, torn?: () => void): void {
    this.count(path, torn);
    this.changes.push(`${what} ${path}`);
  }

  count(path: string, torn?: () => void): void {
    this.calls++;
    const { diesAt, tears } = this.#options;
    if (diesAt === undefined || this.calls < diesAt) return;
    if (tears === true && torn !== undefined && this.calls === diesAt) {
      torn();
      this.hasTorn = true;
    }
    throw new Killed(`killed at call ${this.calls}, ${path}`);
  }

  #directory(path: string): Names {
    const entry = this.#disk.find(path);
    if (!(entry instanceof Map)) throw failure('ENOENT', path);
    return entry;
  }
}

class MemoryFile implements OpenFile {
  readonly path: string;
  readonly #contents: Contents;
  readonly #fs: MemoryFileSystem;

  constructor(path: string, contents: Contents, fs: MemoryFileSystem) {
    this.path = path;
    this.#contents = contents;
    this.#fs = fs;
  }

  read(buffer: Uint8Array, start: number, length: number, position: number): number {
    return this.#contents.read(buffer, start, length, position);
  }

  write(buffer: Uint8Array, start: number, length: number, position: number): number {
    const bytes = buffer.subarray(start, start + length);
    this.#fs.change('write', this.path, () => this.#contents.write(bytes.subarray(0, length >> 1), position));
    this.#contents.write(bytes, position);
    return length;
  }

  truncate(size: number): void {
    this.#fs.change('truncate', this.path);
    this.#contents.truncate(size);
  }

  sync(): void {
    this.#fs.count(this.path);
  }

  stat(): FileStat {
    return this.#fs.statOf(this.#contents);
  }

  close(): void {}

  tryLock(): boolean {
    return true;
  }

  waitLock(): Promise<void> {
    return Promise.resolve();
  }

  unlock(): void {}
}

function failure(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}
