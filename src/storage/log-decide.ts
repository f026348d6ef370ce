/**
 * The conditional append: what is appended is decided on what the log says up to A, while nobody else can append. Take
 * the append lock, catch up to A, decide, append, unlock. Readers stop at S; whoever decides must not, because what
 * lies between A and S is in the log before him.
 */
import type { FetchedBatches } from './batch-block.js';
import { readBlock } from './batch-block.js';
import type { LogContext, SettledState } from './log-context.js';
import { wasDeleted } from './log-context.js';
import { ReadPosition } from './read-position.js';
import { ReaderSegments } from './reader-segments.js';
import type { SafeView } from './safe-view.js';

/** The log as it ends, for as long as the append lock is held. */
export interface LogEnd {
  /** A: the offset that is appended next. */
  readonly offset: number;
  readonly logStartOffset: number;
  /** Raised whenever A goes back: what was read under another count may not be in the log any more. */
  readonly cutCount: number;
  /**
   * Whole batches up to A, from the one that holds `offset` or the next after it on: about `maxBytes`, none at the end.
   * `offset` lies within [log start, A]. CORRUPT_MESSAGE.
   */
  fetch(offset: number, maxBytes: number, into?: Buffer): Promise<FetchedBatches>;
}

/** Answers the batches to be appended; none: nothing is. Takes no lock, and waits for nothing. */
export type Decision = (end: LogEnd) => Promise<readonly Uint8Array[]>;

const NOTHING = Buffer.alloc(0);

/** Reads what a log ends with, from where the last decision has come to: files stay open, and places known. */
export class LogTail {
  readonly #segments: ReaderSegments;
  readonly #position: ReadPosition;
  #view: SafeView | undefined;

  constructor(context: LogContext) {
    const { fs, directory, control } = context;
    this.#segments = new ReaderSegments(fs, directory, async () => {
      if (!(await control.isCurrent(fs))) throw wasDeleted(context);
    });
    // The append lock is held while anything is read: no exchange can come in between.
    this.#position = new ReadPosition(directory, this.#segments, async () => this.#view!.layoutVersion);
  }

  /** The append lock is held, the log is settled. */
  async at(state: SettledState): Promise<LogEnd> {
    const view = viewOf(state);
    const last = this.#view;
    const isSameLayout = view.layoutVersion === last?.layoutVersion && view.segmentBase === last.segmentBase;
    // What lies beyond S may be cut off again, and others written in its place.
    if (!isSameLayout || view.cutCount !== last.cutCount) {
      await this.#segments.changed(view);
      this.#position.forget();
    }
    this.#view = view;
    const { offset, logStartOffset, cutCount } = state.appended;
    return {
      offset,
      logStartOffset,
      cutCount,
      fetch: (from, maxBytes, into) => this.#fetch(view, from, maxBytes, into),
    };
  }

  async close(): Promise<void> {
    await this.#segments.close();
  }

  async #fetch(view: SafeView, offset: number, maxBytes: number, into: Buffer | undefined): Promise<FetchedBatches> {
    if (offset >= view.offset) return { buffer: NOTHING, start: 0, end: 0, nextOffset: offset };
    const place = await this.#position.placeOf(view, offset);
    const { baseOffset } = place;
    const { log } = await this.#segments.open(baseOffset);
    const block = await readBlock(log, place, maxBytes, into);
    const position = place.position + block.end;
    this.#position.moveTo({ offset: block.nextOffset, baseOffset, position, layoutVersion: view.layoutVersion });
    return block;
  }
}

/** What a reader would see if all of A were safe. */
function viewOf({ appended, safe }: SettledState): SafeView {
  return {
    offset: appended.offset,
    segmentBase: appended.segmentBase,
    position: appended.position,
    logStartOffset: appended.logStartOffset,
    lastStableOffset: appended.lastStableOffset,
    logEndOffset: appended.offset,
    leaderEpoch: appended.leaderEpoch,
    cutCount: appended.cutCount,
    layoutVersion: safe.layoutVersion,
    swappedBase: safe.swappedBase,
    index: appended.index,
    unsettled: false,
  };
}
