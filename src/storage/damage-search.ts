/** Finds the next batch behind bytes that are none. */
import { nextBatch, WalkResult } from '../format/batch-walk.js';
import {
  LAST_OFFSET_DELTA_AT,
  MAGIC_AT,
  MAGIC_V2,
  RECORD_BATCH_OVERHEAD,
  RecordBatch,
} from '../format/record-batch.js';
import type { BlockPlace } from './batch-block.js';
import { BatchScanner } from './batch-scanner.js';
import type { OpenFile } from './file-system.js';

const SEARCH_BYTES = 1024 * 1024;

const walk = new WalkResult();
const batch = new RecordBatch();

/**
 * The position of the next batch that is whole and valid behind the damage at `place.position`; `place.limit` if there
 * is none. Looks at every byte: nothing about a damaged length can be believed.
 */
export async function findNextBatch(log: OpenFile, place: BlockPlace): Promise<number> {
  const window = Buffer.allocUnsafe(SEARCH_BYTES);
  for (let from = place.position + 1; from < place.limit; ) {
    const length = await log.read(window, 0, Math.min(SEARCH_BYTES, place.limit - from), from);
    for (let at = 0; at + RECORD_BATCH_OVERHEAD <= length; at++) {
      if (!looksLikeBatch(window, at, place, place.limit - from - at)) continue;
      if (await isValidAt(log, from + at, place.limit)) return from + at;
    }
    if (length < SEARCH_BYTES) break;
    from += length - RECORD_BATCH_OVERHEAD + 1;
  }
  return place.limit;
}

/** Offsets that fit between what was read and the end leave next to nothing for chance before a CRC is computed. */
function looksLikeBatch(window: Buffer, at: number, place: BlockPlace, left: number): boolean {
  // The high bytes of any offset in use are zero: cheap, and wrong nearly everywhere.
  if (window[at] !== 0 || window[at + MAGIC_AT]! > MAGIC_V2) return false;
  const { status, size } = nextBatch(window, at, at + left, walk);
  if (status !== 'batch' || size < RECORD_BATCH_OVERHEAD) return false;
  const baseOffset = window.readUInt32BE(at) * 2 ** 32 + window.readUInt32BE(at + 4);
  const lastOffset =
    baseOffset + (window[at + MAGIC_AT] === MAGIC_V2 ? window.readInt32BE(at + LAST_OFFSET_DELTA_AT) : 0);
  return lastOffset >= place.minOffset && baseOffset <= lastOffset && lastOffset < place.maxOffset;
}

/**
 * Where the first batch stands that ends at or beyond `offset`, looked for behind the damage at `place.position`. If
 * that may hold the offset itself, the position of the damage; `place.limit` if the segment ends before the offset.
 */
export async function findBehindDamage(log: OpenFile, place: BlockPlace, offset: number): Promise<number> {
  for (let damage = place.position; ; ) {
    const from = await findNextBatch(log, { ...place, position: damage });
    if (from >= place.limit) return damage;
    const scanner = new BatchScanner(log, place.limit, { from, minOffset: place.minOffset });
    if ((await scanner.next()) && scanner.baseOffset > offset) return damage;
    while (scanner.stop === undefined) {
      if (scanner.lastOffset >= offset) return scanner.position;
      await scanner.next();
    }
    if (scanner.stop === 'end') return place.limit;
    damage = scanner.position;
  }
}

async function isValidAt(log: OpenFile, position: number, limit: number): Promise<boolean> {
  const head = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD);
  await log.read(head, 0, head.length, position);
  const size = 12 + head.readInt32BE(8);
  if (size > limit - position) return false;
  const whole = Buffer.allocUnsafe(size);
  const length = await log.read(whole, 0, size, position);
  return length === size && batch.reset(whole, 0).isValid();
}
