/**
 * The entries that the two indexes of a segment must have, worked out from its batches once more, by the rule of
 * Kafka's `LogSegment.append`: a batch gets an entry when more than index.interval.bytes came since the last one, the
 * time index only if the largest timestamp has risen; a segment that is closed gets its largest timestamp as the last
 * entry.
 */
import type { BatchSummary } from './segment-checker.js';

export interface SegmentIndexes {
  /** Last offset of a batch (text), its position. */
  readonly offsetIndex: readonly (readonly [string, number])[];
  /** Timestamp, offset, as text. */
  readonly timeIndex: readonly (readonly [string, string])[];
}

export function expectedIndexes(
  batches: readonly BatchSummary[],
  indexIntervalBytes: number,
  isClosed: boolean,
): SegmentIndexes {
  const offsetIndex: [string, number][] = [];
  const timeIndex: [string, string][] = [];
  let bytes = 0;
  let largest = -1;
  let offsetOfLargest = -1;
  let lastEntry = -1;
  const addTime = () => {
    if (largest <= lastEntry) return;
    timeIndex.push([String(largest), String(offsetOfLargest)]);
    lastEntry = largest;
  };
  for (const { position, sizeInBytes, lastOffset, maxTimestamp } of batches) {
    if (maxTimestamp > largest) {
      largest = maxTimestamp;
      offsetOfLargest = lastOffset;
    }
    if (bytes > indexIntervalBytes) {
      offsetIndex.push([String(lastOffset), position]);
      addTime();
      bytes = 0;
    }
    bytes += sizeInBytes;
  }
  if (isClosed) addTime();
  return { offsetIndex, timeIndex };
}
