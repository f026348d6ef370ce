import { nextBatch } from '../../format/batch-walk.js';
import { writeInt64 } from '../../format/int64.js';
import { HEADER_SIZE_UP_TO_MAGIC } from '../../format/record-batch.js';
import type { OpenFile } from '../../storage/file-system.js';

const CHUNK_BYTES = 256 * 1024;
const OFFSET_BYTES = 8;

/**
 * Where in `[from, end)` a batch begins whose first offset is `offset`: the way on from a batch whose own length is
 * damaged. `undefined`: nowhere, or the log has a gap there.
 */
export async function findBatch(log: OpenFile, from: number, end: number, offset: number): Promise<number | undefined> {
  const wanted = Buffer.alloc(OFFSET_BYTES);
  writeInt64(wanted, 0, offset);
  const chunk = Buffer.alloc(Math.max(0, Math.min(CHUNK_BYTES, end - from)));
  for (let at = from; end - at >= HEADER_SIZE_UP_TO_MAGIC; ) {
    const got = await log.read(chunk, 0, Math.min(chunk.length, end - at), at);
    if (got < HEADER_SIZE_UP_TO_MAGIC) return undefined;
    const bytes = chunk.subarray(0, got);
    // A head that the chunk cuts is in the next chunk as a whole.
    const lastHead = got - HEADER_SIZE_UP_TO_MAGIC;
    for (let i = bytes.indexOf(wanted); i >= 0 && i <= lastHead; i = bytes.indexOf(wanted, i + 1)) {
      if (nextBatch(bytes, i, end - at).status === 'batch') return at + i;
    }
    at += lastHead + 1;
  }
  return undefined;
}
