/** A record of `__consumer_offsets`: which kind it is follows from the version its key begins with. */
import { KlogError } from '../../errors.js';
import { readInt16 } from '../int64.js';
import { decodeGroupMetadata, decodeGroupMetadataKey, type GroupMetadata } from './group-metadata.js';
import { decodeOffsetCommit, decodeOffsetCommitKey, type OffsetCommit } from './offset-commit.js';

/** Null is a tombstone: what was known under this key is no more. */
export type GroupRecord =
  | {
      readonly kind: 'offset-commit';
      readonly groupId: string;
      readonly topic: string;
      readonly partition: number;
      readonly commit: OffsetCommit | null;
    }
  | { readonly kind: 'group-metadata'; readonly groupId: string; readonly group: GroupMetadata | null };

const MAX_OFFSET_COMMIT_KEY = 1;
const GROUP_METADATA_KEY = 2;

/**
 * Undefined: a key of Kafka's newer kinds of groups, or of a later Kafka; to be passed over. Bytes that are none of
 * this: CORRUPT_MESSAGE; an offset beyond 2^53 - 1: INVALID_RECORD.
 */
export function decodeGroupRecord(key: Uint8Array | null, value: Uint8Array | null): GroupRecord | undefined {
  if (key === null || key.length < 2) {
    throw new KlogError('CORRUPT_MESSAGE', 'A record of __consumer_offsets has no key that tells its kind');
  }
  const version = readInt16(key, 0);
  if (version < 0) throw new KlogError('CORRUPT_MESSAGE', `A key of __consumer_offsets has version ${version}`);
  if (version <= MAX_OFFSET_COMMIT_KEY) {
    const commit = value === null ? null : decodeOffsetCommit(value);
    return { kind: 'offset-commit', ...decodeOffsetCommitKey(key), commit };
  }
  if (version > GROUP_METADATA_KEY) return undefined;
  const group = value === null ? null : decodeGroupMetadata(value);
  return { kind: 'group-metadata', groupId: decodeGroupMetadataKey(key), group };
}
