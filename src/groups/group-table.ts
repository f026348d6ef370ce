/**
 * What the records of one partition of `__consumer_offsets` add up to: the last value of each key, by group. Values are
 * decoded when somebody asks: of a long history of many groups a member needs one.
 */
import { decodeGroupMetadata } from '../format/coordinator/group-metadata.js';
import {
  decodeOffsetCommit,
  decodeOffsetCommitKey,
  encodeOffsetCommitKey,
  type OffsetCommit,
  type OffsetCommitKey,
} from '../format/coordinator/offset-commit.js';
import { bytesOfText, textOfBytes } from './bytes-as-text.js';
import { fromGroupMetadata, type GroupState, NO_GROUP } from './group-state.js';
import type { TopicPartition } from './partition-set.js';

/** Both as bytes-as-text.ts has them. */
export interface KeyValueText {
  readonly key: string;
  /** Null: a tombstone. */
  readonly value: string | null;
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
const ONLY_ASCII = /^[\0-\x7f]*$/;

interface GroupEntry {
  /** By what follows the group's id in the key. */
  readonly offsets: Map<string, string>;
  metadata: string | undefined;
  /** Made of `metadata` when it is asked for. */
  state: GroupState | undefined;
}

export class GroupTable {
  readonly #groups = new Map<string, GroupEntry>();

  set({ key, value }: KeyValueText): void {
    const version = key.length < 4 ? -1 : uint16(key, 0);
    // Kafka's newer kinds of groups: not klog's.
    if (version < 0 || version > GROUP_METADATA_KEY) return;
    const groupEnd = 4 + uint16(key, 2);
    const groupId = utf8(key.slice(4, groupEnd));
    const entry = this.#entry(groupId);
    if (version === GROUP_METADATA_KEY) {
      entry.metadata = value ?? undefined;
      entry.state = undefined;
    } else {
      // Versions 0 and 1 are the same key.
      const rest = key.slice(groupEnd);
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
    entry.state ??= fromGroupMetadata(decodeGroupMetadata(bytesOfText(entry.metadata)));
    return entry.state;
  }

  /** Everything a group has committed. */
  commitsOf(groupId: string): (OffsetCommitKey & { readonly commit: OffsetCommit })[] {
    const entry = this.#groups.get(groupId);
    return [...(entry?.offsets ?? [])].map(([rest, value]) => ({
      ...decodeOffsetCommitKey(keyOf(groupId, rest)),
      commit: decodeOffsetCommit(bytesOfText(value)),
    }));
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
  return value === undefined ? undefined : decodeOffsetCommit(bytesOfText(value));
}

function restOfKey(key: OffsetCommitKey): string {
  return textOfBytes(encodeOffsetCommitKey(key), 4 + Buffer.byteLength(key.groupId));
}

function keyOf(groupId: string, rest: string): Uint8Array {
  const prefix = encodeOffsetCommitKey({ groupId, topic: '', partition: 0 }).subarray(
    0,
    4 + Buffer.byteLength(groupId),
  );
  return Buffer.concat([prefix, bytesOfText(rest)]);
}

function uint16(text: string, at: number): number {
  return text.charCodeAt(at) * 256 + text.charCodeAt(at + 1);
}

function utf8(text: string): string {
  return ONLY_ASCII.test(text) ? text : bytesOfText(text).toString('utf8');
}
