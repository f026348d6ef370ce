import type { ClosedSegment } from './compaction-range.js';
import type { LogConfig } from './log-config.js';
import { MAX_RELATIVE_OFFSET } from './segment-index-writer.js';

const MAX_POSITION = 0x7fffffff;

/**
 * Neighbours that are written into one segment (Kafka: `groupSegmentsBySize`): as many as fit by size, by the size of
 * their indexes, and by the distance of offsets.
 */
export function groupSegments(
  segments: readonly ClosedSegment[],
  config: Pick<LogConfig, 'segmentBytes' | 'segmentIndexBytes'>,
): ClosedSegment[][] {
  const groups: ClosedSegment[][] = [];
  let size = 0;
  let indexBytes = 0;
  for (const segment of segments) {
    const group = groups.at(-1);
    size += segment.sizeInBytes;
    indexBytes += segment.indexBytes;
    if (
      group !== undefined &&
      size <= Math.min(config.segmentBytes, MAX_POSITION) &&
      indexBytes <= config.segmentIndexBytes &&
      segment.endOffset - 1 - group[0]!.baseOffset <= MAX_RELATIVE_OFFSET
    ) {
      group.push(segment);
      continue;
    }
    groups.push([segment]);
    size = segment.sizeInBytes;
    indexBytes = segment.indexBytes;
  }
  return groups;
}
