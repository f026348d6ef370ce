import { readInt32 } from '../../format/int64.js';
import {
  BATCH_LENGTH_AT,
  HEADER_SIZE_UP_TO_MAGIC,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAGIC_V2,
} from '../../format/record-batch.js';
import type { OpenFile } from '../../storage/file-system.js';
import type { DumpFile } from './dump-file.js';
import type { DumpTask } from './dump-task.js';
import type { TrailingBytes } from './dump-writer.js';

interface Trailing {
  readonly position: number;
  readonly end: number;
  /** Why no batch can stand at `position`; empty: one is begun there. */
  readonly problem: string;
  readonly durable: boolean | undefined;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * Says what lies behind the batches of a `.log`. A begun batch, or room made in advance, at the end of a log is what a
 * crash, or a writer at work, leaves, and no damage; with another segment behind it, or below what klog.end says is
 * safe, it is.
 */
export async function dumpTrailing(file: DumpFile, log: OpenFile, trailing: Trailing, task: DumpTask): Promise<void> {
  const { position, end, problem, durable } = trailing;
  const { content, what } = await describeTail(log, position, end, problem);
  const shown: TrailingBytes = {
    position,
    bytes: end - position,
    content,
    problem: content === 'zeros' ? undefined : what,
    durable,
  };
  task.format.trailing(file, shown, task.out.buffer);
  await task.out.ready();
  const isDamage = content === 'garbage' || file.isFollowed || durable === true;
  if (isDamage && durable !== false) {
    task.damage.add(file, `${end - position} bytes that are no batch: ${shown.problem ?? content}`, { position });
  }
}

/** What stands in `[position, end)`, where no batch does. `problem`: why none can; empty: one is begun there. */
export async function describeTail(
  log: OpenFile,
  position: number,
  end: number,
  problem: string,
): Promise<{ readonly content: TrailingBytes['content']; readonly what: string }> {
  if (await isZero(log, position, end)) return { content: 'zeros', what: 'zeros' };
  if (problem !== '') return { content: 'garbage', what: problem };
  const { isBatch, what } = await describeBegun(log, position, end);
  return { content: isBatch ? 'partial' : 'garbage', what };
}

/** Of a batch that the file cuts; what cannot be one is told by the magic. */
async function describeBegun(
  log: OpenFile,
  position: number,
  end: number,
): Promise<{ isBatch: boolean; what: string }> {
  const header = Buffer.alloc(HEADER_SIZE_UP_TO_MAGIC);
  const got = await log.read(header, 0, Math.min(header.length, end - position), position);
  if (got < header.length) return { isBatch: true, what: 'the beginning of a batch' };
  const magic = header[MAGIC_AT]!;
  if (magic > MAGIC_V2) return { isBatch: false, what: `the magic is ${magic}, and 0, 1 and 2 are known` };
  const size = LOG_OVERHEAD + readInt32(header, BATCH_LENGTH_AT);
  return { isBatch: true, what: `the beginning of a batch of ${size} bytes` };
}

/** Whether all bytes in `[position, end)` are zero. */
export async function isZero(log: OpenFile, position: number, end: number): Promise<boolean> {
  const chunk = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_BYTES, end - position)));
  const zeros = Buffer.alloc(chunk.length);
  for (let at = position; at < end; ) {
    const got = await log.read(chunk, 0, Math.min(chunk.length, end - at), at);
    if (got === 0) break;
    if (chunk.compare(zeros, 0, got, 0, got) !== 0) return false;
    at += got;
  }
  return true;
}
