import { fstatSync } from 'node:fs';

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
  if (stat.isCharacterDevice()) return isTerminal(fd) ? 'terminal' : 'device';
  return stat.isDirectory() ? 'directory' : 'file';
}

/** `node:tty` is loaded for character devices only: it costs two milliseconds, which every other start does without. */
function isTerminal(fd: number): boolean {
  return process.getBuiltinModule('node:tty').isatty(fd);
}
