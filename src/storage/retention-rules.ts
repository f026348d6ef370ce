/** Kafka's rules of which segments go (`UnifiedLog.deleteOldSegments`). */
import type { Awaitable } from './file-system.js';

export interface RetentionSegment {
  readonly baseOffset: number;
  /** Base offset of the next segment; of the last one the end of the log. */
  readonly endOffset: number;
  readonly sizeInBytes: number;
  readonly isLast: boolean;
  /** Of its records; where none has one, when the file was last written. Asked for only where it matters. */
  largestTimestamp(): Awaitable<number>;
}

export interface RetentionRules {
  readonly logStartOffset: number;
  readonly highWatermark: number;
  /** Whether `cleanup.policy` has `delete`: else only what the log start leaves behind goes. */
  readonly deletes: boolean;
  /** -1: any size. */
  readonly retentionBytes: number;
  /** -1: for ever. */
  readonly retentionMs: number;
  /** `undefined`: the clock is not believed, nothing goes by its age. */
  readonly nowMs: number | undefined;
}

/** How many of the segments go: whole ones, from the oldest on, up to the first that must stay. */
export async function countDeletable(segments: readonly RetentionSegment[], rules: RetentionRules): Promise<number> {
  let count = 0;
  const mayGo = (segment: RetentionSegment | undefined): segment is RetentionSegment =>
    segment !== undefined && segment.endOffset <= rules.highWatermark && !(segment.isLast && segment.sizeInBytes === 0);
  for (
    let at = segments[count];
    mayGo(at) && !at.isLast && at.endOffset <= rules.logStartOffset;
    at = segments[count]
  ) {
    count++;
  }
  if (!rules.deletes) return count;
  if (rules.retentionBytes >= 0) {
    let total = 0;
    for (let i = count; i < segments.length; i++) total += segments[i]!.sizeInBytes;
    for (let at = segments[count]; mayGo(at) && total - at.sizeInBytes >= rules.retentionBytes; at = segments[count]) {
      total -= at.sizeInBytes;
      count++;
    }
  }
  if (rules.retentionMs < 0 || rules.nowMs === undefined) return count;
  for (let at = segments[count]; mayGo(at); at = segments[count]) {
    if (rules.nowMs - (await at.largestTimestamp()) <= rules.retentionMs) break;
    count++;
  }
  return count;
}
