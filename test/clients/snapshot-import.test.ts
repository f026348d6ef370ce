import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Client, TopicPartition } from '../../src/clients/client.js';
import { systemSeams } from '../../src/clients/local/client-seams.js';
import { LocalClient } from '../../src/clients/local/local-client.js';
import type { LocalStore } from '../../src/clients/local/local-store.js';
import { marksOfOneMoment } from '../../src/clients/local/one-moment.js';
import { loadCodec } from '../../src/format/compression.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { openStore, type Store } from '../../src/store/store.js';
import { unsyncedFileSystem } from '../store/interposed-file-system.js';
import { buildBatch } from '../support/build-batch.js';
import { type MemoryPartition, MemoryStore } from '../support/memory-store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

interface Home {
  readonly store: Store;
  readonly client: Client;
}

async function home(path = join(temporaryDirectory(), '.klog')): Promise<Home> {
  const store = await openStore(unsyncedFileSystem, path, { create: true, lockWaitMs: 5000 });
  const client = new LocalClient(store as unknown as LocalStore, systemSeams);
  onTestFinished(() => client.close());
  return { store, client };
}

/** Batches of one record each, at these offsets. */
async function put({ store }: Home, topic: string, partition: number, offsets: readonly number[]): Promise<void> {
  const log = await store.partitionLog(topic, partition);
  for (const offset of offsets) {
    const bytes = Buffer.from(buildBatch([`${topic}:${partition}@${offset}`]));
    new RecordBatch().reset(bytes, 0).setBaseOffset(offset);
    await log.durable(await log.append([bytes], { keepOffsets: true }));
  }
}

async function bytesOf(client: Client, place: TopicPartition): Promise<Buffer> {
  await using snapshot = await client.admin().snapshot({ topics: [place.topic], maxFetchBytes: 200 });
  const chunks: Buffer[] = [];
  for await (const bytes of snapshot.batches(place)) chunks.push(Buffer.from(bytes));
  return Buffer.concat(chunks);
}

async function textsOf(client: Client, topic: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const record of client.consumer({ topics: [topic] })) texts.push(`${record.offset} ${record.value}`);
  return texts;
}

describe('a snapshot, imported', () => {
  it('keeps every byte, gaps and compressed batches too', async () => {
    const from = await home();
    await from.store.topics.create({ topic: 't', partitions: 2, configs: { 'segment.bytes': '1024' } });
    await put(from, 't', 0, [0, 1, 5, 6, 90]);
    const log = await from.store.partitionLog('t', 0);
    for (const type of ['gzip', 'lz4', 'zstd', 'snappy'] as const) {
      const codec = await loadCodec(type);
      const fields = { codec, transactional: false, producerId: 7, producerEpoch: 1, baseSequence: 3 };
      await log.durable(await log.append([Buffer.from(buildBatch([type, 'x'.repeat(100)], fields))]));
    }
    const to = await home();
    await using snapshot = await from.client.admin().snapshot();
    const [topic] = snapshot.topics;
    expect(topic).toMatchObject({ topic: 't', configs: { 'segment.bytes': '1024' } });
    expect(topic?.partitions.map(({ startOffset, endOffset }) => [startOffset, endOffset])).toEqual([
      [0, 99],
      [0, 0],
    ]);
    const into = await to.client.admin().importTopics([{ topic: 't', partitions: 2, configs: topic!.configs }]);
    for await (const bytes of snapshot.batches({ topic: 't', partition: 0 })) {
      await into.append({ topic: 't', partition: 0 }, Buffer.from(bytes));
    }
    expect(await to.client.admin().listTopics()).toEqual([]);
    await into.commit();
    const place = { topic: 't', partition: 0 };
    expect(await bytesOf(to.client, place)).toEqual(await bytesOf(from.client, place));
    expect(await textsOf(to.client, 't')).toEqual(await textsOf(from.client, 't'));
    expect((await to.client.admin().describeTopic('t')).partitionDetails[0]).toMatchObject({ highWatermark: 99 });
  });

  it('begins at the log start, also inside a batch, and brings nothing from before', async () => {
    const store = new MemoryStore();
    const [partition] = store.add('t') as [MemoryPartition];
    const codec = await loadCodec('gzip');
    const fields = { codec, producerId: 5, producerEpoch: 2, baseSequence: 10, timestamps: [1, 2, 3, 4] };
    partition.put(buildBatch(['a', 'b', 'c', 'd'], fields));
    partition.put(buildBatch(['e'], { baseOffset: 4 }));
    partition.logStartOffset = 2;
    await using snapshot = await new LocalClient(store, systemSeams).admin().snapshot({ topics: ['t'] });
    const batches: Buffer[] = [];
    for await (const bytes of snapshot.batches({ topic: 't', partition: 0 })) batches.push(Buffer.from(bytes));
    const cursor = openCursor(new RecordCursor(), batches[0]!, 0);
    const records: [number, string][] = [];
    while (cursor.next()) records.push([cursor.offset, Buffer.from(cursor.value()!).toString()]);
    expect(records).toEqual([
      [2, 'c'],
      [3, 'd'],
    ]);
    const batch = new RecordBatch().reset(batches[0]!, 0);
    expect(batch.isValid()).toBe(true);
    const { baseOffset, lastOffset, recordCount, producerId, baseSequence } = batch;
    expect([baseOffset, lastOffset, recordCount, producerId, baseSequence]).toEqual([2, 3, 2, 5, 12]);
    expect([batch.compressionType, batch.baseTimestamp, batch.maxTimestamp]).toEqual(['gzip', 3, 4]);
    expect(batches[1]).toEqual(Buffer.from(buildBatch(['e'], { baseOffset: 4, partitionLeaderEpoch: -1 })));
  });

  it('ends at its moment, whatever comes later', async () => {
    const from = await home();
    await from.store.topics.create({ topic: 't' });
    await put(from, 't', 0, [0, 1, 2]);
    await using snapshot = await from.client.admin().snapshot();
    await put(from, 't', 0, [3, 4]);
    let records = 0;
    for await (const bytes of snapshot.batches({ topic: 't', partition: 0 })) {
      for (let at = 0; at < bytes.length; at += 12 + Buffer.from(bytes).readInt32BE(at + 8)) records++;
    }
    expect(records).toBe(3);
  });

  it('tells what was deleted before its turn came', async () => {
    const store = new MemoryStore();
    const [partition] = store.add('t') as [MemoryPartition];
    for (let i = 0; i < 6; i++) partition.put(buildBatch([`v${i}`], { baseOffset: i }));
    await using snapshot = await new LocalClient(store, systemSeams)
      .admin()
      .snapshot({ topics: ['t'], maxFetchBytes: 1 });
    const offsets: number[] = [];
    for await (const bytes of snapshot.batches({ topic: 't', partition: 0 })) {
      offsets.push(new RecordBatch().reset(bytes, 0).baseOffset);
      if (offsets.length === 2) partition.logStartOffset = 4;
    }
    expect(offsets).toEqual([0, 1, 4, 5]);
    expect(snapshot.deleted).toEqual([{ topic: 't', partition: 0, from: 2, to: 4 }]);
  });

  it('goes into a topic that is there: behind its end with its own offsets, or with the next ones', async () => {
    const to = await home();
    await to.store.topics.create({ topic: 't' });
    const batch = Buffer.from(buildBatch(['a', 'b'], { baseOffset: 10 }));
    const kept = await to.client.admin().importTopics([{ topic: 't', mode: 'continue' }]);
    await kept.append({ topic: 't', partition: 0 }, Buffer.from(batch));
    await kept.commit();
    const appended = await to.client.admin().importTopics([{ topic: 't', mode: 'append' }]);
    await appended.append({ topic: 't', partition: 0 }, Buffer.from(batch));
    await appended.commit();
    expect(await textsOf(to.client, 't')).toEqual(['10 a', '11 b', '12 a', '13 b']);
    const again = await to.client.admin().importTopics([{ topic: 't', mode: 'continue' }]);
    await expect(again.append({ topic: 't', partition: 0 }, batch)).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
    });
    await expect(to.client.admin().importTopics([{ topic: 'x', mode: 'append' }])).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
  });

  it('refuses batches that are not whole, and leaves nothing when taken back', async () => {
    const to = await home();
    const into = await to.client.admin().importTopics([{ topic: 't' }]);
    const batch = Buffer.from(buildBatch(['a']));
    batch[65]! ^= 1;
    await expect(into.append({ topic: 't', partition: 0 }, batch)).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' });
    await expect(into.append({ topic: 'u', partition: 0 }, Buffer.from(buildBatch(['a'])))).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
    await into.abort();
    await expect(into.append({ topic: 't', partition: 0 }, batch)).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
    expect(await to.client.admin().listTopics()).toEqual([]);
    await to.client.admin().createTopic({ topic: 't' });
  });
});

describe('the marks of one moment', () => {
  const marks = (end: number) => {
    const offsets = { logStartOffset: 0, lastStableOffset: end, highWatermark: end, logEndOffset: end };
    return { ...offsets, leaderEpoch: 0 };
  };

  /** Partitions whose ends move at each look unless they are held. */
  function restless(count: number, moving: (partition: number, look: number) => boolean) {
    const ends = new Array<number>(count).fill(0);
    const looks = new Array<number>(count).fill(0);
    const held = new Set<number>();
    const partitions = ends.map((_, partition) => {
      const reader = {
        marks: async () => {
          looks[partition]!++;
          if (!held.has(partition) && moving(partition, looks[partition]!)) ends[partition]!++;
          return marks(ends[partition]!);
        },
      } as never;
      return { topic: 't', partition, reader };
    });
    const holdPartitions = vi.fn(async (asked: readonly TopicPartition[]) => {
      for (const { partition } of asked) held.add(partition);
      return async () => held.clear();
    });
    return { partitions, holdPartitions, held, ends };
  }

  it('are found without holding anybody when nothing moves for two looks', async () => {
    const { partitions, holdPartitions, ends } = restless(3, (_, look) => look < 5);
    const found = await marksOfOneMoment({ holdPartitions }, partitions);
    expect(found.map(({ highWatermark }) => highWatermark)).toEqual(ends);
    expect(holdPartitions).not.toHaveBeenCalled();
  });

  it('are found by holding what does not rest, and no more', async () => {
    const { partitions, holdPartitions, held, ends } = restless(4, (partition) => partition % 2 === 1);
    const found = await marksOfOneMoment({ holdPartitions }, partitions);
    expect(found.map(({ highWatermark }) => highWatermark)).toEqual(ends);
    expect(holdPartitions.mock.calls.map(([asked]) => asked.map(({ partition }) => partition))).toEqual([[1, 3]]);
    expect(held.size).toBe(0);
  });

  it('hold more when others begin to move meanwhile, all in one go', async () => {
    const { partitions, holdPartitions } = restless(3, (partition, look) => partition === 0 || look > 12);
    await marksOfOneMoment({ holdPartitions }, partitions);
    expect(
      holdPartitions.mock.calls
        .at(-1)?.[0]
        .map(({ partition }) => partition)
        .sort(),
    ).toEqual([0, 1, 2]);
  });

  it('are not waited for when a partition stays locked', async () => {
    const { partitions } = restless(2, () => true);
    const holdPartitions = async () => {
      throw Object.assign(new Error('locked'), { code: 'KLOG_LOCKED' });
    };
    await expect(marksOfOneMoment({ holdPartitions }, partitions)).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
  });

  it('are true on a real log: an answer never comes without its question', async () => {
    const from = await home();
    await from.store.topics.create({ topic: 'q', partitions: 2 });
    const writer = await home(from.store.directory.path);
    let stop = false;
    // Each answer, in partition 1, is sent when its question, in partition 0, was acknowledged; two writers at a time.
    const ask = async () => {
      const questions = await writer.store.partitionLog('q', 0);
      const answers = await writer.store.partitionLog('q', 1);
      for (let i = 0; !stop; i++) {
        await questions.durable(await questions.append([Buffer.from(buildBatch([`q${i}`]))]));
        await answers.durable(await answers.append([Buffer.from(buildBatch([`a${i}`]))]));
      }
    };
    const asking = Promise.all([ask(), ask(), ask()]);
    let taken = 0;
    let ends = [0, 0];
    try {
      for (; taken < 40 || ends[1]! < 40; taken++) {
        await new Promise((resolve) => setTimeout(resolve, taken % 3));
        await using snapshot = await from.client.admin().snapshot();
        ends = snapshot.topics[0]!.partitions.map(({ endOffset }) => endOffset);
        expect(ends[1]).toBeLessThanOrEqual(ends[0]!);
      }
    } finally {
      stop = true;
      await asking;
    }
  });
});
