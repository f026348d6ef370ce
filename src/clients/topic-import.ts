import type { NewTopic } from './admin.js';
import type { TopicPartition } from './client.js';
import type { GroupSnapshot } from './log-snapshot.js';

/** A topic to be filled. `partitions` and `configs` count only for one that is made. */
export interface ImportedTopic extends NewTopic {
  /** Where each partition begins. Default 0. Only for a topic that is made. */
  readonly startOffsets?: readonly number[];
  /**
   * `create` (default): there is no such topic; it is not to be seen before {@link TopicImport.commit}.
   * `continue`: there is, and batches keep their offsets, which must lie beyond its end.
   * `append`: there is, and batches get the next offsets.
   */
  readonly mode?: 'create' | 'continue' | 'append';
}

/** Topics being filled with record batches. What is written to topics that were there before stays whatever happens. */
export interface TopicImport extends AsyncDisposable {
  /**
   * Whole record batches, as {@link LogSnapshot.batches} hands them out; the bytes may be changed. CORRUPT_MESSAGE,
   * OFFSET_OUT_OF_RANGE, UNSUPPORTED_FOR_MESSAGE_FORMAT (batches older than v2 with `append`).
   */
  append(partition: TopicPartition, batches: Uint8Array): Promise<void>;
  /**
   * Everything is durable, and the new topics are there, all together, with what `groups` have committed of them:
   * nobody finds the one without the other. Of topics that were there before use `alterGroupOffsets` behind it.
   */
  commit(groups?: readonly GroupSnapshot[]): Promise<void>;
  /** Removes the new topics. Does nothing after a commit. */
  abort(): Promise<void>;
}
