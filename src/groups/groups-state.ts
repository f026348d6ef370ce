/**
 * What the records of one partition of `__consumer_offsets` add up to, in the order of their offsets: the last metadata of
 * each group and the last commit of each of its partitions. An offset committed in a transaction counts from its COMMIT
 * marker on; until then it is pending. Of two commits the later *record* counts, whichever became valid first.
 *
 * Given batches up to A it is the state that decisions are made on; given those up to S, what readers are shown.
 */
import { loadCodec } from '../format/compression.js';
import { controlRecordType } from '../format/control-record.js';
import type { GroupMetadata } from '../format/coordinator/group-metadata.js';
import { decodeGroupRecord, type GroupRecord } from '../format/coordinator/group-record.js';
import type { OffsetCommit } from '../format/coordinator/offset-commit.js';
import { RecordBatch } from '../format/record-batch.js';
import { codecNeeded, openCursor, RecordCursor } from '../format/record-cursor.js';

/** Whole batches: `buffer[start, end)`. */
export interface Batches {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly nextOffset: number;
}

export interface CommittedOffset extends OffsetCommit {
  readonly topic: string;
  readonly partition: number;
  /** Of the record that says so. */
  readonly recordOffset: number;
}

/** What is to become of a commit when its transaction ends; null: a tombstone. */
interface PendingCommit {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly recordOffset: number;
  readonly commit: OffsetCommit | null;
}

export class GroupState {
  readonly groupId: string;
  /** Null: it has none, or it was deleted; there may be offsets all the same. */
  metadata: GroupMetadata | null = null;
  readonly #committed = new Map<string, Map<number, CommittedOffset>>();

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  committed(topic: string, partition: number): CommittedOffset | undefined {
    return this.#committed.get(topic)?.get(partition);
  }

  /** In no particular order. */
  *allCommitted(): Iterable<CommittedOffset> {
    for (const partitions of this.#committed.values()) yield* partitions.values();
  }

  get isEmpty(): boolean {
    return this.metadata === null && this.#committed.size === 0;
  }

  apply({ topic, partition, recordOffset, commit }: PendingCommit): void {
    const known = this.committed(topic, partition);
    if (known !== undefined && known.recordOffset > recordOffset) return;
    const partitions = this.#committed.get(topic) ?? new Map<number, CommittedOffset>();
    if (commit === null) partitions.delete(partition);
    else partitions.set(partition, { ...commit, topic, partition, recordOffset });
    if (partitions.size === 0) this.#committed.delete(topic);
    else this.#committed.set(topic, partitions);
  }
}

/** One serves all: nothing keeps it beyond a call. */
const batch = new RecordBatch();

export class GroupsState {
  /** The offset of the next record to be applied. */
  nextOffset = 0;
  readonly #groups = new Map<string, GroupState>();
  /** By producer id. */
  readonly #pending = new Map<number, PendingCommit[]>();
  readonly #cursor = new RecordCursor();

  /** `undefined`: nothing is known of it. */
  group(groupId: string): GroupState | undefined {
    return this.#groups.get(groupId);
  }

  groups(): Iterable<GroupState> {
    return this.#groups.values();
  }

  /** The ids of the producers whose open transactions have an offset of this partition in them. */
  pendingProducers(groupId: string, topic: string, partition: number): number[] {
    const isOf = (commit: PendingCommit) =>
      commit.groupId === groupId && commit.topic === topic && commit.partition === partition;
    return [...this.#pending].filter(([, commits]) => commits.some(isOf)).map(([producerId]) => producerId);
  }

  /** Forgets everything: what was read may have been taken back, or compacted away. */
  clear(): void {
    this.nextOffset = 0;
    this.#groups.clear();
    this.#pending.clear();
  }

  /** The batches from {@link nextOffset} on. CORRUPT_MESSAGE, INVALID_RECORD. */
  async apply({ buffer, start, end, nextOffset }: Batches): Promise<void> {
    for (let at = start; at < end; ) {
      const needed = codecNeeded(buffer, at);
      if (needed !== undefined) await loadCodec(needed);
      batch.reset(buffer, at);
      at += batch.sizeInBytes;
      if (batch.isControl) this.#applyMarker(buffer, batch.position, batch.producerId);
      else this.#applyRecords(buffer, batch.position, batch.isTransactional ? batch.producerId : undefined);
    }
    this.nextOffset = nextOffset;
  }

  #applyRecords(buffer: Buffer, position: number, producerId: number | undefined): void {
    const cursor = openCursor(this.#cursor, buffer, position);
    cursor.skipTo(this.nextOffset);
    while (cursor.next()) {
      const record = decodeGroupRecord(cursor.key(), cursor.value());
      if (record !== undefined) this.#applyRecord(record, cursor.offset, producerId);
    }
  }

  #applyRecord(record: GroupRecord, recordOffset: number, producerId: number | undefined): void {
    if (record.kind === 'group-metadata') {
      this.#change(record.groupId, (group) => {
        group.metadata = record.group;
      });
      return;
    }
    const { groupId, topic, partition, commit } = record;
    const pending: PendingCommit = { groupId, topic, partition, recordOffset, commit };
    if (producerId === undefined) {
      this.#change(groupId, (group) => group.apply(pending));
      return;
    }
    const others = this.#pending.get(producerId);
    if (others === undefined) this.#pending.set(producerId, [pending]);
    else others.push(pending);
  }

  #applyMarker(buffer: Buffer, position: number, producerId: number): void {
    const cursor = openCursor(this.#cursor, buffer, position);
    if (!cursor.next()) return;
    const type = controlRecordType(cursor.buffer, cursor.keyStart, cursor.keyEnd);
    if (type !== 'COMMIT' && type !== 'ABORT') return;
    const pending = this.#pending.get(producerId) ?? [];
    this.#pending.delete(producerId);
    if (type === 'ABORT') return;
    for (const commit of pending) this.#change(commit.groupId, (group) => group.apply(commit));
  }

  #change(groupId: string, change: (group: GroupState) => void): void {
    const group = this.#groups.get(groupId) ?? new GroupState(groupId);
    change(group);
    if (group.isEmpty) this.#groups.delete(groupId);
    else this.#groups.set(groupId, group);
  }
}
