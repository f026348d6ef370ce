/**
 * Segments that have become part of another one. An exchange of several segments for one puts the new one in place
 * first and unlinks the others then (segment-swap.ts): where its process died in between, the same offsets stand in
 * both. So they do in a copy that was made meanwhile, of some files before the exchange and of others after it. The new
 * segment counts.
 */
import { BatchScanner } from './batch-scanner.js';
import type { ControlRecord } from './control-record.js';
import type { FileSystem } from './file-system.js';
import { isOdd } from './log-context.js';
import { segmentFileName } from './log-files.js';
import { OffsetIndex } from './offset-index.js';

/** Of the closed ones among `bases`, those whose offsets the segment with `baseOffset` has too. */
export async function coveredBy(
  fs: FileSystem,
  directory: string,
  baseOffset: number,
  bases: readonly number[],
  lastBase: number,
): Promise<number[]> {
  if (!bases.includes(baseOffset)) return [];
  const end = await endOfSegment(fs, directory, baseOffset);
  return bases.filter((base) => base > baseOffset && base < end && base < lastBase);
}

/** The segments that readers go by, where S may name an exchange that was not finished. */
export async function withoutCovered(
  fs: FileSystem,
  directory: string,
  bases: number[],
  layout: Pick<ControlRecord, 'layoutVersion' | 'swappedBase' | 'segmentBase'>,
): Promise<number[]> {
  if (!isOdd(layout.layoutVersion) || layout.swappedBase < 0) return bases;
  const covered = await coveredBy(fs, directory, layout.swappedBase, bases, layout.segmentBase);
  return bases.filter((base) => !covered.includes(base));
}

/**
 * The segments of a copy, whose S is that of another file and knows nothing of when which of its files was copied:
 * those whose offsets an earlier one has too are left out.
 */
export async function withoutOverlaps(fs: FileSystem, directory: string, bases: readonly number[]): Promise<number[]> {
  const kept: number[] = [];
  let end = -1;
  for (const [i, base] of bases.entries()) {
    if (base < end) continue;
    kept.push(base);
    if (i < bases.length - 1) end = await endOfWholeSegment(fs, directory, base);
  }
  return kept;
}

/** Offset behind the last batch, of a segment whose index may be older or newer than it. */
async function endOfWholeSegment(fs: FileSystem, directory: string, baseOffset: number): Promise<number> {
  const log = await fs.open(`${directory}/${segmentFileName(baseOffset, '.log')}`, 'read');
  try {
    const { size } = await log.stat();
    const indexed = await lastIndexedPosition(fs, directory, baseOffset);
    for (const from of indexed > 0 && indexed < size ? [indexed, 0] : [0]) {
      const scanner = new BatchScanner(log, size, { from, minOffset: baseOffset });
      let isSound = false;
      let end = baseOffset;
      while (await scanner.next()) {
        end = scanner.nextOffset;
        // Only the last one counts, and nobody knows which that is before it.
        isSound = scanner.position + scanner.size === size && (await scanner.isValid());
      }
      if (isSound || from === 0) return end;
    }
    return baseOffset;
  } finally {
    await log.close();
  }
}

/** Offset behind the last batch. */
async function endOfSegment(fs: FileSystem, directory: string, baseOffset: number): Promise<number> {
  const log = await fs.open(`${directory}/${segmentFileName(baseOffset, '.log')}`, 'read');
  try {
    const from = await lastIndexedPosition(fs, directory, baseOffset);
    const scanner = new BatchScanner(log, (await log.stat()).size, { from, minOffset: baseOffset });
    while (await scanner.next());
    return scanner.nextOffset;
  } finally {
    await log.close();
  }
}

async function lastIndexedPosition(fs: FileSystem, directory: string, baseOffset: number): Promise<number> {
  try {
    const file = await fs.open(`${directory}/${segmentFileName(baseOffset, '.index')}`, 'read');
    try {
      const index = new OffsetIndex(file, baseOffset);
      const size = await index.usableSize((await file.stat()).size);
      return (await index.lookup(Number.MAX_SAFE_INTEGER, size)).position;
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
