/** Counts the file calls of a run, and says what becomes of each. */
import { constants } from 'node:os';

/**
 * What killpoints.py knows by the same names, and `eio-loses`: a sync fails, and what it should have made safe is lost,
 * as by a kernel that takes pages for clean which it could not write. `kill-one` kills the process that makes the call,
 * before it or in it.
 */
export const ERROR_KINDS = ['enospc', 'eio', 'edquot', 'emfile', 'erofs', 'short', 'full', 'eio-loses'] as const;
/** Those that a call which only looks can meet. */
export const LOOK_KINDS = ['eio', 'emfile'] as const;
export const KILL_KINDS = ['kill-one', 'kill-one-torn'] as const;
export type FaultKind = (typeof ERROR_KINDS)[number] | (typeof KILL_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** The number of the call, from 1 on, of its class. */
  readonly at: number;
  /** All later calls of the class fail, too. */
  readonly isLasting: boolean;
  /** Meets the calls that only look, not those that change something or make it safe. */
  readonly looks: boolean;
}

/** Of a write: how many bytes are written. `dies`: the process is killed then. */
export interface Verdict {
  readonly bytes: number;
  readonly dies: boolean;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device',
  EIO: 'i/o error',
  EDQUOT: 'disk quota exceeded',
  EMFILE: 'too many open files',
  EROFS: 'read-only file system',
};

export class FaultPoint {
  /** Calls that change something, or make it safe. */
  changes = 0;
  /** All others. */
  looks = 0;
  /** The call that was met first, and its path. */
  hit: string | undefined;
  readonly #fault: Fault | undefined;
  #isFull = false;

  constructor(fault?: Fault) {
    this.#fault = fault;
  }

  /** Before a call that changes something, or makes it safe. Throws what it fails with. */
  change(call: string, path: string, bytes = 0): Verdict {
    this.changes++;
    const fault = this.#fault;
    if (fault === undefined || fault.looks) return { bytes, dies: false };
    return this.#meet(fault, this.changes - fault.at, call, path, bytes);
  }

  /** Before any other. */
  look(call: string, path: string): void {
    this.looks++;
    const fault = this.#fault;
    if (fault?.looks === true) this.#meet(fault, this.looks - fault.at, call, path, 0);
  }

  #meet({ kind, isLasting }: Fault, later: number, call: string, path: string, bytes: number): Verdict {
    if (kind === 'full') return this.#fill(isLasting, later, call, path, bytes);
    if (later !== 0 && !(later > 0 && isLasting)) return { bytes, dies: false };
    if (kind === 'eio-loses' && call !== 'fdatasync') return { bytes, dies: false };
    this.hit ??= `${call} ${path}`;
    if (kind === 'short') return { bytes: this.#part(bytes), dies: false };
    if (kind === 'kill-one') return { bytes: 0, dies: true };
    if (kind === 'kill-one-torn') return { bytes: this.#part(bytes), dies: true };
    throw systemError(kind === 'eio-loses' ? 'EIO' : kind.toUpperCase(), call, path);
  }

  /** Whether a sync that fails loses what was written since the one before. */
  get loses(): boolean {
    return this.#fault?.kind === 'eio-loses';
  }

  /** A write takes what there is room for, and the next call finds none. */
  #fill(isLasting: boolean, later: number, call: string, path: string, bytes: number): Verdict {
    if (later === 0 && bytes > 1) {
      this.#isFull = true;
      return { bytes: this.#part(bytes), dies: false };
    }
    if (!this.#isFull || (later !== 1 && !isLasting)) return { bytes, dies: false };
    this.hit ??= `${call} ${path}`;
    throw systemError('ENOSPC', call, path);
  }

  /** Less than all, but something. */
  #part(bytes: number): number {
    return bytes > 1 ? 1 + ((this.changes * 7919) % (bytes - 1)) : bytes;
  }
}

/** As Node has it. */
function systemError(code: string, syscall: string, path: string): NodeJS.ErrnoException {
  const errno = -(constants.errno as Readonly<Record<string, number>>)[code]!;
  return Object.assign(new Error(`${code}: ${REASONS[code]}, ${syscall} '${path}'`), { code, errno, syscall, path });
}
