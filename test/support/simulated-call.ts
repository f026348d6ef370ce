import type { Fate } from './chooser.js';
import type { SimulatedFile } from './simulated-file.js';
import type { SimulatedProcess } from './simulated-process.js';

export type CallName =
  | 'start'
  | 'open'
  | 'stat'
  | 'readDirectory'
  | 'makeDirectory'
  | 'removeDirectory'
  | 'rename'
  | 'unlink'
  | 'syncDirectory'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'close'
  | 'waitLock'
  | 'wait';

export const ERRORS = {
  EIO: [-5, 'i/o error'],
  EBADF: [-9, 'bad file descriptor'],
  EACCES: [-13, 'permission denied'],
  ENOENT: [-2, 'no such file or directory'],
  EEXIST: [-17, 'file already exists'],
  ENOTDIR: [-20, 'not a directory'],
  EISDIR: [-21, 'illegal operation on a directory'],
  EMFILE: [-24, 'too many open files'],
  ENOSPC: [-28, 'no space left on device'],
  EROFS: [-30, 'read-only file system'],
  ENOTEMPTY: [-39, 'directory not empty'],
  EDQUOT: [-122, ''],
} as const;

export type SystemErrorCode = keyof typeof ERRORS;

/** As Node makes them; it has no name for EDQUOT. */
export function systemError(code: SystemErrorCode, syscall: string, path: string): NodeJS.ErrnoException {
  const [errno, text] = ERRORS[code];
  const known = code === 'EDQUOT' ? `Unknown system error ${errno}` : code;
  return Object.assign(new Error(`${known}: ${text || known}, ${syscall} '${path}'`), {
    code: known,
    errno,
    syscall,
    path,
  });
}

export interface CallWork {
  /** Bytes of the file, for reads and writes. */
  readonly position?: number;
  readonly length?: number;
  readonly file?: SimulatedFile;
  /** What a write is about to put there. */
  readonly bytes?: Uint8Array;
  /** `false`: the kernel makes the caller wait (for a lock). */
  readonly ready?: () => boolean;
  /** Does the part `from`–`to` of a read or write (the whole, for other calls) and gives the answer for that part. */
  readonly run: (from: number, to: number) => unknown;
  /** Does what a failed sync does. */
  readonly failSync?: (fate: Fate) => void;
}

/** A file call of a simulated process, from the moment it is made until it is answered. */
export class SimulatedCall {
  readonly process: SimulatedProcess;
  readonly name: CallName;
  readonly path: string;
  readonly position: number;
  readonly length: number;
  readonly #work: CallWork;
  #resolve: ((value: unknown) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #done = 0;
  #got = 0;

  constructor(process: SimulatedProcess, name: CallName, path: string, work: CallWork) {
    this.process = process;
    this.name = name;
    this.path = path;
    this.position = work.position ?? 0;
    this.length = work.length ?? 0;
    this.#work = work;
  }

  get file(): SimulatedFile | undefined {
    return this.#work.file;
  }

  get bytes(): Uint8Array | undefined {
    return this.#work.bytes;
  }

  get ready(): boolean {
    return this.#work.ready === undefined || this.#work.ready();
  }

  /** Part of it happened already. */
  get isTorn(): boolean {
    return this.#done > 0;
  }

  get canTear(): boolean {
    return (this.name === 'write' || this.name === 'read') && this.length - this.#done > 1;
  }

  get canFailSync(): boolean {
    return this.#work.failSync !== undefined;
  }

  promise(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Performs it and gives the answer to the caller, and back; throws what the caller is told. */
  runNow(): unknown {
    const injected = this.process.disk.injectedError(this);
    if (injected !== undefined) throw systemError(injected, this.name, this.path);
    this.process.disk.beforeCall(this);
    const value = this.#work.run(this.#done, this.length);
    return this.#done > 0 ? this.#got + (value as number) : value;
  }

  run(): string {
    try {
      return this.answer(this.runNow());
    } catch (error) {
      return this.#refuse(error);
    }
  }

  answer(value: unknown): string {
    this.#resolve?.(value);
    return typeof value === 'number' ? (value === this.length ? 'ok' : `${value} bytes`) : 'ok';
  }

  fail(code: SystemErrorCode): string {
    return this.#refuse(systemError(code, this.name, this.path));
  }

  failSync(fate: Fate): string {
    this.process.disk.beforeCall(this);
    this.#work.failSync!(fate);
    return this.fail('EIO');
  }

  /** A short write or read: the first `bytes` only. */
  runShort(bytes: number): string {
    this.process.disk.beforeCall(this);
    return this.answer(this.#work.run(0, bytes));
  }

  /** The next `bytes` of it happen; the caller is not answered yet. */
  tear(bytes: number): string {
    this.process.disk.beforeCall(this);
    this.#got += this.#work.run(this.#done, this.#done + bytes) as number;
    this.#done += bytes;
    return `only ${this.#done} bytes so far`;
  }

  describe(): string {
    const range = this.name === 'write' || this.name === 'read' ? ` ${this.position}+${this.length}` : '';
    const to = this.name === 'truncate' || this.name === 'waitLock' ? ` ${this.position}` : '';
    return `${this.name} ${pathTail(this.path)}${range}${to}${this.isTorn ? ' (the rest)' : ''}`;
  }

  #refuse(error: unknown): string {
    this.#reject?.(error);
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** The last two names of a path: a partition and its file. */
export function pathTail(path: string): string {
  const last = path.lastIndexOf('/');
  return last <= 0 ? path : path.slice(path.lastIndexOf('/', last - 1) + 1);
}
