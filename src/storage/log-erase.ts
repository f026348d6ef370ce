/**
 * Erasing records for good. Each segment that holds some is written anew without them, as in a compaction: offsets of
 * the others stay, a batch that loses all its records stays as a header. The old files are unlinked with the exchange;
 * so are the `.cut-` and `.damaged-` files of the partition, in which recoveries and repairs keep bytes aside that may
 * hold the same records. A segment that is being written to is closed first. What is appended meanwhile is not looked
 * at.
 */
import { KlogError } from '../errors.js';
import { loadCodec } from '../format/compression.js';
import { RecordBatch } from '../format/record-batch.js';
import { codecNeeded, openCursor, RecordCursor } from '../format/record-cursor.js';
import { BatchFilter } from './batch-filter.js';
import { Breather } from './breather.js';
import { CleanedSegmentWriter } from './cleaned-segment-writer.js';
import { syncDirectory, withSettledLog } from './layout-change.js';
import { type LogContext, wasDeleted } from './log-context.js';
import { type SegmentSuffix, segmentFileName } from './log-files.js';
import { listSegments } from './log-segments.js';
import { segmentBatches } from './segment-batches.js';
import { swapIn } from './segment-swap.js';
import { TransactionIndex } from './transaction-index.js';

export type EraseSelection = { readonly offset: number } | { readonly key: Uint8Array };

export interface EraseOptions {
  /** Counts what would be erased, and changes nothing. Default false. */
  readonly validateOnly?: boolean | undefined;
}

export interface Erased {
  readonly records: number;
  /** Segments written anew. */
  readonly segments: number;
  /** `.cut-` files that were removed. */
  readonly cutFiles: number;
}

interface Segment {
  readonly baseOffset: number;
  readonly endOffset: number;
}

/** Bytes kept aside by settling, and by `klog log repair`. */
const CUT_FILE = /^\d{20}\.log\.(?:cut|damaged)-\d+(?:-\d+)?$/;

/** @throws KlogError OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE, KLOG_LOCKED, KLOG_DISK_FULL, KLOG_SYNC_FAILED */
export async function erase(context: LogContext, selection: EraseSelection, options: EraseOptions): Promise<Erased> {
  const { upkeep } = context.locks;
  await upkeep.acquire();
  try {
    return await eraseLocked(context, selection, options.validateOnly === true);
  } finally {
    upkeep.release();
  }
}

async function eraseLocked(context: LogContext, selection: EraseSelection, validateOnly: boolean): Promise<Erased> {
  const { safe, appended } = await withSettledLog(context, async (state) => state);
  if ('offset' in selection && !(selection.offset >= 0 && selection.offset < safe.offset)) {
    throw outOfRange(context, selection.offset, safe);
  }
  const matches = matcherOf(selection);
  const breather = new Breather();
  const found: Segment[] = [];
  let records = 0;
  const bases = (await listSegments(context.fs, context.directory)).filter((base) => base <= safe.segmentBase);
  for (const [i, baseOffset] of bases.entries()) {
    const isLast = baseOffset === safe.segmentBase;
    const segment = { baseOffset, endOffset: isLast ? appended.offset : bases[i + 1]! };
    if ('offset' in selection && (selection.offset < baseOffset || selection.offset >= segment.endOffset)) continue;
    const limit = isLast ? safe.position : undefined;
    const count = await unlessGone(context, baseOffset, () => countMatches(context, segment, limit, matches, breather));
    if (count === 0) continue;
    records += count;
    found.push(segment);
  }
  const cutFiles = (await context.fs.readDirectory(context.directory)).filter((name) => CUT_FILE.test(name));
  if (validateOnly) return { records, segments: found.length, cutFiles: cutFiles.length };

  let erased = 0;
  for (const segment of found) {
    erased += await unlessGone(context, segment.baseOffset, () => eraseFrom(context, segment, matches, breather));
  }
  if (cutFiles.length > 0) {
    await withSettledLog(context, async () => {
      for (const name of cutFiles) await context.fs.unlink(`${context.directory}/${name}`);
      await syncDirectory(context);
    });
  }
  return { records: erased, segments: found.length, cutFiles: cutFiles.length };
}

/** A segment that is trimmed meanwhile takes its records with it. */
async function unlessGone(context: LogContext, baseOffset: number, count: () => Promise<number>): Promise<number> {
  const { control, fs, directory } = context;
  try {
    return await count();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    if (!(await control.isCurrent(fs))) throw wasDeleted(context);
    if ((await fs.stat(`${directory}/${segmentFileName(baseOffset, '.log')}`)) !== undefined) throw error;
    return 0;
  }
}

/** Closes the segment first if it is the one that is written to. Answers how many records went. */
async function eraseFrom(
  context: LogContext,
  { baseOffset, endOffset }: Segment,
  matches: Matcher,
  breather: Breather,
): Promise<number> {
  const { fs, directory } = context;
  const { safe } = await withSettledLog(context, async (state) => state, {
    rollFirst: (appended) => appended.segmentBase === baseOffset && 'must',
  });
  // It may have grown until it was closed.
  const bases = await listSegments(fs, directory);
  const end = bases.find((base) => base > baseOffset) ?? Math.max(endOffset, safe.offset);
  const writer = await CleanedSegmentWriter.create(context, baseOffset);
  const filter = new BatchFilter();
  let erased = 0;
  let suffixes: readonly SegmentSuffix[];
  try {
    for await (const { bytes } of segmentBatches(fs, directory, baseOffset, end)) {
      await breather.breathe();
      const isControl = batch.reset(bytes, 0).isControl;
      const filtered = await filter.filter(bytes, {
        retention: 'retain-empty',
        keeps: (cursor) => isControl || !matches(cursor),
        newHorizonMs: undefined,
        needsHorizon: false,
      });
      erased += filtered.recordsBefore - filtered.recordsAfter;
      await writer.append(filtered.bytes!);
    }
    const hasTransactionIndex = await copyTransactionIndex(context, baseOffset, writer);
    suffixes = await writer.finish(hasTransactionIndex);
  } catch (error) {
    await writer.discard().catch(() => {});
    throw error;
  }
  return (await swapIn(context, { baseOffset, sources: [baseOffset], suffixes })) ? erased : 0;
}

type Matcher = (cursor: RecordCursor) => boolean;

const batch = new RecordBatch();

function matcherOf(selection: EraseSelection): Matcher {
  if ('offset' in selection) return (cursor) => cursor.offset === selection.offset;
  const key = Buffer.from(selection.key);
  return ({ buffer, keyStart, keyEnd }) =>
    keyStart >= 0 && keyEnd - keyStart === key.length && key.compare(buffer, keyStart, keyEnd) === 0;
}

async function countMatches(
  { fs, directory }: LogContext,
  { baseOffset, endOffset }: Segment,
  limit: number | undefined,
  matches: Matcher,
  breather: Breather,
): Promise<number> {
  const cursor = new RecordCursor();
  let count = 0;
  for await (const { bytes } of segmentBatches(fs, directory, baseOffset, endOffset, limit)) {
    await breather.breathe();
    if (batch.reset(bytes, 0).isControl) continue;
    const codec = codecNeeded(bytes, 0);
    if (codec !== undefined) await loadCodec(codec);
    openCursor(cursor, bytes, 0);
    while (cursor.next()) if (matches(cursor)) count++;
  }
  return count;
}

async function copyTransactionIndex(
  { fs, directory }: LogContext,
  baseOffset: number,
  writer: CleanedSegmentWriter,
): Promise<boolean> {
  const path = `${directory}/${segmentFileName(baseOffset, '.txnindex')}`;
  if ((await fs.stat(path)) === undefined) return false;
  const file = await fs.open(path, 'read');
  try {
    for await (const entry of new TransactionIndex(file).entries((await file.stat()).size)) writer.addAborted(entry);
  } finally {
    await file.close();
  }
  return true;
}

function outOfRange(
  { topic, partition }: LogContext,
  offset: number,
  safe: { readonly logStartOffset: number; readonly offset: number },
): KlogError {
  return new KlogError(
    'OFFSET_OUT_OF_RANGE',
    `there is no offset ${offset} in ${topic}:${partition}: the log begins at ${safe.logStartOffset} and ends at ${safe.offset}`,
    { topic, partition, offset },
  );
}
