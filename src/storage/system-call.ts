/** Calls of the system: made again after a signal, and their errors named where libuv does not know the number. */
import { constants } from 'node:os';

/** Makes a synchronous call. */
export function call<T>(operation: () => T): T {
  for (;;) {
    try {
      return operation();
    } catch (error) {
      if (codeOf(error) !== 'EINTR') throw withName(error);
    }
  }
}

type Settle<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

/** Makes a call on libuv's thread pool. */
export function inPool<T = void>(operation: (settle: Settle<T>) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const settle: Settle<T> = (error, value) => {
      if (error === null) resolve(value as T);
      else if (error.code === 'EINTR') operation(settle);
      else reject(withName(error));
    };
    operation(settle);
  });
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Node reports EDQUOT as `Unknown system error -122`: callers need the name to say that the disk is full. */
export function withName(error: unknown): unknown {
  const { code, errno } = error as NodeJS.ErrnoException;
  if (errno === undefined || code?.startsWith('Unknown system error') !== true) return error;
  for (const [name, value] of Object.entries(constants.errno)) {
    if (value === -errno) (error as NodeJS.ErrnoException).code = name;
  }
  return error;
}
