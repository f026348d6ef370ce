import { describe, expect, it } from 'vitest';
import { buildTransactionMarker } from '../../src/format/control-record.js';
import { encodeOffsetCommit, encodeOffsetCommitKey } from '../../src/format/coordinator/offset-commit.js';
import { RecordBatchBuilder, type RecordBatchFields } from '../../src/format/record-batch-builder.js';
import { BatchReader } from '../../src/groups/batch-reader.js';
import { GroupTable } from '../../src/groups/group-table.js';

/** A log of commits of t:0 for group g, one a batch, and of markers. */
class Commits {
  readonly #batches: Uint8Array[] = [];

  /** Null: a tombstone. Without a producer: in no transaction. */
  commit(offset: number | null, producerId = -1): this {
    const fields: RecordBatchFields =
      producerId < 0 ? {} : { transactional: true, producerId, producerEpoch: 0, baseSequence: 0 };
    const key = encodeOffsetCommitKey({ groupId: 'g', topic: 't', partition: 0 });
    const rest = { leaderEpoch: -1, metadata: '', commitTimestamp: 5, expireTimestamp: -1 };
    const value = offset === null ? null : encodeOffsetCommit({ offset, ...rest });
    const builder = new RecordBatchBuilder();
    builder.append(key, 0, key.length, value, 0, value?.length ?? 0, 5, null);
    this.#batches.push(builder.build({ ...fields, baseOffset: this.#batches.length }));
    return this;
  }

  end(result: 'COMMIT' | 'ABORT', producerId: number): this {
    const place = { producerId, producerEpoch: 0, coordinatorEpoch: 0, baseOffset: this.#batches.length };
    this.#batches.push(buildTransactionMarker({ result, timestamp: 5, ...place }));
    return this;
  }

  async committed(): Promise<number | undefined> {
    const table = new GroupTable();
    const buffer = Buffer.concat(this.#batches);
    await new BatchReader().apply({ buffer, start: 0, end: buffer.length }, table);
    return table.group('g').committed({ topic: 't', partition: 0 })?.offset;
  }
}

describe('what is committed in a transaction', () => {
  it('counts from its COMMIT marker on, and never after an ABORT', async () => {
    const log = new Commits().commit(1).commit(5, 7);
    expect(await log.committed()).toBe(1);
    expect(await log.commit(6, 8).end('ABORT', 8).committed()).toBe(1);
    expect(await log.end('COMMIT', 7).committed()).toBe(5);
  });

  it('does not go over a later record, though its marker comes behind that', async () => {
    expect(await new Commits().commit(5, 7).commit(9).end('COMMIT', 7).committed()).toBe(9);
    expect(await new Commits().commit(5, 7).commit(null).end('COMMIT', 7).committed()).toBeUndefined();
    const two = new Commits().commit(5, 7).commit(6, 8).end('COMMIT', 8).end('COMMIT', 7);
    expect(await two.committed()).toBe(6);
  });

  it('goes over an earlier record', async () => {
    expect(await new Commits().commit(5, 7).commit(9).commit(6, 7).end('COMMIT', 7).committed()).toBe(6);
    expect(await new Commits().commit(5, 7).commit(6, 8).end('COMMIT', 7).end('COMMIT', 8).committed()).toBe(6);
  });
});
