import { KlogError } from '../../errors.js';
import type { TopicPartition } from '../client.js';
import type { OffsetSpec } from '../consumer.js';
import type { PartitionMarks, PartitionReader } from './local-store.js';

/** The part of a partition that a place is looked up in. */
export interface PartitionBounds {
  readonly reader: PartitionReader;
  readonly marks: PartitionMarks;
  /** Up to where records may be seen. */
  readonly visibleEnd: number;
}

/** A partition that is being read. */
export interface SoughtPartition extends TopicPartition, Pick<PartitionBounds, 'reader' | 'visibleEnd'> {
  marks: PartitionMarks;
}

/** Where a seek leads to, by the marks of now, which the partition takes up. @throws KlogError OFFSET_OUT_OF_RANGE */
export async function soughtOffset(to: OffsetSpec, partition: SoughtPartition): Promise<number> {
  partition.marks = await partition.reader.marks();
  const { topic, marks } = partition;
  const offset = await resolveOffset(to, partition);
  if (isOutOfRange(to, marks)) throw outOfRange(topic, partition.partition, offset, marks);
  return offset;
}

/** The offset of a place. A number is taken as it is; everything else clamps to the log. */
export async function resolveOffset(spec: OffsetSpec, { reader, marks, visibleEnd }: PartitionBounds): Promise<number> {
  const { logStartOffset } = marks;
  const clamped = (offset: number): number => Math.min(visibleEnd, Math.max(logStartOffset, offset));
  if (typeof spec === 'number') {
    if (!Number.isSafeInteger(spec)) throw new TypeError(`an offset must be a whole number: ${spec}`);
    return spec;
  }
  if (spec === 'start') return logStartOffset;
  if (spec === 'end') return visibleEnd;
  if (typeof spec === 'object' && spec !== null) {
    if ('timestamp' in spec) return clamped((await reader.offsetForTime(spec.timestamp))?.offset ?? visibleEnd);
    if ('fromStart' in spec) return clamped(logStartOffset + spec.fromStart);
    if ('fromEnd' in spec) return clamped(visibleEnd - spec.fromEnd);
  }
  throw new TypeError(`not a place in a partition: ${JSON.stringify(spec)}`);
}

/**
 * Whether a place was named that the log does not have. The end itself is no such place, nor is what has been appended
 * and nobody may see yet: there is nothing to read there, for now.
 */
export function isOutOfRange(spec: OffsetSpec, marks: PartitionMarks): boolean {
  return typeof spec === 'number' && (spec < marks.logStartOffset || spec > marks.logEndOffset);
}

export function outOfRange(topic: string, partition: number, offset: number, marks: PartitionMarks): KlogError {
  const { logStartOffset, logEndOffset } = marks;
  return new KlogError(
    'OFFSET_OUT_OF_RANGE',
    `offset ${offset} of ${topic}:${partition} is out of range: the log begins at ${logStartOffset} and ends at ${logEndOffset}`,
    { topic, partition, offset },
  );
}
