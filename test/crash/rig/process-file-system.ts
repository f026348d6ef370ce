/**
 * A disk in memory as one process of several has it: with locks that others hold, calls that fail, and a death that
 * gives back every lock. What a dead process had asked for is never answered.
 */
import type {
  Awaitable,
  FileStat,
  FileSystem,
  LockRange,
  OpenFile,
  OpenMode,
} from '../../../src/storage/file-system.js';
import { SimulatedLocks } from '../../support/simulated-locks.js';
import type { FaultPoint } from './fault-point.js';
import { Killed, type MemoryFileSystem } from './memory-file-system.js';

/** What the processes have in common. */
export interface SharedDisk {
  readonly files: MemoryFileSystem;
  readonly point: FaultPoint;
  readonly locks: LockTable;
  readonly watchers: Watchers;
  /** By inode: what the last sync has made safe of a file. Kept only where a failing one loses the rest. */
  readonly safeBytes: Map<number, Buffer>;
  /** Whether the others have their turn before the next call. */
  othersFirst(): boolean;
}

export class ProcessFileSystem implements FileSystem {
  readonly #shared: SharedDisk;
  readonly #open = new Set<object>();
  #onDeath: () => void = () => {};
  #isDead = false;
  readonly died: Promise<void>;

  constructor(shared: SharedDisk) {
    this.#shared = shared;
    this.died = new Promise((resolve) => {
      this.#onDeath = resolve;
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  die(): void {
    this.#isDead = true;
    for (const file of this.#open) this.#shared.locks.releaseAll(file);
    this.#open.clear();
    this.#onDeath();
  }

  open(path: string, mode: OpenMode): Awaitable<OpenFile> {
    const { files } = this.#shared;
    const opened = () => {
      const file = new ProcessFile(files.open(path, mode), this, this.#shared);
      this.#open.add(file);
      return file;
    };
    const makes = mode.startsWith('create') && files.stat(path) === undefined;
    return makes ? this.change('openat', path, opened) : this.look('openat', path, opened);
  }

  closed(file: object): void {
    this.#open.delete(file);
    this.#shared.locks.releaseAll(file);
  }

  stat(path: string): Awaitable<FileStat | undefined> {
    return this.look('lstat', path, () => this.#shared.files.stat(path));
  }

  readDirectory(path: string): Awaitable<string[]> {
    return this.look('scandir', path, () => this.#shared.files.readDirectory(path));
  }

  makeDirectory(path: string): Awaitable<void> {
    return this.change('mkdir', path, () => this.#shared.files.makeDirectory(path));
  }

  removeDirectory(path: string): Awaitable<void> {
    return this.change('rmdir', path, () => this.#shared.files.removeDirectory(path));
  }

  rename(from: string, to: string): Awaitable<void> {
    return this.change('rename', from, () => this.#shared.files.rename(from, to));
  }

  unlink(path: string): Awaitable<void> {
    return this.change('unlink', path, () => this.#shared.files.unlink(path));
  }

  syncDirectory(path: string): Awaitable<void> {
    return this.change('fsync', path, afterATurn);
  }

  bootId(): Uint8Array {
    return this.#shared.files.bootId();
  }

  statfsType(path: string): Awaitable<number> {
    return this.look('statfs', path, () => this.#shared.files.statfsType());
  }

  watch(path: string, listener: () => void): { close(): void } {
    return this.#shared.watchers.add(path, () => {
      if (!this.#isDead) listener();
    });
  }

  change<T>(call: string, path: string, run: (bytes: number) => Awaitable<T>, bytes = 0): Awaitable<T> {
    if (this.#isDead) return never();
    const verdict = this.#shared.point.change(call, path, bytes);
    if (verdict.dies) {
      if (verdict.bytes > 0) void run(verdict.bytes);
      this.die();
      return never();
    }
    return this.#inTurn(() => run(verdict.bytes));
  }

  look<T>(call: string, path: string, run: () => T): Awaitable<T> {
    if (this.#isDead) return never();
    this.#shared.point.look(call, path);
    return this.#inTurn(run);
  }

  #inTurn<T>(run: () => Awaitable<T>): Awaitable<T> {
    if (!this.#shared.othersFirst()) return run();
    return afterATurn().then(() => (this.#isDead ? never<T>() : run()));
  }
}

class ProcessFile implements OpenFile {
  readonly path: string;
  readonly #file: OpenFile;
  readonly #inode: number;
  readonly #process: ProcessFileSystem;
  readonly #shared: SharedDisk;

  constructor(file: OpenFile, process: ProcessFileSystem, shared: SharedDisk) {
    this.path = file.path;
    this.#file = file;
    this.#inode = (file.stat() as FileStat).inode;
    this.#process = process;
    this.#shared = shared;
  }

  read(buffer: Uint8Array, start: number, length: number, position: number): Awaitable<number> {
    return this.#process.look('read', this.path, () => this.#file.read(buffer, start, length, position) as number);
  }

  write(buffer: Uint8Array, start: number, length: number, position: number): Awaitable<number> {
    const write = (bytes: number) => {
      const written = this.#file.write(buffer, start, bytes, position);
      this.#shared.watchers.changed(this.path);
      return written;
    };
    return this.#process.change('pwrite64', this.path, write, length);
  }

  truncate(size: number): Awaitable<void> {
    return this.#process.change('ftruncate', this.path, () => this.#file.truncate(size));
  }

  sync(): Awaitable<void> {
    const { point, safeBytes } = this.#shared;
    if (!point.loses) return this.#process.change('fdatasync', this.path, afterATurn);
    // As they are now: what comes while it is under way is the next one's.
    const bytes = this.#bytes();
    try {
      return this.#process.change('fdatasync', this.path, () => {
        safeBytes.set(this.#inode, bytes);
        return afterATurn();
      });
    } catch (error) {
      this.#loseTheRest();
      throw error;
    }
  }

  #bytes(): Buffer {
    const { size } = this.#file.stat() as FileStat;
    const bytes = Buffer.alloc(size);
    this.#file.read(bytes, 0, size, 0);
    return bytes;
  }

  /** The size stays, as that of the inode does; what was never safe is zeros. */
  #loseTheRest(): void {
    const lost = Buffer.alloc((this.#file.stat() as FileStat).size);
    this.#shared.safeBytes.get(this.#inode)?.copy(lost);
    if (lost.length > 0) this.#file.write(lost, 0, lost.length, 0);
  }

  stat(): Awaitable<FileStat> {
    return this.#process.look('fstat', this.path, () => this.#file.stat() as FileStat);
  }

  close(): void {
    this.#process.closed(this);
  }

  tryLock(range: LockRange, options: { shared?: boolean } = {}): boolean {
    if (this.#process.isDead) throw new Killed('it asks for a lock');
    return this.#shared.locks.tryTake(this.#inode, this, range, options.shared === true);
  }

  async waitLock(range: LockRange, options: { shared?: boolean } = {}): Promise<void> {
    const { locks } = this.#shared;
    while (!this.#process.isDead) {
      if (locks.tryTake(this.#inode, this, range, options.shared === true)) return;
      await locks.released();
    }
    return never();
  }

  unlock(range: LockRange): void {
    if (!this.#process.isDead) this.#shared.locks.release(this.#inode, this, range);
  }
}

/** Of all files, by their inodes. */
export class LockTable {
  readonly #byInode = new Map<number, SimulatedLocks>();
  #waiters: (() => void)[] = [];

  tryTake(inode: number, owner: object, range: LockRange, shared: boolean): boolean {
    let locks = this.#byInode.get(inode);
    if (locks === undefined) {
      locks = new SimulatedLocks();
      this.#byInode.set(inode, locks);
    }
    const whole = toTheEnd(range);
    if (!locks.mayTake(owner, whole, shared)) return false;
    locks.take(owner, whole, shared);
    return true;
  }

  release(inode: number, owner: object, range: LockRange): void {
    this.#byInode.get(inode)?.release(owner, toTheEnd(range));
    this.#wake();
  }

  releaseAll(owner: object): void {
    for (const locks of this.#byInode.values()) locks.releaseAll(owner);
    this.#wake();
  }

  /** Resolves when a lock was given back. */
  released(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

/** Of files that are written to. */
export class Watchers {
  readonly #byPath = new Map<string, Set<() => void>>();

  add(path: string, listener: () => void): { close(): void } {
    const listeners = this.#byPath.get(path) ?? new Set();
    this.#byPath.set(path, listeners.add(listener));
    return { close: () => listeners.delete(listener) };
  }

  changed(path: string): void {
    for (const listener of this.#byPath.get(path) ?? []) setImmediate(listener);
  }
}

/** As for fcntl: a length of 0 reaches as far as the file may. */
function toTheEnd({ start, length }: LockRange): LockRange {
  return { start, length: length === 0 ? Number.POSITIVE_INFINITY : length };
}

function afterATurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
