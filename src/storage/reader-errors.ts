/** What a reader says that went wrong, with the partition it went wrong in. */
import { KlogError } from '../errors.js';

interface Partition {
  readonly topic: string;
  readonly partition: number;
}

export function outOfRange(
  { topic, partition }: Partition,
  offset: number,
  { logStartOffset, logEndOffset }: { readonly logStartOffset: number; readonly logEndOffset: number },
): KlogError {
  return new KlogError(
    'OFFSET_OUT_OF_RANGE',
    `offset ${offset} of ${topic}:${partition} is out of range: the log begins at ${logStartOffset} and ends at ${logEndOffset}`,
    { topic, partition, offset },
  );
}

export function deletedWhileRead({ topic, partition }: Partition): KlogError {
  return new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `${topic}:${partition} was deleted while it was read`, {
    topic,
    partition,
  });
}

/** The error of a file, which does not know what it belongs to. */
export function located({ topic, partition }: Partition, error: unknown): unknown {
  if (!(error instanceof KlogError) || error.place.topic !== undefined) return error;
  return error.with({ message: `${topic}:${partition}: ${error.message}`, topic, partition });
}
