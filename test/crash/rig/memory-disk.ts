/** The files of a state in memory, shared by its clones until they are written to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTROL_FILE_NAME } from '../../../src/storage/control-file.js';
import { inodeInside } from './control-inode.js';

/** What a file that is written to may grow by without being copied. */
const GROWTH = 1024;

/** A file's bytes: a buffer that may be longer than the file, and may belong to other disks as well. */
export class Contents {
  readonly inode: number;
  #bytes: Buffer;
  #size: number;
  #isOwn = false;

  constructor(inode: number, bytes: Buffer, size = bytes.length) {
    this.inode = inode;
    this.#bytes = bytes;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** As they are now. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  read(buffer: Uint8Array, start: number, length: number, position: number): number {
    const end = Math.min(position + length, this.#size);
    return position >= end ? 0 : this.#bytes.copy(buffer, start, position, end);
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    this.#own(end);
    this.#bytes.set(bytes, position);
    this.#size = Math.max(this.#size, end);
  }

  truncate(size: number): void {
    this.#own(size);
    this.#bytes.fill(0, Math.min(size, this.#size));
    this.#size = size;
  }

  /** For another disk. This one is not written to any more. */
  clone(): Contents {
    return new Contents(this.inode, this.#bytes, this.#size);
  }

  #own(size: number): void {
    if (this.#isOwn && size <= this.#bytes.length) return;
    const bytes = Buffer.alloc(Math.max(size, this.#size) + GROWTH);
    this.#bytes.copy(bytes, 0, 0, this.#size);
    this.#bytes = bytes;
    this.#isOwn = true;
  }
}

/** The names in a directory. */
export type Names = Map<string, Entry>;
export type Entry = Contents | Names;

/** Beyond any real one, so that none is taken for a file that the state remembers. */
let nextInode = 2 ** 50;

/** A file that comes with a state: `klog.end` has the inode it had when it was written. */
export function newContents(name: string, bytes: Buffer): Contents {
  const inode = name === CONTROL_FILE_NAME ? inodeInside(bytes) : undefined;
  return new Contents(inode ?? nextInode++, bytes);
}

export class MemoryDisk {
  /** Of the directory in which the state is. */
  readonly root: string;
  readonly #top: Names;
  /** Directories that were looked for, by their paths: they are asked for again and again. */
  readonly #found = new Map<string, Names>();
  #firstInode: number | undefined;

  /**
   * @param firstInode of the files that are made: then the same calls make the same inodes; default new ones for ever
   */
  constructor(root: string, top: Names, firstInode?: number) {
    this.root = root;
    this.#top = top;
    this.#firstInode = firstInode;
  }

  /** The same files, below another root. This one is not to be changed any more. */
  at(root: string): MemoryDisk {
    return new MemoryDisk(root, this.#top);
  }

  newFile(): Contents {
    const inode = this.#firstInode === undefined ? nextInode++ : this.#firstInode++;
    return new Contents(inode, Buffer.alloc(0));
  }

  /** What is on the real disk. */
  static load(directory: string): MemoryDisk {
    const load = (at: string): Names => {
      const names: Names = new Map();
      for (const entry of readdirSync(at, { withFileTypes: true })) {
        const path = join(at, entry.name);
        names.set(entry.name, entry.isDirectory() ? load(path) : newContents(entry.name, readFileSync(path)));
      }
      return names;
    };
    return new MemoryDisk(directory, load(directory));
  }

  /** This one is not to be changed any more. `firstInode`: as in the constructor. */
  clone(firstInode?: number): MemoryDisk {
    const clone = (names: Names): Names => {
      const copy: Names = new Map();
      for (const [name, entry] of names) copy.set(name, entry instanceof Contents ? entry.clone() : clone(entry));
      return copy;
    };
    return new MemoryDisk(this.root, clone(this.#top), firstInode);
  }

  /** `undefined`: there is nothing, or it is not on this disk. */
  find(path: string): Entry | undefined {
    if (path === this.root) return this.#top;
    if (path.endsWith('/.')) return this.find(path.slice(0, -2));
    // A directory above the state: whoever asks wants to know that it is one.
    if (this.root.startsWith(`${path === '/' ? '' : path}/`)) return new Map();
    const parent = this.parent(path);
    return parent?.get(nameOf(path));
  }

  /** `undefined`: its directory is not there. */
  parent(path: string): Names | undefined {
    const directory = path.slice(0, path.lastIndexOf('/'));
    let names = this.#found.get(directory);
    if (names === undefined) {
      names = this.#walk(directory);
      if (names !== undefined) this.#found.set(directory, names);
    }
    return names;
  }

  /** Whoever moves or removes a directory says so. */
  directoryMoved(): void {
    this.#found.clear();
  }

  #walk(directory: string): Names | undefined {
    if (directory === this.root) return this.#top;
    if (!directory.startsWith(`${this.root}/`)) return undefined;
    let names = this.#top;
    for (const name of directory.slice(this.root.length + 1).split('/')) {
      const entry = names.get(name);
      if (!(entry instanceof Map)) return undefined;
      names = entry;
    }
    return names;
  }

  /** Every directory, by its path below the root. */
  *directories(names = this.#top, at = ''): Generator<string> {
    for (const [name, entry] of names) {
      if (entry instanceof Contents) continue;
      yield at + name;
      yield* this.directories(entry, `${at}${name}/`);
    }
  }

  /** Every file, by its path below the root. */
  *files(names = this.#top, at = ''): Generator<[string, Contents]> {
    for (const [name, entry] of names) {
      if (entry instanceof Contents) yield [at + name, entry];
      else yield* this.files(entry, `${at}${name}/`);
    }
  }
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
