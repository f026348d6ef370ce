/**
 * The real disk: {@link FileSystem} over `node:fs` and kernel locks.
 *
 * Calls on up to 64 KiB are made at once on the main thread, since a round trip through libuv's thread pool costs ten
 * times such a call; larger ones, at most 64 MiB each, and syncs go through the pool, but see
 * {@link commandFileSystem}.
 *
 * Files are opened with O_NOFOLLOW (a link planted at the end of the path: `ELOOP`) and O_NONBLOCK (a planted pipe does
 * not hang the open), and must then be regular files. Descriptors are close-on-exec, as all of Node's are. What is made
 * here has mode 0600 or 0700 whatever the umask.
 *
 * Directory and open file stand in one file, long as it is, since no other may import `node:fs`: what reaches the disk
 * is seen at one glance.
 */
import { execFileSync } from 'node:child_process';
import * as nodeFs from 'node:fs';
import { KlogError } from '../errors.js';
import type { Awaitable, FileKind, FileStat, FileSystem, LockRange, OpenFile, OpenMode } from './file-system.js';
import { findLockHolder, isProcessStopped } from './lock-holder.js';
import { nativeLocks } from './native-locks.js';
import { call, codeOf, inPool } from './system-call.js';

/** Up to this size a read or write is made on the main thread. */
const SYNCHRONOUS_BYTES = 64 * 1024;
/** Linux transfers at most 2 GiB - 4 KiB a call; less keeps one call from holding a pool thread for seconds. */
const LARGEST_TRANSFER_BYTES = 64 * 1024 * 1024;

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECTORY = 0, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = nodeFs.constants;
const SAFE_OPEN = O_NOFOLLOW | O_NONBLOCK;
/** By this Node opens, reads and closes in one call of its own. Flags are numbers here, which its types do not know. */
const SAFE_TEXT = { encoding: 'utf8', flag: (O_RDONLY | SAFE_OPEN) as unknown as string } as const;

/** Makes what was written to an open file durable. */
type SyncData = (fd: number) => Promise<void>;

const syncInPool: SyncData = (fd) => inPool((settle) => nodeFs.fdatasync(fd, settle));

function firstSyncInPlace(): SyncData {
  let isFirst = true;
  return async (fd) => {
    if (!isFirst) return await syncInPool(fd);
    isFirst = false;
    call(() => nodeFs.fdatasyncSync(fd));
  };
}

class NodeFileSystem implements FileSystem {
  readonly #syncData: SyncData;
  #bootId: Uint8Array | undefined;

  constructor(syncData: SyncData) {
    this.#syncData = syncData;
  }

  open(path: string, mode: OpenMode): OpenFile {
    return call(() => openRegularFile(path, mode, this.#syncData));
  }

  readFile(path: string): Uint8Array | undefined {
    return call(() => readRegularFile(path));
  }

  readTexts(directory: string, names: readonly string[]): (string | undefined)[] {
    return names.map((name) => {
      try {
        return nodeFs.readFileSync(`${directory}/${name}`, SAFE_TEXT);
      } catch {
        return undefined;
      }
    });
  }

  stat(path: string): FileStat | undefined {
    return call(() => {
      const stats = nodeFs.lstatSync(path, { throwIfNoEntry: false });
      return stats === undefined ? undefined : toFileStat(stats, () => nodeFs.lstatSync(path, { bigint: true }).ino);
    });
  }

  readDirectory(path: string): string[] {
    return call(() => nodeFs.readdirSync(path));
  }

  makeDirectory(path: string): void {
    call(() => {
      nodeFs.mkdirSync(path, DIRECTORY_MODE);
      if ((nodeFs.lstatSync(path).mode & 0o777) !== DIRECTORY_MODE) nodeFs.chmodSync(path, DIRECTORY_MODE);
    });
  }

  removeDirectory(path: string): void {
    call(() => nodeFs.rmdirSync(path));
  }

  rename(from: string, to: string): void {
    call(() => nodeFs.renameSync(from, to));
  }

  unlink(path: string): void {
    call(() => {
      try {
        nodeFs.unlinkSync(path);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
      }
    });
  }

  async syncDirectory(path: string): Promise<void> {
    const fd = call(() => nodeFs.openSync(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK));
    try {
      await inPool((done) => nodeFs.fsync(fd, done));
    } finally {
      nodeFs.closeSync(fd);
    }
  }

  bootId(): Uint8Array {
    this.#bootId ??= readBootId();
    return this.#bootId;
  }

  statfsType(path: string): number | undefined {
    return process.platform === 'linux' ? call(() => nodeFs.statfsSync(path).type) : undefined;
  }

  isProcessStopped(pid: number): boolean | undefined {
    return isProcessStopped(nodeFs, pid);
  }

  watch(path: string, listener: () => void): { close(): void } | undefined {
    try {
      // Not persistent: what keeps a waiting process alive is the timer of its slow poll.
      const watcher = nodeFs.watch(path, { persistent: false }, listener);
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      // ENOSPC or EMFILE: beyond the kernel's inotify limits; or the file went away. The caller polls.
      return undefined;
    }
  }
}

class NodeFile implements OpenFile {
  readonly path: string;
  readonly #fd: number;
  #lockWaits = 0;
  #closed = false;
  readonly #syncData: SyncData;

  constructor(path: string, fd: number, syncData: SyncData) {
    this.path = path;
    this.#fd = fd;
    this.#syncData = syncData;
  }

  read(buffer: Uint8Array, start: number, length: number, position: number): Awaitable<number> {
    if (length > SYNCHRONOUS_BYTES) return this.#readInPool(buffer, start, length, position);
    const fd = this.#open();
    let done = 0;
    while (done < length) {
      const got = call(() => nodeFs.readSync(fd, buffer, start + done, length - done, position + done));
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  async #readInPool(buffer: Uint8Array, start: number, length: number, position: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const wanted = Math.min(length - done, LARGEST_TRANSFER_BYTES);
      const fd = this.#open();
      const got = await inPool<number>((settle) =>
        nodeFs.read(fd, buffer, start + done, wanted, position + done, settle),
      );
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  write(buffer: Uint8Array, start: number, length: number, position: number): Awaitable<number> {
    const fd = this.#open();
    if (length <= SYNCHRONOUS_BYTES) return call(() => nodeFs.writeSync(fd, buffer, start, length, position));
    const wanted = Math.min(length, LARGEST_TRANSFER_BYTES);
    return inPool<number>((settle) => nodeFs.write(fd, buffer, start, wanted, position, settle));
  }

  truncate(size: number): void {
    const fd = this.#open();
    call(() => nodeFs.ftruncateSync(fd, size));
  }

  sync(): Promise<void> {
    return this.#syncData(this.#open());
  }

  stat(): FileStat {
    const fd = this.#open();
    return call(() => toFileStat(nodeFs.fstatSync(fd), () => nodeFs.fstatSync(fd, { bigint: true }).ino));
  }

  close(): void {
    // A thread that waits for a lock holds the descriptor's number: closed now, the number could be another file's by
    // the time it asks the kernel. Closing afterwards frees the lock it was granted.
    const fd = this.#open();
    this.#closed = true;
    if (this.#lockWaits === 0) nodeFs.closeSync(fd);
  }

  tryLock(range: LockRange, options?: { shared?: boolean }): boolean {
    return nativeLocks().tryLock(this.#open(), range.start, range.length, options?.shared === true);
  }

  async waitLock(range: LockRange, options?: { shared?: boolean }): Promise<void> {
    const fd = this.#open();
    const locks = nativeLocks();
    this.#lockWaits++;
    try {
      for (;;) {
        try {
          await locks.waitLock(fd, range.start, range.length, options?.shared === true);
          return;
        } catch (error) {
          if (codeOf(error) !== 'EINTR') throw error;
        }
      }
    } finally {
      this.#lockWaits--;
      if (this.#lockWaits === 0 && this.#closed) nodeFs.closeSync(fd);
    }
  }

  unlock(range: LockRange): void {
    // Closing has freed it, and the number may be another file's by now.
    if (!this.#closed) nativeLocks().unlock(this.#fd, range.start, range.length);
  }

  lockHolder(range: LockRange): number | undefined {
    const { dev, ino } = nodeFs.fstatSync(this.#open());
    return findLockHolder(nodeFs, { device: dev, inode: ino }, range.start, range.length);
  }

  /** The number of the descriptor: once it is closed, that may be another file's. */
  #open(): number {
    if (!this.#closed) return this.#fd;
    throw Object.assign(new Error(`EBADF: ${this.path} is closed`), { code: 'EBADF', path: this.path });
  }
}

function openRegularFile(path: string, mode: OpenMode, syncData: SyncData): NodeFile {
  let created = mode === 'create-new';
  let fd: number;
  for (;;) {
    try {
      if (created) fd = nodeFs.openSync(path, O_RDWR | O_CREAT | O_EXCL | SAFE_OPEN, FILE_MODE);
      else fd = nodeFs.openSync(path, (mode === 'read' ? O_RDONLY : O_RDWR) | SAFE_OPEN);
      break;
    } catch (error) {
      // `create`: whether it was made here decides about its mode, so it is either opened or made, in turn.
      if (mode !== 'create' || codeOf(error) !== (created ? 'EEXIST' : 'ENOENT')) throw error;
      created = !created;
    }
  }
  try {
    const stats = statRegularFile(fd, path);
    if (created && (stats.mode & 0o777) !== FILE_MODE) nodeFs.fchmodSync(fd, FILE_MODE);
    return new NodeFile(path, fd, syncData);
  } catch (error) {
    nodeFs.closeSync(fd);
    throw error;
  }
}

function readRegularFile(path: string): Uint8Array | undefined {
  let fd: number;
  try {
    fd = nodeFs.openSync(path, O_RDONLY | SAFE_OPEN);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = statRegularFile(fd, path);
    const bytes = Buffer.allocUnsafe(size);
    let done = 0;
    while (done < size) {
      const got = nodeFs.readSync(fd, bytes, done, size - done, done);
      if (got === 0) break;
      done += got;
    }
    return bytes.subarray(0, done);
  } finally {
    nodeFs.closeSync(fd);
  }
}

function statRegularFile(fd: number, path: string): nodeFs.Stats {
  const stats = nodeFs.fstatSync(fd);
  if (stats.isFile()) return stats;
  throw new KlogError('KLOG_BAD_DIRECTORY', `${path} is ${describeKind(stats)}, not a regular file`, {
    file: path,
    hint: 'klog opens regular files only: look who put this there',
  });
}

function describeKind(stats: nodeFs.Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

/** An inode number beyond 2^53 (overlay file systems put a layer's number into the top bits) is cut to its low bits. */
function toFileStat(stats: nodeFs.Stats, exactInode: () => bigint): FileStat {
  const kind: FileKind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
  return {
    kind,
    size: stats.size,
    inode: Number.isSafeInteger(stats.ino) ? stats.ino : Number(BigInt.asUintN(53, exactInode())),
    device: stats.dev,
    modifiedMs: stats.mtimeMs,
    bornMs: tellsBirth() && stats.birthtimeMs > 0 ? stats.birthtimeMs : undefined,
    uid: stats.uid,
    mode: stats.mode & 0o7777,
  };
}

let birthIsTold: boolean | undefined;

/**
 * Where the kernel cannot be asked when a file was made, Node gives the time of its last change instead: of a process
 * in /proc, too, of which a kernel that can be asked says that it does not know.
 */
function tellsBirth(): boolean {
  birthIsTold ??=
    process.platform !== 'linux' || nodeFs.lstatSync('/proc/self', { throwIfNoEntry: false })?.birthtimeMs === 0;
  return birthIsTold;
}

/** 16 bytes; all zero where the system does not tell: then every boot looks like the same one. */
function readBootId(): Uint8Array {
  let text = '';
  try {
    if (process.platform === 'darwin') {
      text = execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'latin1', timeout: 5_000 });
    } else {
      // As UTF-8 it is one call of Node's own, in which no buffer is made for a file that says it has no size.
      text = nodeFs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    }
  } catch {
    // No such file or command: stays empty.
  }
  const hex = text.replace(/[^0-9a-fA-F]/g, '');
  return hex.length === 32 ? new Uint8Array(Buffer.from(hex, 'hex')) : new Uint8Array(16);
}

export const nodeFileSystem: FileSystem = new NodeFileSystem(syncInPool);

/**
 * The same for a command that writes and ends. Its first sync holds up the process: mostly there is no other, and
 * starting the threads of the pool, and waiting for their end, takes a millisecond.
 */
export const commandFileSystem: FileSystem = new NodeFileSystem(firstSyncInPlace());
