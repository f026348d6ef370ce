/** One open segment of a partition: the `.log` and, opened when first needed, the indexes beside it. */
import type { FileSystem, OpenFile, OpenMode } from './file-system.js';
import { segmentFileName } from './log-files.js';
import { type IndexState, SegmentIndexWriter } from './segment-index-writer.js';

type IndexSuffix = '.index' | '.timeindex' | '.txnindex';

export class LogSegment {
  readonly baseOffset: number;
  readonly log: OpenFile;
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #mode: OpenMode;
  #indexWriter: SegmentIndexWriter | undefined;
  readonly #beside = new Map<IndexSuffix, Promise<OpenFile>>();

  private constructor(fs: FileSystem, directory: string, baseOffset: number, mode: OpenMode, log: OpenFile) {
    this.#fs = fs;
    this.#directory = directory;
    this.baseOffset = baseOffset;
    this.#mode = mode;
    this.log = log;
  }

  static async open(
    fs: FileSystem,
    directory: string,
    baseOffset: number,
    mode: 'read' | 'write' | 'create',
  ): Promise<LogSegment> {
    const log = await fs.open(`${directory}/${segmentFileName(baseOffset, '.log')}`, mode);
    return new LogSegment(fs, directory, baseOffset, mode === 'read' ? 'read' : 'create', log);
  }

  /** A missing index is made by a writer; a reader gets ENOENT. */
  async beside(suffix: IndexSuffix): Promise<OpenFile> {
    let file = this.#beside.get(suffix);
    if (file === undefined) {
      // Who appends and who syncs may come for it at the same time.
      file = this.#openBeside(suffix);
      this.#beside.set(suffix, file);
      file.catch(() => this.#beside.delete(suffix));
    }
    return file;
  }

  async #openBeside(suffix: IndexSuffix): Promise<OpenFile> {
    return await this.#fs.open(`${this.#directory}/${segmentFileName(this.baseOffset, suffix)}`, this.#mode);
  }

  /** Decides which batches are indexed. Whoever uses it restores it first to the state of the control record. */
  indexWriter(indexIntervalBytes: number): SegmentIndexWriter {
    this.#indexWriter ??= new SegmentIndexWriter(this.baseOffset, indexIntervalBytes);
    return this.#indexWriter;
  }

  async flushIndexes(writer: SegmentIndexWriter): Promise<void> {
    if (writer.hasPending) await writer.flush(await this.beside('.index'), await this.beside('.timeindex'));
  }

  /** Of a closed segment the files' sizes tell how much of them are entries. */
  async trimIndexes({ offsetIndexSize, timeIndexSize }: IndexState): Promise<void> {
    await (await this.beside('.index')).truncate(offsetIndexSize);
    await (await this.beside('.timeindex')).truncate(timeIndexSize);
  }

  async syncIndexes(): Promise<void> {
    await (await this.beside('.index')).sync();
    await (await this.beside('.timeindex')).sync();
  }

  async close(): Promise<void> {
    const beside = [...this.#beside.values()];
    this.#beside.clear();
    for (const file of await Promise.allSettled(beside)) if (file.status === 'fulfilled') await file.value.close();
    await this.log.close();
  }
}
