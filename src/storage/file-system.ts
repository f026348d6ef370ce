/**
 * The seam between klog and the disk: every file call of storage/ and store/ goes through a `FileSystem`.
 *
 * Calls return a value or a promise of it (`Awaitable`): the real file system answers small calls at once, because
 * a round trip through libuv's thread pool costs ten times the call, and gives large ones and every sync to the
 * pool, so that the CPU goes on meanwhile. Callers `await` every call: a test's file system parks each of them, and so
 * drives several "processes" through one interleaving after the other, loses power between any two calls, and fails
 * any one of them.
 */
export type Awaitable<T> = T | Promise<T>;

export type FileKind = 'file' | 'directory' | 'other';

export interface FileStat {
  readonly kind: FileKind;
  readonly size: number;
  /** Inode number; unique on its device while the file is open. */
  readonly inode: number;
  /** The device it lies on, where the file system knows devices. */
  readonly device?: number;
  readonly modifiedMs: number;
  /** When the file was made; `undefined`: the file system does not tell. */
  readonly bornMs?: number | undefined;
  readonly uid: number;
  readonly mode: number;
}

/**
 * - `read`: must exist.
 * - `write`: must exist; for reading and writing.
 * - `create`: made if missing; for reading and writing.
 * - `create-new`: must not exist (`EEXIST`); for reading and writing.
 */
export type OpenMode = 'read' | 'write' | 'create' | 'create-new';

/** A byte range of a file that is locked, for this open file, by kernel locks; the bytes need not exist. */
export interface LockRange {
  readonly start: number;
  readonly length: number;
}

/**
 * An open regular file. Links are not followed; pipes and devices are refused. All positions are absolute.
 * Failures are Node's system errors (`code`, `errno`, `syscall`, `path`).
 */
export interface OpenFile {
  readonly path: string;
  /** Reads up to `length` bytes; fewer at the end of the file (0: nothing there). Never short otherwise. */
  read(buffer: Uint8Array, start: number, length: number, position: number): Awaitable<number>;
  /** One write(2): may be short. Use {@link writeFully}. */
  write(buffer: Uint8Array, start: number, length: number, position: number): Awaitable<number>;
  truncate(size: number): Awaitable<void>;
  /** fdatasync(2): data and size. */
  sync(): Awaitable<void>;
  stat(): Awaitable<FileStat>;
  close(): Awaitable<void>;
  /**
   * Open-file-description locks: owned by this `OpenFile`, freed by the kernel when it is closed or the process dies.
   */
  tryLock(range: LockRange, options?: { shared?: boolean }): boolean;
  /** Waits until granted. Cannot be taken back: whoever stops waiting must unlock when it is granted after all. */
  waitLock(range: LockRange, options?: { shared?: boolean }): Promise<void>;
  unlock(range: LockRange): void;
  /** For messages: a process that holds a lock within the range. `undefined`: none to be seen. */
  lockHolder?(range: LockRange): number | undefined;
}

export interface FileSystem {
  open(path: string, mode: OpenMode): Awaitable<OpenFile>;
  /**
   * The whole of a small file, opened as by `open`; `undefined`: nothing there. For {@link readWhole}, which opens,
   * looks and reads where this is missing: half the time for each of a thousand topics' files.
   */
  readFile?(path: string): Awaitable<Uint8Array | undefined>;
  /**
   * The texts of many small files of one directory, in one call; `undefined` where a file is not read so simply: it is
   * missing, a link, or anything else that {@link readFile} decides about. What is read has not been looked at: who
   * cannot make sense of a text asks for the file by {@link readFile}.
   */
  readTexts?(directory: string, names: readonly string[]): Awaitable<(string | undefined)[]>;
  /** Does not follow a link at the end of the path. `undefined`: nothing there. */
  stat(path: string): Awaitable<FileStat | undefined>;
  /** Names, unordered. */
  readDirectory(path: string): Awaitable<string[]>;
  makeDirectory(path: string): Awaitable<void>;
  removeDirectory(path: string): Awaitable<void>;
  rename(from: string, to: string): Awaitable<void>;
  /** A missing file is no error. */
  unlink(path: string): Awaitable<void>;
  /** fsync(2) of a directory: makes its names durable. */
  syncDirectory(path: string): Awaitable<void>;
  /** Identifies this boot of the machine: 16 bytes. What the page cache held did not survive a change of it. */
  bootId(): Uint8Array;
  /** Linux: `f_type` of statfs(2), which tells local from network file systems. `undefined`: not known here. */
  statfsType?(path: string): Awaitable<number | undefined>;
  /** Linux: whether the process is stopped, as by SIGSTOP; for people. `undefined`: not to be seen. */
  isProcessStopped?(pid: number): boolean | undefined;
  /** Calls `listener` after changes to the file, perhaps late, perhaps for nothing; `undefined`: cannot watch here. */
  watch(path: string, listener: () => void): { close(): void } | undefined;
}

/** Writes all of the range, minding short writes. Returns the position behind it. */
export async function writeFully(
  file: OpenFile,
  buffer: Uint8Array,
  start: number,
  length: number,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < length) {
    const written = await file.write(buffer, start + done, length - done, position + done);
    if (written === 0) throw new Error(`write returned 0 bytes (${file.path} at ${position + done})`);
    done += written;
  }
  return position + length;
}

/** Reads a whole small file. `undefined`: nothing there. */
export async function readWhole(fs: FileSystem, path: string): Promise<Uint8Array | undefined> {
  if (fs.readFile !== undefined) return await fs.readFile(path);
  let file: OpenFile;
  try {
    file = await fs.open(path, 'read');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const bytes = Buffer.allocUnsafe(size);
    const got = await file.read(bytes, 0, size, 0);
    return bytes.subarray(0, got);
  } finally {
    await file.close();
  }
}

/** No block is left, or none that this user may have. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

export interface ReplaceOptions {
  /** Default: `<name>.tmp`. */
  readonly temporaryName?: string;
  /** False: the caller syncs the directory, or does without. Default true. */
  readonly syncsName?: boolean;
}

/**
 * Replaces a small file in one step, durably: temporary file in the same directory → sync → rename → directory sync.
 * A crash leaves the old content or the new, and perhaps the temporary file.
 */
export async function replaceFile(
  fs: FileSystem,
  directory: string,
  name: string,
  bytes: Uint8Array,
  { temporaryName = `${name}.tmp`, syncsName = true }: ReplaceOptions = {},
): Promise<void> {
  const temporary = `${directory}/${temporaryName}`;
  await fs.unlink(temporary);
  const file = await fs.open(temporary, 'create-new');
  try {
    await writeFully(file, bytes, 0, bytes.length, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(temporary, `${directory}/${name}`);
  if (syncsName) await fs.syncDirectory(directory);
}
