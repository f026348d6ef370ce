/** One open segment of a partition: the `.log` and, opened when first needed, the indexes beside it. */
import { segmentFileName } from './log-files.js';
import type { FileSystem, OpenFile, OpenMode } from './file-system.js';

type SegmentSuffix = '.log' | '.index' | '.timeindex' | '.txnindex';

export class LogSegment {
  readonly baseOffset: number;
  readonly log: OpenFile;
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #mode: OpenMode;
  readonly #beside = new Map<SegmentSuffix, OpenFile>();

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
  async beside(suffix: '.index' | '.timeindex' | '.txnindex'): Promise<OpenFile> {
    let file = this.#beside.get(suffix);
    if (file === undefined) {
      file = await this.#fs.open(`${this.#directory}/${segmentFileName(this.baseOffset, suffix)}`, this.#mode);
      this.#beside.set(suffix, file);
    }
    return file;
  }

  async syncIndexes(): Promise<void> {
    await (await this.beside('.index')).sync();
    await (await this.beside('.timeindex')).sync();
  }

  async close(): Promise<void> {
    for (const file of this.#beside.values()) await file.close();
    this.#beside.clear();
    await this.log.close();
  }
}
