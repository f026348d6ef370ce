/** What is told of each record, however calls of `send` and `sendAll` share batches. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { LocalProducer } from '../../src/clients/local/local-producer.js';
import type { ProducerOptions, RecordMetadata } from '../../src/clients/producer.js';
import { type MemoryPartition, MemoryStore } from '../support/memory-store.js';
import { readValues } from '../support/read-values.js';

const NOW = 1_700_000_000_000;
let now: number;
let store: MemoryStore;
let partitions: readonly MemoryPartition[];

beforeEach(() => {
  now = NOW;
  store = new MemoryStore();
  partitions = store.add('t', 2);
});

function producerOn(options: ProducerOptions = {}): LocalProducer {
  return new LocalProducer(store, options, { now: () => now, elapsed: () => performance.now(), random: () => 0.5 });
}

const recordArbitrary = fc.record(
  { partition: fc.integer({ min: 0, max: 1 }), timestamp: fc.integer({ min: 0, max: 100 }) },
  { requiredKeys: ['partition'] },
);
/** One record: `send`. Several: `sendAll`. */
const callArbitrary = fc.oneof(
  recordArbitrary.map((record) => [record]),
  fc.array(recordArbitrary, { minLength: 2, maxLength: 6 }),
);

describe('what send and sendAll are told', () => {
  it('is where each of their records is and what time it has, in whatever order they were called', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(callArbitrary, { minLength: 1, maxLength: 30 }),
        // So that batches hold some records each, a call's records lie in several, and there is not always room.
        fc.constantFrom(
          { batchBytes: 100_000, bufferBytes: 1_000_000 },
          { batchBytes: 150, bufferBytes: 100_000 },
          { batchBytes: 200, bufferBytes: 4_000 },
        ),
        fc.constantFrom(-1, 77),
        async (calls, sizes, appendTime) => {
          store = new MemoryStore();
          partitions = store.add('t', 2);
          for (const partition of partitions) partition.appendTime = appendTime;
          const producer = producerOn(sizes);
          let sent = 0;
          const records = calls.map((call) =>
            call.map((record) => ({ ...record, topic: 't', value: `${sent++}`.padStart(20) })),
          );
          const told = await Promise.all(
            records.map(async (call) => {
              now++;
              return call.length === 1 ? [await producer.send(call[0]!)] : await producer.sendAll(call);
            }),
          );
          const values = partitions.map(readValues);
          records.flat().forEach(({ partition, timestamp, value }, i) => {
            const metadata = told.flat()[i]!;
            expect(metadata).toMatchObject({ topic: 't', partition });
            expect(values[partition]![metadata.offset]).toBe(value);
            if (appendTime >= 0) expect(metadata.timestamp).toBe(appendTime);
            else if (timestamp !== undefined) expect(metadata.timestamp).toBe(timestamp);
            else expect(metadata.timestamp).toBeGreaterThan(NOW);
          });
          expect(values.flat()).toHaveLength(sent);
          await producer.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('comes in the order of the calls, also to those that had to wait for the topic', async () => {
    await using producer = producerOn();
    const order: number[] = [];
    const sends = (from: number) =>
      Array.from({ length: 5 }, (_, i) =>
        producer.send({ topic: 't', partition: 0, value: `${from + i}` }).then(({ offset }) => order.push(offset)),
      );
    const first = sends(0);
    await first[0];
    const second = sends(5);
    await producer.sendAll([{ topic: 't', partition: 0, value: '10' }]);
    await Promise.all([...first, ...second]);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(readValues(partitions[0]!)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
  });

  it('is an answer of its own for each: changing one changes no other', async () => {
    await using producer = producerOn();
    await producer.send({ topic: 't', partition: 0, value: 'a' });
    const [one, other] = await Promise.all(
      ['b', 'c'].map((value) => producer.send({ topic: 't', partition: 0, value })),
    );
    (one as { offset: number }).offset = 99;
    expect(other).toEqual({ topic: 't', partition: 0, offset: 2, timestamp: NOW } satisfies RecordMetadata);
  });

  it('is the partition alone with acks none, for send and for sendAll', async () => {
    await using producer = producerOn({ acks: 'none' });
    const one = { topic: 't', partition: 1, offset: -1, timestamp: NOW };
    const record = { topic: 't', partition: 1, value: 'v' };
    for (let i = 0; i < 2; i++) {
      expect(await producer.send(record)).toEqual(one);
      expect(await producer.sendAll([record, record])).toEqual([one, one]);
    }
  });
});

describe('a batch that fails', () => {
  it('rejects all its sends and the sendAll in it with one error, and closing says it no more', async () => {
    const producer = producerOn();
    await producer.send({ topic: 't', partition: 0, value: 'v' });
    partitions[0]!.beforeAppend = () => {
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    };
    const record = { topic: 't', partition: 0, value: 'v' };
    const calls = [producer.send(record), producer.sendAll([record, record]), producer.send(record)];
    const outcomes = await Promise.allSettled([...calls, producer.send(record)]);
    const reasons = outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason);
    expect(reasons[0]).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    for (const reason of reasons) expect(reason).toBe(reasons[0]);
    await producer[Symbol.asyncDispose]();
  });

  it('rejects a later send at once, and the first to hear of it is enough', async () => {
    const producer = producerOn();
    await producer.send({ topic: 't', partition: 0, value: 'v' });
    partitions[0]!.beforeDurable = () => {
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    };
    const record = { topic: 't', partition: 0, value: 'v' };
    const failure = await producer.send(record).catch((error: unknown) => error);
    await expect(producer.send(record)).rejects.toBe(failure);
    await producer[Symbol.asyncDispose]();
  });
});

it.each([true, false])(
  'a partitioner that throws what is no error rejects its record alone, topic known: %s',
  async (isKnown) => {
    const producer = producerOn({
      partitioner: (key) => {
        if (key !== null) throw 'no';
        return 0;
      },
    });
    if (isKnown) await producer.send({ topic: 't', value: 'v' });
    const refused = [
      producer.send({ topic: 't', key: 'k', value: 'v' }),
      producer.sendAll([{ topic: 't', key: 'k', value: 'v' }]),
    ];
    for (const one of await Promise.allSettled(refused)) {
      expect((one as PromiseRejectedResult).reason).toMatchObject({
        message: expect.stringMatching(/: no$/),
        cause: 'no',
      });
    }
    expect(await producer.send({ topic: 't', value: 'v' })).toMatchObject({ partition: 0 });
    await producer.close();
  },
);
