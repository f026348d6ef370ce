/**
 * A pipe read by a thread of its own, a worker: each 64 KiB of a pipe cost a call, a copy and the waking of its writer.
 * Blocks go back and forth: empty ones to the thread, filled ones from it.
 */
import { closeSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Worker } from 'node:worker_threads';
import { openAgain } from './descriptor.js';
import { ARRIVAL_BYTES, BLOCK_BYTES, MOST_BLOCKS, type PipeReader } from './pipe-reader.js';

interface ThreadSettings {
  readonly fd: number;
  readonly blocks: number;
  readonly arrivalBytes: number;
}

/** What the thread says. `ready`: it can begin. `over`: it has read all that it will, and ends. */
type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'filled'; readonly block: Uint8Array; readonly length: number }
  | { readonly kind: 'over'; readonly failure?: Failure };

/** An error's own properties: the clone of an error has no code. */
type Failure = Pick<NodeJS.ErrnoException, 'message' | 'code' | 'errno' | 'syscall'>;

export class PipeThread implements PipeReader {
  isOver = false;
  hasBegun = false;
  readonly #fd: number;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #filled: { readonly block: Uint8Array; readonly length: number }[] = [];
  #taken: Uint8Array | undefined;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /**
   * Starts a thread for the pipe of `fd`, and calls `onReady` when it can `begin`; never, if it cannot start. Undefined:
   * there is none to be had.
   */
  static start(fd: number, onReady: () => void): PipeThread | undefined {
    let own: number | undefined;
    try {
      own = isMemoryLimited() ? undefined : openAgain(fd, 'read');
      return own === undefined ? undefined : new PipeThread(own, onReady);
    } catch {
      // So many files, or so many threads, the process may not have.
      if (own !== undefined) closeSync(own);
      return undefined;
    }
  }

  private constructor(fd: number, onReady: () => void) {
    this.#fd = fd;
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    const workerData: ThreadSettings = { fd, blocks: MOST_BLOCKS, arrivalBytes: ARRIVAL_BYTES };
    // Of itself it knows its text only, in a bundle as from the sources. It is to close a descriptor it has not opened.
    const options = { eval: true, workerData, execArgv: [], trackUnmanagedFds: false };
    this.#worker = new Worker(`(${readInThread})()`, options);
    this.#worker.on('message', (message: Message) => {
      if (message.kind === 'ready') onReady();
      else if (message.kind === 'filled') this.#filled.push(message);
      else this.#end(message.failure && Object.assign(new Error(), message.failure));
      this.#wakeUp();
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        if (!this.isOver) this.#end(new Error('the thread that read it has ended'));
        resolve();
      });
    });
  }

  /** Nobody else reads the pipe from now on. The descriptor is the thread's, which closes it. */
  begin(): void {
    this.hasBegun = true;
    for (let i = 0; i < MOST_BLOCKS; i++) this.#give(new Uint8Array(BLOCK_BYTES));
  }

  take(): Uint8Array | undefined {
    if (this.#taken !== undefined) this.#give(this.#taken);
    this.#taken = undefined;
    const next = this.#filled.shift();
    if (next === undefined && this.#failure !== undefined) throw this.#failure;
    this.#taken = next?.block;
    return next?.block.subarray(0, next.length);
  }

  async more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  stop(): void {
    if (this.hasBegun) this.#worker.postMessage(null);
  }

  async close(): Promise<void> {
    if (this.hasBegun) {
      this.stop();
      await this.#exited;
    } else {
      await this.#worker.terminate();
      closeSync(this.#fd);
    }
  }

  #give(block: Uint8Array): void {
    this.#worker.postMessage(block, [block.buffer as ArrayBuffer]);
  }

  #end(failure: Error | undefined): void {
    this.isOver = true;
    this.#failure ??= failure;
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** By `ulimit -v` or `-d`: where V8 finds no room for a thread's heap it ends the process. */
function isMemoryLimited(): boolean {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  return !['address space', 'data size'].every((what) => new RegExp(`^Max ${what} +unlimited`, 'm').test(limits));
}

/** All that runs in the thread. Of what stands outside it may use types only, and what `workerData` brings. */
function readInThread(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  const fs = process.getBuiltinModule('node:fs');
  const net = process.getBuiltinModule('node:net');
  const port = parentPort!;
  const { fd, blocks, arrivalBytes } = workerData as ThreadSettings;
  const buffer = new Uint8Array(arrivalBytes);
  const free: Uint8Array[] = [];
  let filling: Uint8Array | undefined;
  let length = 0;
  let socket: Socket | undefined;

  const say = (message: Message, moved: ArrayBuffer[] = []) => port.postMessage(message, moved);
  const send = () => {
    const block = filling!;
    say({ kind: 'filled', block, length }, [block.buffer as ArrayBuffer]);
    filling = free.pop();
    length = 0;
  };
  /** Nobody works on any block. */
  const isAwaited = () => free.length === blocks - 1;
  const arrived = (bytes: number) => {
    filling!.set(bytes === arrivalBytes ? buffer : buffer.subarray(0, bytes), length);
    length += bytes;
    if (length + arrivalBytes > filling!.length || isAwaited()) send();
    // Where there is no block to read into, the socket pauses.
    return filling !== undefined;
  };
  const end = (failure?: NodeJS.ErrnoException) => {
    if (length > 0) send();
    say(failure === undefined ? { kind: 'over' } : { kind: 'over', failure: { ...failure, message: failure.message } });
    if (socket === undefined) fs.closeSync(fd);
    else socket.destroy();
    port.removeAllListeners('message');
    port.close();
  };
  const waitByEvents = () => {
    // Node's types do not know `onread` here.
    const options = { fd, readable: true, writable: false, onread: { buffer, callback: arrived } };
    const waiting = new net.Socket(options);
    waiting.on('end', end);
    waiting.on('error', end);
    return waiting;
  };
  /**
   * Until nothing is at hand: then somebody writes to it. Of a named pipe that was opened when its last writer had left
   * no event tells the end, only a read does.
   */
  const readAtHand = () => {
    while (filling !== undefined) {
      try {
        const bytes = fs.readSync(fd, buffer, 0, arrivalBytes, null);
        if (bytes === 0) {
          end();
          return;
        }
        arrived(bytes);
      } catch (error) {
        const failure = error as NodeJS.ErrnoException;
        if (failure.code === 'EINTR') continue;
        if (failure.code === 'EAGAIN') socket = waitByEvents();
        else end(failure);
        return;
      }
    }
  };
  port.on('message', (block: Uint8Array | null) => {
    if (block === null) {
      end();
      return;
    }
    free.push(block);
    const isPaused = filling === undefined;
    filling ??= free.pop();
    if (socket === undefined) {
      readAtHand();
      return;
    }
    if (length > 0 && isAwaited()) send();
    if (isPaused) socket.resume();
  });
  say({ kind: 'ready' });
}
