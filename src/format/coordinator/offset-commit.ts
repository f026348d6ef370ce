/**
 * OffsetCommit: how far a group has come in a partition, `OffsetCommitKey` and `OffsetCommitValue`.
 *
 * ```
 * key    i16 version 0, 1 · group string · topic string · partition i32
 * value  i16 version · offset i64 · leaderEpoch i32 (v3+) · metadata string · commitTimestamp i64 ·
 *        expireTimestamp i64 (v1)
 * ```
 * Values from version 4 on are flexible. Written are key 1, and value 3, or 1 where an expiry is given, as brokers do.
 */
import { SchemaReader } from './schema-reader.js';
import { SchemaWriter } from './schema-writer.js';

const KEY_VERSION = 1;
const EXPIRING_VERSION = 1;
const EPOCH_VERSION = 3;
const FIRST_FLEXIBLE = 4;

export interface OffsetCommitKey {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
}

export interface OffsetCommit {
  /** Of the next record the group has to read. */
  readonly offset: number;
  /** Of the last record it has read; -1: unknown. */
  readonly leaderEpoch: number;
  /** Any text of the application's. */
  readonly metadata: string;
  /** Milliseconds. */
  readonly commitTimestamp: number;
  /** Milliseconds; -1: by the group's retention. Only clients before Kafka 2.1 give one. */
  readonly expireTimestamp: number;
}

export function encodeOffsetCommitKey(key: OffsetCommitKey): Uint8Array {
  return new SchemaWriter().int16(KEY_VERSION).string(key.groupId).string(key.topic).int32(key.partition).done();
}

/** The version is any that stands in a key of this kind. */
export function decodeOffsetCommitKey(bytes: Uint8Array): OffsetCommitKey {
  const reader = new SchemaReader(bytes, 'The key of an offset commit');
  reader.version();
  const groupId = reader.string('group');
  const topic = reader.string('topic');
  return { groupId, topic, partition: reader.int32('partition') };
}

export function encodeOffsetCommit(commit: OffsetCommit): Uint8Array {
  const expiring = commit.expireTimestamp !== -1;
  const writer = new SchemaWriter().int16(expiring ? EXPIRING_VERSION : EPOCH_VERSION).int64(commit.offset);
  if (!expiring) writer.int32(commit.leaderEpoch);
  writer.string(commit.metadata).int64(commit.commitTimestamp);
  if (expiring) writer.int64(commit.expireTimestamp);
  return writer.done();
}

export function decodeOffsetCommit(bytes: Uint8Array): OffsetCommit {
  const reader = new SchemaReader(bytes, 'An offset commit');
  const version = reader.version(FIRST_FLEXIBLE);
  const offset = reader.int64('offset');
  const leaderEpoch = version >= EPOCH_VERSION ? reader.int32('leader epoch') : -1;
  const metadata = reader.string('metadata');
  const commitTimestamp = reader.int64('commit timestamp');
  const expireTimestamp = version === EXPIRING_VERSION ? reader.int64('expire timestamp') : -1;
  reader.taggedFields();
  return { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp };
}
