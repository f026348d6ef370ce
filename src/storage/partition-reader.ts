/**
 * The reading side of a partition: no locks, and nothing beyond S, so that nobody ever acts on a record that a crash
 * un-writes. Any number of readers run beside the writers.
 */
import { KlogError } from '../errors.js';
import { type FetchedBatches, readBlock } from './batch-block.js';
import { CONTROL_FILE_NAME } from './control-file.js';
import { type Damage, skipDamage } from './damage-skip.js';
import type { FileSystem } from './file-system.js';
import { segmentFileName } from './log-files.js';
import { LogWatch } from './log-watch.js';
import { ReadPosition } from './read-position.js';
import { deletedWhileRead, located, outOfRange } from './reader-errors.js';
import { ReaderSegments } from './reader-segments.js';
import { type SafeView, SafeViewer } from './safe-view.js';
import type { AbortedTransaction } from './transaction-index.js';

export type { FetchedBatches } from './batch-block.js';
export type { Damage } from './damage-skip.js';

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
  /** Raised whenever what was appended was cut back: what was seen beyond the high watermark may be gone. */
  readonly cutCount: number;
}

/** Tries after the files were swapped (roll, trim, compaction) while they were being read. */
const TRIES = 5;
/** How long a follower finds the same unsettled state before it settles it: its writer may well be alive. */
const PATIENCE_MS = 250;

const NOTHING = Buffer.alloc(0);

export class PartitionReader {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #options: PartitionReaderOptions;
  readonly #viewer: SafeViewer;
  readonly #segments: ReaderSegments;
  readonly #position: ReadPosition;
  #watch: LogWatch | undefined;
  #view: SafeView | undefined;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(fs: FileSystem, directory: string, options: PartitionReaderOptions) {
    this.#fs = fs;
    this.#directory = directory;
    this.#options = options;
    this.#viewer = new SafeViewer(fs, directory);
    this.#segments = new ReaderSegments(fs, directory, () => this.#assertCurrent());
    this.#position = new ReadPosition(directory, this.#segments, () => this.#viewer.layoutVersion());
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
    const { logStartOffset, lastStableOffset, offset, logEndOffset, leaderEpoch, cutCount } = await this.#alone(() =>
      this.#look(),
    );
    return { logStartOffset, lastStableOffset, highWatermark: offset, logEndOffset, leaderEpoch, cutCount };
  }

  /**
   * Whole batches from the one that holds `offset`, or the next after it, on: about `maxBytes`, at least one batch;
   * none at the end. The first batch may begin below `offset`. `into` is filled if it is large enough, else a new
   * buffer.
   *
   * OFFSET_OUT_OF_RANGE outside [log start, log end]; CORRUPT_MESSAGE with file, position and offset at damage, after
   * everything before it has been handed out.
   */
  fetch(offset: number, maxBytes: number, into?: Buffer): Promise<FetchedBatches> {
    return this.#alone(() => this.#fetch(offset, maxBytes, into));
  }

  async #fetch(offset: number, maxBytes: number, into?: Buffer): Promise<FetchedBatches> {
    for (let tries = 1; ; tries++) {
      const view = await this.#viewBeyond(offset);
      if (offset < view.logStartOffset || offset > view.logEndOffset) throw outOfRange(this.#options, offset, view);
      // What is appended and not safe yet is nothing for now, as between Kafka's high watermark and log end.
      if (offset >= view.offset) return { buffer: NOTHING, start: 0, end: 0, nextOffset: offset };
      try {
        return await this.#fetchFrom(view, offset, maxBytes, into);
      } catch (error) {
        if (tries === TRIES || !(await this.#wereSwapped(view, tries))) throw located(this.#options, error);
      }
    }
  }

  /** Where reading may go on behind the damage at `offset`, which a fetch has reported: it does so from then on. */
  skipDamage(offset: number, reason: string): Promise<Damage> {
    return this.#alone(() =>
      this.#retried(async () =>
        skipDamage(this.#segments, this.#directory, this.#position, await this.#look(), offset, reason),
      ),
    );
  }

  /** The first record, in the order of offsets, with a timestamp of at least `timestamp`. */
  async offsetForTime(timestamp: number): Promise<{ readonly offset: number; readonly timestamp: number } | undefined> {
    return this.#alone(() => this.#retried(() => this.#findByTime(timestamp)));
  }

  /** Whoever asks for the time reads on from there, mostly. */
  async #findByTime(timestamp: number): Promise<{ readonly offset: number; readonly timestamp: number } | undefined> {
    const view = await this.#look();
    const found = await this.#segments.findByTime(view, timestamp);
    if (found === undefined) return undefined;
    const { offset, baseOffset, position } = found;
    this.#position.moveTo({ offset, baseOffset, position, layoutVersion: view.layoutVersion, isWithinBatch: true });
    return { offset, timestamp: found.timestamp };
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
      const seen = watch.events;
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
      // Whoever died tells nobody: what is unsettled is looked at again soon.
      await watch.wait(seen, view.unsettled ? Math.min(left, PATIENCE_MS) : left, signal);
    }
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
    if (!(await this.#viewer.isCurrent())) throw deletedWhileRead(this.#options);
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
      await this.#segments.changed(view);
    }
    this.#view = view;
    return view;
  }

  async #viewBeyond(offset: number): Promise<SafeView> {
    const view = this.#view;
    return view !== undefined && offset < view.offset && offset >= view.logStartOffset ? view : this.#look();
  }

  async #fetchFrom(view: SafeView, offset: number, maxBytes: number, into?: Buffer): Promise<FetchedBatches> {
    const place = await this.#position.placeOf(view, offset);
    const { baseOffset } = place;
    const { log } = await this.#segments.open(baseOffset);
    const block = await readBlock(log, place, maxBytes, into);
    const position = place.position + block.end;
    this.#position.moveTo({ offset: block.nextOffset, baseOffset, position, layoutVersion: view.layoutVersion });
    return block;
  }

  /**
   * Whether a writer was killed between its batch and A: nothing else would tell. Only openers look, it costs a call.
   */
  async #hasBytesBehind(view: SafeView): Promise<boolean> {
    const log = await this.#fs.stat(`${this.#directory}/${segmentFileName(view.segmentBase, '.log')}`);
    return log !== undefined && log.size > view.position;
  }

  /** Anew when files were exchanged or removed in the middle of it. */
  async #retried<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        const view = this.#view;
        if (view === undefined || tries === TRIES || !(await this.#wereSwapped(view, tries)))
          throw located(this.#options, error);
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
    this.#position.layoutIs(now.layoutVersion);
    await this.#segments.changed(now);
    return true;
  }
}
