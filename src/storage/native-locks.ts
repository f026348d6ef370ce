/**
 * Kernel file locks through `fs-native-extensions`, loaded at the first lock.
 *
 * Linux: open-file-description locks of byte ranges (`fcntl(F_OFD_SETLK)`): they belong to the open file, not to the
 * process, so opening and closing the same path elsewhere in the process drops nothing, and the kernel frees them when
 * the process dies. macOS: `flock`, of whole files only (range `{start: 0, length: 0}`).
 * Each wait has a thread of its own and so takes none of the thread pool's.
 *
 * The package's own loader costs 16 ms at start, its addon one: the addon is opened by path, the loader is the way out.
 * The addon's functions are positional and internal to the package, hence its version is pinned exactly.
 */
import { createRequire } from 'node:module';
import { KlogError } from '../errors.js';

/** Whether locks may name a byte range. If not, only whole files can be locked. */
export const BYTE_RANGE_LOCKS = process.platform !== 'darwin';

export interface NativeLocks {
  /** `false`: another open file holds a conflicting lock. */
  tryLock(fd: number, start: number, length: number, shared: boolean): boolean;
  waitLock(fd: number, start: number, length: number, shared: boolean): Promise<void>;
  unlock(fd: number, start: number, length: number): void;
}

interface Addon {
  tryLock(fd: number, start: number, length: number, exclusive: boolean): void;
  waitForLock(
    fd: number,
    start: number,
    length: number,
    exclusive: boolean,
    self: unknown,
    done: (error: Error | null) => void,
  ): unknown;
  unlock(fd: number, start: number, length: number): void;
}

interface PackageApi {
  tryLock(fd: number, start: number, length: number, options: { shared: boolean }): boolean;
  waitForLock(fd: number, start: number, length: number, options: { shared: boolean }): Promise<void>;
  unlock(fd: number, start: number, length: number): void;
}

const PACKAGE = 'fs-native-extensions';
const FUNCTIONS = ['tryLock', 'waitForLock', 'unlock'] as const;

let loaded: NativeLocks | undefined;

/** @throws KlogError KLOG_UNSUPPORTED on a platform without the addon */
export function nativeLocks(): NativeLocks {
  loaded ??= load(process.platform, process.arch);
  return loaded;
}

function load(platform: string, arch: string): NativeLocks {
  // In a CommonJS bundle `import.meta.url` is undefined; `__filename` is there in `node -e`, too, and names no file.
  const require = createRequire(import.meta.url ?? __filename);
  try {
    const addon: unknown = require(`${PACKAGE}/prebuilds/${platform}-${arch}/${PACKAGE}.node`);
    if (hasFunctions<Addon>(addon)) return throughAddon(addon);
  } catch {
    // Built from source, or laid out differently: let the package find it.
  }
  try {
    const api: unknown = require(PACKAGE);
    if (hasFunctions<PackageApi>(api)) return throughPackage(api);
    throw new TypeError(`${PACKAGE} does not export ${FUNCTIONS.join(', ')}`);
  } catch (cause) {
    throw new KlogError('KLOG_UNSUPPORTED', `file locks are not available on ${platform}-${arch}`, {
      cause,
      hint: `klog needs the native addon of the package ${PACKAGE}, which has none that loads here`,
    });
  }
}

function hasFunctions<T>(value: unknown): value is T {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Record<string, unknown>;
  return FUNCTIONS.every((name) => typeof record[name] === 'function');
}

function throughAddon(addon: Addon): NativeLocks {
  return {
    tryLock(fd, start, length, shared) {
      // It says no by an error, whose stack nobody sees; V8 looks at none where the limit is no number.
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = undefined as unknown as number;
      try {
        addon.tryLock(fd, start, length, !shared);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
        throw error;
      } finally {
        Error.stackTraceLimit = stackTraceLimit;
      }
    },
    waitLock: (fd, start, length, shared) =>
      new Promise((resolve, reject) => {
        // The addon writes into the memory of `handle` when the lock is granted: it must live as long as the wait,
        // and does, because the addon keeps a reference to `self`.
        const self: { handle?: unknown } = {};
        self.handle = addon.waitForLock(fd, start, length, !shared, self, (error) =>
          error === null ? resolve() : reject(error),
        );
      }),
    unlock: (fd, start, length) => addon.unlock(fd, start, length),
  };
}

function throughPackage(api: PackageApi): NativeLocks {
  return {
    tryLock: (fd, start, length, shared) => api.tryLock(fd, start, length, { shared }),
    waitLock: (fd, start, length, shared) => api.waitForLock(fd, start, length, { shared }),
    unlock: (fd, start, length) => api.unlock(fd, start, length),
  };
}
