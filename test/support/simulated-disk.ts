import type { FileStat, LockRange, OpenMode } from '../../src/storage/file-system.js';
import { allLost, type Chooser, type Fate, plainChooser } from './chooser.js';
import { type CallName, type SimulatedCall, type SystemErrorCode, systemError } from './simulated-call.js';
import { SimulatedFile } from './simulated-file.js';
import { SimulatedLocks } from './simulated-locks.js';
import { SimulatedNames } from './simulated-names.js';
import { type SimulatedOpenFile, SimulatedProcess } from './simulated-process.js';

/** Who decides when a call happens. Without a gate calls happen at once. */
export interface Gate {
  park(call: SimulatedCall): void;
}

export interface Watcher {
  readonly process: SimulatedProcess;
  readonly path: string;
  readonly inode: number;
  readonly listener: () => void;
  pending: boolean;
}

/** The `nth` call that fits fails; `times` calls in a row, by default one. */
export interface CallFault {
  readonly code: SystemErrorCode;
  readonly process?: string;
  readonly name?: CallName;
  /** End of the path. */
  readonly path?: string;
  readonly nth?: number;
  readonly times?: number;
}

export interface HeldLock {
  readonly process: SimulatedProcess;
  readonly inode: number;
  /** As the process opened it. */
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly shared: boolean;
}

interface SimulatedDirectory {
  readonly kind: 'directory';
  readonly inode: number;
}

export interface SimulatedDiskOptions {
  /** What one write to the disk cannot tear. */
  readonly sectorBytes?: number;
  /** Decides who of several waiters gets a freed lock, while there is no scheduler. */
  readonly chooser?: Chooser;
}

const ROOT = 1;
const UID = process.getuid?.() ?? 0;
const FIRST_FREE_INODE = 11;
const HARMLESS: ReadonlySet<CallName> = new Set(['start', 'stat', 'readDirectory', 'read', 'close', 'waitLock']);
const WRITING: ReadonlySet<CallName> = new Set(['makeDirectory', 'removeDirectory', 'rename', 'unlink', 'truncate']);

/**
 * A machine with one file system: a page cache over a disk, names, kernel locks, and the processes that use them. It is
 * as mean as POSIX allows: nothing is durable that was not synced, neither bytes, nor sizes, nor names, and what was
 * not synced survives in any combination. Inode numbers are given out again as soon as nothing leads to them.
 */
export class SimulatedDisk {
  gate: Gate | undefined;
  /** Called before each call has its effect, for checks of what is about to happen. */
  readonly observers: ((call: SimulatedCall) => void)[] = [];
  /**
   * Asked when a process is about to get a free lock without waiting: `true` says that another held it at that moment.
   * `tryLock` answers at once, so this is the only way for others to come between an unlock and the lock behind it.
   */
  heldForAMoment: ((process: SimulatedProcess, range: LockRange) => boolean) | undefined;
  /** What happened, in order; kept only while not undefined. */
  trace: { readonly who: string; readonly what: string; readonly outcome: string }[] | undefined;
  nowMs = 1_700_000_000_000;
  /** Room for growing files; at 0 writes are short, then ENOSPC. */
  freeBytes = Number.POSITIVE_INFINITY;
  readOnly = false;
  /** Raised whenever bytes or names change, cached or durable. */
  revision = 0;
  readonly #options: SimulatedDiskOptions;
  #boot = 1;
  #nodes = new Map<number, SimulatedFile | SimulatedDirectory>([[ROOT, { kind: 'directory', inode: ROOT }]]);
  #names = new SimulatedNames();
  #locks = new Map<number, SimulatedLocks>();
  readonly #handles = new Set<SimulatedOpenFile>();
  readonly #processes = new Map<string, SimulatedProcess>();
  readonly #watchers = new Set<Watcher>();
  #waiting: SimulatedCall[] = [];
  #faults: { readonly fault: CallFault; seen: number }[] = [];

  constructor(options: SimulatedDiskOptions = {}) {
    this.#options = options;
    this.#names.addDirectory(ROOT);
  }

  /** The living process of that name, or a new one. */
  process(name: string): SimulatedProcess {
    let process = this.#processes.get(name);
    if (!process) {
      process = new SimulatedProcess(name, this);
      this.#processes.set(name, process);
    }
    return process;
  }

  // ---- faults

  /** SIGKILL: its files are closed, its locks freed, its calls never answered. */
  kill(process: SimulatedProcess): void {
    process.dead = true;
    if (this.#processes.get(process.name) === process) this.#processes.delete(process.name);
    this.#waiting = this.#waiting.filter((call) => call.process !== process);
    for (const watcher of this.#watchers) if (watcher.process === process) this.#watchers.delete(watcher);
    for (const handle of this.#handles) if (handle.process === process) handle.closeNow();
  }

  /** Every process dies and the machine starts again with what the disk happens to hold. */
  powerLoss(fate: Fate = allLost): void {
    this.revision++;
    for (const process of [...this.#processes.values()]) this.kill(process);
    const paths = this.#paths();
    this.#names.losePower(fate);
    const reachable = this.#names.reachable();
    for (const [inode, node] of this.#nodes) {
      if (inode !== ROOT && !reachable.has(inode)) this.#nodes.delete(inode);
      else if (node.kind === 'file') node.losePower(fate, paths.get(inode) ?? `inode ${inode}`);
    }
    this.#boot++;
  }

  /** The cache drops its clean pages: what a failed sync lost becomes visible. */
  evict(): void {
    this.revision++;
    for (const node of this.#nodes.values()) if (node.kind === 'file') node.evict();
  }

  get hasLostSectors(): boolean {
    return [...this.#nodes.values()].some((node) => node.kind === 'file' && node.hasLostSectors);
  }

  failCall(fault: CallFault): void {
    this.#faults.push({ fault, seen: 0 });
  }

  injectedError(call: SimulatedCall): SystemErrorCode | undefined {
    for (const entry of this.#faults) {
      const { process, name, path, nth = 1, times = 1 } = entry.fault;
      if (process !== undefined && process !== call.process.name) continue;
      if ((name !== undefined && name !== call.name) || (path !== undefined && !call.path.endsWith(path))) continue;
      entry.seen++;
      if (entry.seen >= nth && entry.seen < nth + times) return entry.fault.code;
    }
    return this.readOnly && WRITING.has(call.name) ? 'EROFS' : undefined;
  }

  // ---- what tests look at

  /** The bytes at a path: as programs see them, or as the disk would give them after a power loss now. */
  bytes(path: string, view: 'cached' | 'durable' = 'cached'): Uint8Array | undefined {
    const node = this.#find(path, view);
    if (node?.kind !== 'file') return undefined;
    return view === 'cached' ? node.cachedBytes : node.durableBytes;
  }

  /** `undefined`: no directory there. Sorted. */
  list(path: string, view: 'cached' | 'durable' = 'cached'): string[] | undefined {
    const node = this.#find(path, view);
    return node?.kind === 'directory' ? [...this.#names.entries(node.inode, view).keys()].sort() : undefined;
  }

  /** Of the running machine. */
  get bootId(): Uint8Array {
    const id = new Uint8Array(16);
    new DataView(id.buffer).setUint32(12, this.#boot);
    return id;
  }

  file(path: string, view: 'cached' | 'durable' = 'cached'): SimulatedFile | undefined {
    const node = this.#find(path, view);
    return node?.kind === 'file' ? node : undefined;
  }

  heldLocks(): HeldLock[] {
    return [...this.#handles].flatMap((handle) => {
      const { file, path, process } = handle;
      return (this.#locks.get(file.inode)?.held ?? [])
        .filter((lock) => lock.owner === handle)
        .map(({ start, end, shared }) => ({ process, inode: file.inode, path, start, end, shared }));
    });
  }

  /** A machine in the same state, without its processes. All files must be closed. */
  clone(): SimulatedDisk {
    if (this.#handles.size > 0) throw new Error(`still open: ${[...this.#handles].map((handle) => handle.path)}`);
    const copy = new SimulatedDisk(this.#options);
    copy.nowMs = this.nowMs;
    copy.freeBytes = this.freeBytes;
    copy.#boot = this.#boot;
    copy.#names = this.#names.clone();
    copy.#nodes = new Map(
      [...this.#nodes].map(([inode, node]) => [inode, node.kind === 'file' ? node.clone() : node] as const),
    );
    return copy;
  }

  // ---- called by processes and their open files

  submit(call: SimulatedCall): unknown {
    if (call.process.dead) return new Promise(() => {});
    if (this.gate) {
      const promise = call.promise();
      this.gate.park(call);
      return promise;
    }
    if (call.ready) return call.runNow();
    this.#waiting.push(call);
    return call.promise();
  }

  beforeCall(call: SimulatedCall): void {
    if (!HARMLESS.has(call.name)) this.revision++;
    if (!call.isTorn) for (const observer of this.observers) observer(call);
  }

  note(process: SimulatedProcess, what: string, outcome: string): void {
    this.trace?.push({ who: process.name, what, outcome });
  }

  opened(handle: SimulatedOpenFile): void {
    this.#handles.add(handle);
  }

  closed(handle: SimulatedOpenFile): void {
    this.#handles.delete(handle);
    this.#locks.get(handle.file.inode)?.releaseAll(handle);
    this.#grantFreed();
  }

  mayLock(handle: SimulatedOpenFile, range: LockRange, shared: boolean): boolean {
    return this.#locksOf(handle).mayTake(handle, range, shared);
  }

  tryLock(handle: SimulatedOpenFile, range: LockRange, shared: boolean): boolean {
    const locks = this.#locksOf(handle);
    if (!locks.mayTake(handle, range, shared)) return false;
    locks.take(handle, range, shared);
    return true;
  }

  unlock(handle: SimulatedOpenFile, range: LockRange): void {
    this.#locksOf(handle).release(handle, range);
    this.#grantFreed();
  }

  write(handle: SimulatedOpenFile, source: Uint8Array, start: number, length: number, position: number): number {
    if (this.readOnly) throw systemError('EROFS', 'write', handle.path);
    const { file } = handle;
    const missing = Math.max(0, position + length - file.size) - this.freeBytes;
    const fits = missing > 0 ? length - missing : length;
    if (fits <= 0 && length > 0) throw systemError('ENOSPC', 'write', handle.path);
    this.freeBytes -= Math.max(0, position + fits - file.size);
    file.write(source, start, fits, position);
    this.#changed(file);
    return fits;
  }

  truncate({ file }: SimulatedOpenFile, size: number): void {
    this.freeBytes += Math.max(0, file.size - size);
    file.truncate(size);
    this.#changed(file);
  }

  statOf(node: SimulatedFile | SimulatedDirectory): FileStat {
    const file = node.kind === 'file';
    return {
      kind: node.kind,
      size: file ? node.size : 4096,
      inode: node.inode,
      modifiedMs: file ? node.modifiedMs : this.nowMs,
      uid: UID,
      mode: file ? 0o100600 : 0o40700,
    };
  }

  statPath(path: string): FileStat | undefined {
    const node = this.#find(path);
    return node && this.statOf(node);
  }

  fileToOpen(path: string, mode: OpenMode): SimulatedFile {
    const node = this.#find(path);
    if (node) {
      if (mode === 'create-new') throw systemError('EEXIST', 'open', path);
      if (node.kind !== 'file') throw systemError('EISDIR', 'open', path);
      return node;
    }
    if (mode === 'read' || mode === 'write') throw systemError('ENOENT', 'open', path);
    if (this.readOnly) throw systemError('EROFS', 'open', path);
    const { directory, name } = this.#parent(path, 'open');
    const file = new SimulatedFile(this.#freeInode(), this.#options.sectorBytes ?? 512);
    file.modifiedMs = this.nowMs;
    this.#nodes.set(file.inode, file);
    this.#names.change(`creation of ${path}`, { directory, name, inode: file.inode });
    return file;
  }

  namesIn(path: string, syscall: string): string[] {
    return [...this.#names.entries(this.#directory(path, syscall)).keys()];
  }

  makeDirectory(path: string): void {
    if (this.#find(path)) throw systemError('EEXIST', 'mkdir', path);
    const { directory, name } = this.#parent(path, 'mkdir');
    const inode = this.#freeInode();
    this.#nodes.set(inode, { kind: 'directory', inode });
    this.#names.addDirectory(inode);
    this.#names.change(`creation of ${path}`, { directory, name, inode });
  }

  removeDirectory(path: string): void {
    const inode = this.#directory(path, 'rmdir');
    if (this.#names.entries(inode).size > 0) throw systemError('ENOTEMPTY', 'rmdir', path);
    this.#names.change(`removal of ${path}`, { ...this.#parent(path, 'rmdir'), inode: undefined });
  }

  rename(from: string, to: string): void {
    const node = this.#find(from);
    if (!node) throw systemError('ENOENT', 'rename', from);
    const replaced = this.#find(to);
    if (replaced === node) return;
    if (replaced && node.kind === 'file' && replaced.kind === 'directory') throw systemError('EISDIR', 'rename', to);
    if (replaced && node.kind === 'directory') {
      if (replaced.kind === 'file') throw systemError('ENOTDIR', 'rename', to);
      if (this.#names.entries(replaced.inode).size > 0) throw systemError('ENOTEMPTY', 'rename', to);
    }
    this.#names.change(
      `rename of ${from} to ${to}`,
      { ...this.#parent(from, 'rename'), inode: undefined },
      { ...this.#parent(to, 'rename'), inode: node.inode },
    );
    if (node.kind === 'file') this.#changed(node);
  }

  unlink(path: string): void {
    const node = this.#find(path);
    if (!node) return;
    if (node.kind === 'directory') throw systemError('EISDIR', 'unlink', path);
    this.#names.change(`removal of ${path}`, { ...this.#parent(path, 'unlink'), inode: undefined });
    this.#changed(node);
  }

  syncDirectory(path: string): void {
    this.#names.sync(this.#directory(path, 'fsync'));
  }

  failSyncDirectory(path: string, fate: Fate): void {
    this.#names.failSync(this.#directory(path, 'fsync'), fate);
  }

  watch(process: SimulatedProcess, path: string, listener: () => void): { close(): void } {
    const node = this.#find(path);
    if (!node) throw systemError('ENOENT', 'watch', path);
    const watcher: Watcher = { process, path, inode: node.inode, listener, pending: false };
    this.#watchers.add(watcher);
    return { close: () => this.#watchers.delete(watcher) };
  }

  /** Watchers of changed files, not yet told. The scheduler tells them, some time. */
  get pendingWatchers(): Watcher[] {
    return [...this.#watchers].filter((watcher) => watcher.pending);
  }

  isWatching(process: SimulatedProcess): boolean {
    return [...this.#watchers].some((watcher) => watcher.process === process);
  }

  tell(watcher: Watcher): void {
    watcher.pending = false;
    watcher.listener();
  }

  // ---- inside

  #changed(file: SimulatedFile): void {
    file.modifiedMs = this.nowMs;
    for (const watcher of this.#watchers) if (watcher.inode === file.inode) watcher.pending = true;
  }

  #locksOf({ file }: SimulatedOpenFile): SimulatedLocks {
    let locks = this.#locks.get(file.inode);
    if (!locks) {
      locks = new SimulatedLocks();
      this.#locks.set(file.inode, locks);
    }
    return locks;
  }

  /** Only calls made without a gate wait here; with one, they stay parked. */
  #grantFreed(): void {
    for (;;) {
      const ready = this.#waiting.filter((call) => call.ready);
      if (ready.length === 0) return;
      const chosen = ready[(this.#options.chooser ?? plainChooser).choose(ready.length, 'who gets the lock')]!;
      this.#waiting = this.#waiting.filter((call) => call !== chosen);
      chosen.run();
    }
  }

  #find(path: string, view: 'cached' | 'durable' = 'cached'): SimulatedFile | SimulatedDirectory | undefined {
    let inode: number | undefined = ROOT;
    for (const name of namesOf(path)) {
      inode = this.#names.entries(inode, view).get(name);
      if (inode === undefined) return undefined;
    }
    return this.#nodes.get(inode);
  }

  #directory(path: string, syscall: string): number {
    const node = this.#find(path);
    if (!node) throw systemError('ENOENT', syscall, path);
    if (node.kind !== 'directory') throw systemError('ENOTDIR', syscall, path);
    return node.inode;
  }

  #parent(path: string, syscall: string): { directory: number; name: string } {
    const names = namesOf(path);
    const name = names.at(-1);
    if (name === undefined) throw systemError('EACCES', syscall, path);
    return { directory: this.#directory(names.slice(0, -1).join('/'), syscall), name };
  }

  #freeInode(): number {
    const used = this.#names.reachable();
    for (const handle of this.#handles) used.add(handle.file.inode);
    for (const inode of this.#nodes.keys()) if (inode !== ROOT && !used.has(inode)) this.#nodes.delete(inode);
    let inode = FIRST_FREE_INODE;
    while (used.has(inode)) inode++;
    return inode;
  }

  #paths(): Map<number, string> {
    const paths = new Map<number, string>();
    const visit = (directory: number, path: string): void => {
      for (const [name, inode] of this.#names.entries(directory)) {
        paths.set(inode, `${path}/${name}`);
        if (this.#nodes.get(inode)?.kind === 'directory') visit(inode, `${path}/${name}`);
      }
    };
    visit(ROOT, '');
    return paths;
  }
}

const splitPaths = new Map<string, readonly string[]>();

function namesOf(path: string): readonly string[] {
  let names = splitPaths.get(path);
  if (!names) {
    names = path.split('/').filter((name) => name !== '' && name !== '.');
    splitPaths.set(path, names);
  }
  return names;
}
