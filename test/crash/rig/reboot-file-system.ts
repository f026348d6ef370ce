/**
 * The real disk as it looks after the machine was started again: another boot id, and `klog.end` with the inode it had
 * when it was written, though a rebuilt state is made of new files. What the judge itself does need not survive
 * anything: its syncs do nothing.
 */
import { CONTROL_FILE_NAME } from '../../../src/storage/control-file.js';
import {
  type Awaitable,
  type FileStat,
  type FileSystem,
  type LockRange,
  type OpenFile,
  type OpenMode,
  readWhole,
} from '../../../src/storage/file-system.js';
import { nodeFileSystem } from '../../../src/storage/file-system-node.js';
import { inodeInside } from './control-inode.js';

const SUFFIX = `/${CONTROL_FILE_NAME}`;

export interface RebootOptions {
  /** Which start of the machine this is; -1: still the one that wrote the files. */
  readonly boot: number;
  /** False: as a copy of the files looks. */
  readonly keepInodes: boolean;
  /** Default true. */
  readonly syncs?: boolean;
}

/** What the judge lets klog loose on. */
export interface JudgedFileSystem extends FileSystem {
  /** Every call that changed something, for who wants to know that there was none. */
  readonly changes: readonly string[];
}

export class RebootFileSystem implements JudgedFileSystem {
  readonly changes: string[] = [];
  readonly syncs: boolean;
  readonly #options: RebootOptions;
  readonly #bootId: Uint8Array;
  readonly #inodes = new Map<number, number>();

  constructor(options: RebootOptions) {
    this.#options = options;
    this.syncs = options.syncs ?? true;
    this.#bootId = options.boot < 0 ? nodeFileSystem.bootId() : Buffer.alloc(16, 0xb0 + options.boot);
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    const isNew = mode !== 'read' && mode !== 'write' && nodeFileSystem.stat(path) === undefined;
    const file = await nodeFileSystem.open(path, mode);
    if (isNew) this.changes.push(`create ${path}`);
    return new RebootedFile(file, this);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const stat = await nodeFileSystem.stat(path);
    return stat === undefined ? undefined : this.rebooted(path, stat);
  }

  readDirectory(path: string): Awaitable<string[]> {
    return nodeFileSystem.readDirectory(path);
  }

  makeDirectory(path: string): Awaitable<void> {
    this.changes.push(`mkdir ${path}`);
    return nodeFileSystem.makeDirectory(path);
  }

  removeDirectory(path: string): Awaitable<void> {
    this.changes.push(`rmdir ${path}`);
    return nodeFileSystem.removeDirectory(path);
  }

  rename(from: string, to: string): Awaitable<void> {
    this.changes.push(`rename ${from}`);
    return nodeFileSystem.rename(from, to);
  }

  unlink(path: string): Awaitable<void> {
    this.changes.push(`unlink ${path}`);
    return nodeFileSystem.unlink(path);
  }

  syncDirectory(path: string): Awaitable<void> {
    return this.syncs ? nodeFileSystem.syncDirectory(path) : undefined;
  }

  bootId(): Uint8Array {
    return this.#bootId;
  }

  statfsType(path: string): Awaitable<number | undefined> {
    return nodeFileSystem.statfsType?.(path);
  }

  watch(path: string, listener: () => void): { close(): void } | undefined {
    return nodeFileSystem.watch(path, listener);
  }

  async rebooted(path: string, stat: FileStat): Promise<FileStat> {
    if (!this.#options.keepInodes || !path.endsWith(SUFFIX)) return stat;
    let inode = this.#inodes.get(stat.inode);
    if (inode === undefined) {
      inode = inodeInside((await readWhole(nodeFileSystem, path)) as Buffer) ?? stat.inode;
      this.#inodes.set(stat.inode, inode);
    }
    return { ...stat, inode };
  }
}

class RebootedFile implements OpenFile {
  readonly path: string;
  readonly #file: OpenFile;
  readonly #fs: RebootFileSystem;

  constructor(file: OpenFile, fs: RebootFileSystem) {
    this.path = file.path;
    this.#file = file;
    this.#fs = fs;
  }

  read(buffer: Uint8Array, start: number, length: number, position: number): Awaitable<number> {
    return this.#file.read(buffer, start, length, position);
  }

  write(buffer: Uint8Array, start: number, length: number, position: number): Awaitable<number> {
    this.#fs.changes.push(`write ${this.path} at ${position}`);
    return this.#file.write(buffer, start, length, position);
  }

  truncate(size: number): Awaitable<void> {
    this.#fs.changes.push(`truncate ${this.path} to ${size}`);
    return this.#file.truncate(size);
  }

  sync(): Awaitable<void> {
    return this.#fs.syncs ? this.#file.sync() : undefined;
  }

  async stat(): Promise<FileStat> {
    return this.#fs.rebooted(this.path, await this.#file.stat());
  }

  close(): Awaitable<void> {
    return this.#file.close();
  }

  tryLock(range: LockRange, options?: { shared?: boolean }): boolean {
    return this.#file.tryLock(range, options);
  }

  waitLock(range: LockRange, options?: { shared?: boolean }): Promise<void> {
    return this.#file.waitLock(range, options);
  }

  unlock(range: LockRange): void {
    this.#file.unlock(range);
  }

  lockHolder(range: LockRange): number | undefined {
    return this.#file.lockHolder?.(range);
  }
}
