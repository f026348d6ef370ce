import { describe, expect, it } from 'vitest';
import { buildTransactionMarker } from '../../src/format/control-record.js';
import { encodeGroupMetadataKey } from '../../src/format/coordinator/group-metadata.js';
import { encodeOffsetCommit, encodeOffsetCommitKey } from '../../src/format/coordinator/offset-commit.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { BatchReader } from '../../src/groups/batch-reader.js';
import { textOfBytes } from '../../src/groups/bytes-as-text.js';
import { GroupLog } from '../../src/groups/group-log.js';
import { NO_GROUP } from '../../src/groups/group-state.js';
import { GroupTable } from '../../src/groups/group-table.js';
import type { OffsetsLog, OffsetsReader } from '../../src/groups/offsets-partition.js';

const t0 = { topic: 't', partition: 0 };
const at = (offset: number) => ({ offset, leaderEpoch: -1, metadata: '', commitTimestamp: 1, expireTimestamp: -1 });
interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

const commit = (groupId: string, offset: number): KeyValue => ({
  key: encodeOffsetCommitKey({ groupId, ...t0 }),
  value: encodeOffsetCommit(at(offset)),
});

/** A partition in memory: what is appended is safe when that is asked for. */
class MemoryLog implements OffsetsLog, OffsetsReader {
  readonly batches: Buffer[] = [];
  end = 0;
  safe = 0;
  cutCount = 0;
  syncs = 0;
  failure: Error | undefined;
  watchFailure: Error | undefined;
  whileLocked: () => Promise<void> = async () => {};

  appendDecided: OffsetsLog['appendDecided'] = async (decide) => {
    await this.whileLocked();
    const fetch = (from: number) => this.fetch(from);
    const [bytes] = await decide({ offset: this.end, logStartOffset: 0, cutCount: this.cutCount, fetch });
    if (bytes === undefined) return undefined;
    if (this.failure !== undefined) throw this.failure;
    return this.append(Buffer.from(bytes));
  };

  append(bytes: Buffer) {
    const batch = new RecordBatch().reset(bytes, 0);
    const baseOffset = this.end;
    batch.setBaseOffset(baseOffset);
    this.batches.push(bytes);
    this.end = batch.nextOffset;
    return { baseOffset, lastOffset: this.end - 1 };
  }

  async durable() {
    this.syncs++;
    await new Promise((resolve) => setImmediate(resolve));
    this.safe = this.end;
  }

  async marks() {
    return { logStartOffset: 0, highWatermark: this.safe, logEndOffset: this.end, cutCount: this.cutCount };
  }

  async fetch(from: number) {
    const found = this.batches.find((bytes) => new RecordBatch().reset(bytes, 0).nextOffset > from);
    if (found === undefined) return { buffer: Buffer.alloc(0), start: 0, end: 0, nextOffset: from };
    return { buffer: found, start: 0, end: found.length, nextOffset: new RecordBatch().reset(found, 0).nextOffset };
  }

  waitForMore: OffsetsReader['waitForMore'] = async (beyond) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.watchFailure !== undefined) throw this.watchFailure;
    return this.safe > beyond;
  };

  async close() {}
}

function batchOf(records: readonly KeyValue[], fields: Parameters<RecordBatchBuilder['build']>[0] = {}): Buffer {
  const builder = new RecordBatchBuilder();
  for (const { key, value } of records) {
    builder.append(key, 0, key.length, value, 0, value?.length ?? 0, 1, null);
  }
  return Buffer.from(builder.build(fields));
}

describe('decisions', () => {
  it('are taken on what everybody has appended, safe or not', async () => {
    const memory = new MemoryLog();
    const [a, b] = [new GroupLog(memory, memory, { now: () => 1 }), new GroupLog(memory, memory, { now: () => 1 })];
    await a.decide('g', () => ({ commits: [{ ...t0, commit: at(5) }] }), { durable: false });
    let seen: number | undefined;
    expect(memory.safe).toBe(0);
    await b.decide('g', (group) => {
      seen = group.committed(t0)?.offset;
      return undefined;
    });
    expect(seen).toBe(5);
    expect(memory.batches).toHaveLength(1);
  });

  it('are seen before they are safe by who asks for that', async () => {
    const memory = new MemoryLog();
    const [a, b] = [new GroupLog(memory, memory, { now: () => 1 }), new GroupLog(memory, memory, { now: () => 1 })];
    await a.decide('g', () => ({ commits: [{ ...t0, commit: at(5) }] }), { durable: false });
    await b.refresh();
    expect(b.table.groupIds()).toEqual([]);
    await b.refreshAppended();
    expect(b.group('g').committed(t0)?.offset).toBe(5);
    expect(memory.batches).toHaveLength(1);
  });

  it('that wait for the lock share a batch and a sync, each on what the one before has said', async () => {
    const memory = new MemoryLog();
    const log = new GroupLog(memory, memory, { now: () => 1 });
    const seen: (number | undefined)[] = [];
    const decide = (offset: number) =>
      log.decide('g', (group) => {
        seen.push(group.committed(t0)?.offset);
        return { commits: [{ ...t0, commit: at(offset) }] };
      });
    await Promise.all([1, 2, 3, 4].map(decide));
    expect(seen).toEqual([undefined, 1, 2, 3]);
    expect(memory.batches).toHaveLength(1);
    expect(memory.syncs).toBe(1);
    expect(log.group('g').committed(t0)?.offset).toBe(4);
    expect(new RecordBatch().reset(memory.batches[0]!, 0).lastOffsetDelta).toBe(0);
  });

  it('that are refused trouble only who asked', async () => {
    const memory = new MemoryLog();
    const log = new GroupLog(memory, memory, { now: () => 1 });
    const outcomes = await Promise.allSettled([
      log.decide('g', () => ({ commits: [{ ...t0, commit: at(1) }] })),
      log.decide('g', () => {
        throw new Error('refused');
      }),
      log.decide('h', () => undefined),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(log.table.groupIds()).toEqual(['g']);
  });

  it('of which the append fails are as if never taken', async () => {
    const memory = new MemoryLog();
    const log = new GroupLog(memory, memory, { now: () => 1 });
    memory.failure = new Error('disk full');
    await expect(log.decide('g', () => ({ commits: [{ ...t0, commit: at(1) }] }))).rejects.toThrow('disk full');
    expect(log.group('g').committed(t0)).toBeUndefined();
    memory.failure = undefined;
    await log.decide('g', () => ({ commits: [{ ...t0, commit: at(2) }] }));
    expect(log.group('g').committed(t0)?.offset).toBe(2);
  });

  it('forget what was cut off', async () => {
    const memory = new MemoryLog();
    const log = new GroupLog(memory, memory, { now: () => 1 });
    await log.decide('g', () => ({ commits: [{ ...t0, commit: at(1) }] }));
    await log.decide('g', () => ({ commits: [{ ...t0, commit: at(9) }] }), { durable: false });
    memory.batches.pop();
    memory.end = 1;
    memory.cutCount++;
    memory.append(batchOf([commit('other', 3)]));
    let seen: number | undefined;
    await log.decide('g', (group) => {
      seen = group.committed(t0)?.offset;
      return undefined;
    });
    expect(seen).toBe(1);
    expect(log.group('other').committed(t0)?.offset).toBe(3);
  });

  it('show what was, and not half of it, while it is read anew because something was cut off', async () => {
    const memory = new MemoryLog();
    const log = new GroupLog(memory, memory, { now: () => 1 });
    await log.decide('g', () => ({ commits: [{ ...t0, commit: at(1) }] }));
    memory.cutCount++;
    const seen: (number | undefined)[] = [];
    const fetch = memory.fetch.bind(memory);
    memory.fetch = async (from) => {
      seen.push(log.group('g').committed(t0)?.offset);
      return await fetch(from);
    };
    await log.refresh();
    expect(seen).toEqual([1]);
    expect(log.group('g').committed(t0)?.offset).toBe(1);
  });
});

describe('waiting until it is safe', () => {
  it('ends when what was read is cut off, and when the log is closed', async () => {
    const memory = new MemoryLog();
    const log = new GroupLog(memory, memory, { now: () => 1 });
    await log.decide('g', () => ({ commits: [{ ...t0, commit: at(1) }] }));
    const append = () => log.decide('g', () => ({ commits: [{ ...t0, commit: at(9) }] }), { durable: false });
    await append();
    const cutOff = log.untilSafe();
    memory.batches.pop();
    memory.end = 1;
    memory.cutCount++;
    await log.refresh();
    await cutOff;
    await append();
    const closed = log.untilSafe();
    await log.close();
    await expect(closed).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
  });
});

describe('following', () => {
  it('begins again for who listens next, after a failure', async () => {
    const memory = new MemoryLog();
    const log = new GroupLog(memory, memory, { now: () => 1 });
    memory.watchFailure = new Error('too many open files');
    const stop = await new Promise<() => void>((resolve) => {
      const listened = log.listen(() => resolve(listened));
    });
    expect(() => log.assertReadable()).toThrow('too many open files');
    stop();
    memory.watchFailure = undefined;
    await log.refresh();
    const changed = new Promise<void>((resolve) => log.listen(resolve));
    log.assertReadable();
    memory.append(batchOf([commit('g', 3)]));
    memory.safe = memory.end;
    await changed;
    expect(log.group('g').committed(t0)?.offset).toBe(3);
    await log.close();
  });
});

describe('a table', () => {
  it('knows groups by their names, also where these are not ASCII', async () => {
    const table = new GroupTable();
    const bytes = batchOf([commit('Zähler-✓', 4)]);
    await new BatchReader().apply({ buffer: bytes, start: 0, end: bytes.length }, table);
    expect(table.groupIds()).toEqual(['Zähler-✓']);
    expect(table.group('Zähler-✓').committed(t0)?.offset).toBe(4);
    expect(table.commitsOf('Zähler-✓')).toMatchObject([{ ...t0, groupId: 'Zähler-✓' }]);
  });

  it('keeps the last value of each key, and passes over what it does not know', async () => {
    const table = new GroupTable();
    const unknown = Buffer.from([0, 7, 0, 0]);
    const records = [commit('g', 1), commit('h', 2), commit('g', 3), { key: unknown, value: unknown }];
    const bytes = batchOf(records);
    await new BatchReader().apply({ buffer: bytes, start: 0, end: bytes.length }, table);
    expect(table.groupIds()).toEqual(['g', 'h']);
    expect(table.group('g').committed(t0)?.offset).toBe(3);
    expect([table.group('g').hasCommitsOf('t'), table.group('g').hasCommitsOf('')]).toEqual([true, false]);
    expect(table.state('g')).toBe(NO_GROUP);
    table.set({ key: textOfBytes(commit('g', 0).key), value: null });
    table.set({ key: textOfBytes(encodeGroupMetadataKey('g')), value: null });
    expect(table.groupIds()).toEqual(['h']);
  });

  it('counts what was committed in a transaction when that is committed', async () => {
    const table = new GroupTable();
    const reader = new BatchReader();
    const apply = (bytes: Uint8Array) =>
      reader.apply({ buffer: Buffer.from(bytes), start: 0, end: bytes.length }, table);
    const marker = (producerId: number, result: 'COMMIT' | 'ABORT') =>
      buildTransactionMarker({ result, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1 });
    const inTransaction = (producerId: number, offset: number) =>
      batchOf([commit('g', offset)], { producerId, producerEpoch: 0, baseSequence: 0, transactional: true });
    await apply(inTransaction(7, 10));
    await apply(inTransaction(8, 20));
    expect(table.group('g').committed(t0)).toBeUndefined();
    await apply(marker(8, 'ABORT'));
    expect(table.group('g').committed(t0)).toBeUndefined();
    await apply(marker(7, 'COMMIT'));
    expect(table.group('g').committed(t0)?.offset).toBe(10);
  });
});
