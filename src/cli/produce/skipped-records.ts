import { type FileHandle, open } from 'node:fs/promises';
import { KlogError, systemReason } from '../../errors.js';
import { BlockOutput } from '../output.js';
import { openSink } from '../output-sink.js';
import type { LineSink } from './delimited-lines.js';
import { isBadRecord } from './record-target.js';

/** Records are nobody else's to read, here as in the log. */
const PRIVATE = 0o600;

/** `--skip-bad`: counts what could not be a record, and keeps its bytes in the file of `--dead-letter`. */
export class SkippedRecords {
  count = 0;
  readonly #file: FileHandle | undefined;
  readonly #output: BlockOutput | undefined;

  private constructor(file: FileHandle | undefined, path: string | undefined) {
    this.#file = file;
    if (file !== undefined) this.#output = new BlockOutput(openSink(file.fd, 'file'), { name: path ?? 'a file' });
  }

  /** Opens the file, behind what it holds already. KLOG_OUTPUT_FAILED. */
  static async open(path: string | undefined): Promise<SkippedRecords> {
    if (path === undefined) return new SkippedRecords(undefined, path);
    try {
      return new SkippedRecords(await open(path, 'a', PRIVATE), path);
    } catch (error) {
      throw new KlogError('KLOG_OUTPUT_FAILED', `opening ${path}: ${systemReason(error)}`, { cause: error });
    }
  }

  /** False: await {@link drain} before the next one. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    this.count++;
    return this.part(bytes, start, end);
  }

  /** Bytes of a record that comes in pieces; it counts when `add` is called with the last one. */
  part(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#output?.append(bytes, start, end) ?? true;
  }

  async drain(): Promise<void> {
    await this.#output?.drain();
  }

  /** What was skipped is in neither log nor input any more, so the file is synced, too. */
  async close(): Promise<void> {
    if (this.#file === undefined) return;
    try {
      await this.#output?.flush();
      await this.#file.datasync().catch((error: NodeJS.ErrnoException) => {
        // A pipe or a device cannot be synced.
        if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error;
      });
    } finally {
      await this.#file.close();
    }
  }
}

/** Passes over the lines that another sink refuses. */
export class SkippingLines implements LineSink {
  readonly #lines: LineSink;
  readonly #skipped: SkippedRecords;
  readonly #delimiter: Uint8Array;
  /** The line that {@link ready} is about: some refusals are only known then. */
  #last: { bytes: Uint8Array; start: number; end: number } = { bytes: NO_BYTES, start: 0, end: 0 };

  constructor(lines: LineSink, skipped: SkippedRecords, delimiter: Uint8Array) {
    this.#lines = lines;
    this.#skipped = skipped;
    this.#delimiter = delimiter;
  }

  line(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#last;
    last.bytes = bytes;
    last.start = start;
    last.end = end;
    try {
      return this.#lines.line(bytes, start, end);
    } catch (error) {
      if (!isBadRecord(error)) throw error;
      return this.#skip();
    }
  }

  tooLongPart(bytes: Buffer, start: number, end: number): void {
    this.#skipped.part(bytes, start, end);
  }

  tooLong(): void {
    this.#skipped.add(this.#delimiter, 0, this.#delimiter.length);
  }

  async ready(): Promise<void> {
    await this.#skipped.drain();
    try {
      await this.#lines.ready();
    } catch (error) {
      if (!isBadRecord(error)) throw error;
      this.#skip();
    }
  }

  #skip(): boolean {
    const { bytes, start, end } = this.#last;
    this.#skipped.part(bytes, start, end);
    return this.#skipped.add(this.#delimiter, 0, this.#delimiter.length);
  }
}

const NO_BYTES = new Uint8Array(0);
