/** Reads a block of whole, verified batches from a `.log` file. */
import { KlogError } from '../errors.js';
import { nextBatch, WalkResult } from '../format/batch-walk.js';
import {
  HEADER_SIZE_UP_TO_MAGIC,
  MAGIC_AT,
  MAGIC_V2,
  RECORD_BATCH_OVERHEAD,
  RecordBatch,
} from '../format/record-batch.js';
import type { OpenFile } from './file-system.js';

/** Whole batches, their CRCs checked: `buffer[start, end)`. */
export interface FetchedBatches {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Where to go on: the offset behind the last batch. */
  readonly nextOffset: number;
}

/** Where in a segment to read. */
export interface BlockPlace {
  readonly position: number;
  /** The file counts only up to here. */
  readonly limit: number;
  /** No batch may end below this offset. */
  readonly minOffset: number;
  /** No batch may end at or beyond this offset. */
  readonly maxOffset: number;
  /** Everything up to `position` was read: no batch may begin below `minOffset`, either. Default false. */
  readonly follows?: boolean;
}

const walk = new WalkResult();
const batch = new RecordBatch();

/**
 * Reads about `maxBytes` from `place.position` on, less where the segment ends; more if a single batch is larger.
 * `into` is used if it is large enough. CORRUPT_MESSAGE if the first batch is damaged; damage behind it ends the block
 * before it.
 */
export async function readBlock(
  log: OpenFile,
  place: BlockPlace,
  maxBytes: number,
  into?: Buffer,
): Promise<FetchedBatches> {
  const left = place.limit - place.position;
  let length = Math.min(Math.max(maxBytes, RECORD_BATCH_OVERHEAD), left);
  let buffer = into !== undefined && into.length >= length ? into : Buffer.allocUnsafeSlow(length);
  let filled = await log.read(buffer, 0, length, place.position);
  const { status, size, problem } = nextBatch(buffer, 0, filled, walk);
  if (status === 'partial' && size <= left && filled === length && size > length) {
    // One batch larger than was asked for. Its claimed size has been held against what the file has.
    length = size;
    buffer = Buffer.allocUnsafeSlow(length);
    filled = await log.read(buffer, 0, length, place.position);
  } else if (status !== 'batch') {
    throw damage(log, place.position, place.minOffset, problem || `the log ends in the middle of a batch`);
  }
  let end = 0;
  let nextOffset = place.minOffset;
  let follows = place.follows === true;
  while (nextBatch(buffer, end, filled, walk).status === 'batch') {
    const { size: batchSize } = walk;
    let found = problemWith(buffer, end, batchSize, nextOffset, place.maxOffset);
    // Taken before anything is waited for: another block may be read meanwhile, with the same `walk` and `batch`.
    const behindBatch = found === undefined ? batch.nextOffset : nextOffset;
    if (found === undefined && !(follows && batch.baseOffset === nextOffset)) {
      const behind = end + batchSize;
      const next = buffer.subarray(behind, Math.min(behind + HEADER_SIZE_UP_TO_MAGIC, filled));
      found = await misplaced(log, next, {
        ...place,
        position: place.position + behind,
        minOffset: nextOffset,
        follows,
      });
    }
    if (found !== undefined) {
      if (end === 0) throw damage(log, place.position, place.minOffset, found);
      break;
    }
    nextOffset = behindBatch;
    follows = true;
    end += batchSize;
  }
  if (end === 0) throw damage(log, place.position, place.minOffset, walk.problem || 'a batch is not whole');
  return { buffer, start: 0, end, nextOffset };
}

/** Base offset and length lie outside the CRC: the order of the log gives their damage away. */
function problemWith(buffer: Buffer, at: number, size: number, minOffset: number, maxOffset: number) {
  batch.reset(buffer, at);
  if (!batch.isValid()) return `the checksum of a batch of ${size} bytes does not match`;
  let lastOffset: number;
  try {
    lastOffset = batch.lastOffset;
  } catch (error) {
    if (error instanceof KlogError) return error.message;
    throw error;
  }
  if (lastOffset < minOffset || lastOffset >= maxOffset) {
    return `a batch ends at offset ${lastOffset}, which does not lie between ${minOffset} and ${maxOffset - 1}`;
  }
  return undefined;
}

/**
 * A wrong base offset that is still possible shows by the batches around: by those before, or, if it is too high, by
 * the one behind. `next` is what the buffer has of that one's head, which is at `place.position`. Asked only at gaps.
 */
async function misplaced(log: OpenFile, next: Buffer, place: BlockPlace): Promise<string | undefined> {
  const { baseOffset, nextOffset } = batch;
  if (place.follows && baseOffset < place.minOffset) {
    return `a batch begins at offset ${baseOffset}, where ${place.minOffset} has its place`;
  }
  let head = next;
  if (head.length < HEADER_SIZE_UP_TO_MAGIC) {
    if (place.limit - place.position < HEADER_SIZE_UP_TO_MAGIC) return undefined;
    head = Buffer.alloc(HEADER_SIZE_UP_TO_MAGIC);
    await log.read(head, 0, head.length, place.position);
  }
  const behind = head.readUInt32BE(0) * 2 ** 32 + head.readUInt32BE(4);
  if (head[MAGIC_AT] !== MAGIC_V2 || behind < place.minOffset || behind >= nextOffset) return undefined;
  return `a batch of the offsets ${baseOffset} to ${nextOffset - 1}, and offset ${behind} behind it`;
}

export const DAMAGE_HINT = '`--skip-corrupt` goes on behind it; `klog log check` examines the log.';

function damage(log: OpenFile, position: number, offset: number, problem: string): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `the log is damaged: ${problem}`, {
    file: log.path,
    position,
    offset,
    hint: DAMAGE_HINT,
  });
}
