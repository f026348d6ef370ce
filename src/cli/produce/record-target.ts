import type { RecordWriter } from '../../clients/producer.js';
import { KlogError } from '../../errors.js';

/** Where records of one topic go: the producer's writer, or something that stands in front of it. */
export type RecordTarget = Pick<
  RecordWriter,
  'topic' | 'partitionCount' | 'lineAppender' | 'appendValue' | 'append' | 'ready'
>;

/** -1 as a partition: the partitioner's choice. */
export const ANY_PARTITION = -1;

/**
 * Whether one record cannot be taken because of what it is; the next one may be fine. `partitionCount`: of the topic,
 * where records name their partition.
 */
export function isBadRecord(error: unknown, partitionCount = Number.POSITIVE_INFINITY): error is KlogError {
  if (!(error instanceof KlogError)) return false;
  switch (error.code) {
    case 'KLOG_BAD_INPUT':
    case 'MESSAGE_TOO_LARGE':
    case 'INVALID_RECORD':
    case 'INVALID_TIMESTAMP':
      return true;
    case 'UNKNOWN_TOPIC_OR_PARTITION': {
      // One that the topic has was deleted meanwhile, with its topic: it takes no other record either.
      const { partition } = error.place;
      return partition !== undefined && (partition < 0 || partition >= partitionCount);
    }
    default:
      return false;
  }
}

/** Where in the input a record began. */
export interface InputPlace {
  /** From 1. */
  readonly line: number;
  /** From 0, in the whole input. */
  readonly byte: number;
  /** Unless it is standard input. */
  readonly file?: string | undefined;
}

/**
 * Names the place in the error of a bad record; other errors are returned as they are. `partitionCount` as of {@link
 * isBadRecord}.
 */
export function withPlace(error: unknown, place: InputPlace, partitionCount?: number): unknown {
  if (!isBadRecord(error, partitionCount) || error.place.line !== undefined) return error;
  const { line, byte, file } = place;
  return error.with({
    message: `line ${line}, byte ${byte}: ${error.message}`,
    line,
    file: file ?? error.place.file,
  });
}

/** The same for a file that is one record. */
export function withFile(error: unknown, file: string): unknown {
  if (!isBadRecord(error)) return error;
  return error.with({ file });
}
