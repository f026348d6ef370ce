/**
 * The real disk as it looks after the machine was started again: another boot id, and `klog.end` with the inode it had
 * when it was written, though a rebuilt state is made of new files.
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

/** What a start of the machine is told from others by. */
export function bootIdOf(start: number): Uint8Array {
  return Buffer.alloc(16, 0xb0 + start);
}

/** Of the start at which a scenario runs: KLOG_CRASH_BOOT where its files are older, else this one of the machine. */
export function currentBootId(): Uint8Array {
  const { KLOG_CRASH_BOOT: boot } = process.env;
  return boot === undefined ? nodeFileSystem.bootId() : bootIdOf(Number(boot));
}

export class RebootFileSystem implements FileSystem {
  readonly #bootId: Uint8Array;
  readonly #inodes = new Map<number, number>();

  /** @param start which start of the machine this is */
  constructor(start: number) {
    this.#bootId = bootIdOf(start);
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    return new RebootedFile(await nodeFileSystem.open(path, mode), this);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const stat = await nodeFileSystem.stat(path);
    return stat === undefined ? undefined : this.rebooted(path, stat);
  }

  readDirectory(path: string): Awaitable<string[]> {
    return nodeFileSystem.readDirectory(path);
  }

  makeDirectory(path: string): Awaitable<void> {
    return nodeFileSystem.makeDirectory(path);
  }

  removeDirectory(path: string): Awaitable<void> {
    return nodeFileSystem.removeDirectory(path);
  }

  rename(from: string, to: string): Awaitable<void> {
    return nodeFileSystem.rename(from, to);
  }

  unlink(path: string): Awaitable<void> {
    return nodeFileSystem.unlink(path);
  }

  syncDirectory(path: string): Awaitable<void> {
    return nodeFileSystem.syncDirectory(path);
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
    if (!path.endsWith(SUFFIX)) return stat;
    let inode = this.#inodes.get(stat.inode);
    if (inode === undefined) {
      inode = inodeInside((await readWhole(nodeFileSystem, path)) as Buffer) ?? stat.inode;
      this.#inodes.set(stat.inode, inode);
    }
    return { ...stat, inode, bornMs: undefined };
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
    return this.#file.write(buffer, start, length, position);
  }

  truncate(size: number): Awaitable<void> {
    return this.#file.truncate(size);
  }

  sync(): Awaitable<void> {
    return this.#file.sync();
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
