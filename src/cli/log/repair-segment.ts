/**
 * Writes a segment anew without its bad bytes, under `.cleaned` names (storage/cleaned-segment-writer.ts). Every bad
 * range is kept beside it first, on the disk, as `<segment>.log.damaged-<position>`: nothing is lost, whatever happens
 * next.
 */
import { join } from 'node:path';
import { KlogError } from '../../errors.js';
import { crc32c } from '../../format/crc32c.js';
import {
  ATTRIBUTES_AT,
  BATCH_LENGTH_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAGIC_V2,
  RECORD_BATCH_OVERHEAD,
  RecordBatch,
} from '../../format/record-batch.js';
import { CleanedSegmentWriter } from '../../storage/cleaned-segment-writer.js';
import { type OpenFile, writeFully } from '../../storage/file-system.js';
import type { FileContext } from '../../storage/log-context.js';
import { segmentFileName } from '../../storage/log-files.js';
import type { CleanedSegment } from '../../storage/segment-swap.js';
import { type AbortedTransaction, TransactionIndex } from '../../storage/transaction-index.js';
import type { TransactionTracker } from '../../storage/transaction-tracker.js';
import { systemErrorCode } from '../../store/system-error.js';
import { SegmentWalk } from './segment-walk.js';

/** Bytes of a `.log` that are no batch of this log. */
export interface BadRange {
  readonly position: number;
  readonly end: number;
  readonly reason: string;
  /** The first offset that may be lost with it. */
  readonly offset: number;
}

export interface SegmentRange {
  readonly baseOffset: number;
  /** Offset behind the segments before. */
  readonly minOffset: number;
  /** Base offset of the segment behind, if there is one. */
  readonly maxOffset: number | undefined;
}

/** Told of each piece, in the order of the file. */
export interface PieceVisitor {
  good?(walk: SegmentWalk): Promise<void>;
  bad?(range: BadRange): Promise<void>;
}

/** Answers the offset behind the segment. @param limit bytes of the file that count */
export async function visitPieces(
  log: OpenFile,
  { minOffset, maxOffset }: SegmentRange,
  limit: number,
  visit: PieceVisitor,
): Promise<number> {
  const walk = new SegmentWalk(log, limit, { minOffset, ...(maxOffset === undefined ? {} : { maxOffset }) });
  while (await walk.next()) {
    const { position, size } = walk.fields;
    if (walk.problem === undefined) await visit.good?.(walk);
    else await visit.bad?.({ position, end: position + size, reason: walk.problem, offset: walk.nextOffset });
  }
  if (walk.position < limit) {
    const reason = walk.stopProblem === '' ? 'a batch that is not whole' : walk.stopProblem;
    await visit.bad?.({ position: walk.position, end: limit, reason, offset: walk.nextOffset });
  }
  return walk.nextOffset;
}

/** The transactions of the segments before are in `tracker`. Durable, and of no effect before the exchange. */
export async function rewriteSegment(
  context: FileContext,
  range: SegmentRange,
  tracker: TransactionTracker,
): Promise<CleanedSegment> {
  const { fs, directory } = context;
  const { baseOffset } = range;
  const path = join(directory, segmentFileName(baseOffset, '.log'));
  const log = await fs.open(path, 'read');
  try {
    const { size } = await log.stat();
    await visitPieces(log, range, size, { bad: (bad) => setAside(context, log, bad) });
    await fs.syncDirectory(directory);
    const writer = await CleanedSegmentWriter.create(context, baseOffset);
    try {
      const before = await readableEntries(context, baseOffset);
      const aborted = new Map(before.entries.map((entry) => [entry.lastOffset, entry]));
      const ends = new Set<number>();
      let epoch = 0;
      const nextOffset = await visitPieces(log, range, size, {
        good: async (walk) => {
          epoch = walk.fields.partitionLeaderEpoch ?? epoch;
          const { lastOffset } = walk.fields;
          if (walk.fields.isControl === true && lastOffset !== null) ends.add(lastOffset);
          const entry = await walk.track(tracker);
          if (entry !== undefined) aborted.set(entry.lastOffset, oldest(entry, aborted.get(entry.lastOffset)));
          await writer.append(await walk.readBatch());
        },
      });
      if (range.maxOffset !== undefined && nextOffset < range.maxOffset) {
        await writer.append(emptyBatch(nextOffset, range.maxOffset, epoch));
      }
      // Of a transaction that began before the log does, only the old index knows.
      const kept = [...aborted.values()].filter(({ lastOffset }) => ends.has(lastOffset));
      for (const entry of kept.sort((a, b) => a.lastOffset - b.lastOffset)) writer.addAborted(entry);
      const suffixes = await writer.finish(before.exists);
      return { baseOffset, sources: [baseOffset], suffixes };
    } catch (error) {
      await writer.discard().catch(() => {});
      throw error;
    }
  } finally {
    await log.close();
  }
}

/**
 * A batch of no records over the offsets `[from, to)`: as compaction leaves one, so that a log whose last records are
 * gone does not end before them. 61 bytes.
 */
export function emptyBatch(from: number, to: number, leaderEpoch: number): Uint8Array {
  const bytes = Buffer.alloc(RECORD_BATCH_OVERHEAD);
  const batch = new RecordBatch();
  bytes.writeInt32BE(RECORD_BATCH_OVERHEAD - LOG_OVERHEAD, BATCH_LENGTH_AT);
  bytes.writeUInt8(MAGIC_V2, MAGIC_AT);
  bytes.writeInt32BE(to - 1 - from, LAST_OFFSET_DELTA_AT);
  // No times, no producer, no sequence: all of them -1. No records: 0.
  bytes.fill(0xff, LAST_OFFSET_DELTA_AT + 4, RECORD_BATCH_OVERHEAD - 4);
  batch.reset(bytes, 0).setBaseOffset(from);
  batch.setPartitionLeaderEpoch(leaderEpoch);
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT);
  return bytes;
}

function oldest(found: AbortedTransaction, indexed: AbortedTransaction | undefined): AbortedTransaction {
  const isSame = indexed?.producerId === found.producerId && indexed.firstOffset < found.firstOffset;
  return isSame ? { ...found, firstOffset: indexed.firstOffset } : found;
}

/** The entries up to the first that cannot be one. */
async function readableEntries(
  { fs, directory }: FileContext,
  baseOffset: number,
): Promise<{ readonly exists: boolean; readonly entries: AbortedTransaction[] }> {
  const path = join(directory, segmentFileName(baseOffset, '.txnindex'));
  if ((await fs.stat(path)) === undefined) return { exists: false, entries: [] };
  const file = await fs.open(path, 'read');
  const entries: AbortedTransaction[] = [];
  try {
    for await (const entry of new TransactionIndex(file).entries((await file.stat()).size)) entries.push(entry);
  } catch (error) {
    if (!(error instanceof KlogError)) throw error;
  } finally {
    await file.close();
  }
  return { exists: true, entries };
}

const COPY_BYTES = 1024 * 1024;

/** Under a name of its own; one that an interrupted repair has written of the same bytes is used again. */
async function setAside(context: FileContext, log: OpenFile, { position, end }: BadRange): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const path = `${log.path}.damaged-${position}${attempt === 1 ? '' : `-${attempt}`}`;
    let aside: OpenFile;
    try {
      aside = await context.fs.open(path, 'create-new');
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
      if (await isBeginningOf(context, path, log, { position, end })) {
        aside = await context.fs.open(path, 'write');
      } else continue;
    }
    try {
      await copyRange(log, { position, end }, aside);
      await aside.sync();
      return;
    } finally {
      await aside.close();
    }
  }
}

async function copyRange(
  log: OpenFile,
  { position, end }: Pick<BadRange, 'position' | 'end'>,
  to: OpenFile,
): Promise<void> {
  const bytes = Buffer.allocUnsafe(Math.min(COPY_BYTES, end - position));
  for (let at = position; at < end; ) {
    const length = await log.read(bytes, 0, Math.min(bytes.length, end - at), at);
    if (length === 0) return;
    await writeFully(to, bytes, 0, length, at - position);
    at += length;
  }
}

/** Whether the file holds these bytes, or the first of them. */
async function isBeginningOf(
  { fs }: FileContext,
  path: string,
  log: OpenFile,
  { position, end }: Pick<BadRange, 'position' | 'end'>,
): Promise<boolean> {
  const file = await fs.open(path, 'read');
  try {
    const { size } = await file.stat();
    if (size > end - position) return false;
    const [a, b] = [Buffer.alloc(COPY_BYTES), Buffer.alloc(COPY_BYTES)];
    for (let at = 0; at < size; at += COPY_BYTES) {
      const length = Math.min(COPY_BYTES, size - at);
      await file.read(a, 0, length, at);
      await log.read(b, 0, length, position + at);
      if (a.compare(b, 0, length, 0, length) !== 0) return false;
    }
    return true;
  } finally {
    await file.close();
  }
}
