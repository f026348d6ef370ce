/** The files of segments by their names: which there are, and taking them away. */
import type { FileSystem } from './file-system.js';
import {
  type FileState,
  parseSegmentFileName,
  SEGMENT_SUFFIXES,
  type SegmentSuffix,
  segmentFileName,
} from './log-files.js';

/** What each segment may have beside its `.log` and belongs to it alone. */
const BESIDE: readonly SegmentSuffix[] = ['.index', '.timeindex', '.txnindex'];

/** The files of a partition's directory that belong to segments. */
export class SegmentFiles {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #names: Set<string>;

  private constructor(fs: FileSystem, directory: string, names: readonly string[]) {
    this.#fs = fs;
    this.#directory = directory;
    this.#names = new Set(names);
  }

  static async list(fs: FileSystem, directory: string): Promise<SegmentFiles> {
    return new SegmentFiles(fs, directory, await fs.readDirectory(directory));
  }

  has(baseOffset: number, suffix: SegmentSuffix, state: FileState | '' = ''): boolean {
    return this.#names.has(segmentFileName(baseOffset, suffix, state));
  }

  /** Base offsets of the files in this state, ascending; `''`: of the `.log` files in use. */
  bases(state: FileState | ''): number[] {
    const found = new Set<number>();
    for (const name of this.#names) {
      const file = parseSegmentFileName(name);
      if (file === undefined || (file.state ?? '') !== state) continue;
      if (state !== '' || file.suffix === '.log') found.add(file.baseOffset);
    }
    return [...found].sort((a, b) => a - b);
  }

  /** Base offsets of indexes without a `.log`. */
  orphans(): number[] {
    const found = new Set<number>();
    for (const name of this.#names) {
      const file = parseSegmentFileName(name);
      if (file === undefined || file.state !== undefined || !BESIDE.includes(file.suffix)) continue;
      if (!this.has(file.baseOffset, '.log')) found.add(file.baseOffset);
    }
    return [...found];
  }

  /** Base offsets of the producer snapshots. */
  snapshots(): number[] {
    const found: number[] = [];
    for (const name of this.#names) {
      const file = parseSegmentFileName(name);
      if (file?.suffix === '.snapshot' && file.state === undefined) found.push(file.baseOffset);
    }
    return found;
  }

  async rename(baseOffset: number, suffix: SegmentSuffix, from: FileState | '', to: FileState | ''): Promise<void> {
    const before = segmentFileName(baseOffset, suffix, from);
    const after = segmentFileName(baseOffset, suffix, to);
    await this.#fs.rename(`${this.#directory}/${before}`, `${this.#directory}/${after}`);
    this.#names.delete(before);
    this.#names.add(after);
  }

  async unlink(baseOffset: number, suffix: SegmentSuffix, state: FileState | '' = ''): Promise<void> {
    const name = segmentFileName(baseOffset, suffix, state);
    if (!this.#names.has(name)) return;
    await this.#fs.unlink(`${this.#directory}/${name}`);
    this.#names.delete(name);
  }

  async unlinkIndexes(baseOffset: number, state: FileState | '' = ''): Promise<void> {
    for (const suffix of BESIDE) await this.unlink(baseOffset, suffix, state);
  }

  /** All files of a segment in one state, the `.log` last: as long as that is there, so is the segment. */
  async unlinkSegment(baseOffset: number, state: FileState | '' = ''): Promise<void> {
    for (const suffix of SEGMENT_SUFFIXES.toReversed()) await this.unlink(baseOffset, suffix, state);
  }
}
