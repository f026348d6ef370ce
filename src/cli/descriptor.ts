import { constants, fstatSync, openSync } from 'node:fs';

/**
 * What a file descriptor leads to, which decides how it is read and written:
 * - `file`: a regular file
 * - `directory`: nothing to be read from
 * - `pipe`: a pipe or a socket
 * - `terminal`
 * - `device`: any other character device, such as `/dev/null`
 */
export type DescriptorKind = 'file' | 'directory' | 'pipe' | 'terminal' | 'device';

export function describeDescriptor(fd: number): DescriptorKind {
  const stat = fstatSync(fd);
  if (stat.isFIFO() || stat.isSocket()) return 'pipe';
  if (stat.isCharacterDevice()) return isTerminal(fd, stat.rdev) ? 'terminal' : 'device';
  return stat.isDirectory() ? 'directory' : 'file';
}

/** Linux, devices.txt: `/dev/null`, `/dev/zero` and the like. */
const MEMORY_DEVICES = 1;
/** Linux, devices.txt: the terminals of windows and of ssh, `/dev/pts/…`. */
const FIRST_PSEUDO_TERMINAL = 136;
const LAST_PSEUDO_TERMINAL = 143;

/**
 * `node:tty` takes five milliseconds to load, a tenth of a start: it is asked only about what the number does not tell.
 */
function isTerminal(fd: number, device: number): boolean {
  if (process.platform === 'linux') {
    const major = (device >>> 8) & 0xfff;
    if (major === MEMORY_DEVICES) return false;
    if (major >= FIRST_PSEUDO_TERMINAL && major <= LAST_PSEUDO_TERMINAL) return true;
  }
  return process.getBuiltinModule('node:tty').isatty(fd);
}

/**
 * Opens a pipe once more, for calls that do not wait (EAGAIN): the descriptor itself is shared with other processes,
 * which would find it non-blocking too. Undefined where it cannot be had: not Linux, a socket, another user's pipe,
 * nobody reads it.
 */
export function openAgain(fd: number, to: 'read' | 'write'): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
  try {
    return openSync(`/proc/self/fd/${fd}`, (to === 'read' ? O_RDONLY : O_WRONLY) | O_NONBLOCK);
  } catch {
    return undefined;
  }
}
