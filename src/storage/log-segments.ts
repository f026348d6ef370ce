/** The segments of one partition directory: which there are, and the ones this process has open. */
import { KlogError } from '../errors.js';
import type { FileSystem } from './file-system.js';
import { type SegmentSuffix, segmentBaseOffsets, segmentFileName } from './log-files.js';
import { LogSegment } from './log-segment.js';

/** The segment written to, and the one before it while a sync of that one may still run. */
const MAX_OPEN = 2;

/** Base offsets of the segments in a directory, ascending. */
export async function listSegments(fs: FileSystem, directory: string): Promise<number[]> {
  return segmentBaseOffsets(await fs.readDirectory(directory));
}

export class LogSegments {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #open = new Map<number, LogSegment>();
  readonly #opening = new Map<number, Promise<LogSegment>>();

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  list(): Promise<number[]> {
    return listSegments(this.#fs, this.#directory);
  }

  /** One of the partition's locks is held: the path cannot come to mean another topic's file meanwhile. */
  async get(baseOffset: number): Promise<LogSegment> {
    const open = this.#open.get(baseOffset);
    if (open !== undefined) return open;
    let opening = this.#opening.get(baseOffset);
    if (opening === undefined) {
      // Who holds the append lock and who holds the sync lock may come for it at the same time.
      opening = this.#openExisting(baseOffset).finally(() => this.#opening.delete(baseOffset));
      this.#opening.set(baseOffset, opening);
    }
    return opening;
  }

  /** Whether {@link get} answers without opening a file. */
  isOpen(baseOffset: number): boolean {
    return this.#open.has(baseOffset);
  }

  async #openExisting(baseOffset: number): Promise<LogSegment> {
    let segment: LogSegment;
    try {
      segment = await LogSegment.open(this.#fs, this.#directory, baseOffset, 'write');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      const file = `${this.#directory}/${segmentFileName(baseOffset, '.log')}`;
      throw new KlogError('CORRUPT_MESSAGE', `the segment file is missing`, { file, offset: baseOffset, cause: error });
    }
    return this.#keep(segment);
  }

  /** Makes the files of a new segment. Their names are durable only after a sync of the directory. */
  async create(baseOffset: number): Promise<LogSegment> {
    const segment = await LogSegment.open(this.#fs, this.#directory, baseOffset, 'create');
    try {
      await segment.beside('.index');
      await segment.beside('.timeindex');
    } catch (error) {
      await segment.close();
      throw error;
    }
    return this.#keep(segment);
  }

  /** Lets go of files that are about to be exchanged or removed. */
  async forget(baseOffset: number): Promise<void> {
    const segment = this.#open.get(baseOffset);
    this.#open.delete(baseOffset);
    await segment?.close();
  }

  /** Takes a segment out of the log: an empty one is removed, bytes are kept under another name. */
  async remove(baseOffset: number): Promise<void> {
    const segment = await this.get(baseOffset);
    const { size } = await segment.log.stat();
    await segment.close();
    this.#open.delete(baseOffset);
    const path = (suffix: SegmentSuffix) => `${this.#directory}/${segmentFileName(baseOffset, suffix)}`;
    if (size === 0) await this.#fs.unlink(path('.log'));
    else await this.#fs.rename(path('.log'), `${path('.log')}.cut-0`);
    await this.#fs.unlink(path('.index'));
    await this.#fs.unlink(path('.timeindex'));
  }

  async close(): Promise<void> {
    for (const segment of this.#open.values()) await segment.close();
    this.#open.clear();
  }

  async #keep(segment: LogSegment): Promise<LogSegment> {
    this.#open.set(segment.baseOffset, segment);
    for (const [baseOffset, oldest] of this.#open) {
      if (this.#open.size <= MAX_OPEN) break;
      this.#open.delete(baseOffset);
      await oldest.close();
    }
    return segment;
  }
}
