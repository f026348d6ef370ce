/**
 * From batch to batch through the bytes of a `.log` file, looking only at the fields that say how long a batch is:
 * no CRC is checked here. As Kafka's `FileLogInputStream` does it, but a magic above 2 is refused instead of read as 2.
 */
import { readInt32 } from './int64.js';
import { minimumSize } from './legacy-message.js';
import {
  BATCH_LENGTH_AT,
  HEADER_SIZE_UP_TO_MAGIC,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAGIC_V2,
  RECORD_BATCH_OVERHEAD,
} from './record-batch.js';

/**
 * Smaller than any message ever was (`LegacyRecord.RECORD_OVERHEAD_V0`). Zero bytes of a preallocated tail end here.
 */
const MINIMUM_BATCH_LENGTH = 14;

/**
 * - `batch`: a whole one lies at the position.
 * - `end`: the bytes end here.
 * - `partial`: the bytes end inside this batch; a reader stops, or asks for more when there is more.
 * - `corrupt`: what stands here cannot be the head of a batch.
 */
export type WalkStatus = 'batch' | 'partial' | 'corrupt' | 'end';

/** What {@link nextBatch} found. One object serves a whole walk. */
export class WalkResult {
  status: WalkStatus = 'end';
  position = 0;
  /** Bytes of the whole batch; of a partial one as far as known (at least so many are needed); else 0. */
  size = 0;
  /** Of a whole batch, else -1. */
  magic = -1;
  /** What is wrong when corrupt, as the end of a sentence that names the place. */
  problem = '';
}

/** Looks at what stands in `buffer[position, end)` and answers in `result`, which it returns. */
export function nextBatch(buffer: Uint8Array, position: number, end: number, result = new WalkResult()): WalkResult {
  result.position = position;
  result.magic = -1;
  result.problem = '';
  const available = end - position;
  if (available < HEADER_SIZE_UP_TO_MAGIC) {
    result.status = available <= 0 ? 'end' : 'partial';
    result.size = available <= 0 ? 0 : HEADER_SIZE_UP_TO_MAGIC;
    return result;
  }
  const batchLength = readInt32(buffer, position + BATCH_LENGTH_AT);
  if (batchLength < MINIMUM_BATCH_LENGTH) {
    return corrupt(result, `the batch length is ${batchLength}, which is less than any batch has`);
  }
  const size = LOG_OVERHEAD + batchLength;
  if (size > available) {
    result.status = 'partial';
    result.size = size;
    return result;
  }
  const magic = buffer[position + MAGIC_AT]!;
  if (magic > MAGIC_V2) return corrupt(result, `the magic is ${magic}, and 0, 1 and 2 are known`);
  const minimum = magic === MAGIC_V2 ? RECORD_BATCH_OVERHEAD : minimumSize(magic);
  if (size < minimum) {
    return corrupt(result, `the batch has ${size} bytes, and with magic ${magic} it has at least ${minimum}`);
  }
  result.status = 'batch';
  result.size = size;
  result.magic = magic;
  return result;
}

function corrupt(result: WalkResult, problem: string): WalkResult {
  result.status = 'corrupt';
  result.size = 0;
  result.problem = problem;
  return result;
}
