import { KlogError, systemReason } from '../errors.js';
import type { Sink } from './output-sink.js';

/** Where a command's data goes: standard output, a file of `--dump`, or a test's memory. */
export interface Output {
  readonly isTerminal: boolean;
  /** Width of the terminal; undefined elsewhere. */
  readonly columns: number | undefined;
  /**
   * The reader went away (`| head`). Nothing is written any more and that is no failure: stop, exit 0, commit nothing.
   */
  readonly isClosed: boolean;
  /** Aborts when the reader goes away: for who waits for records, and would notice it at the next one only. */
  readerGone(): AbortSignal;
  /** Every record goes out as soon as the one before it is out: a terminal, or `--follow`. */
  isImmediate: boolean;

  /** The block being filled. To write into it, `reserve` first, then move `position`. */
  readonly block: Buffer;
  position: number;
  /** Makes room for `bytes` (at most 64 KiB) at `position` of `block`, perhaps of another block. */
  reserve(bytes: number): void;

  /** Copies bytes in. After `false` (they were taken all the same) await {@link drain} before going on. */
  append(source: Uint8Array, start: number, end: number): boolean;
  /** The same for text, as UTF-8. */
  appendText(text: string): boolean;
  /** Ends a record: with `isImmediate` it is sent on its way. Answers as {@link append}. */
  endRecord(): boolean;

  /** Waits until there is room. Fails with KLOG_OUTPUT_FAILED. */
  drain(): Promise<void>;
  /** Waits until everything is written. Fails with KLOG_OUTPUT_FAILED. */
  flush(): Promise<void>;
}

export interface OutputOptions {
  readonly isTerminal?: boolean;
  /** Asked for where a width is needed: finding it out loads node:tty. */
  readonly columns?: () => number | undefined;
  /** Names the output in errors. Default "standard output". */
  readonly name?: string;
}

/** Measured: below it a file costs more calls, above it a pipe gains nothing. */
const BLOCK_BYTES = 256 * 1024;
/** Blocks waiting to be written before callers are asked to wait. Memory: one more, plus what one call appends. */
const MAX_QUEUED_BLOCKS = 3;

interface FullBlock {
  readonly bytes: Buffer;
  readonly length: number;
}

/** Fills blocks and hands them to a sink one after the other, in order. */
export class BlockOutput implements Output {
  readonly isTerminal: boolean;
  isImmediate: boolean;
  block: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  position = 0;

  readonly #sink: Sink;
  readonly #name: string;
  readonly #columns: (() => number | undefined) | undefined;
  readonly #queue: FullBlock[] = [];
  readonly #free: Buffer[] = [];
  #pumping: Promise<void> | undefined;
  #blocksWritten = 0;
  readonly #waiters: (() => void)[] = [];
  #failure: KlogError | undefined;
  #isClosed = false;
  #gone: AbortController | undefined;

  constructor(sink: Sink, options: OutputOptions = {}) {
    this.#sink = sink;
    this.isTerminal = options.isTerminal ?? false;
    this.#columns = options.columns;
    this.isImmediate = this.isTerminal;
    this.#name = options.name ?? 'standard output';
  }

  get columns(): number | undefined {
    return this.#columns?.();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  readerGone(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      if (this.#isClosed) this.#gone.abort();
      else this.#sink.watchReader?.(() => this.#close());
    }
    return this.#gone.signal;
  }

  reserve(bytes: number): void {
    if (this.position + bytes > BLOCK_BYTES) this.#finishBlock();
  }

  append(source: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length > BLOCK_BYTES - this.position) return this.#appendAcrossBlocks(source, start, end);
    if (length < 48) {
      // Cheaper than the call into the runtime that `set` is.
      const block = this.block;
      let to = this.position;
      for (let from = start; from < end; from++) block[to++] = source[from]!;
    } else {
      this.block.set(source.subarray(start, end), this.position);
    }
    this.position += length;
    return true;
  }

  appendText(text: string): boolean {
    // UTF-16 units become at most three bytes each.
    if (text.length * 3 <= BLOCK_BYTES - this.position) {
      this.position += this.block.write(text, this.position);
      return true;
    }
    const bytes = Buffer.from(text);
    return this.#appendAcrossBlocks(bytes, 0, bytes.length);
  }

  endRecord(): boolean {
    if (this.isImmediate && this.#pumping === undefined) this.#finishBlock();
    return this.#hasRoom();
  }

  async drain(): Promise<void> {
    while (!this.#hasRoom() && this.#isWaitedFor()) await this.#progress();
    this.#throwIfFailed();
  }

  async flush(): Promise<void> {
    this.#finishBlock();
    while (this.#isWaitedFor()) await this.#progress();
    this.#throwIfFailed();
  }

  /**
   * Gives up on a reader that takes nothing for `stillMs`: for the time after Ctrl-C. What was not written by then is
   * lost, and the output counts as closed.
   */
  abandonWhenStuck(stillMs: number): void {
    let seen = this.#blocksWritten;
    const timer = setInterval(() => {
      if (this.#pumping !== undefined && this.#blocksWritten === seen) {
        clearInterval(timer);
        this.#close();
      }
      seen = this.#blocksWritten;
    }, stillMs);
    timer.unref();
  }

  #isWaitedFor(): boolean {
    return this.#pumping !== undefined && !this.#isClosed;
  }

  /** The next block written, the end of it all, or the reader given up. */
  #progress(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wakeWaiters(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #appendAcrossBlocks(source: Uint8Array, start: number, end: number): boolean {
    let from = start;
    while (from < end) {
      if (this.position === BLOCK_BYTES) this.#finishBlock();
      const length = Math.min(end - from, BLOCK_BYTES - this.position);
      this.block.set(source.subarray(from, from + length), this.position);
      this.position += length;
      from += length;
    }
    return this.#hasRoom();
  }

  #hasRoom(): boolean {
    return this.#queue.length < MAX_QUEUED_BLOCKS && this.#failure === undefined && !this.#isClosed;
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #finishBlock(): void {
    if (this.position === 0) return;
    if (this.#isClosed || this.#failure !== undefined) {
      this.position = 0;
      return;
    }
    this.#queue.push({ bytes: this.block, length: this.position });
    this.block = this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.position = 0;
    this.#pumping ??= this.#pump();
  }

  async #pump(): Promise<void> {
    try {
      for (let full = this.#queue[0]; full !== undefined; full = this.#queue[0]) {
        await this.#sink.write(full.bytes.subarray(0, full.length));
        this.#blocksWritten += 1;
        this.#queue.shift();
        this.#wakeWaiters();
        if (this.#free.length < MAX_QUEUED_BLOCKS) this.#free.push(full.bytes);
        if (this.isImmediate && this.#queue.length === 0) this.#finishBlock();
      }
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    } finally {
      this.#pumping = undefined;
      this.#wakeWaiters();
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#queue.length = 0;
    this.position = 0;
    this.#wakeWaiters();
    this.#gone?.abort();
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE' || error.code === 'ECONNRESET') {
      this.#close();
      return;
    }
    this.#queue.length = 0;
    this.position = 0;
    this.#failure = new KlogError('KLOG_OUTPUT_FAILED', `writing ${this.#name}: ${systemReason(error)}`, {
      cause: error,
    });
  }
}
