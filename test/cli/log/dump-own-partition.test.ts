import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';
import { run } from '../support/fake-context.js';
import { dumpJson } from './described-dump.js';
import { makePartition, type OwnPartition } from './own-partition.js';

const LOG = '00000000000000000000.log';

/** Topic orders with partitions 0 (two batches) and 1 (one). */
async function withOrders(use: (data: string, first: OwnPartition) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (data) => {
    const first = await makePartition(data, 'orders', 0);
    const second = await makePartition(data, 'orders', 1);
    try {
      await first.append(['a', 'b']);
      await first.append(['c']);
      await second.append(['d']);
      await use(data, first);
    } finally {
      await first.log.close();
      await second.log.close();
    }
  });
}

const placesOf = (lines: readonly Readonly<Record<string, unknown>>[]) =>
  lines.map(({ topic, partition, baseOffset, lastOffset }) => [topic, partition, baseOffset, lastOffset]);

describe('what is named', () => {
  it('a topic: all its partitions, in order, without klog.json', async () => {
    await withOrders(async (data) => {
      const { code, lines } = await dumpJson(['orders', '-d', data]);
      expect(code).toBe(0);
      expect(placesOf(lines)).toEqual([
        ['orders', 0, 0, 1],
        ['orders', 0, 2, 2],
        ['orders', 1, 0, 0],
      ]);
      expect(existsSync(join(data, 'klog.json'))).toBe(false);
    });
  });

  it.each(['orders:1', 'orders[1]'])('a partition as %s, with its records', async (operand) => {
    await withOrders(async (data) => {
      const { lines } = await dumpJson([operand, '-d', data, '--records']);
      expect(lines.map(({ type }) => type)).toEqual(['batch', 'record']);
      expect(lines[1]).toEqual({
        type: 'record',
        topic: 'orders',
        partition: 1,
        offset: 0,
        timestamp: 1_700_000_000_000,
        timestampType: 'create',
        key: 'k',
        value: 'd',
        headers: [],
        sequence: -1,
      });
    });
  });

  it('a data directory, a directory of logs, a partition, a file: by absolute or relative path', async () => {
    await withOrders(async (data) => {
      const count = async (path: string, cwd = '/') => (await dumpJson([path], { cwd })).lines.length;
      expect(await count(data)).toBe(3);
      expect(await count('.', data)).toBe(3);
      expect(await count(join(data, 'log'))).toBe(3);
      expect(await count('./log/orders-0', data)).toBe(2);
      expect(await count(LOG, join(data, 'log/orders-0'))).toBe(2);
    });
  });

  it('a topic in a directory of logs, as brokers have it', async () => {
    await withOrders(async (data) => {
      expect((await dumpJson(['orders:0', '-d', join(data, 'log')])).lines).toHaveLength(2);
    });
  });

  it.each([
    ['order', 4, "unknown topic 'order'", "Did you mean 'orders'?"],
    ['orders:7', 4, 'no partition orders:7', 'orders-7'],
    ['no/such/thing', 4, 'there is nothing at no/such/thing', ''],
    ['or ders', 2, 'topic name', ''],
    ['orders@4', 2, 'names a record', 'klog get'],
    ['./log/orders-0/other.file', 4, 'nothing at', ''],
    ['/etc/hosts', 2, 'no file of a log', ''],
  ])('%s: exit %i', async (operand, exit, why, hint) => {
    await withOrders(async (data) => {
      const { code, err, out } = await run(['log', 'dump', operand, '-d', data], { cwd: data });
      expect({ code, out }).toEqual({ code: exit, out: '' });
      expect(err).toContain(why);
      expect(err).toContain(hint);
    });
  });

  it('nothing, or no log at all', async () => {
    expect((await run('log dump')).code).toBe(2);
    await inTemporaryDirectory(async (cwd) => {
      expect((await run('log dump orders', { cwd })).code).toBe(4);
      expect((await run('log dump .', { cwd })).code).toBe(4);
      expect(readdirSync(cwd)).toEqual([]);
    });
  });

  it('several: one that is missing is reported, the others are shown', async () => {
    await withOrders(async (data) => {
      const { code, lines, err } = await dumpJson(['orders:9', 'orders:1', '-d', data]);
      expect(code).toBe(1);
      expect(lines).toHaveLength(1);
      expect(JSON.parse(err)).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'orders', partition: 9 });
    });
  });
});

describe('a log that is in use', () => {
  it('tells what is not durable yet', async () => {
    await withOrders(async (data, first) => {
      await first.append(['late'], false);
      const { lines, code } = await dumpJson(['orders:0', '-d', data]);
      expect(code).toBe(0);
      expect(lines.map(({ durable }) => durable)).toEqual([true, true, false]);
      const text = await run(['log', 'dump', 'orders:0', '-d', data]);
      expect(text.out.split('\n').map((line) => line.endsWith('isvalid: true durable: false'))).toEqual([
        false,
        false,
        false,
        false,
        true,
        false,
      ]);
    });
  });

  it('says nothing of durability of a copy: what the disk holds is durable', async () => {
    await withOrders(async (data, first) => {
      await first.append(['late'], false);
      await inTemporaryDirectory(async (copy) => {
        const { cpSync } = await import('node:fs');
        cpSync(join(data, 'log'), join(copy, 'log'), { recursive: true });
        const { lines } = await dumpJson(['orders:0', '-d', copy]);
        expect(lines).toHaveLength(3);
        for (const line of lines) expect(line).not.toHaveProperty('durable');
      });
    });
  });

  it('leaves every file and its times as they were, and needs no permission to write', async () => {
    await withOrders(async (_data, { directory, log }) => {
      await log.close();
      const look = () =>
        readdirSync(directory).map((name) => {
          const { mtimeMs, size } = statSync(join(directory, name));
          return { name, mtimeMs, size, bytes: readFileSync(join(directory, name), 'latin1') };
        });
      const before = look();
      for (const { name } of before) chmodSync(join(directory, name), 0o400);
      chmodSync(directory, 0o500);
      try {
        const files = before.map(({ name }) => join(directory, name));
        expect((await dumpJson([directory, ...files, '--records'])).code).toBe(0);
      } finally {
        chmodSync(directory, 0o700);
      }
      expect(look()).toEqual(before);
    });
  });

  it('shows segments in order, the older ones durable', async () => {
    await inTemporaryDirectory(async (data) => {
      const { append, log } = await makePartition(data, 't', 0, 200);
      for (const value of ['a', 'b', 'c', 'd', 'e', 'f']) await append([value]);
      await log.close();
      const { lines } = await dumpJson(['t', '-d', data]);
      expect(lines.map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(new Set(lines.map(({ file }) => file)).size).toBeGreaterThan(1);
      for (const { durable, valid } of lines) expect({ durable, valid }).toEqual({ durable: true, valid: true });
    });
  });
});

describe('the files beside the segments', () => {
  it('klog.end, partition.metadata and leader-epoch-checkpoint have types of their own', async () => {
    await withOrders(async (_data, { directory, log }) => {
      await log.close();
      const files = ['klog.end', 'partition.metadata', 'leader-epoch-checkpoint'].map((name) => join(directory, name));
      const { lines, code } = await dumpJson(files);
      expect(code).toBe(0);
      const { size } = statSync(join(directory, LOG));
      expect(lines).toMatchObject([
        {
          type: 'klogEnd',
          topic: 'orders',
          partition: 0,
          appended: { offset: 3, position: size, segmentBase: 0 },
          safe: { offset: 3, position: size, logStartOffset: 0 },
          syncing: false,
          ofThisBoot: true,
        },
        { type: 'partitionMetadata', version: 0, topicId: 'ASNFZ4mrze_-3LqYdlQyEA' },
        { type: 'leaderEpochCheckpoint', entries: [{ epoch: 0, startOffset: 0 }] },
      ]);
      const { out } = await run(['log', 'dump', ...files]);
      expect(out).toMatch(/^Dumping .*klog\.end\nappended: sequence: \d+ offset: 3 /);
      expect(out).toContain('version: 0 topicId: ASNFZ4mrze_-3LqYdlQyEA\n');
      expect(out).toContain('epoch: 0 startOffset: 0\n');
    });
  });
});
