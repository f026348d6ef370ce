import type { Awaitable, FileStat, FileSystem, LockRange, OpenFile, OpenMode } from '../../src/storage/file-system.js';
import { type CallName, type CallWork, pathTail, SimulatedCall, systemError } from './simulated-call.js';
import type { SimulatedDisk } from './simulated-disk.js';
import type { SimulatedFile } from './simulated-file.js';

/** The files as one simulated process sees them. Once it is killed, none of its calls is answered. */
export class SimulatedProcess implements FileSystem {
  readonly name: string;
  readonly disk: SimulatedDisk;
  readonly #bootId: Uint8Array;
  dead = false;

  constructor(name: string, disk: SimulatedDisk) {
    this.name = name;
    this.disk = disk;
    this.#bootId = disk.bootId;
  }

  open(path: string, mode: OpenMode): Awaitable<OpenFile> {
    return this.submit('open', path, {
      run: () => new SimulatedOpenFile(this, path, this.disk.fileToOpen(path, mode), mode !== 'read'),
    });
  }

  stat(path: string): Awaitable<FileStat | undefined> {
    return this.submit('stat', path, { run: () => this.disk.statPath(path) });
  }

  readDirectory(path: string): Awaitable<string[]> {
    return this.submit('readDirectory', path, { run: () => this.disk.namesIn(path, 'readDirectory') });
  }

  makeDirectory(path: string): Awaitable<void> {
    return this.submit('makeDirectory', path, { run: () => this.disk.makeDirectory(path) });
  }

  removeDirectory(path: string): Awaitable<void> {
    return this.submit('removeDirectory', path, { run: () => this.disk.removeDirectory(path) });
  }

  rename(from: string, to: string): Awaitable<void> {
    return this.submit('rename', from, { run: () => this.disk.rename(from, to) });
  }

  unlink(path: string): Awaitable<void> {
    return this.submit('unlink', path, { run: () => this.disk.unlink(path) });
  }

  syncDirectory(path: string): Awaitable<void> {
    return this.submit('syncDirectory', path, {
      run: () => this.disk.syncDirectory(path),
      failSync: (fate) => this.disk.failSyncDirectory(path, fate),
    });
  }

  bootId(): Uint8Array {
    return this.#bootId;
  }

  watch(path: string, listener: () => void): { close(): void } | undefined {
    return this.disk.watch(this, path, listener);
  }

  submit<T>(name: CallName, path: string, work: CallWork & { run: (from: number, to: number) => T }): Awaitable<T> {
    return this.disk.submit(new SimulatedCall(this, name, path, work)) as Awaitable<T>;
  }
}

export class SimulatedOpenFile implements OpenFile {
  readonly path: string;
  readonly process: SimulatedProcess;
  readonly file: SimulatedFile;
  readonly #writable: boolean;
  #closed = false;

  constructor(process: SimulatedProcess, path: string, file: SimulatedFile, writable: boolean) {
    this.process = process;
    this.path = path;
    this.file = file;
    this.#writable = writable;
    process.disk.opened(this);
  }

  read(buffer: Uint8Array, start: number, length: number, position: number): Awaitable<number> {
    return this.process.submit('read', this.path, {
      position,
      length,
      run: (from, to) => {
        this.#check('read');
        return this.file.read(buffer, start + from, to - from, position + from);
      },
    });
  }

  write(buffer: Uint8Array, start: number, length: number, position: number): Awaitable<number> {
    return this.process.submit('write', this.path, {
      position,
      length,
      file: this.file,
      bytes: buffer.subarray(start, start + length),
      run: (from, to) => {
        this.#check('write', true);
        return this.process.disk.write(this, buffer, start + from, to - from, position + from);
      },
    });
  }

  truncate(size: number): Awaitable<void> {
    return this.process.submit('truncate', this.path, {
      position: size,
      file: this.file,
      run: () => {
        this.#check('truncate', true);
        this.process.disk.truncate(this, size);
      },
    });
  }

  sync(): Awaitable<void> {
    return this.process.submit('sync', this.path, {
      file: this.file,
      run: () => {
        this.#check('sync');
        this.file.sync();
      },
      failSync: (fate) => this.file.failSync(fate, this.path),
    });
  }

  stat(): Awaitable<FileStat> {
    return this.process.submit('stat', this.path, {
      run: () => {
        this.#check('stat');
        return this.process.disk.statOf(this.file);
      },
    });
  }

  close(): Awaitable<void> {
    return this.process.submit('close', this.path, {
      run: () => {
        this.#check('close');
        this.closeNow();
      },
    });
  }

  tryLock(range: LockRange, options: { shared?: boolean } = {}): boolean {
    this.#check('lock');
    if (this.process.dead) return false;
    const { disk } = this.process;
    const shared = options.shared ?? false;
    const taken =
      disk.mayLock(this, range, shared) &&
      disk.heldForAMoment?.(this.process, range) !== true &&
      disk.tryLock(this, range, shared);
    disk.note(this.process, `tryLock ${pathTail(this.path)} ${range.start}`, taken ? 'taken' : 'busy');
    return taken;
  }

  waitLock(range: LockRange, options: { shared?: boolean } = {}): Promise<void> {
    const shared = options.shared ?? false;
    return Promise.resolve(
      this.process.submit('waitLock', this.path, {
        position: range.start,
        length: range.length,
        ready: () => this.#closed || this.process.disk.mayLock(this, range, shared),
        run: () => {
          this.#check('lock');
          this.process.disk.tryLock(this, range, shared);
        },
      }),
    );
  }

  unlock(range: LockRange): void {
    this.#check('unlock');
    if (this.process.dead) return;
    this.process.disk.note(this.process, `unlock ${pathTail(this.path)} ${range.start}`, 'ok');
    this.process.disk.unlock(this, range);
  }

  /** What the kernel does at a close, and at the death of the process. */
  closeNow(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.process.disk.closed(this);
  }

  #check(syscall: string, toWrite = false): void {
    if (this.#closed || (toWrite && !this.#writable)) throw systemError('EBADF', syscall, this.path);
  }
}
