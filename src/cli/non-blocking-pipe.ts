/**
 * A pipe, read through a description of our own that does not wait (`openAgain`): what is at hand is read by plain
 * calls, a full pipe's 64 KiB each, without an event for each of them. Where nothing is at hand a socket on the same
 * descriptor waits for more. It stays there, and reads ahead whenever the event loop turns because somebody waits for
 * the disk: else the writer would wait as well. Both put what they read behind the same bytes, so these stay in order.
 */
import { closeSync, readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { ARRIVAL_BYTES, BLOCK_BYTES, MOST_BLOCKS, type PipeReader } from './pipe-reader.js';

export class NonBlockingPipe implements PipeReader {
  isOver = false;
  readonly #fd: number;
  /** Oldest first, as far as they are filled. */
  readonly #full: Buffer[] = [];
  #filling: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #filled = 0;
  #taken: Buffer | undefined;
  readonly #free: Buffer[] = [];
  #socket: Socket | undefined;
  #isPaused = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  take(): Buffer | undefined {
    if (this.#taken !== undefined) this.#free.push(this.#taken);
    this.#taken = undefined;
    if (this.#full.length === 0) {
      if (this.#filled === 0 && !this.isOver) this.#readAtHand();
      if (this.#filled > 0) this.#endBlock();
    }
    const taken = this.#full.shift();
    if (taken === undefined && this.#failure !== undefined) throw this.#failure;
    this.#taken = taken;
    if (this.#isPaused) this.#resume();
    return taken;
  }

  async more(): Promise<void> {
    this.#socket ??= this.#openSocket();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  stop(): void {
    this.isOver = true;
    this.#isPaused = false;
    this.#socket?.pause();
    this.#wakeUp();
  }

  async close(): Promise<void> {
    if (this.#socket === undefined) closeSync(this.#fd);
    else this.#socket.destroy();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #readAtHand(): void {
    try {
      this.#filled = readSync(this.#fd, this.#filling, 0, BLOCK_BYTES, null);
      this.isOver = this.#filled === 0;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // EINTR: the socket will see what there is.
      if (code !== 'EAGAIN' && code !== 'EINTR') throw error;
    }
  }

  #endBlock(): void {
    this.#full.push(this.#filling.subarray(0, this.#filled));
    const free = this.#free.pop();
    this.#filling = free === undefined ? Buffer.allocUnsafeSlow(BLOCK_BYTES) : Buffer.from(free.buffer);
    this.#filled = 0;
  }

  /** Most inputs never wait, and loading `node:net` takes eight milliseconds. */
  #openSocket(): Socket {
    const net = process.getBuiltinModule('node:net');
    const buffer = Buffer.allocUnsafeSlow(ARRIVAL_BYTES);
    const onread = { buffer, callback: (length: number) => this.#arrived(buffer, length) };
    // Node's types do not know `onread` here.
    const options = { fd: this.#fd, readable: true, writable: false, onread };
    const socket = new net.Socket(options);
    const onEnd = () => {
      this.isOver = true;
      this.#wakeUp();
    };
    socket.on('end', onEnd);
    socket.on('close', onEnd);
    socket.on('error', (error) => {
      this.#failure = error;
      onEnd();
    });
    return socket;
  }

  /** Answers whether there is room for more; if not, the socket pauses itself. */
  #arrived(buffer: Buffer, length: number): boolean {
    buffer.copy(this.#filling, this.#filled, 0, length);
    this.#filled += length;
    if (this.#filled + ARRIVAL_BYTES > BLOCK_BYTES) this.#endBlock();
    this.#isPaused = this.#full.length === MOST_BLOCKS;
    this.#wakeUp();
    return !this.#isPaused;
  }

  #resume(): void {
    this.#isPaused = false;
    this.#socket?.resume();
  }
}
