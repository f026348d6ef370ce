/** Checks one segment: its batches, where they stand in the log, and its indexes. Memory is a window and one batch. */
import { join } from 'node:path';
import { KlogError } from '../../errors.js';
import { loadCodec } from '../../format/compression.js';
import { MAGIC_V2 } from '../../format/record-batch.js';
import { codecNeeded, openCursor, RecordCursor } from '../../format/record-cursor.js';
import type { FileSystem, OpenFile } from '../../storage/file-system.js';
import { type LeaderEpoch, leaderEpochOf } from '../../storage/leader-epoch-checkpoint.js';
import { type SegmentSuffix, segmentFileName } from '../../storage/log-files.js';
import type { TransactionTracker } from '../../storage/transaction-tracker.js';
import { systemErrorCode } from '../../store/system-error.js';
import { problemOf } from './batch-fields.js';
import { OffsetIndexCheck } from './check-offset-index.js';
import type { Problems } from './check-report.js';
import { TimeIndexCheck } from './check-time-index.js';
import { TransactionIndexCheck } from './check-transaction-index.js';
import { readControlFields } from './control-fields.js';
import { SegmentWalk } from './segment-walk.js';
import { describeTail } from './trailing-bytes.js';

/** What the indexes are told of each piece of the `.log`. */
export interface CheckedBatch {
  readonly position: number;
  readonly size: number;
  /** Offset behind the batches before. */
  readonly expected: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  readonly isLegacy: boolean;
  readonly isDamaged: boolean;
}

/** How much of a segment is known to be on the disk, and how much of its indexes are entries. */
export interface SegmentLimits {
  /** Bytes of the `.log`; what lies behind is not safe yet. */
  readonly position: number;
  readonly offset: number;
  readonly offsetIndexSize: number;
  readonly timeIndexSize: number;
  readonly transactionIndexSize: number;
}

export interface SegmentToCheck {
  readonly baseOffset: number;
  /** Offset behind the segments before. */
  readonly minOffset: number;
  /** Base offset of the segment behind; undefined: it is the last. */
  readonly nextBase: number | undefined;
  /** What the control file says of it; undefined: nothing, it counts as a whole. */
  readonly limits: SegmentLimits | undefined;
  /** Of a copy the tail, and what the indexes say of it, is not to be relied on. */
  readonly isCopy: boolean;
}

export interface CheckTask {
  readonly fs: FileSystem;
  /** Where the partition lies, and as the user named it. */
  readonly directory: string;
  readonly shown: string;
  readonly problems: Problems;
  /** Decompresses and goes through the records, too. */
  readonly deep: boolean;
  readonly epochs: readonly LeaderEpoch[];
  readonly tracker: TransactionTracker;
  /** Bytes of `.log` files gone through. */
  readonly onBytes: (bytes: number) => void;
  isStopped(): boolean;
}

export interface CheckedSegment {
  readonly batches: number;
  readonly records: number;
  readonly bytes: number;
  readonly nextOffset: number;
}

/** `undefined`: the segment is not there any more. */
export async function checkSegment(task: CheckTask, segment: SegmentToCheck): Promise<CheckedSegment | undefined> {
  const log = await openFile(task, segment.baseOffset, '.log');
  if (log === undefined) return undefined;
  const files: OpenFile[] = [log];
  const beside = async (suffix: SegmentSuffix) => {
    const file = await openFile(task, segment.baseOffset, suffix);
    if (file !== undefined) files.push(file);
    return file;
  };
  try {
    return await new SegmentCheck(task, segment, log).run(beside);
  } finally {
    for (const file of files) await file.close();
  }
}

async function openFile(task: CheckTask, baseOffset: number, suffix: SegmentSuffix): Promise<OpenFile | undefined> {
  try {
    return await task.fs.open(join(task.directory, segmentFileName(baseOffset, suffix)), 'read');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

type OpenBeside = (suffix: SegmentSuffix) => Promise<OpenFile | undefined>;

class SegmentCheck {
  readonly #task: CheckTask;
  readonly #segment: SegmentToCheck;
  readonly #log: OpenFile;
  readonly #file: string;
  readonly #cursor = new RecordCursor();
  #batches = 0;
  #records = 0;
  #damaged = 0;
  #namesEpoch = false;

  constructor(task: CheckTask, segment: SegmentToCheck, log: OpenFile) {
    this.#task = task;
    this.#segment = segment;
    this.#log = log;
    this.#file = this.#shown('.log');
  }

  async run(beside: OpenBeside): Promise<CheckedSegment> {
    const { limits, nextBase, minOffset } = this.#segment;
    const { size } = await this.#log.stat();
    const offsets = await this.#offsetIndex(await beside('.index'), size);
    const times = await this.#timeIndex(await beside('.timeindex'), size);
    const transactions = await this.#transactionIndex(await beside('.txnindex'));
    const maxOffset = limits?.offset ?? nextBase;
    const walk = new SegmentWalk(this.#log, Math.min(size, limits?.position ?? size), {
      minOffset,
      ...(maxOffset === undefined ? {} : { maxOffset }),
    });
    let seen = 0;
    for (let expected = walk.nextOffset; !this.#task.isStopped() && (await walk.next()); expected = walk.nextOffset) {
      const batch = this.#batch(walk, expected);
      await offsets?.batch(batch);
      await times?.batch(batch);
      if (!batch.isDamaged) {
        const wanted = await walk.track(this.#task.tracker);
        if (wanted !== undefined) await transactions.expect(wanted);
        if (this.#task.deep) await this.#checkRecords(walk);
      }
      this.#task.onBytes(batch.position + batch.size - seen);
      seen = batch.position + batch.size;
    }
    if (!this.#task.isStopped()) {
      await this.#checkEnd(walk, size);
      await offsets?.end();
      await times?.end();
      await transactions.end();
    }
    this.#task.onBytes(size - seen);
    return { batches: this.#batches, records: this.#records, bytes: size, nextOffset: walk.nextOffset };
  }

  #batch(walk: SegmentWalk, expected: number): CheckedBatch {
    const { fields, problem } = walk;
    const { position, size } = fields;
    const { problems } = this.#task;
    if (problem === undefined) {
      this.#batches += 1;
      this.#checkEpoch(fields.partitionLeaderEpoch, fields.baseOffset ?? expected, position);
    } else {
      this.#damaged += 1;
      problems.damage(this.#file, problem, { position, offset: expected });
    }
    return {
      position,
      size,
      expected,
      baseOffset: fields.baseOffset ?? expected,
      lastOffset: fields.lastOffset ?? expected,
      maxTimestamp: fields.maxTimestamp ?? -1,
      isLegacy: fields.magic < MAGIC_V2,
      isDamaged: problem !== undefined,
    };
  }

  /** No CRC covers the epoch, and nothing klog does asks for it: the first one that is odd is named. */
  #checkEpoch(epoch: number | null, offset: number, position: number): void {
    if (this.#namesEpoch || epoch === null || epoch < 0) return;
    const expected = leaderEpochOf(this.#task.epochs, offset);
    if (expected === undefined || expected === epoch) return;
    this.#namesEpoch = true;
    const reason = `the batch says leader epoch ${epoch}, the checkpoint ${expected}: harmless`;
    this.#task.problems.note(this.#file, reason, { position, offset });
  }

  async #checkRecords(walk: SegmentWalk): Promise<void> {
    const cursor = this.#cursor;
    const { position, isControl, baseOffset, lastOffset } = walk.fields;
    const bytes = await walk.readBatch();
    let previous = (baseOffset ?? 0) - 1;
    try {
      const codec = codecNeeded(bytes, 0);
      if (codec !== undefined) await loadCodec(codec);
      openCursor(cursor, bytes, 0);
      while (cursor.next()) {
        this.#records += 1;
        if (cursor.offset <= previous || cursor.offset > (lastOffset ?? cursor.offset)) {
          throw new KlogError('CORRUPT_MESSAGE', `a record of offset ${cursor.offset} in a batch up to ${lastOffset}`);
        }
        previous = cursor.offset;
        if (isControl) readControlFields(cursor);
      }
    } catch (error) {
      if (!(error instanceof KlogError && (error.code === 'CORRUPT_MESSAGE' || error.code === 'INVALID_RECORD'))) {
        throw error;
      }
      this.#task.problems.damage(this.#file, problemOf(error), { position, offset: previous + 1 });
    }
  }

  async #checkEnd(walk: SegmentWalk, size: number): Promise<void> {
    const { limits, nextBase, isCopy } = this.#segment;
    const { problems } = this.#task;
    const place = { position: walk.position, offset: walk.nextOffset };
    if (limits === undefined) {
      if (walk.stop === 'end') return;
      const { content, what } = await describeTail(this.#log, walk.position, size, walk.stopProblem);
      const reason = `${size - walk.position} bytes that are no batch: ${what}`;
      const isTorn = nextBase === undefined && (isCopy || content !== 'garbage');
      if (isTorn) problems.torn(this.#file, reason, place);
      else problems.damage(this.#file, reason, place);
      return;
    }
    if (size < limits.position) {
      const reason = `it has ${size} bytes, and ${limits.position} were safe`;
      problems.damage(this.#file, reason, { position: Math.min(size, walk.position), offset: walk.nextOffset });
    } else if (walk.stop !== 'end') {
      const { what } = await describeTail(this.#log, walk.position, limits.position, walk.stopProblem);
      problems.damage(this.#file, `${limits.position - walk.position} bytes that are no batch: ${what}`, place);
    } else if (walk.nextOffset !== limits.offset && this.#damaged === 0) {
      const reason = `its batches end before offset ${walk.nextOffset}, and klog.end says ${limits.offset}`;
      problems.damage(this.#file, reason, place);
    }
    if (size > limits.position) {
      const reason = `${size - limits.position} bytes behind what is safe: the next writer settles them`;
      problems.torn(this.#file, reason, { position: limits.position, offset: limits.offset });
    }
  }

  async #offsetIndex(file: OpenFile | undefined, logSize: number): Promise<OffsetIndexCheck | undefined> {
    if (file === undefined) return this.#missing('.index', logSize);
    const size = await this.#indexSize(file, '.index', 8, this.#segment.limits?.offsetIndexSize);
    return new OffsetIndexCheck(file, this.#segment.baseOffset, size, this.#report('.index'));
  }

  async #timeIndex(file: OpenFile | undefined, logSize: number): Promise<TimeIndexCheck | undefined> {
    if (file === undefined) return this.#missing('.timeindex', logSize);
    const size = await this.#indexSize(file, '.timeindex', 12, this.#segment.limits?.timeIndexSize);
    return new TimeIndexCheck(file, this.#segment.baseOffset, size, this.#report('.timeindex'));
  }

  async #transactionIndex(file: OpenFile | undefined): Promise<TransactionIndexCheck> {
    const size =
      file === undefined ? 0 : await this.#indexSize(file, '.txnindex', 34, this.#segment.limits?.transactionIndexSize);
    return new TransactionIndexCheck(file, size, this.#report('.txnindex'));
  }

  async #indexSize(
    file: OpenFile,
    suffix: SegmentSuffix,
    entrySize: number,
    limit: number | undefined,
  ): Promise<number> {
    const { size } = await file.stat();
    if (limit !== undefined && size < limit) {
      this.#report(suffix)(`has ${size} bytes, and klog.end says ${limit}`, size);
    } else if (limit === undefined && size % entrySize !== 0) {
      this.#report(suffix)(`has ${size} bytes, which is no multiple of ${entrySize}`, size - (size % entrySize));
    }
    return Math.min(size, limit ?? size);
  }

  #missing(suffix: SegmentSuffix, logSize: number): undefined {
    if (logSize > 0) this.#task.problems.note(this.#shown(suffix), 'is missing: what it would find is scanned for');
    return undefined;
  }

  /** Of a copy's last segment the indexes are made anew when it is settled. */
  #report(suffix: SegmentSuffix): (reason: string, position: number) => void {
    const { problems } = this.#task;
    const isRebuilt = this.#segment.isCopy && this.#segment.nextBase === undefined;
    return (reason, position) => {
      if (isRebuilt) problems.torn(this.#shown(suffix), reason, { position });
      else problems.damage(this.#shown(suffix), reason, { position });
    };
  }

  #shown(suffix: SegmentSuffix): string {
    return join(this.#task.shown, segmentFileName(this.#segment.baseOffset, suffix));
  }
}
