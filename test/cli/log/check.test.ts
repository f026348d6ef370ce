import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';
import { run } from '../support/fake-context.js';
import { withLog } from '../support/real-log.js';
import { batchOf, makePartition } from './own-partition.js';

const FIXTURES = resolve(import.meta.dirname, '../../fixtures/kafka');
const SEGMENT = '00000000000000000000';

interface CheckedPartition {
  readonly batches: number;
  readonly records?: number;
  readonly problems: readonly { severity: string; file: string; position?: number; offset?: number; reason: string }[];
}

async function check(path: string, ...args: string[]) {
  const { code, out, err } = await run(['log', 'check', path, '--json', ...args]);
  const document = JSON.parse(out) as { ok: boolean; partitions: CheckedPartition[] };
  return { code, err, ...document, problems: document.partitions.flatMap(({ problems }) => problems) };
}

/** Three segments of orders-0: batches of one record of 2000 bytes, a dozen or so to a segment. */
async function withPartition<T>(use: (directory: string, data: string) => Promise<T>): Promise<T> {
  return inTemporaryDirectory(async (data) => {
    const { directory, log, append } = await makePartition(data, 'orders', 0, 25_000);
    for (let i = 0; i < 30; i++) await append([`${i}`.padEnd(2000, 'x')]);
    await log.close();
    return use(directory, data);
  });
}

function change(file: string, edit: (bytes: Buffer) => void): void {
  const bytes = readFileSync(file);
  edit(bytes);
  writeFileSync(file, bytes);
}

const SIZE = batchOf(['0'.padEnd(2000, 'x')]).length;

describe('what is good', () => {
  it("Kafka's own partitions, with every record, are", async () => {
    for (const name of ['snappy', 'transactions', 'unclean-preallocated-indexes']) {
      const { code, ok, problems } = await check(join(FIXTURES, 'segments', name), '--deep');
      expect({ code, ok, problems }, name).toEqual({ code: 0, ok: true, problems: [] });
    }
  });

  it('so are partitions that klog wrote: counted, read-only, named one by one or all', async () => {
    await withPartition(async (directory, data) => {
      const before = readFileSync(join(directory, 'klog.end'));
      const named = await check(directory, '--deep');
      expect(named).toMatchObject({ code: 0, ok: true, problems: [], partitions: [{ batches: 30, records: 30 }] });
      const all = await run(['log', 'check'], { env: { KLOG_DIR: data } });
      expect(all).toMatchObject({
        code: 0,
        out: `orders:0: ok, 3 segments, 30 batches, ${30 * SIZE} bytes\n`,
        err: '',
      });
      const topic = await run(['log', 'check', 'orders:0', '--json'], { env: { KLOG_DIR: data } });
      expect(JSON.parse(topic.out)).toMatchObject({ ok: true, partitions: [{ topic: 'orders', partition: 0 }] });
      expect(readFileSync(join(directory, 'klog.end'))).toEqual(before);
    });
  });

  it.each(['garbage-tail', 'short-header', 'truncated-tail', 'zero-tail'])(
    "a broker's tail that a crash tore is told from damage: %s",
    async (name) => {
      const { code, problems } = await check(join(FIXTURES, 'recovery', name, 'before'));
      const severity = name === 'garbage-tail' ? 'damage' : 'torn';
      expect(problems.filter((problem) => problem.severity !== 'note')).toMatchObject([{ severity }]);
      expect(code).toBe(severity === 'damage' ? 7 : 0);
    },
  );
});

describe('the first bad byte is named', () => {
  const log = (directory: string, base = SEGMENT) => join(directory, `${base}.log`);

  it.each<[string, (directory: string) => void, object]>([
    [
      'a byte of a value',
      (d) => change(log(d), (b) => b.writeUInt8(0, 3 * SIZE - 9)),
      { position: 2 * SIZE, offset: 2 },
    ],
    [
      'a base offset too high',
      (d) => change(log(d), (b) => b.writeUInt8(1, 5 * SIZE + 6)),
      { position: 5 * SIZE, offset: 5 },
    ],
    ['the magic', (d) => change(log(d), (b) => b.writeUInt8(1, SIZE + 16)), { position: SIZE, offset: 1 }],
    ['a length', (d) => change(log(d), (b) => b.writeInt32BE(77, SIZE + 8)), { position: SIZE, offset: 1 }],
    ['the end of a closed segment', (d) => truncateSync(log(d), 3 * SIZE + 100), { position: 3 * SIZE, offset: 3 }],
  ])('%s', async (_name, damage, place) => {
    await withPartition(async (directory) => {
      damage(directory);
      const { code, err, problems } = await check(directory);
      expect(code).toBe(7);
      const [first] = problems.filter(({ severity }) => severity === 'damage');
      expect(first).toMatchObject({ file: log(directory), ...place });
      expect(JSON.parse(err)).toMatchObject({
        code: 'CORRUPT_MESSAGE',
        exit: 7,
        topic: 'orders',
        partition: 0,
        ...place,
      });
    });
  });

  it('where another segment begins too early', async () => {
    await withPartition(async (directory) => {
      change(log(directory), (bytes) => bytes.writeUInt8(1, 11 * SIZE + 5));
      expect((await check(directory)).problems[0]?.reason).toMatch(
        /it ends at offset 65547, and the log there before 12/,
      );
    });
  });

  it('records, with --deep alone, that do not fit a batch whose checksum is right', async () => {
    const { crc32c } = await import('../../../src/format/crc32c.js');
    await withPartition(async (directory) => {
      change(log(directory), (bytes) => {
        bytes.writeInt32BE(3, SIZE + 57);
        bytes.writeUInt32BE(crc32c(bytes, SIZE + 21, 2 * SIZE), SIZE + 17);
      });
      expect((await check(directory)).code).toBe(0);
      const { code, problems } = await check(directory, '--deep');
      expect(code).toBe(7);
      expect(problems).toMatchObject([{ severity: 'damage', file: log(directory), position: SIZE }]);
    });
  });

  it.each<[string, string, (bytes: Buffer) => void, RegExp]>([
    [
      'an index entry that leads nowhere',
      '.index',
      (b) => b.writeInt32BE(5000, 8 + 4),
      /entry 1 leads to position 5000/,
    ],
    ['an index entry with a wrong offset', '.index', (b) => b.writeInt32BE(4, 0), /entry 0 names offset 4/],
    ['a time that never was', '.timeindex', (b) => b.writeUInt8(1, 5), /entry 0 says/],
    ['an offset of another time', '.timeindex', (b) => b.writeInt32BE(9, 8), /entry 0 says/],
  ])('%s', async (_name, suffix, edit, reason) => {
    await withPartition(async (directory) => {
      const file = join(directory, SEGMENT + suffix);
      change(file, edit);
      const { code, problems } = await check(directory);
      expect(code).toBe(7);
      expect(problems[0]).toMatchObject({ severity: 'damage', file });
      expect(problems[0]?.reason).toMatch(reason);
      // Of a file that is named alone.
      expect((await check(file)).code).toBe(7);
      expect((await check(join(directory, `${SEGMENT}.log`))).code).toBe(0);
    });
  });

  it('an aborted transaction that the index has lost', async () => {
    await inTemporaryDirectory(async (data) => {
      cpSync(join(FIXTURES, 'segments', 'transactions'), data, { recursive: true });
      const directory = join(data, 'txn-topic-0');
      truncateSync(join(directory, `${SEGMENT}.txnindex`), 0);
      const { code, problems } = await check(directory);
      expect(code).toBe(7);
      expect(problems[0]?.reason).toMatch(/misses the transaction of producer \d+ aborted at offset 7/);
    });
  });

  it('klog.end against the log: a slot, a segment that went, a log that is too short', async () => {
    await withPartition(async (directory) => {
      const end = join(directory, 'klog.end');
      change(end, (bytes) => bytes.writeUInt8(bytes[1040]! ^ 1, 1040));
      const { code, problems } = await check(directory);
      expect(code).toBe(7);
      expect(problems[0]).toMatchObject({ severity: 'damage', file: end, position: 1024 });
    });
    await withPartition(async (directory) => {
      const last = log(directory, '00000000000000000024');
      truncateSync(last, SIZE + 5);
      expect((await check(directory)).problems[0]).toMatchObject({ file: last, position: SIZE, offset: 25 });
      rmSync(last);
      expect((await check(directory)).problems[0]).toMatchObject({ severity: 'damage', file: last });
    });
  });
});

describe('what is no damage', () => {
  it('bytes behind what is safe', async () => {
    await withPartition(async (directory) => {
      const last = join(directory, '00000000000000000024.log');
      const end = readFileSync(last).length;
      writeFileSync(last, Buffer.concat([readFileSync(last), batchOf(['z'], 30).subarray(0, 50)]));
      const { code, problems } = await check(directory);
      expect(code).toBe(0);
      expect(problems).toMatchObject([{ severity: 'torn', file: last, position: end, offset: 30 }]);
    });
  });

  it('the tail of a copy', async () => {
    await withPartition(async (directory, data) => {
      const copy = join(data, 'copy', 'orders-0');
      cpSync(directory, copy, { recursive: true });
      truncateSync(join(copy, '00000000000000000024.log'), 3 * SIZE + 99);
      const { code, problems } = await check(copy);
      expect(code).toBe(0);
      expect(problems.map(({ severity }) => severity)).toContain('torn');
      expect(problems.map(({ severity }) => severity)).not.toContain('damage');
    });
  });

  it('the leader epoch of a batch, and what lies about: notes', async () => {
    await withPartition(async (directory) => {
      change(join(directory, `${SEGMENT}.log`), (bytes) => bytes.writeInt32BE(7, 12));
      for (const name of ['x.cut-12', 'y.log.deleted', 'z.tmp']) writeFileSync(join(directory, name), 'x');
      const { code, problems } = await check(directory);
      expect(code).toBe(0);
      expect(problems.map(({ severity }) => severity)).toEqual(['note', 'note', 'note', 'note']);
      expect(problems[0]?.reason).toBe('the batch says leader epoch 7, the checkpoint 0: harmless');
    });
  });
});

describe('a partition whose directory is gone', () => {
  it('is damage, told with those that are there; alone, too', async () => {
    await withLog(async (log) => {
      const at = { env: { KLOG_DIR: log.directory } };
      await log.createTopic('orders', 2);
      await log.createTopic('one', 1);
      for (const name of ['orders-1', 'one-0']) rmSync(join(log.directory, 'log', name), { recursive: true });
      const all = await run(['log', 'check'], at);
      expect(all.code).toBe(7);
      expect(all.out).toMatch(/^one:0: damaged.*\n.*one-0: the directory is missing\n/);
      expect(all.out).toMatch(/orders:1: damaged[\s\S]*orders:0: ok/);
      expect(all.err).toContain('Bring it back from a copy');
      for (const operand of ['orders', 'orders:1', 'one']) {
        expect((await run(['log', 'check', operand], at)).code, operand).toBe(7);
      }
      expect((await run(['log', 'check', 'orders:0'], at)).code).toBe(0);
    });
  });
});

describe('what cannot be looked at', () => {
  it('an unknown topic or path: 4, and never ok', async () => {
    await withPartition(async (_, data) => {
      const { code, out } = await run(['log', 'check', 'odrers', '--json'], { env: { KLOG_DIR: data } });
      expect({ code, ok: JSON.parse(out).ok }).toEqual({ code: 4, ok: false });
      expect((await check(join(data, 'nothing'))).code).toBe(4);
    });
  });
});
