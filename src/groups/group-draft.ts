/** What decisions have said and is not appended yet, over what is. */
import { encodeGroupMetadata, encodeGroupMetadataKey } from '../format/coordinator/group-metadata.js';
import { encodeOffsetCommit, encodeOffsetCommitKey, type OffsetCommit } from '../format/coordinator/offset-commit.js';
import { RecordBatchBuilder } from '../format/record-batch-builder.js';
import { textOfBytes } from './bytes-as-text.js';
import { type GroupState, NO_GROUP, toGroupMetadata } from './group-state.js';
import type { GroupTable, GroupView } from './group-table.js';
import { partitionName, type TopicPartition } from './partition-set.js';

export interface CommitChange extends TopicPartition {
  /** Null: nothing is committed any more. */
  readonly commit: OffsetCommit | null;
}

/** What a decision adds: the group's next state, or null for no group any more; commits. */
export interface Change {
  readonly state?: GroupState | null | undefined;
  readonly commits?: readonly CommitChange[];
}

interface KeyValue {
  readonly key: Uint8Array;
  /** Null: a tombstone. */
  readonly value: Uint8Array | null;
}

export class Draft {
  readonly #table: GroupTable;
  readonly #states = new Map<string, GroupState | null>();
  readonly #commits = new Map<string, Map<string, CommitChange>>();
  #records: readonly KeyValue[] = [];

  constructor(table: GroupTable) {
    this.#table = table;
  }

  get isEmpty(): boolean {
    return this.#states.size === 0 && this.#commits.size === 0;
  }

  group(groupId: string): GroupView {
    const before = this.#table.group(groupId);
    const commits = this.#commits.get(groupId);
    return {
      state: this.#states.has(groupId) ? (this.#states.get(groupId) ?? NO_GROUP) : before.state,
      committed(partition) {
        const drafted = commits?.get(partitionName(partition));
        return drafted === undefined ? before.committed(partition) : (drafted.commit ?? undefined);
      },
      allCommitted() {
        const undrafted = before.allCommitted().filter((one) => commits?.has(partitionName(one)) !== true);
        const drafted = [...(commits?.values() ?? [])].flatMap((one) =>
          one.commit === null ? [] : [{ ...one, commit: one.commit }],
        );
        return [...undrafted, ...drafted];
      },
      hasCommitsOf: (topic) =>
        before.hasCommitsOf(topic) || [...(commits?.values() ?? [])].some((one) => one.topic === topic),
    };
  }

  /** False: that is nothing. */
  add(groupId: string, { state, commits = [] }: Change): boolean {
    if (state === undefined && commits.length === 0) return false;
    if (state !== undefined) this.#states.set(groupId, state);
    if (commits.length === 0) return true;
    let drafted = this.#commits.get(groupId);
    if (drafted === undefined) {
      drafted = new Map();
      this.#commits.set(groupId, drafted);
    }
    for (const commit of commits) drafted.set(partitionName(commit), commit);
    return true;
  }

  /** One batch: all of it is in the log, or nothing. Of what was said of the same thing the last counts. */
  build(now: number): Uint8Array {
    this.#records = [...this.#encode(now)];
    const builder = new RecordBatchBuilder({ initialBytes: 4096 });
    for (const { key, value } of this.#records) {
      builder.append(key, 0, key.length, value, 0, value?.length ?? 0, now, null);
    }
    return builder.build();
  }

  /** What was built is in the log. */
  writeTo(table: GroupTable): void {
    for (const { key, value } of this.#records) {
      table.set({ key: textOfBytes(key), value: value === null ? null : textOfBytes(value) });
    }
    for (const [groupId, state] of this.#states) if (state !== null) table.know(groupId, state);
  }

  *#encode(now: number): IterableIterator<KeyValue> {
    for (const [groupId, commits] of this.#commits) {
      for (const { topic, partition, commit } of commits.values()) {
        const value = commit === null ? null : encodeOffsetCommit(commit);
        yield { key: encodeOffsetCommitKey({ groupId, topic, partition }), value };
      }
    }
    for (const [groupId, state] of this.#states) {
      const value = state === null ? null : encodeGroupMetadata(toGroupMetadata(state, now));
      yield { key: encodeGroupMetadataKey(groupId), value };
    }
  }
}
