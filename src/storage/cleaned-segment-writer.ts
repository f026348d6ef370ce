/**
 * Writes a segment anew under `.cleaned` names, indexes and all. Nothing of it counts before `swapIn`
 * (segment-swap.ts).
 */
import { KlogError } from '../errors.js';
import { RecordBatch } from '../format/record-batch.js';
import { type OpenFile, writeFully } from './file-system.js';
import type { FileContext } from './log-context.js';
import { type SegmentSuffix, segmentFileName } from './log-files.js';
import { SegmentIndexWriter } from './segment-index-writer.js';
import { type AbortedTransaction, TransactionIndex } from './transaction-index.js';

const BUFFER_BYTES = 1024 * 1024;
const MAX_POSITION = 0x7fffffff;

export class CleanedSegmentWriter {
  readonly baseOffset: number;
  readonly #context: FileContext;
  readonly #files = new Map<SegmentSuffix, OpenFile>();
  readonly #index: SegmentIndexWriter;
  readonly #batch = new RecordBatch();
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #aborted: AbortedTransaction[] = [];
  #buffered = 0;
  #written = 0;

  private constructor(context: FileContext, baseOffset: number) {
    this.#context = context;
    this.baseOffset = baseOffset;
    this.#index = new SegmentIndexWriter(baseOffset, context.config.indexIntervalBytes);
  }

  static async create(context: FileContext, baseOffset: number): Promise<CleanedSegmentWriter> {
    const writer = new CleanedSegmentWriter(context, baseOffset);
    try {
      for (const suffix of ['.log', '.index', '.timeindex'] as const) await writer.#create(suffix);
    } catch (error) {
      await writer.discard();
      throw error;
    }
    return writer;
  }

  /** Bytes of the `.log`. */
  get sizeInBytes(): number {
    return this.#written + this.#buffered;
  }

  async append(bytes: Uint8Array): Promise<void> {
    const { lastOffset, maxTimestamp } = this.#batch.reset(bytes, 0);
    const position = this.sizeInBytes;
    if (position + bytes.length > MAX_POSITION) {
      throw new KlogError('KLOG_UNSUPPORTED', `segment ${this.baseOffset} would pass 2 GiB when it is compacted`, {
        file: this.#context.directory,
        hint: 'A smaller segment.bytes leaves room for the next segments.',
      });
    }
    if (this.#buffered + bytes.length > BUFFER_BYTES) await this.#flush();
    if (bytes.length > BUFFER_BYTES) {
      this.#written = await writeFully(this.#files.get('.log')!, bytes, 0, bytes.length, this.#written);
    } else {
      this.#buffer.set(bytes, this.#buffered);
      this.#buffered += bytes.length;
    }
    this.#index.add(position, bytes.length, lastOffset, maxTimestamp);
  }

  addAborted(entry: AbortedTransaction): void {
    this.#aborted.push(entry);
  }

  /**
   * Everything is on the disk, the names too. @param hasTransactionIndex whether an old file must be replaced, if by an
   * empty one
   */
  async finish(hasTransactionIndex: boolean): Promise<SegmentSuffix[]> {
    await this.#flush();
    this.#index.addTimeEntry();
    await this.#index.flush(this.#files.get('.index')!, this.#files.get('.timeindex')!);
    if (this.#aborted.length > 0 || hasTransactionIndex) {
      const file = await this.#create('.txnindex');
      if (this.#aborted.length > 0) await new TransactionIndex(file).append(this.#aborted, 0);
    }
    for (const file of this.#files.values()) await file.sync();
    await this.#close();
    await this.#context.fs.syncDirectory(this.#context.directory);
    return [...this.#files.keys()];
  }

  /** Takes away what was written. */
  async discard(): Promise<void> {
    await this.#close();
    for (const suffix of this.#files.keys()) await this.#context.fs.unlink(this.#path(suffix));
  }

  async #flush(): Promise<void> {
    if (this.#buffered === 0) return;
    this.#written = await writeFully(this.#files.get('.log')!, this.#buffer, 0, this.#buffered, this.#written);
    this.#buffered = 0;
  }

  async #create(suffix: SegmentSuffix): Promise<OpenFile> {
    const file = await this.#context.fs.open(this.#path(suffix), 'create');
    this.#files.set(suffix, file);
    // One that a cleaner left when it died.
    await file.truncate(0);
    return file;
  }

  async #close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }

  #path(suffix: SegmentSuffix): string {
    return `${this.#context.directory}/${segmentFileName(this.baseOffset, suffix, '.cleaned')}`;
  }
}
