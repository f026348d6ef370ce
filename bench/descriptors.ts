/**
 * How many descriptors a command has open, by strace: the kernel hands out the lowest number that is free, so the
 * highest one ever given tells how many were open at once.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { quoted, run } from './measure.js';

/** Calls that answer a new descriptor, or two of them. */
const CALLS =
  'open,openat,openat2,socket,accept4,dup,dup2,dup3,fcntl,eventfd2,epoll_create1,pipe2,inotify_init1,timerfd_create';

export function highestDescriptor(command: string, cwd: string): number {
  const trace = join(cwd, 'descriptors.trace');
  run(`strace -f -qq -o ${quoted(trace)} -e trace=${CALLS} bash --norc -c ${quoted(command)}`, cwd);
  const highest = readFileSync(trace, 'latin1').split('\n').map(givenBy);
  rmSync(trace);
  return Math.max(...highest);
}

/**
 * `pipe2([20, 21], …) = 0`, `openat(…) = 20`, `fcntl(3, F_DUPFD_CLOEXEC, 0) = 20`; other calls of fcntl answer flags.
 */
function givenBy(line: string): number {
  const [, second] = /pipe2\(\[\d+, (\d+)\]/.exec(line) ?? [];
  if (second !== undefined) return Number(second);
  if (line.includes('fcntl(') && !line.includes('F_DUPFD')) return -1;
  return Number(/ = (\d+)$/.exec(line)?.[1] ?? -1);
}
