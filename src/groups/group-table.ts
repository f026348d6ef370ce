/**
 * What the records of one partition of `__consumer_offsets` add up to: the last value of each key, by group. Values stay bytes
 * until somebody asks: of a long history of many groups a member needs one.
 */
import { decodeGroupMetadata, encodeGroupMetadataKey } from '../format/coordinator/group-metadata.js';
import {
  decodeOffsetCommit,
  decodeOffsetCommitKey,
  encodeOffsetCommitKey,
  type OffsetCommit,
  type OffsetCommitKey,
} from '../format/coordinator/offset-commit.js';
import { fromGroupMetadata, type GroupState, NO_GROUP } from './group-state.js';
import type { TopicPartition } from './partition-set.js';

export interface KeyValue {
  readonly key: Uint8Array;
  /** Null: a tombstone. */
  readonly value: Uint8Array | null;
}

export interface CommittedOffset extends TopicPartition {
  readonly commit: OffsetCommit;
}

/** What a group has committed, and how it stands. */
export interface GroupView {
  readonly state: GroupState;
  committed(partition: TopicPartition): OffsetCommit | undefined;
  /** Everything that is committed. */
  allCommitted(): CommittedOffset[];
  /** Whether anything of the topic is committed. */
  hasCommitsOf(topic: string): boolean;
}

const GROUP_METADATA_KEY = 2;

interface GroupEntry {
  /** By the whole key as text of its bytes. */
  readonly offsets: Map<string, Uint8Array>;
  metadata: Uint8Array | undefined;
  /** Made of `metadata` when it is asked for. */
  state: GroupState | undefined;
}

export class GroupTable {
  readonly #groups = new Map<string, GroupEntry>();

  /** Takes the bytes as they are: whoever lends a buffer gives a copy of the value. */
  set(key: Uint8Array, value: Uint8Array | null): void {
    const view = Buffer.from(key.buffer, key.byteOffset, key.length);
    const version = view.length < 4 ? -1 : view.readInt16BE(0);
    // Kafka's newer kinds of groups: not klog's.
    if (version < 0 || version > GROUP_METADATA_KEY) return;
    const groupEnd = 4 + view.readInt16BE(2);
    const groupId = view.toString('utf8', 4, groupEnd);
    const entry = this.#entry(groupId);
    if (version === GROUP_METADATA_KEY) {
      entry.metadata = value ?? undefined;
      entry.state = undefined;
    } else {
      // Versions 0 and 1 are the same key.
      const rest = view.toString('latin1', groupEnd);
      if (value === null) entry.offsets.delete(rest);
      else entry.offsets.set(rest, value);
    }
    if (entry.metadata === undefined && entry.offsets.size === 0) this.#groups.delete(groupId);
  }

  /** The state that the last value was made of, so that it need not be decoded. */
  know(groupId: string, state: GroupState): void {
    const entry = this.#groups.get(groupId);
    if (entry !== undefined) entry.state = state;
  }

  clear(): void {
    this.#groups.clear();
  }

  /** The ids of all groups that something is known of. */
  groupIds(): string[] {
    return [...this.#groups.keys()].sort();
  }

  group(groupId: string): GroupView {
    const entry = this.#groups.get(groupId);
    return {
      state: this.state(groupId),
      committed: (partition) => commitIn(entry, groupId, partition),
      allCommitted: () => this.commitsOf(groupId),
      hasCommitsOf: (topic) => {
        const prefix = restOfKey({ groupId, topic, partition: 0 }).slice(0, -4);
        for (const rest of entry?.offsets.keys() ?? []) if (rest.startsWith(prefix)) return true;
        return false;
      },
    };
  }

  /** The same object until the record changes. @throws KlogError CORRUPT_MESSAGE */
  state(groupId: string): GroupState {
    const entry = this.#groups.get(groupId);
    if (entry?.metadata === undefined) return NO_GROUP;
    entry.state ??= fromGroupMetadata(decodeGroupMetadata(entry.metadata));
    return entry.state;
  }

  /** Everything a group has committed. */
  commitsOf(groupId: string): (OffsetCommitKey & { readonly commit: OffsetCommit })[] {
    const entry = this.#groups.get(groupId);
    return [...(entry?.offsets ?? [])].map(([rest, value]) => ({
      ...decodeOffsetCommitKey(keyOf(groupId, rest)),
      commit: decodeOffsetCommit(value),
    }));
  }

  /** Every key with its last value, for a snapshot. */
  *entries(): IterableIterator<KeyValue> {
    for (const [groupId, { metadata, offsets }] of this.#groups) {
      if (metadata !== undefined) yield { key: encodeGroupMetadataKey(groupId), value: metadata };
      for (const [rest, value] of offsets) yield { key: keyOf(groupId, rest), value };
    }
  }

  #entry(groupId: string): GroupEntry {
    let entry = this.#groups.get(groupId);
    if (entry === undefined) {
      entry = { offsets: new Map(), metadata: undefined, state: undefined };
      this.#groups.set(groupId, entry);
    }
    return entry;
  }
}

function commitIn(entry: GroupEntry | undefined, groupId: string, partition: TopicPartition): OffsetCommit | undefined {
  const value = entry?.offsets.get(restOfKey({ groupId, ...partition }));
  return value === undefined ? undefined : decodeOffsetCommit(value);
}

function restOfKey(key: OffsetCommitKey): string {
  return Buffer.from(encodeOffsetCommitKey(key)).toString('latin1', 4 + Buffer.byteLength(key.groupId));
}

function keyOf(groupId: string, rest: string): Uint8Array {
  const prefix = encodeOffsetCommitKey({ groupId, topic: '', partition: 0 }).subarray(
    0,
    4 + Buffer.byteLength(groupId),
  );
  return Buffer.concat([prefix, Buffer.from(rest, 'latin1')]);
}
