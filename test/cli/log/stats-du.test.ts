import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KeySketch } from '../../../src/cli/log/key-sketch.js';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';
import { run } from '../support/fake-context.js';
import { withLog } from '../support/real-log.js';
import { makePartition } from './own-partition.js';

describe('log stats', () => {
  it('counts records, nulls, headers, keys and times over the partitions of a topic', async () => {
    await withLog(async (log) => {
      await log.createTopic('orders', 2);
      const headers = [
        { key: 'a', value: Buffer.from('xyz') },
        { key: 'b', value: null },
      ];
      await log.produce([
        { topic: 'orders', partition: 0, key: 'k1', value: '12345', timestamp: 1000 },
        { topic: 'orders', partition: 0, key: 'k1', value: null, timestamp: 3000 },
        { topic: 'orders', partition: 1, key: null, value: '1', timestamp: 2000, headers },
      ]);
      const { code, out } = await log.run('log stats orders --json -k 5');
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject([
        {
          topic: 'orders',
          partitions: 2,
          records: 3,
          batches: 3,
          controlBatches: 0,
          keyBytes: 4,
          valueBytes: 6,
          headerBytes: 5,
          dataBytes: 15,
          averageRecordBytes: 5,
          largestRecordBytes: 7,
          averageBatchRecords: 1,
          compression: { none: 3 },
          nullKeys: 1,
          nullValues: 1,
          recordsWithHeaders: 1,
          headers: 2,
          distinctKeys: 1,
          topKeys: [{ key: 'k1', records: 2, exact: true }],
          minTimestamp: 1000,
          maxTimestamp: 3000,
          recordsPerSecond: 1.5,
        },
      ]);
      expect((await log.run('log stats orders -k 5')).out).toBe('orders\t2\t66.7%\tk1\n');
      expect((await log.run('log stats')).out.split('\t')).toHaveLength(14);
    });
  });

  it('passes over damage, prints what it has, and ends with 7', async () => {
    await inTemporaryDirectory(async (data) => {
      const { directory, log, append } = await makePartition(data, 't', 0);
      for (const value of ['a', 'b', 'c']) await append([value]);
      await log.close();
      const file = join(directory, '00000000000000000000.log');
      const bytes = readFileSync(file);
      bytes.writeUInt8(bytes[100]! ^ 1, 100);
      writeFileSync(file, bytes);
      const { code, out, err } = await run(['log', 'stats', '--json'], { env: { KLOG_DIR: data } });
      expect(code).toBe(7);
      expect(JSON.parse(out)).toMatchObject([{ records: 2, batches: 2 }]);
      expect(JSON.parse(err)).toMatchObject({ code: 'CORRUPT_MESSAGE', position: 70, offset: 1 });
    });
  });

  it('tells of a segment that ends in the middle of a batch, unless that is the tail of a log without klog.end', async () => {
    await inTemporaryDirectory(async (data) => {
      const { directory, log, append } = await makePartition(data, 't', 0, 300);
      for (let i = 0; i < 12; i++) await append([`${i}`]);
      await log.close();
      const files = readdirSync(directory).filter((name) => name.endsWith('.log'));
      expect(files.length).toBeGreaterThan(2);
      const stats = async (file: string) => {
        const bytes = readFileSync(join(directory, file));
        truncateSync(join(directory, file), 100);
        const { code, err } = await run(['log', 'stats', `${directory}/`, '--json']);
        writeFileSync(join(directory, file), bytes);
        return code === 0 ? code : [code, JSON.parse(err).position];
      };
      expect(await stats(files[0]!)).toEqual([7, 70]);
      expect(await stats(files.at(-1)!)).toEqual([7, 70]);
      rmSync(join(directory, 'klog.end'));
      expect(await stats(files.at(-1)!)).toBe(0);
      expect(await stats(files[0]!)).toEqual([7, 70]);
    });
  });
});

describe('keys are counted in a fixed amount of memory', () => {
  function sketchOf(count: number, each: (i: number) => string): KeySketch {
    const sketch = new KeySketch(true);
    for (let i = 0; i < count; i++) {
      const key = Buffer.from(each(i));
      sketch.add(key, 0, key.length);
    }
    return sketch;
  }

  it.each([1, 10, 1000, 20_000, 300_000])('%i different ones, within 3 %%', (count) => {
    const { distinct } = sketchOf(count, (i) => `customer-${i}`);
    expect(Math.abs(distinct - count) / count).toBeLessThan(0.03);
  });

  it('the frequent ones are found among more keys than are counted one by one', () => {
    const sketch = sketchOf(300_000, (i) => (i % 3 === 0 ? `hot-${i % 2}` : `cold-${i}`));
    const [first, second] = sketch.top(2);
    expect([first?.key.toString(), second?.key.toString()].sort()).toEqual(['hot-0', 'hot-1']);
    expect(first).toMatchObject({ records: 50_000, isExact: false });
  });

  it('keys alike in what is shown of them are still two', () => {
    const sketch = sketchOf(4, (i) => `${'x'.repeat(300)}${i % 2}`);
    expect(sketch.top(9).map(({ records }) => records)).toEqual([2, 2]);
  });
});

describe('log du', () => {
  it('sums the files of each partition by what they are for', async () => {
    await inTemporaryDirectory(async (data) => {
      for (const partition of [0, 1]) {
        const { directory, log, append } = await makePartition(data, 't', partition, 5000);
        for (let i = 0; i < 4; i++) await append(['x'.repeat(3000)]);
        await log.close();
        writeFileSync(join(directory, '00000000000000000000.log.cut-77'), 'x'.repeat(11));
      }
      const env = { KLOG_DIR: data };
      const { out } = await run(['log', 'du', '--json'], { env });
      const rows = JSON.parse(out);
      expect(rows).toHaveLength(2);
      expect(rows[0]).toMatchObject({ topic: 't', partition: 0, aside: 11, snapshot: 30, other: 4147 });
      const { log, index, snapshot, aside, other, total } = rows[0];
      expect(log + index + snapshot + aside + other).toBe(total);
      expect((await run(['log', 'du'], { env })).out.split('\n')[1]?.split('\t').slice(0, 3)).toEqual([
        't',
        '1',
        `${log}`,
      ]);
      const sum = JSON.parse((await run(['log', 'du', '-s', '--json'], { env })).out);
      expect(sum).toEqual([
        { topic: 't', log: 2 * log, index: 2 * index, snapshot: 60, aside: 22, other: 8294, total: 2 * total },
      ]);
      expect((await run(['log', 'du', '--human', '-s'], { env })).out).toMatch(/^t\t[\d.]+ KiB\t/);
    });
  });
});
