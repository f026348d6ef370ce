/**
 * A state of a directory in memory, as it looks after the machine was started again (reboot-file-system.ts): read from the
 * disk once, and then visited by one client after the other, which saves most of the time a judgement takes. One process,
 * one task: every lock is granted.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CONTROL_FILE_NAME } from '../../../src/storage/control-file.js';
import type { FileStat, FileSystem, OpenFile, OpenMode } from '../../../src/storage/file-system.js';
import { inodeInside } from './control-inode.js';
import type { JudgedFileSystem } from './reboot-file-system.js';

class Contents {
  readonly inode: number;
  bytes: Buffer;
  size: number;

  constructor(inode: number, bytes: Buffer) {
    this.inode = inode;
    this.bytes = bytes;
    this.size = bytes.length;
  }
}

type Entry = Contents | 'directory';

/** Beyond any real one, so that none is taken for a file that the state remembers. */
let nextInode = 2 ** 50;

/** The files below a directory. */
export class MemoryDisk {
  readonly entries = new Map<string, Entry>();

  constructor(directory: string) {
    this.#load(directory);
    for (let up = directory; !this.entries.has(up) || up === directory; up = dirname(up)) {
      this.entries.set(up, 'directory');
      if (up === dirname(up)) break;
    }
  }

  #load(directory: string): void {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        this.entries.set(path, 'directory');
        this.#load(path);
      } else {
        const bytes = readFileSync(path);
        const inode = entry.name === CONTROL_FILE_NAME ? inodeInside(bytes) : undefined;
        this.entries.set(path, new Contents(inode ?? nextInode++, bytes));
      }
    }
  }

  names(directory: string): string[] {
    const names: string[] = [];
    for (const path of this.entries.keys())
      if (dirname(path) === directory && path !== directory) names.push(basename(path));
    return names;
  }
}

const COPIED = 2 ** 51;
const TMPFS = 0x01021994;

export class MemoryFileSystem implements FileSystem, JudgedFileSystem {
  readonly changes: string[] = [];
  readonly #disk: MemoryDisk;
  readonly #bootId: Buffer;
  readonly #inodesFrom: number;

  /** @param boot which start of the machine this is */
  constructor(disk: MemoryDisk, boot: number, isCopy = false) {
    this.#disk = disk;
    this.#bootId = Buffer.alloc(16, 0xb0 + boot);
    this.#inodesFrom = isCopy ? COPIED : 0;
  }

  open(path: string, mode: OpenMode): OpenFile {
    let contents = this.#disk.entries.get(path);
    if (contents === 'directory') throw failure('EISDIR', path);
    if (contents !== undefined && mode === 'create-new') throw failure('EEXIST', path);
    if (contents === undefined) {
      if (mode === 'read' || mode === 'write' || !this.#disk.entries.has(dirname(path))) throw failure('ENOENT', path);
      this.changes.push(`create ${path}`);
      contents = new Contents(nextInode++, Buffer.alloc(0));
      this.#disk.entries.set(path, contents);
    }
    return new MemoryFile(path, contents, this);
  }

  stat(path: string): FileStat | undefined {
    const entry = this.#disk.entries.get(path);
    return entry === undefined ? undefined : this.statOf(entry);
  }

  statOf(entry: Entry): FileStat {
    const owned = { modifiedMs: 0, uid: 0, device: 1 };
    if (entry === 'directory') return { kind: 'directory', size: 0, inode: 1, mode: 0o700, ...owned };
    return { kind: 'file', size: entry.size, inode: entry.inode + this.#inodesFrom, mode: 0o600, ...owned };
  }

  readDirectory(path: string): string[] {
    if (this.#disk.entries.get(path) !== 'directory') throw failure('ENOENT', path);
    return this.#disk.names(path);
  }

  makeDirectory(path: string): void {
    if (this.#disk.entries.has(path)) throw failure('EEXIST', path);
    this.changes.push(`mkdir ${path}`);
    this.#disk.entries.set(path, 'directory');
  }

  removeDirectory(path: string): void {
    if (this.#disk.names(path).length > 0) throw failure('ENOTEMPTY', path);
    this.changes.push(`rmdir ${path}`);
    this.#disk.entries.delete(path);
  }

  rename(from: string, to: string): void {
    const { entries } = this.#disk;
    const entry = entries.get(from);
    if (entry === undefined) throw failure('ENOENT', from);
    if (entry === 'directory' && entries.has(to) && this.#disk.names(to).length > 0) throw failure('ENOTEMPTY', to);
    this.changes.push(`rename ${from}`);
    for (const [path, below] of [...entries]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      entries.delete(path);
      entries.set(to + path.slice(from.length), below);
    }
  }

  unlink(path: string): void {
    if (this.#disk.entries.delete(path)) this.changes.push(`unlink ${path}`);
  }

  syncDirectory(): void {}

  bootId(): Uint8Array {
    return this.#bootId;
  }

  statfsType(): number {
    return TMPFS;
  }

  watch(): undefined {
    return undefined;
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
    const { bytes, size } = this.#contents;
    return position >= size ? 0 : bytes.copy(buffer, start, position, Math.min(position + length, size));
  }

  write(buffer: Uint8Array, start: number, length: number, position: number): number {
    this.#fs.changes.push(`write ${this.path} at ${position}`);
    this.#grow(position + length);
    this.#contents.bytes.set(buffer.subarray(start, start + length), position);
    return length;
  }

  truncate(size: number): void {
    this.#fs.changes.push(`truncate ${this.path} to ${size}`);
    this.#contents.bytes.fill(0, Math.min(size, this.#contents.size));
    this.#grow(size);
    this.#contents.size = size;
  }

  #grow(size: number): void {
    const contents = this.#contents;
    if (size > contents.bytes.length) {
      const bytes = Buffer.alloc(size + 4096);
      contents.bytes.copy(bytes, 0, 0, contents.size);
      contents.bytes = bytes;
    }
    contents.size = Math.max(contents.size, size);
  }

  sync(): void {}

  stat(): FileStat {
    return this.#fs.statOf(this.#contents);
  }

  close(): void {}

  tryLock(): boolean {
    return true;
  }

  async waitLock(): Promise<void> {}

  unlock(): void {}
}

function failure(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}
