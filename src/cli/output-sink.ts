import { closeSync, fstatSync, write, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type DescriptorKind, openAgain } from './descriptor.js';
import { watchPipeReader } from './pipe-watch.js';

/** Takes bytes, one call at a time; they are all written when the call resolves. Fails with Node's system errors. */
export interface Sink {
  write(bytes: Buffer): Promise<void>;
  /** Calls back when the reader has gone away, also while nothing is written. Only where that can be known. */
  watchReader?(onGone: () => void): void;
}

export function openSink(fd: number, kind: DescriptorKind): Sink {
  if (kind === 'pipe') return new PipeSink(fd);
  return kind === 'terminal' ? new TerminalSink(fd) : new FileSink(fd);
}

/** Descriptors that someone set to non-blocking answer EAGAIN; there is nothing to wait on but time. */
const RETRY_MS = 2;

function mustWait(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN';
}

/**
 * Regular files, `/dev/null` and the like. Writing into the page cache at once took half the time of giving it to the
 * thread pool (520 MB in 0.16 s against 0.2–0.8 s), and it wakes no threads in commands that print one line.
 */
class FileSink implements Sink {
  readonly #fd: number;
  #sinceTurn = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async write(bytes: Buffer): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      try {
        done += writeSync(this.#fd, bytes, done);
      } catch (error) {
        if (!mustWait(error)) throw error;
        await sleep(RETRY_MS);
      }
    }
    this.#sinceTurn += bytes.length;
    if (this.#sinceTurn >= 4 * 1024 * 1024) {
      // Lets signals and timers in.
      this.#sinceTurn = 0;
      await nextTurn();
    }
  }
}

/** A terminal may stand still for as long as its user likes, so a thread waits for it and signals still get through. */
class TerminalSink implements Sink {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async write(bytes: Buffer): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      try {
        done += await writeOnce(this.#fd, bytes, done);
      } catch (error) {
        if (!mustWait(error)) throw error;
        await sleep(RETRY_MS);
      }
    }
  }
}

function writeOnce(fd: number, bytes: Buffer, start: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, start, bytes.length - start, null, (error, written) => {
      if (error === null) resolve(written);
      else reject(error);
    });
  });
}

/** The most that is written before a socket is opened: a short output, and what a pipe holds at the beginning. */
const SHORT_BYTES = 64 * 1024;

/**
 * Pipes and sockets: polled, never waited for in a thread, since a thread in write(2) would hold up the exit. What the
 * pipe takes at once is written without `node:net`, which takes eight milliseconds to load.
 */
class PipeSink implements Sink {
  readonly #fd: number;
  #socket: Socket | undefined;
  #failure: Error | undefined;
  #reject: ((error: Error) => void) | undefined;
  /** For writes that do not wait. */
  #own: number | undefined;
  #bytesAtOnce = 0;

  constructor(fd: number) {
    this.#fd = fd;
    this.#own = openAgain(fd, 'write');
  }

  async write(bytes: Buffer): Promise<void> {
    const done = this.#writeAtOnce(bytes);
    if (done === bytes.length) return;
    this.#socket ??= this.#open();
    const socket = this.#socket;
    await new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#reject = reject;
      socket.write(bytes.subarray(done), (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
  }

  /** Answers how many bytes went. */
  #writeAtOnce(bytes: Buffer): number {
    if (this.#own === undefined) return 0;
    let done = 0;
    if (this.#bytesAtOnce + bytes.length <= SHORT_BYTES) {
      try {
        done = writeSync(this.#own, bytes);
        this.#bytesAtOnce += done;
      } catch (error) {
        if (!mustWait(error)) throw error;
      }
    }
    if (done < bytes.length) {
      closeSync(this.#own);
      this.#own = undefined;
    }
    return done;
  }

  watchReader(onGone: () => void): void {
    if (fstatSync(this.#fd).isFIFO()) watchPipeReader(this.#fd, onGone);
  }

  #open(): Socket {
    const net = process.getBuiltinModule('node:net');
    const socket = new net.Socket({ fd: this.#fd, readable: false, writable: true });
    socket.on('error', (error) => {
      this.#failure = error;
      this.#reject?.(error);
    });
    return socket;
  }
}
