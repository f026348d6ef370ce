/**
 * The reading side of a partition: no locks, and nothing beyond S, so that nobody ever acts on a record that a crash
 * un-writes. Any number of readers run beside the writers.
 */
import { KlogError } from '../errors.js';
import { type BlockPlace, DAMAGE_HINT, type FetchedBatches, findNextBatch, readBlock } from './batch-block.js';
import { CONTROL_FILE_NAME } from './control-file.js';
import type { FileSystem } from './file-system.js';
import { segmentFileName } from './log-files.js';
import { LogWatch } from './log-watch.js';
import { ReaderSegments } from './reader-segments.js';
import { type SafeView, SafeViewer } from './safe-view.js';
import type { AbortedTransaction } from './transaction-index.js';

export type { FetchedBatches } from './batch-block.js';

export interface PartitionReaderOptions {
  readonly topic: string;
  readonly partition: number;
  /** Settles what a dead writer has left; absent for a reader that may not write. */
  readonly settle?: (() => Promise<void>) | undefined;
}

export interface PartitionMarks {
  readonly logStartOffset: number;
  readonly lastStableOffset: number;
  /** What readers may see: everything below is durable. */
  readonly highWatermark: number;
  /** What has been appended, durable or not. */
  readonly logEndOffset: number;
  readonly leaderEpoch: number;
}

/** Bytes that cannot be read, and where reading goes on. */
export interface Damage {
  readonly file: string;
  readonly position: number;
  /** Bytes passed over. */
  readonly length: number;
  /** The first offset that cannot be read. */
  readonly offset: number;
  /** The next one that can, or the end of the log. */
  readonly nextOffset: number;
  readonly reason: string;
}

/** Tries after the files were swapped (roll, trim, compaction) while they were being read. */
const TRIES = 5;
/** Polls in a row that find the same unsettled state before a follower settles it: its writer may well be alive. */
const PATIENCE_MS = 250;

const NOTHING = Buffer.alloc(0);

export class PartitionReader {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #options: PartitionReaderOptions;
  readonly #viewer: SafeViewer;
  readonly #segments: ReaderSegments;
  #watch: LogWatch | undefined;
  #view: SafeView | undefined;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();
  /** Where the last fetch ended, so that the next one needs no look-up. */
  #cursor = { offset: -1, baseOffset: 0, position: 0, layoutVersion: 0 };

  private constructor(fs: FileSystem, directory: string, options: PartitionReaderOptions) {
    this.#fs = fs;
    this.#directory = directory;
    this.#options = options;
    this.#viewer = new SafeViewer(fs, directory);
    this.#segments = new ReaderSegments(fs, directory, () => this.#assertCurrent());
  }

  static async open(fs: FileSystem, directory: string, options: PartitionReaderOptions): Promise<PartitionReader> {
    const reader = new PartitionReader(fs, directory, options);
    try {
      const view = await reader.#look();
      if (options.settle !== undefined && (view.unsettled || (await reader.#hasBytesBehind(view)))) {
        await reader.#trySettle();
        await reader.#look();
      }
    } catch (error) {
      await reader.close();
      throw error;
    }
    return reader;
  }

  async marks(): Promise<PartitionMarks> {
    const { logStartOffset, lastStableOffset, offset, logEndOffset, leaderEpoch } = await this.#alone(() =>
      this.#look(),
    );
    return { logStartOffset, lastStableOffset, highWatermark: offset, logEndOffset, leaderEpoch };
  }

  /**
   * Whole batches from the one that holds `offset`, or the next after it, on: about `maxBytes`, at least one batch; none at
   * the end. The first batch may begin below `offset`. `into` is filled if it is large enough, else a new buffer.
   *
   * OFFSET_OUT_OF_RANGE outside [log start, end]; CORRUPT_MESSAGE with file, position and offset at damage, after
   * everything before it has been handed out.
   */
  fetch(offset: number, maxBytes: number, into?: Buffer): Promise<FetchedBatches> {
    return this.#alone(() => this.#fetch(offset, maxBytes, into));
  }

  async #fetch(offset: number, maxBytes: number, into?: Buffer): Promise<FetchedBatches> {
    for (let tries = 1; ; tries++) {
      const view = await this.#viewBeyond(offset);
      if (offset < view.logStartOffset || offset > view.offset) throw this.#outOfRange(offset, view);
      if (offset === view.offset) return { buffer: NOTHING, start: 0, end: 0, nextOffset: offset };
      try {
        return await this.#fetchFrom(view, offset, maxBytes, into);
      } catch (error) {
        if (tries === TRIES || !(await this.#wereSwapped(view, tries))) throw this.#located(error);
      }
    }
  }

  /** Where reading may go on behind the damage at `offset`, which a fetch has reported. */
  skipDamage(offset: number, reason: string): Promise<Damage> {
    return this.#alone(() => this.#retried(() => this.#skipDamage(offset, reason)));
  }

  async #skipDamage(offset: number, reason: string): Promise<Damage> {
    const view = await this.#look();
    const gap = await this.#gapAt(view, offset);
    if (gap !== undefined) return { ...gap, offset, reason };
    const place = await this.#placeOf(view, offset);
    const segment = await this.#segments.open(place.baseOffset);
    const position = await findNextBatch(segment.log, place);
    const next = position < place.limit ? await readBlock(segment.log, { ...place, position }, 1) : undefined;
    const following = next === undefined ? await this.#segments.baseAfter(place.baseOffset) : undefined;
    // A batch that holds the offset may stand behind bytes that are none.
    const nextOffset =
      next?.buffer === undefined ? (following ?? view.offset) : Math.max(offset, firstOffset(next.buffer));
    if (next !== undefined)
      this.#cursor = {
        offset: nextOffset,
        baseOffset: place.baseOffset,
        position,
        layoutVersion: view.layoutVersion,
      };
    else this.#cursor.offset = -1;
    return {
      file: segment.log.path,
      position: place.position,
      length: position - place.position,
      offset,
      nextOffset,
      reason,
    };
  }

  /** The first record, in the order of offsets, with a timestamp of at least `timestamp`. */
  async offsetForTime(timestamp: number): Promise<{ readonly offset: number; readonly timestamp: number } | undefined> {
    return this.#alone(() => this.#retried(async () => this.#segments.findByTime(await this.#look(), timestamp)));
  }

  /** Aborted transactions with records in [from, to). */
  async abortedTransactions(from: number, to: number): Promise<readonly AbortedTransaction[]> {
    return this.#alone(() =>
      this.#retried(async () => this.#segments.abortedTransactions(await this.#look(), from, to)),
    );
  }

  /** Resolves true when there is something beyond `offset` to read, false at the time-out or when aborted. */
  async waitForMore(
    offset: number,
    { signal, timeoutMs = Number.POSITIVE_INFINITY }: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<boolean> {
    const start = performance.now();
    let unsettledSince = Number.POSITIVE_INFINITY;
    for (;;) {
      if (this.#closed) return false;
      // Watched before it is looked at: what comes in between is an event.
      this.#watch ??= new LogWatch(this.#fs, `${this.#directory}/${CONTROL_FILE_NAME}`);
      const watch = this.#watch;
      const view = await this.#alone(() => this.#look());
      if (view.offset > offset) return true;
      await this.#assertCurrent();
      const now = performance.now();
      const left = timeoutMs - (now - start);
      if (left <= 0 || signal?.aborted === true) return false;
      unsettledSince = view.unsettled ? Math.min(unsettledSince, now) : Number.POSITIVE_INFINITY;
      if (now - unsettledSince >= PATIENCE_MS) {
        unsettledSince = now;
        await this.#trySettle();
        continue;
      }
      await watch.wait(left, signal);
    }
  }

  /** Whether followers are woken by events; else they poll. */
  get isWatching(): boolean {
    return this.#watch?.isWatching ?? true;
  }

  /** Closes files until they are needed again. */
  async release(): Promise<void> {
    this.#watch?.close();
    this.#watch = undefined;
    const released = this.#last.then(async () => {
      await this.#segments.close();
      await this.#viewer.close();
    });
    this.#last = released.catch(() => {});
    await released;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.release();
  }

  /** What cannot be settled now (a full disk, no permission) can still be read up to where it is safe. */
  async #trySettle(): Promise<void> {
    try {
      await this.#options.settle?.();
    } catch {
      // The next writer is told.
    }
  }

  async #assertCurrent(): Promise<void> {
    if (!(await this.#viewer.isCurrent())) throw this.#deleted();
  }

  /** One call after the other: each may close the segment that another would be reading. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      if (this.#closed) throw new KlogError('KLOG_CLOSED', 'the reader is closed');
      return work();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  async #look(): Promise<SafeView> {
    const view = await this.#viewer.look();
    if (view.layoutVersion !== this.#view?.layoutVersion || view.segmentBase !== this.#view.segmentBase) {
      await this.#segments.changed(view.segmentBase);
    }
    this.#view = view;
    return view;
  }

  async #viewBeyond(offset: number): Promise<SafeView> {
    const view = this.#view;
    return view !== undefined && offset < view.offset && offset >= view.logStartOffset ? view : this.#look();
  }

  async #fetchFrom(view: SafeView, offset: number, maxBytes: number, into?: Buffer): Promise<FetchedBatches> {
    const place = await this.#placeOf(view, offset);
    const { log } = await this.#segments.open(place.baseOffset);
    const block = await readBlock(log, place, maxBytes, into);
    this.#cursor = {
      offset: block.nextOffset,
      baseOffset: place.baseOffset,
      position: place.position + block.end,
      layoutVersion: view.layoutVersion,
    };
    return block;
  }

  /** Segment and position of the first batch that ends at or beyond `offset`, which lies below the end of the view. */
  async #placeOf(view: SafeView, offset: number): Promise<BlockPlace & { readonly baseOffset: number }> {
    const cursor = this.#cursor;
    const known = cursor.offset === offset && cursor.layoutVersion === view.layoutVersion;
    let baseOffset = known ? cursor.baseOffset : await this.#segments.baseOf(offset);
    let position: number | undefined = known ? cursor.position : undefined;
    let isDamaged = false;
    if (baseOffset > offset) throw this.#missing(offset, baseOffset, baseOffset);
    for (;;) {
      const limit = await this.#segments.limit(view, baseOffset);
      if (position === undefined) {
        ({ position, isDamaged } = await this.#segments.positionOf(view, baseOffset, offset));
      }
      const following = baseOffset === view.segmentBase ? undefined : await this.#segments.baseAfter(baseOffset);
      if (position < limit) {
        const maxOffset = Math.min(view.offset, following ?? view.offset);
        return {
          baseOffset,
          position,
          limit,
          minOffset: offset,
          maxOffset,
          follows: known || isDamaged || (position === 0 && offset <= baseOffset),
        };
      }
      // Nothing of it in this segment: the next one is found by offset, never by its place in a list.
      const next = await this.#segments.baseAfter(baseOffset);
      if (next === undefined || next > view.segmentBase) throw this.#missing(offset, baseOffset);
      // A segment ends where the next one begins, after a compaction too: what lies between was cut off or removed.
      if (next > offset) throw this.#missing(offset, baseOffset, next);
      baseOffset = next;
      position = 0;
    }
  }

  /** Whether a writer was killed between its batch and A: nothing else would tell. Only openers look, it costs a call. */
  async #hasBytesBehind(view: SafeView): Promise<boolean> {
    const log = await this.#fs.stat(`${this.#directory}/${segmentFileName(view.segmentBase, '.log')}`);
    return log !== undefined && log.size > view.position;
  }

  /** Where the records from `offset` on are missing between two segments: there are no bytes to pass over. */
  async #gapAt(
    view: SafeView,
    offset: number,
  ): Promise<Pick<Damage, 'file' | 'position' | 'length' | 'nextOffset'> | undefined> {
    const baseOffset = await this.#segments.baseOf(offset);
    const file = `${this.#directory}/${segmentFileName(baseOffset, '.log')}`;
    if (baseOffset > offset) return { file, position: 0, length: 0, nextOffset: baseOffset };
    const limit = await this.#segments.limit(view, baseOffset);
    const nextOffset = await this.#segments.baseAfter(baseOffset);
    if (nextOffset === undefined || nextOffset <= offset) return undefined;
    const isAtEnd =
      this.#cursor.offset === offset && this.#cursor.baseOffset === baseOffset
        ? this.#cursor.position >= limit
        : await this.#segments.positionOf(view, baseOffset, offset).then(
            ({ position }) => position >= limit,
            () => false,
          );
    if (!isAtEnd) return undefined;
    this.#cursor.offset = -1;
    return { file, position: limit, length: 0, nextOffset };
  }

  /** Anew when files were exchanged or removed in the middle of it. */
  async #retried<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        const view = this.#view;
        if (view === undefined || tries === TRIES || !(await this.#wereSwapped(view, tries)))
          throw this.#located(error);
      }
    }
  }

  /** Whether what went wrong may be because the files changed since `view`; then they are listed again. */
  async #wereSwapped(view: SafeView, tries: number): Promise<boolean> {
    const now = await this.#viewer.look();
    if (now.layoutVersion === view.layoutVersion && now.segmentBase === view.segmentBase && tries > 1) return false;
    await this.#assertCurrent();
    this.#view = now;
    // Where the last fetch ended stays so while the layout does: a look-up would not know what came before.
    if (now.layoutVersion !== view.layoutVersion) this.#cursor.offset = -1;
    await this.#segments.changed(now.segmentBase);
    return true;
  }

  #outOfRange(offset: number, view: SafeView): KlogError {
    const { topic, partition } = this.#options;
    return new KlogError(
      'OFFSET_OUT_OF_RANGE',
      `offset ${offset} of ${topic}:${partition} is out of range: it has ${view.logStartOffset} to ${view.offset}`,
      { topic, partition, offset },
    );
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

  #deleted(): KlogError {
    const { topic, partition } = this.#options;
    return new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `${topic}:${partition} was deleted while it was read`, {
      topic,
      partition,
    });
  }

  #located(error: unknown): unknown {
    if (!(error instanceof KlogError) || error.place.topic !== undefined) return error;
    const { topic, partition } = this.#options;
    return new KlogError(error.code, `${topic}:${partition}: ${error.message}`, {
      ...error.place,
      topic,
      partition,
      hint: error.hint,
      cause: error,
    });
  }
}

function firstOffset(buffer: Buffer): number {
  return buffer.readUInt32BE(0) * 2 ** 32 + buffer.readUInt32BE(4);
}
