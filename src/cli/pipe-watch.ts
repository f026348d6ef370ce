import { constants, openSync } from 'node:fs';
import type { Socket } from 'node:net';

/** What is used of a socket's handle. */
interface StreamHandle {
  open(fd: number): number;
  readStart(): number;
}

/**
 * Notices that the reader of a pipe has gone while nothing is written to it, as in `klog tail -f t | head -1`.
 *
 * The kernel says so to whoever polls the writing end, but Node polls it only while a write has to wait, and its handle
 * for pipes refuses to read from a descriptor that is open for writing only. Its handle for TCP does not ask what it
 * was given: reading fails with EBADF as soon as the poll wakes it, which is when the last reader has closed its end.
 * The pipe is opened a second time for it, so that nothing changes for the descriptor that is written to.
 *
 * Linux, and pipes only: with a socket the other side may have ended what it sends, and still read. Where it cannot be
 * had the next write notices.
 */
export function watchPipeReader(fd: number, onGone: () => void): void {
  const watched = openAgain(fd);
  if (watched === 'gone') onGone();
  if (typeof watched !== 'number') return;
  const net = process.getBuiltinModule('node:net');
  const socket = new net.Socket();
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EBADF') onGone();
  });
  // A connection that is never begun, for its handle.
  socket.connect({ host: 'none', port: 1, lookup: () => {} });
  const { _handle: handle } = socket as Socket & { _handle?: StreamHandle };
  if (handle?.open?.(watched) === 0) handle.readStart?.();
  // Watching alone keeps no process alive.
  socket.unref();
}

/** `gone`: a named pipe that nobody reads. Undefined: there is no way to open it. */
function openAgain(fd: number): number | 'gone' | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENXIO' ? 'gone' : undefined;
  }
}
