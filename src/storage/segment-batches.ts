/** The batches of one closed segment, in order, each whole and with the right CRC: for compaction and erasing. */
import { KlogError } from '../errors.js';
import { nextBatch, WalkResult } from '../format/batch-walk.js';
import { readBlock } from './batch-block.js';
import type { FileSystem } from './file-system.js';
import { segmentFileName } from './log-files.js';

const BLOCK_BYTES = 1024 * 1024;

export interface SegmentBatch {
  /** Valid until the next step. */
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

/**
 * CORRUPT_MESSAGE: a batch is damaged; nothing may be thrown away by what cannot be read. ENOENT: the segment has gone.
 *
 * @param endOffset base offset of the next segment: no batch reaches beyond it
 * @param bytes how much of the file counts; default all
 */
export async function* segmentBatches(
  fs: FileSystem,
  directory: string,
  baseOffset: number,
  endOffset: number,
  bytes?: number | undefined,
): AsyncGenerator<SegmentBatch> {
  const log = await fs.open(`${directory}/${segmentFileName(baseOffset, '.log')}`, 'read');
  try {
    const limit = bytes ?? (await log.stat()).size;
    const into = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, Math.max(1, limit)));
    const walk = new WalkResult();
    let minOffset = baseOffset;
    for (let position = 0; position < limit; ) {
      const place = { position, limit, minOffset, maxOffset: endOffset };
      const block = await readBlock(log, place, BLOCK_BYTES, into);
      for (let at = block.start; at < block.end; at += walk.size) {
        if (nextBatch(block.buffer, at, block.end, walk).status !== 'batch') throw unreadable(log.path, position + at);
        const isLast = position + at + walk.size >= limit;
        yield { bytes: block.buffer.subarray(at, at + walk.size), isLast };
      }
      position += block.end;
      minOffset = block.nextOffset;
    }
  } finally {
    await log.close();
  }
}

function unreadable(file: string, position: number): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `${file} is damaged at position ${position}`, { file, position });
}
