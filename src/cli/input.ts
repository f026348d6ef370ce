import { closeSync, open, read } from 'node:fs';
import { KlogError, systemReason } from '../errors.js';
import { type DescriptorKind, describeDescriptor, openAgain } from './descriptor.js';
import { readNonBlocking } from './pipe-input.js';

/** Bytes that come in: standard input, the file of `--file` or `--lines`, or a test's chunks. */
export interface Input {
  readonly isTerminal: boolean;
  /** Names the input in errors. */
  readonly name: string;
  /**
   * Each chunk is valid until the next one is asked for. Ends at the end of the input, or soon after `signal` aborts,
   * but not before all was handed out that was taken from somewhere else than a file; leaving the loop closes the
   * input. Iterate it once. Fails with KLOG_INPUT_FAILED.
   */
  chunks(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Two of them take turns: one is read into while the other is worked on. */
const CHUNK_BYTES = 1024 * 1024;

const STANDARD_INPUT = 0;

/** Takes over its descriptor, which is closed with the loop, unless it is the process's standard input. */
export class DescriptorInput implements Input {
  readonly name: string;
  readonly #fd: number;
  readonly #kind: DescriptorKind;

  constructor(fd: number, name: string) {
    this.#fd = fd;
    this.#kind = describeDescriptor(fd);
    this.name = name;
    if (this.#kind === 'directory') {
      throw new KlogError('KLOG_INPUT_FAILED', `reading ${name}: it is a directory`, { hint: 'Name a file' });
    }
  }

  get isTerminal(): boolean {
    return this.#kind === 'terminal';
  }

  chunks(signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const neverWaits = this.#kind === 'file' || this.#kind === 'device';
    if (neverWaits) return readFile(this.#fd, this.name, signal);
    if (this.#kind === 'pipe') return readPipe(this.#fd, this.name, signal);
    return readStream(this.#fd, this.#kind, this.name, signal);
  }
}

/** Opens a file by path; `-` is standard input. Whoever opens it iterates it, which closes it. */
export async function openInputFile(path: string, stdin: Input): Promise<Input> {
  if (path === '-') return stdin;
  let fd: number | undefined;
  try {
    fd = await openForReading(path);
    return new DescriptorInput(fd, path);
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw error instanceof KlogError ? error : inputFailure(path, error);
  }
}

/** On a thread: a named pipe makes one wait for its writer. */
function openForReading(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, 'r', (error, fd) => {
      if (error === null) resolve(fd);
      else reject(error);
    });
  });
}

function closeOwned(fd: number): void {
  if (fd !== STANDARD_INPUT) closeSync(fd);
}

function inputFailure(name: string, error: unknown): KlogError {
  return new KlogError('KLOG_INPUT_FAILED', `reading ${name}: ${systemReason(error)}`, { cause: error });
}

/** Regular files and devices that never make one wait. Reads on from the file's own position, as a shell expects. */
async function* readFile(fd: number, name: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  let filling: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let spare: Buffer | undefined;
  let pending = readOnce(fd, filling);
  try {
    while (!signal?.aborted) {
      const length = await pending;
      if (length === 0) return;
      const filled = filling;
      filling = spare ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
      spare = filled;
      pending = readOnce(fd, filling);
      yield filled.subarray(0, length);
    }
  } catch (error) {
    throw inputFailure(name, error);
  } finally {
    await pending.catch(() => {});
    closeOwned(fd);
  }
}

function readOnce(fd: number, buffer: Buffer): Promise<number> {
  const promise = new Promise<number>((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, null, (error, length) => {
      if (error === null) resolve(length);
      else reject(error);
    });
  });
  // It may fail while the chunk before it is still worked on; whoever awaits it then is told.
  promise.catch(() => {});
  return promise;
}

/** By a description of our own, which does not wait; a socket cannot be opened again. */
async function* readPipe(fd: number, name: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const own = openAgain(fd, 'read');
  if (own === undefined) {
    yield* readStream(fd, 'pipe', name, signal);
    return;
  }
  try {
    yield* readNonBlocking(own, signal);
  } catch (error) {
    throw inputFailure(name, error);
  } finally {
    closeOwned(fd);
  }
}

/** Chunks waiting to be worked on before the stream is paused. */
const MAX_WAITING_BYTES = 2 * CHUNK_BYTES;

/**
 * Sockets, terminals and other systems' pipes are polled. A thread in read(2) would hold up the exit, and a blocking
 * read Ctrl-C, for as long as nobody writes.
 */
async function* readStream(
  fd: number,
  kind: DescriptorKind,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let stream: import('node:net').Socket;
  try {
    stream = openStream(fd, kind);
  } catch (error) {
    throw inputFailure(name, error);
  }
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let failure: unknown;
  let isOver = signal?.aborted ?? false;
  let wake: (() => void) | undefined;
  const finish = () => {
    isOver = true;
    wake?.();
  };
  const stop = () => {
    stream.pause();
    finish();
  };
  stream.on('data', (chunk: Buffer) => {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes >= MAX_WAITING_BYTES) stream.pause();
    wake?.();
  });
  stream.on('end', finish);
  stream.on('close', finish);
  stream.on('error', (error) => {
    failure = error;
    finish();
  });
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const chunks = waiting;
      waiting = [];
      waitingBytes = 0;
      if (stream.isPaused() && !signal?.aborted) stream.resume();
      yield* chunks;
      if (waiting.length > 0) continue;
      if (failure !== undefined) throw inputFailure(name, failure);
      if (isOver) {
        // What came after it was paused.
        const rest = stream.read() as Buffer | null;
        if (rest !== null) yield rest;
        return;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    stream.destroy();
  }
}

function openStream(fd: number, kind: DescriptorKind): import('node:net').Socket {
  // A descriptor is polled once only, and any package that imports node:process makes a stream of standard input.
  if (fd === STANDARD_INPUT) return process.stdin;
  if (kind === 'terminal') {
    const tty = process.getBuiltinModule('node:tty');
    return new tty.ReadStream(fd);
  }
  const net = process.getBuiltinModule('node:net');
  return new net.Socket({ fd, readable: true, writable: false });
}

/** Shows `prompt` whenever a terminal's next line is waited for, until the input ends. */
export async function* withPrompt(chunks: AsyncIterable<Uint8Array>, prompt: () => void): AsyncGenerator<Uint8Array> {
  const newline = 0x0a;
  prompt();
  for await (const chunk of chunks) {
    yield chunk;
    if (chunk[chunk.length - 1] === newline) prompt();
  }
}
