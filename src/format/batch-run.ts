/** A run of whole batches, as a segment has them: checked without decoding a record. */
import { KlogError } from '../errors.js';
import { nextBatch, WalkResult } from './batch-walk.js';
import { RecordBatch } from './record-batch.js';

/** What a run holds. */
export interface BatchTally {
  batches: number;
  /** As the batches say; of magic 0 and 1 not counted. */
  records: number;
  /** Behind the last batch; where the run was to begin if there is none. */
  nextOffset: number;
}

const walk = new WalkResult();
const batch = new RecordBatch();

/**
 * Checks that `buffer` is whole batches with the right CRCs, their offsets ascending within [minOffset, endOffset).
 * @throws KlogError CORRUPT_MESSAGE; `position` is the byte of `buffer` where the bad batch begins
 */
export function checkBatches(buffer: Uint8Array, minOffset: number, endOffset: number): BatchTally {
  const tally: BatchTally = { batches: 0, records: 0, nextOffset: minOffset };
  let at = 0;
  for (; nextBatch(buffer, at, buffer.length, walk).status === 'batch'; at += walk.size) {
    batch.reset(buffer, at);
    if (!batch.isValid()) throw bad(at, `the checksum of a batch of ${walk.size} bytes does not match`);
    const { baseOffset, lastOffset } = offsetsOf(at);
    if (baseOffset < tally.nextOffset || lastOffset < baseOffset || lastOffset >= endOffset) {
      const range = `${tally.nextOffset} to ${endOffset - 1}`;
      throw bad(at, `a batch has the offsets ${baseOffset} to ${lastOffset}, which do not lie within ${range}`);
    }
    tally.batches++;
    tally.records += Math.max(0, batch.recordCount);
    tally.nextOffset = lastOffset + 1;
  }
  if (walk.status === 'end') return tally;
  throw bad(at, walk.problem || 'a batch is cut short');
}

/** Views of the batches in bytes that {@link checkBatches} has found good. */
export function splitBatches(buffer: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = [];
  for (let at = 0; nextBatch(buffer, at, buffer.length, walk).status === 'batch'; ) {
    const end = at + walk.size;
    batches.push(buffer.subarray(at, end));
    at = end;
  }
  return batches;
}

/** 64-bit fields beyond what klog counts with are damage here. */
function offsetsOf(at: number): { readonly baseOffset: number; readonly lastOffset: number } {
  try {
    const { baseOffset, lastOffset } = batch;
    return { baseOffset, lastOffset };
  } catch (error) {
    if (error instanceof KlogError) throw bad(at, error.message);
    throw error;
  }
}

function bad(position: number, problem: string): KlogError {
  return new KlogError('CORRUPT_MESSAGE', problem, { position });
}
