/**
 * What every home of topics has to do, whatever it is made of: `describeClient(name, open)` is run once for each. What
 * a home cannot do is named in `cannot`, with the reason, and shows as skipped.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../src/clients/client.js';
import type { ConsumerOptions, ConsumerRecord } from '../../src/clients/consumer.js';
import type { GroupConsumerOptions } from '../../src/clients/group-consumer.js';
import type { CompressionType, ProducerRecord } from '../../src/clients/producer.js';

export interface ClientHome {
  /** A client on a home of its own, without topics; the home goes when the test is finished. */
  open(): Promise<Client>;
  readonly cannot?: Readonly<Partial<Record<Capability, string>>>;
}

export type Capability = 'order of headers' | 'lowest end offset';

export function describeClient(name: string, home: ClientHome): void {
  const unless = (capability: Capability) => {
    const reason = home.cannot?.[capability];
    return reason === undefined ? it : (title: string, _test: () => Promise<void>) => it.skip(`${title} (${reason})`);
  };

  describe(`client: ${name}`, () => {
    let client: Client;
    beforeEach(async () => {
      client = await home.open();
    });
    afterEach(async () => {
      await client.close();
    });

    async function produce(...records: ProducerRecord[]): Promise<void> {
      await using producer = client.producer();
      await producer.sendAll(records);
    }

    async function read(options: ConsumerOptions): Promise<ConsumerRecord[]> {
      const records: ConsumerRecord[] = [];
      for await (const record of client.consumer(options)) records.push(record);
      return records;
    }

    const values = async (options: ConsumerOptions): Promise<string[]> =>
      (await read(options)).map(({ value }) => String(value));

    const lines = (topic: string, ...texts: string[]): ProducerRecord[] =>
      texts.map((value) => ({ topic, partition: 0, value }));

    describe('producer and consumer', () => {
      it('gives back what it was given', async () => {
        await client.admin().createTopic({ topic: 't' });
        await produce(
          { topic: 't', key: 'k', value: 'v', timestamp: 1_600_000_000_000 },
          { topic: 't', key: '', value: '' },
          { topic: 't', key: null, value: null },
          { topic: 't', key: new Uint8Array([0, 255, 128]), value: new Uint8Array([1, 0, 254]) },
          { topic: 't', value: 'with headers', headers: [{ key: 'a', value: 'é' }] },
        );
        const records = await read({ topics: ['t'] });
        expect(records.map(({ key, value }) => [key, value])).toEqual([
          [Buffer.from('k'), Buffer.from('v')],
          [Buffer.from(''), Buffer.from('')],
          [null, null],
          [Buffer.from([0, 255, 128]), Buffer.from([1, 0, 254])],
          [null, Buffer.from('with headers')],
        ]);
        expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
        expect(records[0]).toMatchObject({
          topic: 't',
          partition: 0,
          timestamp: 1_600_000_000_000,
          timestampType: 'create',
          headers: [],
        });
        expect(records[4]!.headers).toEqual([{ key: 'a', value: Buffer.from('é') }]);
      });

      unless('order of headers')('keeps order, duplicates and nulls of headers', async () => {
        await client.admin().createTopic({ topic: 't' });
        const headers = [
          { key: 'b', value: '1' },
          { key: 'a', value: null },
          { key: 'b', value: '' },
        ];
        await produce({ topic: 't', value: 'x', headers });
        const [record] = await read({ topics: ['t'] });
        expect(record!.headers).toEqual([
          { key: 'b', value: Buffer.from('1') },
          { key: 'a', value: null },
          { key: 'b', value: Buffer.alloc(0) },
        ]);
      });

      it('says where each record went', async () => {
        await client.admin().createTopic({ topic: 't', partitions: 2 });
        await using producer = client.producer();
        expect(
          await producer.sendAll([
            { topic: 't', partition: 1, value: 'a', timestamp: 7 },
            { topic: 't', partition: 0, value: 'b', timestamp: 8 },
            { topic: 't', partition: 1, value: 'c', timestamp: 9 },
          ]),
        ).toEqual([
          { topic: 't', partition: 1, offset: 0, timestamp: 7 },
          { topic: 't', partition: 0, offset: 0, timestamp: 8 },
          { topic: 't', partition: 1, offset: 1, timestamp: 9 },
        ]);
      });

      for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as CompressionType[]) {
        it(`reads what was compressed with ${compression}`, async () => {
          await client.admin().createTopic({ topic: 't' });
          await using producer = client.producer({ compression });
          const texts = Array.from({ length: 500 }, (_, i) => `line ${i} ${'abc'.repeat(i % 50)}`);
          await producer.sendAll(lines('t', ...texts));
          expect(await values({ topics: ['t'] })).toEqual(texts);
          for await (const batch of client.consumer({ topics: ['t'] }).batches()) {
            expect(batch.compression).toBe(compression);
          }
        });
      }

      it('sends the same key to the same partition, where Java would', async () => {
        await client.admin().createTopic({ topic: 't', partitions: 100 });
        await using producer = client.producer();
        const keys = ['', 'a', 'foobar', '1000'];
        const metadata = await producer.sendAll(keys.map((key) => ({ topic: 't', key, value: 'x' })));
        const { partitionForKey } = await import('../../src/format/murmur2.js');
        expect(metadata.map(({ partition }) => partition)).toEqual(
          keys.map((key) => partitionForKey(Buffer.from(key), 0, key.length, 100)),
        );
      });

      unless('lowest end offset')('sends a keyless batch to the partition with the lowest end', async () => {
        await client.admin().createTopic({ topic: 't', partitions: 3 });
        await produce({ topic: 't', partition: 0, value: 'x' }, { topic: 't', partition: 2, value: 'x' });
        await using producer = client.producer();
        const went = [];
        for (let i = 0; i < 4; i++) went.push((await producer.send({ topic: 't', value: 'x' })).partition);
        expect(went).toEqual([1, 0, 1, 2]);
      });

      it('takes records as byte ranges, and tells of each acknowledged run', async () => {
        await client.admin().createTopic({ topic: 't' });
        await using producer = client.producer();
        const writer = await producer.writer('t');
        const runs: [number, number, number][] = [];
        writer.onAcknowledged = ({ firstOffset, lastOffset, records }) => runs.push([firstOffset, lastOffset, records]);
        const bytes = Buffer.from('one,two,three');
        writer.appendValue(bytes, 0, 3, 11);
        writer.append(bytes, 0, 3, bytes, 4, 7, 12, [{ key: 'h', value: bytes.subarray(0, 1) }], -1);
        writer.append(bytes, 0, 3, null, -1, -1, 13, null, 0);
        bytes.fill(0);
        await writer.flush();
        expect(runs).toEqual([[0, 2, 3]]);
        const records = await read({ topics: ['t'] });
        expect(records.map(({ key, value, timestamp }) => [key && `${key}`, value && `${value}`, timestamp])).toEqual([
          [null, 'one', 11],
          ['one', 'two', 12],
          ['one', null, 13],
        ]);
        expect(records[1]!.headers).toEqual([{ key: 'h', value: Buffer.from('o') }]);
      });

      it('reads by batches what it reads by records', async () => {
        await client.admin().createTopic({ topic: 't', partitions: 2 });
        await produce(...lines('t', 'a', 'b', 'c'), { topic: 't', partition: 1, value: 'd' });
        const seen: [number, number, string][] = [];
        for await (const { cursor, partition, highWatermark } of client.consumer({ topics: ['t'] }).batches()) {
          expect(highWatermark).toBe(partition === 0 ? 3 : 1);
          while (cursor.next()) seen.push([partition, cursor.offset, Buffer.from(cursor.value()!).toString()]);
        }
        expect(seen).toEqual([
          [0, 0, 'a'],
          [0, 1, 'b'],
          [0, 2, 'c'],
          [1, 0, 'd'],
        ]);
      });
    });

    describe('where reading begins and ends', () => {
      beforeEach(async () => {
        await client.admin().createTopic({ topic: 't' });
        await produce(
          ...['a', 'b', 'c', 'd', 'e'].map((value, i) => ({ topic: 't', value, timestamp: 1000 + i * 10 })),
        );
      });

      const cases: readonly [string, Partial<ConsumerOptions>, string][] = [
        ['everything by default', {}, 'abcde'],
        ['from an offset', { from: 2 }, 'cde'],
        ['up to an offset, which is not read', { to: 2 }, 'ab'],
        ['a range', { from: 1, to: 4 }, 'bcd'],
        ['an empty range', { from: 3, to: 3 }, ''],
        ['a range that ends before it begins', { from: 3, to: 1 }, ''],
        ['nothing from the end', { from: 'end' }, ''],
        ['nothing from the end as a number', { from: 5 }, ''],
        ['the last two', { from: { fromEnd: 2 } }, 'de'],
        ['the last thousand, which are five', { from: { fromEnd: 1000 } }, 'abcde'],
        ['all but the first two', { from: { fromStart: 2 } }, 'cde'],
        ['nothing a thousand from the start', { from: { fromStart: 1000 } }, ''],
        ['from a time that a record has', { from: { timestamp: 1020 } }, 'cde'],
        ['from a time between two records', { from: { timestamp: 1021 } }, 'de'],
        ['from a time before all', { from: { timestamp: 0 } }, 'abcde'],
        ['nothing from a time after all', { from: { timestamp: 9999 } }, ''],
        ['up to a time, which is not read', { to: { timestamp: 1020 } }, 'ab'],
        ['up to a time after all', { to: { timestamp: 9999 } }, 'abcde'],
        ['up to an offset beyond the end', { to: 100 }, 'abcde'],
        ['all but the last two', { to: { fromEnd: 2 } }, 'abc'],
        ['from the last two to the end', { from: { fromEnd: 2 }, to: 'end' }, 'de'],
      ];
      for (const [title, options, expected] of cases) {
        it(title, async () => {
          expect((await values({ topics: ['t'], ...options })).join('')).toBe(expected);
        });
      }

      it('refuses an offset beyond the end', async () => {
        await expect(read({ topics: ['t'], from: 6 })).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
      });

      it('refuses it only if it is outside in every partition', async () => {
        await client.admin().createTopic({ topic: 'two', partitions: 2 });
        await produce(...lines('two', 'a', 'b'));
        expect(await values({ topics: ['two'], from: 1 })).toEqual(['b']);
        await expect(read({ topics: ['two'], from: 3 })).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
      });

      it('stops at the ends found when it began', async () => {
        const seen: string[] = [];
        for await (const { value } of client.consumer({ topics: ['t'] })) {
          if (seen.length === 0) await produce(...lines('t', 'later'));
          seen.push(String(value));
        }
        expect(seen.join('')).toBe('abcde');
      });

      it('reads only the partitions asked for, each over its own range', async () => {
        await client.admin().createTopic({ topic: 'three', partitions: 3 });
        for (const partition of [0, 1, 2]) {
          await produce(...[0, 1, 2].map((i) => ({ topic: 'three', partition, value: `${partition}${i}` })));
        }
        const partitions = [{ partition: 2, from: 1, to: 2 }, 0];
        expect(await values({ topics: [{ topic: 'three', partitions }], from: 2 })).toEqual(['02', '21']);
      });

      it('reads topics as named, partitions ascending', async () => {
        await client.admin().createTopic({ topic: 'a', partitions: 2 });
        await produce({ topic: 'a', partition: 1, value: 'a1' }, { topic: 'a', partition: 0, value: 'a0' });
        expect(await values({ topics: ['t', 'a', 't'], from: { fromEnd: 1 } })).toEqual(['e', 'a0', 'a1']);
      });

      it('fails for a topic or a partition that is not there', async () => {
        const code = 'UNKNOWN_TOPIC_OR_PARTITION';
        await expect(read({ topics: ['missing'] })).rejects.toMatchObject({ code });
        await expect(read({ topics: [{ topic: 't', partitions: [1] }] })).rejects.toMatchObject({ code });
      });

      it('reads nothing from an empty topic', async () => {
        await client.admin().createTopic({ topic: 'empty', partitions: 3 });
        expect(await read({ topics: ['empty'] })).toEqual([]);
        expect(await read({ topics: ['empty'], from: 0 })).toEqual([]);
      });
    });

    describe('order by time', () => {
      it('merges partitions and topics by timestamp, then topic, partition, offset', async () => {
        await client.admin().createTopic({ topic: 'b', partitions: 2 });
        await client.admin().createTopic({ topic: 'a' });
        const at = (topic: string, partition: number, timestamp: number, value: string) =>
          produce({ topic, partition, timestamp, value });
        await at('b', 0, 10, 'b0-10');
        await at('b', 0, 30, 'b0-30');
        await at('b', 0, 25, 'b0-25 late');
        await at('b', 1, 20, 'b1-20');
        await at('b', 1, 30, 'b1-30');
        await at('a', 0, 10, 'a0-10');
        await at('a', 0, 40, 'a0-40');
        const expected = ['a0-10', 'b0-10', 'b1-20', 'b0-30', 'b0-25 late', 'b1-30', 'a0-40'];
        expect(await values({ topics: ['b', 'a'], order: 'time' })).toEqual(expected);
        const byBatch: string[] = [];
        for await (const { cursor } of client.consumer({ topics: ['b', 'a'], order: 'time' }).batches()) {
          while (cursor.next()) byBatch.push(Buffer.from(cursor.value()!).toString());
        }
        expect(byBatch).toEqual(expected);
      });
    });

    describe('following', () => {
      it('waits for records, and ends when it is aborted', async () => {
        await client.admin().createTopic({ topic: 't', partitions: 2 });
        await produce(...lines('t', 'before'));
        const aborting = new AbortController();
        const seen: string[] = [];
        for await (const { value } of client.consumer({ topics: ['t'], follow: true, signal: aborting.signal })) {
          seen.push(String(value));
          if (seen.length === 1) await produce({ topic: 't', partition: 1, value: 'while' });
          if (seen.length === 2) await produce(...lines('t', 'after'));
          if (seen.length === 3) aborting.abort();
        }
        expect(seen).toEqual(['before', 'while', 'after']);
      });

      it('hands out the backlog by time first, then records as they come', async () => {
        await client.admin().createTopic({ topic: 't', partitions: 2 });
        await produce(
          { topic: 't', partition: 0, timestamp: 20, value: 'second' },
          { topic: 't', partition: 1, timestamp: 10, value: 'first' },
        );
        const consumer = client.consumer({ topics: ['t'], follow: true, order: 'time' });
        const seen: string[] = [];
        for await (const { value } of consumer) {
          seen.push(String(value));
          if (seen.length === 2) await produce({ topic: 't', partition: 1, timestamp: 5, value: 'third' });
          if (seen.length === 3) break;
        }
        expect(seen).toEqual(['first', 'second', 'third']);
      });

      it('reads up to an offset that is not there yet', async () => {
        await client.admin().createTopic({ topic: 't' });
        await produce(...lines('t', 'a'));
        const seen: string[] = [];
        for await (const { value } of client.consumer({ topics: ['t'], follow: true, to: 3 })) {
          seen.push(String(value));
          if (seen.length === 1) await produce(...lines('t', 'b', 'c', 'd'));
        }
        expect(seen).toEqual(['a', 'b', 'c']);
      });

      it('gives up after the time-out without a record', async () => {
        await client.admin().createTopic({ topic: 't' });
        await produce(...lines('t', 'a'));
        const start = performance.now();
        expect(await values({ topics: ['t'], timeoutMs: 100 })).toEqual(['a']);
        expect(performance.now() - start).toBeGreaterThanOrEqual(95);
      });

      it('waits for a topic that is not there yet', async () => {
        const reading = values({ topics: ['t'], waitForTopics: true, follow: true, to: 1 });
        await client.admin().createTopic({ topic: 't' });
        await produce(...lines('t', 'a'));
        expect(await reading).toEqual(['a']);
      });

      it('gives up waiting for a topic', async () => {
        expect(await values({ topics: ['never'], waitForTopics: true, timeoutMs: 150 })).toEqual([]);
      });

      it('ends at once when it was aborted before', async () => {
        expect(await read({ topics: ['missing'], follow: true, signal: AbortSignal.abort() })).toEqual([]);
      });

      it('ends when it is closed', async () => {
        await client.admin().createTopic({ topic: 't' });
        const consumer = client.consumer({ topics: ['t'], follow: true });
        const next = consumer[Symbol.asyncIterator]().next();
        setTimeout(() => void consumer.close(), 20);
        expect(await next).toEqual({ done: true, value: undefined });
      });
    });

    describe('position, seek, pause', () => {
      const partition = { topic: 't', partition: 0 };
      beforeEach(async () => {
        await client.admin().createTopic({ topic: 't', partitions: 2 });
        await produce(...lines('t', 'a', 'b', 'c', 'd'), { topic: 't', partition: 1, value: 'z' });
      });

      it('knows the next offset to be handed out', async () => {
        await using consumer = client.consumer({ topics: ['t'], from: { fromStart: 1 } });
        expect(await consumer.assignment()).toEqual([partition, { topic: 't', partition: 1 }]);
        expect(await consumer.position(partition)).toBe(1);
        const positions: number[] = [];
        for await (const { partition: number } of consumer) {
          if (number === 0) positions.push(await consumer.position(partition));
        }
        expect(positions).toEqual([2, 3, 4]);
        expect(await consumer.position(partition)).toBe(4);
      });

      it('goes back, and forth, in the middle of a batch', async () => {
        const consumer = client.consumer({ topics: ['t'] });
        const seen: string[] = [];
        for await (const { value } of consumer) {
          seen.push(String(value));
          if (seen.length === 2) await consumer.seek(partition, 'start');
          if (seen.length === 3) await consumer.seek(partition, { fromEnd: 1 });
        }
        expect(seen).toEqual(['a', 'b', 'a', 'd', 'z']);
      });

      it('refuses to seek outside the log, or to what is not assigned', async () => {
        await using consumer = client.consumer({ topics: [{ topic: 't', partitions: [0] }] });
        await expect(consumer.seek(partition, 5)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
        await expect(consumer.seek({ topic: 't', partition: 1 }, 0)).rejects.toMatchObject({
          code: 'UNKNOWN_TOPIC_OR_PARTITION',
        });
      });

      it('hands out nothing of a paused partition until it is resumed, and loses nothing', async () => {
        const consumer = client.consumer({ topics: ['t'] });
        const seen: string[] = [];
        for await (const { value } of consumer) {
          seen.push(String(value));
          if (seen.length === 2) {
            consumer.pause([partition]);
            expect(consumer.paused()).toEqual([partition]);
          }
          if (String(value) === 'z') setTimeout(() => consumer.resume([partition]), 20);
        }
        expect(seen).toEqual(['a', 'b', 'z', 'c', 'd']);
        expect(consumer.paused()).toEqual([]);
      });

      it('is iterated once', async () => {
        await using consumer = client.consumer({ topics: ['t'] });
        consumer[Symbol.asyncIterator]();
        expect(() => consumer[Symbol.asyncIterator]()).toThrow(TypeError);
        expect(() => consumer.batches()[Symbol.asyncIterator]()).toThrow(TypeError);
      });

      it('answers calls of next that do not wait for each other in order', async () => {
        await using consumer = client.consumer({ topics: ['t'] });
        const iterator = consumer[Symbol.asyncIterator]();
        const results = await Promise.all(Array.from({ length: 7 }, () => iterator.next()));
        expect(results.map(({ value }) => value && String(value.value))).toEqual([
          'a',
          'b',
          'c',
          'd',
          'z',
          undefined,
          undefined,
        ]);
      });
    });

    describe('admin', () => {
      it('creates, lists, describes and deletes topics', async () => {
        const admin = client.admin();
        await admin.createTopic({ topic: 'b', partitions: 2, configs: { 'segment.bytes': '1048576' } });
        await admin.createTopic({ topic: 'a' });
        expect(await admin.listTopics()).toMatchObject([
          { topic: 'a', partitions: 1, internal: false },
          { topic: 'b', partitions: 2, internal: false },
        ]);
        await produce({ topic: 'b', partition: 1, value: 'x' });
        const description = await admin.describeTopic('b');
        expect(description.configs.find(({ name }) => name === 'segment.bytes')).toEqual({
          name: 'segment.bytes',
          value: '1048576',
          source: 'topic',
        });
        expect(description.configs.find(({ name }) => name === 'cleanup.policy')).toMatchObject({ source: 'default' });
        expect(description.partitionDetails).toMatchObject([
          { partition: 0, logStartOffset: 0, highWatermark: 0 },
          { partition: 1, logStartOffset: 0, highWatermark: 1 },
        ]);
        await admin.deleteTopic('b');
        expect((await admin.listTopics()).map(({ topic }) => topic)).toEqual(['a']);
        await expect(admin.describeTopic('b')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
      });

      it('refuses a topic that is there, and one whose name cannot be', async () => {
        const admin = client.admin();
        await admin.createTopic({ topic: 'a' });
        await expect(admin.createTopic({ topic: 'a' })).rejects.toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' });
        await expect(admin.createTopic({ topic: 'a b' })).rejects.toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION' });
        await expect(admin.createTopic({ topic: 'b', partitions: 0 })).rejects.toMatchObject({
          code: 'INVALID_PARTITIONS',
        });
      });

      it('makes many topics at once, each or why not, and none where one of the requests is wrong', async () => {
        const admin = client.admin();
        await admin.createTopic({ topic: 'there' });
        const outcomes = await admin.createTopics([
          { topic: 'a', partitions: 2 },
          { topic: 'there' },
          { topic: 'b.c' },
          { topic: 'b_c' },
          { topic: 'a' },
        ]);
        expect(outcomes).toMatchObject([
          { topic: 'a', partitions: 2 },
          { code: 'TOPIC_ALREADY_EXISTS' },
          { topic: 'b.c', partitions: 1 },
          { code: 'INVALID_TOPIC_EXCEPTION' },
          { code: 'TOPIC_ALREADY_EXISTS' },
        ]);
        expect((await admin.listTopics()).map(({ topic }) => topic).sort()).toEqual(['a', 'b.c', 'there']);
        const wrong = admin.createTopics([{ topic: 'c' }, { topic: 'd', partitions: 0 }]);
        await expect(wrong).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' });
        const checked = await admin.createTopics([{ topic: 'e' }, { topic: 'e' }], { validateOnly: true });
        expect(checked).toMatchObject([{ topic: 'e' }, { code: 'TOPIC_ALREADY_EXISTS' }]);
        expect(await admin.listTopics()).toHaveLength(3);
      });

      it('only checks when told to', async () => {
        const admin = client.admin();
        await admin.createTopic({ topic: 'a' }, { validateOnly: true });
        expect(await admin.listTopics()).toEqual([]);
      });

      it('adds partitions and changes configs', async () => {
        const admin = client.admin();
        await admin.createTopic({ topic: 'a' });
        await admin.createPartitions('a', 3);
        await expect(admin.createPartitions('a', 2)).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' });
        await admin.alterConfigs('a', { set: { 'retention.ms': '1000' }, append: { 'cleanup.policy': 'compact' } });
        const { partitions, configs } = await admin.describeTopic('a');
        expect(partitions).toBe(3);
        expect(configs.filter(({ source }) => source === 'topic').map(({ name, value }) => [name, value])).toEqual([
          ['cleanup.policy', 'delete,compact'],
          ['retention.ms', '1000'],
        ]);
      });

      it('lists offsets of places and times', async () => {
        const admin = client.admin();
        await admin.createTopic({ topic: 'a', partitions: 2 });
        await produce(...[5, 6, 7].map((timestamp) => ({ topic: 'a', partition: 0, value: 'x', timestamp })));
        const offsets = async (...spec: Parameters<typeof admin.listOffsets>) =>
          (await admin.listOffsets(...spec)).map(({ offset }) => offset);
        expect(await offsets('a', 'start')).toEqual([0, 0]);
        expect(await offsets('a', 'end')).toEqual([3, 0]);
        expect(await offsets('a', { fromEnd: 1 }, [0])).toEqual([2]);
        expect(await offsets('a', { timestamp: 6 })).toEqual([1, -1]);
        await expect(offsets('a', 'end', [2])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
      });

      it('picks up partitions that are added to a followed topic', async () => {
        const admin = client.admin();
        await admin.createTopic({ topic: 't' });
        await produce(...lines('t', 'a'));
        const seen: string[] = [];
        for await (const { value, partition } of client.consumer({ topics: ['t'], follow: true })) {
          seen.push(`${partition}${value}`);
          if (seen.length === 2) break;
          await admin.createPartitions('t', 2);
          await produce({ topic: 't', partition: 1, value: 'b' });
        }
        expect(seen).toEqual(['0a', '1b']);
      });
    });

    describe('groups', () => {
      const member = (options: Partial<GroupConsumerOptions> = {}) =>
        client.consumer({ topics: ['t'], group: { id: 'g', clientId: 'a' }, ...options });

      it('go on where they have committed', async () => {
        await client.admin().createTopic({ topic: 't' });
        await produce(...lines('t', 'a', 'b'));
        const seen: string[] = [];
        for (const expected of [['a', 'b'], [], ['c']]) {
          for await (const { value } of member()) seen.push(String(value));
          expect(seen.splice(0)).toEqual(expected);
          if (expected.length === 0) await produce(...lines('t', 'c'));
        }
        expect(await member().committed([{ topic: 't', partition: 0 }])).toEqual([
          { topic: 't', partition: 0, offset: 3, metadata: '' },
        ]);
      });

      it('know what is theirs, and refuse commits of what is not', async () => {
        await client.admin().createTopic({ topic: 't', partitions: 2 });
        const consumer = member({ follow: true });
        expect(await consumer.share()).toMatchObject({ groupId: 'g', members: 1, partitions: 2, assigned: 2 });
        await expect(consumer.commit([{ topic: 't', partition: 7, offset: 0 }])).rejects.toMatchObject({
          code: 'ILLEGAL_GENERATION',
        });
        await consumer.close();
        await expect(consumer.commit()).rejects.toMatchObject({ code: 'KLOG_CLOSED' });
      });

      it('hand a partition on when its member leaves', async () => {
        await client.admin().createTopic({ topic: 't' });
        await produce(...lines('t', 'a'));
        const first = member({ follow: true });
        for await (const _ of first) {
          await first.commit();
          break;
        }
        await produce(...lines('t', 'b'));
        const seen: string[] = [];
        for await (const { value } of member()) seen.push(String(value));
        expect(seen).toEqual(['b']);
      });

      it('need topics that there are', async () => {
        await expect(member().assignment()).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
      });
    });

    it('closes what it made, and what was given to a producer is kept', async () => {
      await client.admin().createTopic({ topic: 't' });
      const producer = client.producer({ lingerMs: 60_000 });
      const writer = await producer.writer('t');
      writer.appendValue(Buffer.from('x'), 0, 1, 1);
      const consumer = client.consumer({ topics: ['t'], follow: true });
      const next = consumer[Symbol.asyncIterator]().next();
      let acknowledged = 0;
      writer.onAcknowledged = ({ records }) => {
        acknowledged += records;
      };
      await client.close();
      expect(acknowledged).toBe(1);
      expect(await next).toEqual({ done: true, value: undefined });
      expect(() => client.producer()).toThrow(expect.objectContaining({ code: 'KLOG_CLOSED' }));
    });
  });
}
