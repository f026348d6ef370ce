/**
 * Offset → position and time → offset in one segment (FORMAT: `LogSegment.translateOffset`, `findOffsetByTimestamp`).
 *
 * The indexes are hints. An entry is believed if what stands in the log at its place bears it out; if not, the entries
 * before it are tried, each step back twice as long, and in the end the scan begins at the segment's beginning. So a
 * damaged index costs a scan and changes no answer; a good one costs a scan of `index.interval.bytes` or one batch.
 *
 * A time index claims what the batch at an entry cannot bear out alone: that none before it is later. So a look-up goes
 * one entry further back than it must, and is right whichever one of two neighbours lies. What it cannot tell without
 * scanning the segment: two neighbours that both name a later batch, in order and with the very largest timestamps of
 * these batches; or one that does, where it and the one before lie more than 1 MiB apart, as in a log whose times
 * hardly rise. And that a closed segment's last entries are gone, where more than that lies behind the one that is
 * left. `klog log check` finds all of these.
 */
import { KlogError } from '../errors.js';
import { RecordBatch } from '../format/record-batch.js';
import { openCursor, RecordCursor } from '../format/record-cursor.js';
import { BatchScanner } from './batch-scanner.js';
import { loadCodecOf } from './control-batches.js';
import type { OpenFile } from './file-system.js';
import { OffsetIndex, type OffsetIndexEntry } from './offset-index.js';
import { TimeIndex, type TimeIndexEntry } from './time-index.js';

export interface LookupFiles {
  readonly baseOffset: number;
  readonly log: OpenFile;
  /** `undefined`: there is none, everything is found by scanning. So for the time index. */
  readonly offsetIndex: OpenFile | undefined;
  readonly timeIndex: OpenFile | undefined;
}

/** How many places of batches are remembered. */
const MOST_REMEMBERED = 16;
/** A batch of more bytes is not read into memory before its CRC is known to be right: its header may lie. */
const MOST_READ_AT_ONCE = 1024 * 1024;
/** So much is scanned once more, headers only, rather than believed to a single entry of the time index. */
const DOUBTED_BYTES = 1024 * 1024;

interface BelievedEntry {
  readonly entry: TimeIndexEntry;
  /** No batch up to the one with this offset has a timestamp as late as was asked for. */
  readonly from: TimeIndexEntry;
}

/** How many bytes of each file may be looked at. They will not change while the object lives, unless it is told. */
export interface LookupLimits {
  readonly logSize: number;
  readonly offsetIndexSize: number;
  readonly timeIndexSize: number;
}

export interface BatchPlace {
  readonly position: number;
  readonly sizeInBytes: number;
  /** Of a compressed set of magic 0 or 1 its last offset. */
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

export interface OffsetAndTimestamp {
  readonly offset: number;
  readonly timestamp: number;
}

export interface FoundByTime extends OffsetAndTimestamp {
  /** Of the batch. */
  readonly position: number;
}

export class SegmentLookup {
  readonly #baseOffset: number;
  readonly #log: OpenFile;
  readonly #offsetIndex: OffsetIndex | undefined;
  readonly #timeIndex: TimeIndex | undefined;
  /**
   * Where batches begin for sure: those whose CRC was right, and those right behind, since the CRC of a batch tells
   * where it ends. Look-ups come back to the same few, or go on from one to the next, and each may have a megabyte.
   */
  readonly #sound = new Set<number>();

  constructor(files: LookupFiles) {
    this.#baseOffset = files.baseOffset;
    this.#log = files.log;
    this.#offsetIndex = files.offsetIndex && new OffsetIndex(files.offsetIndex, files.baseOffset);
    this.#timeIndex = files.timeIndex && new TimeIndex(files.timeIndex, files.baseOffset);
  }

  /**
   * The limits of a segment that nobody's control file describes: the sizes of its files, without preallocated tails.
   *
   * @param logSize bytes of the `.log` that are whole batches
   */
  async limits(logSize: number, files: LookupFiles): Promise<LookupLimits> {
    const { offsetIndex, timeIndex } = files;
    return {
      logSize,
      offsetIndexSize: offsetIndex ? await this.#offsetIndex!.usableSize((await offsetIndex.stat()).size) : 0,
      timeIndexSize: timeIndex ? await this.#timeIndex!.usableSize((await timeIndex.stat()).size) : 0,
    };
  }

  /**
   * The first batch whose last offset is not below `targetOffset`: it holds the offset, or begins behind it where
   * there is a gap. `undefined`: the segment has none. Its CRC is not checked; CORRUPT_MESSAGE: on the way to it
   * something cannot be a batch.
   */
  async findPosition(targetOffset: number, limits: LookupLimits): Promise<BatchPlace | undefined> {
    const scanner = await this.#scannerBefore(targetOffset, limits);
    do {
      if (scanner.size > 0 && scanner.lastOffset >= targetOffset) return placeOf(scanner);
    } while (await advance(scanner));
    return undefined;
  }

  /**
   * The first record, in offset order, at or behind `fromOffset` whose timestamp is not below `timestamp`: later ones
   * may well be earlier in time. `undefined`: the segment has none. CORRUPT_MESSAGE: a batch on the way is damaged.
   *
   * @param closed the segment was closed in good order: its last index entry says whether it has any, as in
   * {@link largestTimestamp}
   */
  async findOffsetByTime(
    timestamp: number,
    fromOffset: number,
    limits: LookupLimits,
    closed: boolean,
  ): Promise<FoundByTime | undefined> {
    const { entry, from } = await this.#timeEntryBefore(timestamp, limits);
    let closing = await this.#closing(entry, limits, closed);
    const scanner = await this.#scannerBefore(Math.max(from.offset, fromOffset), limits);
    do {
      if (scanner.size === 0) continue;
      const { maxTimestamp } = scanner.batch;
      if (scanner.lastOffset >= fromOffset && maxTimestamp >= timestamp) {
        const found = await firstRecordFrom(scanner, timestamp, fromOffset);
        if (found !== undefined) return { ...found, position: scanner.position };
      }
      if (closing === undefined) continue;
      if (maxTimestamp > closing.timestamp) closing = undefined;
      else if (scanner.lastOffset >= closing.offset && limits.logSize - scanner.position > DOUBTED_BYTES) break;
      // Damage on the way: the entry has the answer all the same.
    } while (await (closing === undefined ? advance(scanner) : scanner.next()));
    return undefined;
  }

  /**
   * The largest timestamp of the segment and the last offset of the batch in which it came first; `undefined` if no
   * record has one.
   *
   * @param closed the segment was closed in good order: its last index entry has the answer, without a long scan
   */
  async largestTimestamp(limits: LookupLimits, closed: boolean): Promise<OffsetAndTimestamp | undefined> {
    const { entry, from } = await this.#timeEntryBefore(Number.MAX_SAFE_INTEGER, limits);
    let { timestamp, offset } = from;
    const closing = await this.#closing(entry, limits, closed);
    const scanner = await this.#scannerBefore(from.offset, limits);
    do {
      if (scanner.size === 0) continue;
      if (scanner.batch.maxTimestamp > timestamp) {
        timestamp = scanner.batch.maxTimestamp;
        offset = scanner.lastOffset;
      }
      const behind = limits.logSize - scanner.position;
      if (timestamp === closing?.timestamp && scanner.lastOffset >= closing.offset && behind > DOUBTED_BYTES) break;
      // Damage on the way: the entry has the answer all the same.
    } while (await (closing === undefined ? advance(scanner) : scanner.next()));
    if (closing !== undefined && closing.timestamp > timestamp) ({ timestamp, offset } = closing);
    return timestamp < 0 ? undefined : { timestamp, offset };
  }

  /** `entry`, if it is the one that a segment gets when it is closed. */
  async #closing(entry: TimeIndexEntry, limits: LookupLimits, closed: boolean): Promise<TimeIndexEntry | undefined> {
    if (!closed || entry.slot < 0) return undefined;
    const last = await this.#timeIndex?.lastEntry(limits.timeIndexSize);
    return entry.slot === last?.slot ? entry : undefined;
  }

  /**
   * A scanner that no batch with a last offset of `targetOffset` or more lies before; it may stand at a batch already.
   */
  async #scannerBefore(targetOffset: number, limits: LookupLimits): Promise<BatchScanner> {
    const index = this.#offsetIndex;
    if (index !== undefined) {
      let entry = await index.lookup(targetOffset, limits.offsetIndexSize);
      for (let step = 1; entry.slot >= 0; step *= 2) {
        const scanner = await this.#checkedScanner(entry, targetOffset, limits.logSize);
        if (scanner !== undefined) return scanner;
        entry = await index.entry(entry.slot - step, limits.offsetIndexSize);
      }
    }
    return new BatchScanner(this.#log, limits.logSize, { minOffset: this.#baseOffset });
  }

  /**
   * A scanner at the batch that an index entry leads to, if one begins there for sure: with the right CRC, or right
   * behind one that has it. It ends where the entry says or, in old brokers' indexes, before. Since offsets only rise,
   * what lies before a batch that begins at or below the target is below the target.
   */
  async #checkedScanner(entry: OffsetIndexEntry, target: number, logSize: number): Promise<BatchScanner | undefined> {
    if (entry.offset > target || entry.position <= 0 || entry.position >= logSize) return undefined;
    const scanner = new BatchScanner(this.#log, logSize, { from: entry.position, minOffset: this.#baseOffset });
    if (!(await scanner.next()) || scanner.lastOffset > entry.offset) return undefined;
    if (this.#sound.has(entry.position)) return scanner;
    if (!(await scanner.isValid())) return undefined;
    if (this.#sound.size >= MOST_REMEMBERED) this.#sound.clear();
    this.#sound.add(entry.position).add(entry.position + scanner.size);
    return scanner;
  }

  /**
   * The latest entry of the time index that is earlier than `timestamp` and is believed, and where to begin a scan for
   * that time. Believed is an entry if its batch bears it out, and so does the one before its own, both in order with
   * their neighbours. The scan begins at the one before: if one of the two lies, the other sees to it that nothing is
   * passed over. Only where so much lies between them that this would be felt, it begins at the entry itself.
   */
  async #timeEntryBefore(timestamp: number, limits: LookupLimits): Promise<BelievedEntry> {
    const index = this.#timeIndex;
    const beginning: TimeIndexEntry = { slot: -1, timestamp: -1, offset: this.#baseOffset };
    if (index === undefined) return { entry: beginning, from: beginning };
    let { slot } = await index.lookup(timestamp - 1, limits.timeIndexSize);
    for (let step = 1; slot >= 0; step *= 2) {
      const entry = await index.entry(slot, limits.timeIndexSize);
      if (entry.timestamp < timestamp && (await this.#isInOrder(entry, limits))) {
        const before = await index.entry(slot - 1, limits.timeIndexSize);
        // First the one before: its CRC tells where the batch behind it begins, which is often that of the entry.
        // Where the log itself is damaged there, the entry has to do.
        const from = await this.#positionOfTime(before, limits).catch(farAway);
        const position = await this.#positionOfTime(entry, limits);
        if (position !== undefined && from !== undefined) {
          return { entry, from: position - from <= DOUBTED_BYTES ? before : entry };
        }
      }
      slot -= step;
    }
    return { entry: beginning, from: beginning };
  }

  async #isInOrder(entry: TimeIndexEntry, { timeIndexSize }: LookupLimits): Promise<boolean> {
    const before = await this.#timeIndex!.entry(entry.slot - 1, timeIndexSize);
    const next = await this.#timeIndex!.entry(entry.slot + 1, timeIndexSize);
    const follows = before.slot < 0 ? entry.offset >= this.#baseOffset : entry.offset > before.offset;
    if (!follows || entry.timestamp <= before.timestamp) return false;
    return next.slot < 0 || (next.timestamp > entry.timestamp && next.offset > entry.offset);
  }

  /** Where the batch stands that bears the entry out: it has the offset, and that is its largest timestamp. */
  async #positionOfTime(entry: TimeIndexEntry, limits: LookupLimits): Promise<number | undefined> {
    if (entry.slot < 0) return 0;
    if (entry.offset < this.#baseOffset) return undefined;
    const batch = await this.findPosition(entry.offset, limits);
    const bearsOut = batch?.maxTimestamp === entry.timestamp && batch.baseOffset <= entry.offset;
    return bearsOut ? batch.position : undefined;
  }
}

function farAway(error: unknown): number {
  if (error instanceof KlogError && error.code === 'CORRUPT_MESSAGE') return Number.NEGATIVE_INFINITY;
  throw error;
}

/**
 * Steps on. False: the segment ends here. Its bytes count up to the end of a batch: one that reaches beyond is damaged.
 */
async function advance(scanner: BatchScanner): Promise<boolean> {
  if (await scanner.next()) return true;
  if (scanner.stop === 'corrupt') throw scanner.corruption(scanner.problem);
  if (scanner.stop === 'partial') throw scanner.corruption('a batch claims more bytes than there are');
  return false;
}

function placeOf(scanner: BatchScanner): BatchPlace {
  return {
    position: scanner.position,
    sizeInBytes: scanner.size,
    baseOffset: scanner.baseOffset,
    lastOffset: scanner.lastOffset,
    maxTimestamp: scanner.batch.maxTimestamp,
  };
}

async function firstRecordFrom(
  scanner: BatchScanner,
  timestamp: number,
  fromOffset: number,
): Promise<OffsetAndTimestamp | undefined> {
  const isSound = scanner.size <= MOST_READ_AT_ONCE || (await scanner.isValid());
  const bytes = isSound ? await scanner.readBatch() : undefined;
  if (bytes === undefined || !new RecordBatch().reset(bytes, 0).isValid()) {
    throw scanner.corruption('the CRC of the batch is wrong');
  }
  await loadCodecOf(bytes);
  const cursor = openCursor(new RecordCursor(), bytes, 0);
  cursor.skipTo(fromOffset);
  cursor.skipBefore(timestamp);
  while (cursor.next()) {
    if (cursor.timestamp >= timestamp) return { offset: cursor.offset, timestamp: cursor.timestamp };
  }
  return undefined;
}
