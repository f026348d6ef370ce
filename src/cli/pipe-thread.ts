/**
 * A pipe read by a thread of its own, a worker: each 64 KiB of a pipe cost a call, a copy and the waking of its writer,
 * a third of what encoding them costs. Blocks go back and forth: empty ones to the thread, filled ones from it.
 */
import { closeSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Worker } from 'node:worker_threads';
import { openAgain } from './descriptor.js';

/** What a wait for the disk leaves to be read ahead; the handing over of a block costs as much as 30 KiB of work. */
const BLOCKS = 8;
const BLOCK_BYTES = 512 * 1024;

/** As much as a pipe holds. */
const ARRIVAL_BYTES = 64 * 1024;

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

export class PipeThread {
  isOver = false;
  readonly #fd: number;
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;
  readonly #filled: { readonly block: Uint8Array; readonly length: number }[] = [];
  #taken: Uint8Array | undefined;
  #hasBegun = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /**
   * Starts a thread for the pipe of `fd`, and calls `onReady` when it can `begin`; never, if it cannot start. Undefined:
   * there is none to be had.
   */
  static start(fd: number, onReady: () => void): PipeThread | undefined {
    if (isAddressSpaceLimited()) return undefined;
    const own = openAgain(fd, 'read');
    if (own === undefined) return undefined;
    try {
      return new PipeThread(own, onReady);
    } catch {
      // So many threads the user may not have.
      closeSync(own);
      return undefined;
    }
  }

  private constructor(fd: number, onReady: () => void) {
    this.#fd = fd;
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    const workerData: ThreadSettings = { fd, blocks: BLOCKS, arrivalBytes: ARRIVAL_BYTES };
    // Of itself it knows its text only, in a bundle as from the sources.
    this.#worker = new Worker(`(${readInThread})()`, { eval: true, workerData, execArgv: [] });
    this.#worker.on('message', (message: Message) => {
      if (message.kind === 'ready') onReady();
      else if (message.kind === 'filled') this.#filled.push(message);
      else this.#end(message.failure && Object.assign(new Error(), message.failure));
      this.#wakeUp();
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', resolve);
    });
  }

  /** Nobody else reads the pipe from now on. */
  begin(): void {
    this.#hasBegun = true;
    for (let i = 0; i < BLOCKS; i++) this.#give(new Uint8Array(BLOCK_BYTES));
  }

  /** Reads no more; what it has read is still handed out. */
  stop(): void {
    this.#worker.postMessage(null);
  }

  take(): Uint8Array | undefined {
    if (this.#taken !== undefined) this.#give(this.#taken);
    this.#taken = undefined;
    const next = this.#filled.shift();
    if (next === undefined) {
      if (this.#failure !== undefined) throw this.#failure;
      return undefined;
    }
    this.#taken = next.block;
    return next.block.subarray(0, next.length);
  }

  async more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  async close(): Promise<void> {
    if (!this.#hasBegun) {
      await this.#worker.terminate();
      closeSync(this.#fd);
      return;
    }
    // The descriptor is the thread's, which closes it.
    this.stop();
    await this.#exited;
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

/** By `ulimit -v`: where V8 finds no room for a thread's heap it ends the process. */
function isAddressSpaceLimited(): boolean {
  return !/^Max address space +unlimited/m.test(readFileSync('/proc/self/limits', 'latin1'));
}

/** All that runs in the thread. Of what stands outside it may use types only, and what `workerData` brings. */
function readInThread(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  const net = process.getBuiltinModule('node:net');
  const port = parentPort!;
  const { fd, blocks, arrivalBytes } = workerData as ThreadSettings;
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
  const buffer = new Uint8Array(arrivalBytes);
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
    socket!.destroy();
    port.close();
  };
  const read = () => {
    // Node's types do not know `onread` here.
    const options = { fd, readable: true, writable: false, onread: { buffer, callback: arrived } };
    const pipe = new net.Socket(options);
    pipe.on('end', end);
    pipe.on('error', end);
    return pipe;
  };
  port.on('message', (block: Uint8Array | null) => {
    if (block === null) {
      end();
      return;
    }
    free.push(block);
    const isPaused = filling === undefined;
    filling ??= free.pop();
    socket ??= read();
    if (length > 0 && isAwaited()) send();
    if (isPaused) socket.resume();
  });
  say({ kind: 'ready' });
}
