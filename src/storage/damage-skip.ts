/** Where reading goes on behind bytes that are no batches, or behind a segment that is gone. */
import { readBlock } from './batch-block.js';
import { findNextBatch } from './damage-search.js';
import { segmentFileName } from './log-files.js';
import type { ReadPosition } from './read-position.js';
import type { ReaderSegments } from './reader-segments.js';
import type { SafeView } from './safe-view.js';

/** Bytes that cannot be read, and where reading goes on. */
export interface Damage {
  readonly file: string;
  readonly position: number;
  /** Bytes passed over. */
  readonly length: number;
  /** The first offset that cannot be read. */
  readonly offset: number;
  /** The next one that can, or the end of the log. */
  readonly nextOffset: number;
  readonly reason: string;
}

/** Moves `reading` behind the damage at `offset`, which a fetch has met and said to be for `reason`. */
export async function skipDamage(
  segments: ReaderSegments,
  directory: string,
  reading: ReadPosition,
  view: SafeView,
  offset: number,
  reason: string,
): Promise<Damage> {
  const gap = await gapAt(segments, directory, reading, view, offset);
  if (gap !== undefined) return { ...gap, offset, reason };
  const place = await reading.placeOf(view, offset);
  const { baseOffset } = place;
  const { log } = await segments.open(baseOffset);
  const position = await findNextBatch(log, place);
  const damage = { file: log.path, position: place.position, length: position - place.position, offset, reason };
  if (position >= place.limit) {
    reading.forget();
    return { ...damage, nextOffset: (await segments.baseAfter(baseOffset)) ?? view.offset };
  }
  const { buffer } = await readBlock(log, { ...place, position }, 1);
  // A batch that holds the offset may stand behind bytes that are none.
  const nextOffset = Math.max(offset, baseOffsetOf(buffer));
  reading.moveTo({ offset: nextOffset, baseOffset, position, layoutVersion: view.layoutVersion });
  return { ...damage, nextOffset };
}

/**
 * Where the records from `offset` on are missing between two segments, or with the last one: there are no bytes to pass
 * over.
 */
async function gapAt(
  segments: ReaderSegments,
  directory: string,
  reading: ReadPosition,
  view: SafeView,
  offset: number,
): Promise<Pick<Damage, 'file' | 'position' | 'length' | 'nextOffset'> | undefined> {
  const baseOffset = await segments.baseOf(offset);
  const file = `${directory}/${segmentFileName(baseOffset, '.log')}`;
  if (baseOffset > offset) return { file, position: 0, length: 0, nextOffset: baseOffset };
  const following = await segments.baseAfter(baseOffset);
  const isLastGone = following === undefined && !(await segments.has(view.segmentBase));
  if (isLastGone && baseOffset === view.segmentBase) return { file, position: 0, length: 0, nextOffset: view.offset };
  const limit = await segments.limit(view, baseOffset);
  const nextOffset = isLastGone ? view.offset : following;
  if (nextOffset === undefined || nextOffset <= offset) return undefined;
  const position = reading.in(baseOffset, offset) ?? (await lookUp(segments, view, baseOffset, offset));
  if (position < limit) return undefined;
  reading.forget();
  return { file, position: limit, length: 0, nextOffset };
}

/** Damage on the way to the offset is no gap. */
async function lookUp(segments: ReaderSegments, view: SafeView, baseOffset: number, offset: number): Promise<number> {
  try {
    return (await segments.positionOf(view, baseOffset, offset)).position;
  } catch {
    return -1;
  }
}

function baseOffsetOf(buffer: Buffer): number {
  return buffer.readUInt32BE(0) * 2 ** 32 + buffer.readUInt32BE(4);
}
