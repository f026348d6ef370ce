/**
 * Where the next batch of a reader stands: known from the end of the last fetch or from a look-up by time, else looked
 * up through the indexes.
 */
import { KlogError } from '../errors.js';
import { type BlockPlace, DAMAGE_HINT } from './batch-block.js';
import { isOdd } from './log-context.js';
import { segmentFileName } from './log-files.js';
import type { LogSegment } from './log-segment.js';
import type { ReaderSegments } from './reader-segments.js';
import type { SafeView } from './safe-view.js';

export interface SegmentPlace extends BlockPlace {
  /** Of the segment. */
  readonly baseOffset: number;
}

/** What is known: the batch of `offset`, or the next one, stands at `position` as long as the layout stays. */
interface KnownPosition {
  readonly offset: number;
  readonly baseOffset: number;
  readonly position: number;
  readonly layoutVersion: number;
  /** The batch may begin below `offset`: what stands before it was not read. Default false. */
  readonly isWithinBatch?: boolean;
}

export class ReadPosition {
  readonly #directory: string;
  readonly #segments: ReaderSegments;
  readonly #layoutNow: () => Promise<number>;
  #known: KnownPosition | undefined;
  /** The file that the known position was found in, while it is open. */
  #openedAs: LogSegment | undefined;

  /** @param layoutNow the version of the layout, read from S */
  constructor(directory: string, segments: ReaderSegments, layoutNow: () => Promise<number>) {
    this.#directory = directory;
    this.#segments = segments;
    this.#layoutNow = layoutNow;
  }

  /** Everything before has been read, unless `isWithinBatch`. */
  moveTo(position: KnownPosition): void {
    this.#known = position;
    this.#openedAs = this.#segments.current(position.baseOffset);
  }

  forget(): void {
    this.#known = undefined;
  }

  /** The layout is another one: what is known of an older one does not hold any more. */
  layoutIs(layoutVersion: number): void {
    if (this.#known?.layoutVersion !== layoutVersion) this.#known = undefined;
  }

  /** Byte position of `offset` in the segment, if it is known. */
  in(baseOffset: number, offset: number): number | undefined {
    const known = this.#known;
    return known?.offset === offset && known.baseOffset === baseOffset ? known.position : undefined;
  }

  /**
   * Segment and position of the first batch that ends at or beyond `offset`, which lies below the end of the view.
   * @throws KlogError CORRUPT_MESSAGE when no segment holds it
   */
  async placeOf(view: SafeView, offset: number): Promise<SegmentPlace> {
    const segments = this.#segments;
    const last = this.#known;
    const isKnown = last?.offset === offset && last.layoutVersion === view.layoutVersion;
    const known = isKnown && (await this.#isSameFile(last)) ? last : undefined;
    let baseOffset = known?.baseOffset ?? (await segments.baseOf(offset));
    let position = known?.position;
    let isDamaged = false;
    if (baseOffset > offset) throw this.#missing(offset, baseOffset, baseOffset);
    for (;;) {
      const limit = await segments.limit(view, baseOffset);
      if (position === undefined) ({ position, isDamaged } = await segments.positionOf(view, baseOffset, offset));
      const following = baseOffset === view.segmentBase ? undefined : await segments.baseAfter(baseOffset);
      if (position < limit) {
        const maxOffset = Math.min(view.offset, following ?? view.offset);
        const hasRead = known !== undefined && known.isWithinBatch !== true;
        const follows = hasRead || isDamaged || (position === 0 && offset <= baseOffset);
        return { baseOffset, position, limit, minOffset: offset, maxOffset, follows };
      }
      // Nothing of it in this segment: the next one is found by offset, never by its place in a list.
      const next = await segments.baseAfter(baseOffset);
      if (next === undefined || next > view.segmentBase) throw this.#missing(offset, baseOffset);
      // A segment ends where the next one begins, after a compaction too: what lies between was cut off or removed.
      if (next > offset) throw this.#missing(offset, baseOffset, next);
      baseOffset = next;
      position = 0;
    }
  }

  /**
   * Whether the file is still the one that the position was found in. If it was closed since, a compaction may have put
   * another in its place, and `view` be older than that: S is read once more, behind the opening.
   */
  async #isSameFile({ baseOffset, layoutVersion }: KnownPosition): Promise<boolean> {
    const segment = await this.#segments.open(baseOffset);
    if (segment === this.#openedAs) return true;
    // While it is odd somebody may be at the names, and S will say so only when that is over.
    if (isOdd(layoutVersion) || (await this.#layoutNow()) !== layoutVersion) return false;
    this.#openedAs = segment;
    return true;
  }

  #missing(offset: number, baseOffset: number, next?: number): KlogError {
    const what =
      next === undefined ? `no segment holds offset ${offset}` : `offsets ${offset} to ${next - 1} are missing`;
    return new KlogError('CORRUPT_MESSAGE', `the log is damaged: ${what}`, {
      offset,
      file: `${this.#directory}/${segmentFileName(baseOffset, '.log')}`,
      hint: DAMAGE_HINT,
    });
  }
}
