import { describe, expect, it } from 'vitest';
import { buildTransactionMarker } from '../../src/format/control-record.js';
import { encodeGroupMetadata, encodeGroupMetadataKey } from '../../src/format/coordinator/group-metadata.js';
import { encodeOffsetCommit, encodeOffsetCommitKey } from '../../src/format/coordinator/offset-commit.js';
import { RecordBatchBuilder, type RecordBatchFields } from '../../src/format/record-batch-builder.js';
import { GroupsState } from '../../src/groups/groups-state.js';

type Entry = readonly [Uint8Array, Uint8Array | null];

const commitOf = (partition: number, offset: number | null, groupId = 'g'): Entry => [
  encodeOffsetCommitKey({ groupId, topic: 't', partition }),
  offset === null
    ? null
    : encodeOffsetCommit({ offset, leaderEpoch: 0, metadata: 'm', commitTimestamp: 5, expireTimestamp: -1 }),
];

const metadataOf = (generation: number | null, groupId = 'g'): Entry => [
  encodeGroupMetadataKey(groupId),
  generation === null
    ? null
    : encodeGroupMetadata({
        protocolType: 'consumer',
        generation,
        protocol: null,
        leader: null,
        currentStateTimestamp: 5,
        members: [],
      }),
];

/** A log of batches, one after the other. */
class Log {
  readonly #batches: Uint8Array[] = [];
  #next = 0;

  append(entries: readonly Entry[], fields: RecordBatchFields = {}): this {
    const builder = new RecordBatchBuilder();
    for (const [key, value] of entries) {
      builder.append(key, 0, key.length, value, 0, value?.length ?? 0, 5, null);
    }
    this.#batches.push(builder.build({ ...fields, baseOffset: this.#next }));
    this.#next += entries.length;
    return this;
  }

  end(result: 'COMMIT' | 'ABORT', producerId: number): this {
    const fields = { result, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 5, baseOffset: this.#next };
    this.#batches.push(buildTransactionMarker(fields));
    this.#next++;
    return this;
  }

  async state(): Promise<GroupsState> {
    const state = new GroupsState();
    const buffer = Buffer.concat(this.#batches);
    await state.apply({ buffer, start: 0, end: buffer.length, nextOffset: this.#next });
    return state;
  }
}

const inTransaction = (producerId: number) => ({ transactional: true, producerId, producerEpoch: 0, baseSequence: 0 });

describe('the state of a partition of __consumer_offsets', () => {
  it('is the last metadata of each group and the last commit of each partition', async () => {
    const log = new Log().append([commitOf(0, 1), commitOf(1, 7), metadataOf(1)]);
    log.append([commitOf(0, 2), metadataOf(2), commitOf(0, 9, 'other')]);
    const state = await log.state();
    expect(state.nextOffset).toBe(6);
    expect([...state.groups()].map(({ groupId }) => groupId)).toEqual(['g', 'other']);
    const group = state.group('g')!;
    expect(group.metadata?.generation).toBe(2);
    expect(group.committed('t', 0)).toMatchObject({ offset: 2, metadata: 'm', recordOffset: 3 });
    expect([...group.allCommitted()].map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 2],
      [1, 7],
    ]);
    expect(state.group('other')).toMatchObject({ metadata: null });
    expect(state.group('unknown')).toBeUndefined();
  });

  it('knows nothing of what tombstones have taken back', async () => {
    const log = new Log().append([commitOf(0, 1), metadataOf(1)]).append([commitOf(0, null)]);
    expect((await log.state()).group('g')?.committed('t', 0)).toBeUndefined();
    log.append([metadataOf(null)]);
    expect([...(await log.state()).groups()]).toEqual([]);
  });

  it('passes over records of later kinds', async () => {
    const log = new Log().append([[Uint8Array.of(0, 9, 1), Uint8Array.of(1)], commitOf(0, 3)]);
    expect((await log.state()).group('g')?.committed('t', 0)?.offset).toBe(3);
  });

  it('has offsets of a transaction from its COMMIT marker on, and never those of an aborted one', async () => {
    const log = new Log().append([commitOf(0, 1)]).append([commitOf(0, 5)], inTransaction(7));
    const pending = await log.state();
    expect(pending.group('g')?.committed('t', 0)?.offset).toBe(1);
    expect(pending.pendingProducers('g', 't', 0)).toEqual([7]);
    expect(pending.pendingProducers('g', 't', 1)).toEqual([]);
    log
      .append([commitOf(0, 6)], inTransaction(8))
      .end('COMMIT', 7)
      .end('ABORT', 8);
    const ended = await log.state();
    expect(ended.group('g')?.committed('t', 0)?.offset).toBe(5);
    expect(ended.pendingProducers('g', 't', 0)).toEqual([]);
  });

  it('has of two commits the later record, though its transaction ended earlier', async () => {
    const log = new Log()
      .append([commitOf(0, 5)], inTransaction(7))
      .append([commitOf(0, 9)])
      .end('COMMIT', 7);
    expect((await log.state()).group('g')?.committed('t', 0)?.offset).toBe(9);
  });

  it('goes on within a batch, and begins again when cleared', async () => {
    const state = new GroupsState();
    const builder = new RecordBatchBuilder();
    for (const [key, value] of [commitOf(0, 1), commitOf(0, 2)]) {
      builder.append(key, 0, key.length, value, 0, value!.length, 5, null);
    }
    const buffer = Buffer.from(builder.build({}));
    state.nextOffset = 1;
    await state.apply({ buffer, start: 0, end: buffer.length, nextOffset: 2 });
    expect(state.group('g')?.committed('t', 0)).toMatchObject({ offset: 2, recordOffset: 1 });
    state.clear();
    expect(state.nextOffset).toBe(0);
    expect(state.group('g')).toBeUndefined();
  });
});
