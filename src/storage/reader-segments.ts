/** The segments as one reader sees them: which there are, and the one it has open. */
import { join } from 'node:path';
import { KlogError } from '../errors.js';
import { BatchScanner } from './batch-scanner.js';
import { withoutCovered, withoutOverlaps } from './covered-segments.js';
import { findBehindDamage } from './damage-search.js';
import type { FileSystem, OpenFile } from './file-system.js';
import { isOdd } from './log-context.js';
import { segmentFileName } from './log-files.js';
import { LogSegment } from './log-segment.js';
import { listSegments } from './log-segments.js';
import type { SafeView } from './safe-view.js';
import { type FoundByTime, type LookupFiles, type LookupLimits, SegmentLookup } from './segment-lookup.js';
import { type AbortedTransaction, TransactionIndex } from './transaction-index.js';

interface OpenedSegment {
  readonly segment: LogSegment;
  /** Bytes of a closed segment; the last one's are the view's. */
  closedSize: number | undefined;
  lookup: { readonly index: SegmentLookup; readonly files: LookupFiles } | undefined;
}

export class ReaderSegments {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #assertCurrent: () => Promise<void>;
  #view: SafeView | undefined;
  #bases: number[] | undefined;
  #open: OpenedSegment | undefined;

  /** @param assertCurrent throws if the path does not lead to the partition any more that is being read */
  constructor(fs: FileSystem, directory: string, assertCurrent: () => Promise<void>) {
    this.#fs = fs;
    this.#directory = directory;
    this.#assertCurrent = assertCurrent;
  }

  /** The layout changed, or another segment is the last one now. */
  async changed(view: SafeView): Promise<void> {
    this.#view = view;
    await this.close();
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#bases = undefined;
    await open?.segment.close();
  }

  /** The segment that holds `offset`, if any does: the one with the greatest base offset not above it. */
  async baseOf(offset: number): Promise<number> {
    // Of a thousand partitions most have one segment, and listing it costs as much as reading from it.
    const last = this.#view?.segmentBase;
    if (last !== undefined && last <= offset && !isOdd(this.#view!.layoutVersion)) return last;
    const bases = await this.#list();
    let found = bases[0] ?? this.#view?.segmentBase ?? 0;
    for (const base of bases) if (base <= offset) found = base;
    return found;
  }

  async has(baseOffset: number): Promise<boolean> {
    return (await this.#list()).includes(baseOffset);
  }

  /** The next segment after the one with `baseOffset`. */
  async baseAfter(baseOffset: number): Promise<number | undefined> {
    return (await this.#list()).find((base) => base > baseOffset);
  }

  async open(baseOffset: number): Promise<LogSegment> {
    return (await this.#opened(baseOffset)).segment;
  }

  /** The segment as it is open now, if it is. */
  current(baseOffset: number): LogSegment | undefined {
    const segment = this.#open?.segment;
    return segment?.baseOffset === baseOffset ? segment : undefined;
  }

  /** How much of the segment's `.log` may be read. */
  async limit(view: SafeView, baseOffset: number): Promise<number> {
    if (baseOffset === view.segmentBase) return view.position;
    const opened = await this.#opened(baseOffset);
    opened.closedSize ??= (await opened.segment.log.stat()).size;
    return opened.closedSize;
  }

  /**
   * Where the first batch stands that ends at or beyond `offset`; the segment's limit if it has none. Damage before it
   * is stepped over; where damage may hold the offset, that is the place, and `isDamaged`: whatever stands there is no
   * batch that may begin below the offset.
   */
  async positionOf(
    view: SafeView,
    baseOffset: number,
    offset: number,
  ): Promise<{ readonly position: number; readonly isDamaged: boolean }> {
    const limits = await this.#limits(view, baseOffset);
    if (offset <= baseOffset) return { position: 0, isDamaged: false };
    const { index, files } = await this.#lookup(baseOffset);
    const place = { limit: limits.logSize, minOffset: baseOffset, maxOffset: view.offset };
    let damage: number;
    try {
      const found = await index.findPosition(offset, limits);
      if (found === undefined) return { position: limits.logSize, isDamaged: false };
      if (await isWhole(files.log, found.position, limits.logSize))
        return { position: found.position, isDamaged: false };
      damage = found.position;
    } catch (error) {
      if (!(error instanceof KlogError) || error.place.position === undefined) throw error;
      damage = error.place.position;
    }
    const position = await findBehindDamage(files.log, { ...place, position: damage }, offset);
    return { position, isDamaged: position === damage };
  }

  /** In the first segment that has a record of this time or a later one: times may go backwards. */
  async findByTime(
    view: SafeView,
    timestamp: number,
  ): Promise<(FoundByTime & { readonly baseOffset: number }) | undefined> {
    for (const baseOffset of await this.#list()) {
      if (baseOffset > view.segmentBase) break;
      const limits = await this.#limits(view, baseOffset);
      const { index } = await this.#lookup(baseOffset);
      const isClosed = baseOffset !== view.segmentBase;
      const found = await index.findOffsetByTime(timestamp, view.logStartOffset, limits, isClosed);
      if (found !== undefined) return { ...found, baseOffset };
    }
    return undefined;
  }

  async abortedTransactions(view: SafeView, from: number, to: number): Promise<AbortedTransaction[]> {
    const aborted: AbortedTransaction[] = [];
    for (const baseOffset of await this.#list()) {
      if (baseOffset > view.segmentBase) break;
      const next = await this.baseAfter(baseOffset);
      if (next !== undefined && next <= from) continue;
      const file = await optional((await this.open(baseOffset)).beside('.txnindex'));
      if (file === undefined) continue;
      const { size } = await file.stat();
      const found = await new TransactionIndex(file).collectAborted(from, to, size);
      aborted.push(...found.aborted);
      if (found.isComplete) break;
    }
    return aborted;
  }

  async #list(): Promise<number[]> {
    if (this.#bases === undefined) {
      let bases = await listSegments(this.#fs, this.#directory);
      if (this.#view !== undefined) bases = await withoutCovered(this.#fs, this.#directory, bases, this.#view);
      if (this.#view?.isCopy === true) bases = await withoutOverlaps(this.#fs, this.#directory, bases);
      await this.#assertCurrent();
      this.#bases = bases;
    }
    return this.#bases;
  }

  async #opened(baseOffset: number): Promise<OpenedSegment> {
    if (this.#open?.segment.baseOffset === baseOffset) return this.#open;
    const before = this.#open;
    this.#open = undefined;
    await before?.segment.close();
    const segment = await this.#openSegment(baseOffset);
    try {
      // The path may lead to a partition made after this one's deletion.
      await this.#assertCurrent();
    } catch (error) {
      await segment.close();
      throw error;
    }
    this.#open = { segment, closedSize: undefined, lookup: undefined };
    return this.#open;
  }

  /**
   * A segment that is not there any more was exchanged or removed meanwhile: whoever retries finds the others. Else it
   * is lost.
   */
  async #openSegment(baseOffset: number): Promise<LogSegment> {
    try {
      return await LogSegment.open(this.#fs, this.#directory, baseOffset, 'read');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new KlogError('CORRUPT_MESSAGE', 'the log is damaged: a segment is missing', {
        file: join(this.#directory, segmentFileName(baseOffset, '.log')),
        offset: baseOffset,
        cause: error,
      });
    }
  }

  async #lookup(baseOffset: number): Promise<{ readonly index: SegmentLookup; readonly files: LookupFiles }> {
    const opened = await this.#opened(baseOffset);
    if (opened.lookup === undefined) {
      const { segment } = opened;
      const files = {
        baseOffset,
        log: segment.log,
        offsetIndex: await optional(segment.beside('.index')),
        timeIndex: await optional(segment.beside('.timeindex')),
      };
      opened.lookup = { index: new SegmentLookup(files), files };
    }
    return opened.lookup;
  }

  async #limits(view: SafeView, baseOffset: number): Promise<LookupLimits> {
    const logSize = await this.limit(view, baseOffset);
    if (baseOffset === view.segmentBase && view.index !== undefined) {
      const { offsetIndexSize, timeIndexSize } = view.index;
      return { logSize, offsetIndexSize, timeIndexSize };
    }
    const { index, files } = await this.#lookup(baseOffset);
    return index.limits(logSize, files);
  }
}

/** Whether a batch with the right CRC stands there: a wrong length before it leads anywhere. */
async function isWhole(log: OpenFile, from: number, limit: number): Promise<boolean> {
  const scanner = new BatchScanner(log, limit, { from });
  return (await scanner.next()) && (await scanner.isValid());
}

/** A broker's directory may lack an index: then there is only the scan. */
async function optional(opening: Promise<OpenFile>): Promise<OpenFile | undefined> {
  try {
    return await opening;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
