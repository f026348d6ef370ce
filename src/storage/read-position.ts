/** Where the next batch of a reader stands: known from the end of the last fetch, else looked up through the indexes. */
import { KlogError } from '../errors.js';
import { type BlockPlace, DAMAGE_HINT } from './batch-block.js';
import { segmentFileName } from './log-files.js';
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
}

export class ReadPosition {
  readonly #directory: string;
  readonly #segments: ReaderSegments;
  #known: KnownPosition | undefined;

  constructor(directory: string, segments: ReaderSegments) {
    this.#directory = directory;
    this.#segments = segments;
  }

  /** Everything before has been read. */
  moveTo(position: KnownPosition): void {
    this.#known = position;
  }

  forget(): void {
    this.#known = undefined;
  }

  /** The layout is another one: what is known of an older one does not hold any more. */
  layoutIs(layoutVersion: number): void {
    if (this.#known?.layoutVersion !== layoutVersion) this.#known = undefined;
  }

  /** Byte position of `offset` in the segment, if the last fetch ended there. */
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
    const known = last?.offset === offset && last.layoutVersion === view.layoutVersion ? last : undefined;
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
        const follows = known !== undefined || isDamaged || (position === 0 && offset <= baseOffset);
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
