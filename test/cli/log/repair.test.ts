import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFileSystem } from '../../../src/storage/file-system-node.js';
import { run } from '../support/fake-context.js';
import { type RealLog, withLog } from '../support/real-log.js';

const SEGMENT = '00000000000000000000';
const FIXTURES = resolve(import.meta.dirname, '../../fixtures/kafka');

interface Partition {
  readonly log: RealLog;
  readonly directory: string;
  /** Values read from the start to the end, damage passed over. */
  values(): Promise<string[]>;
  repair(...args: string[]): Promise<Awaited<ReturnType<typeof run>>>;
}

/** t-0: 30 batches of one record of 2000 bytes, a dozen to a segment; the last segment has offsets 24 to 29. */
async function withPartition<T>(use: (partition: Partition) => Promise<T>): Promise<T> {
  return withLog(async (log) => {
    await log.createTopic('t', 1, { 'segment.bytes': '25000' });
    const records = Array.from({ length: 30 }, (_, i) => ({ topic: 't', value: recordValue(i), timestamp: 1000 + i }));
    await log.produce(records);
    return use({
      log,
      directory: join(log.directory, 'log', 't-0'),
      values: async () => {
        const { code, out, err } = await log.run('consume t -f %o:%v\\n');
        if (code !== 0) throw new Error(err);
        return out
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => line.split(' ')[0]!);
      },
      repair: (...args) =>
        run(['log', 'repair', 't:0', ...args], { env: { KLOG_DIR: log.directory }, now: Date.now() }),
    });
  });
}

const recordValue = (i: number) => `v${i} `.padEnd(2000, '-');
const all = (...without: number[]) =>
  Array.from({ length: 30 }, (_, i) => i)
    .filter((i) => !without.includes(i))
    .map((i) => `${i}:v${i}`);

function change(file: string, edit: (bytes: Buffer) => void): Buffer {
  const bytes = readFileSync(file);
  edit(bytes);
  writeFileSync(file, bytes);
  return bytes;
}

const asideIn = (directory: string) =>
  readdirSync(directory)
    .filter((name) => name.includes('.damaged-'))
    .sort();

/** Where the batch of offset `at` begins in its segment, of the size that all have nearly. */
function positionOf(log: Buffer, index: number): number {
  let position = 0;
  for (let i = 0; i < index; i++) position += 12 + log.readInt32BE(position + 8);
  return position;
}

describe('a partition of klog', () => {
  it.each<[string, string, number]>([
    ['a closed segment', SEGMENT, 3],
    ['the segment that is written to', '00000000000000000024', 2],
    ['the last batch of all', '00000000000000000024', 5],
  ])('one bad byte in %s costs one batch, whose bytes are kept', async (_name, base, index) => {
    await withPartition(async ({ log, directory, values, repair }) => {
      const file = join(directory, `${base}.log`);
      const offset = Number(base) + index;
      const before = readFileSync(file);
      const position = positionOf(before, index);
      const damaged = change(file, (bytes) => bytes.writeUInt8(bytes[position + 900]! ^ 8, position + 900));
      await expect(values()).rejects.toThrow(/damaged/);
      const dry = await repair('--dry-run');
      expect(dry).toMatchObject({ code: 0, err: '' });
      expect(dry.out).toContain(`${base}.log.damaged-${position}`);
      expect(readFileSync(file)).toEqual(damaged);
      expect((await repair()).code).toBe(2);
      const { code, out } = await repair('-y');
      expect(code).toBe(0);
      expect(out).toMatch(/repaired: ok\n$/);
      expect(await values()).toEqual(all(offset));
      const [aside = ''] = asideIn(directory);
      const end = index + 1 < 6 || base === SEGMENT ? positionOf(before, index + 1) : before.length;
      expect(readFileSync(join(directory, aside))).toEqual(damaged.subarray(position, end));
      // The log goes on as if nothing had been.
      await log.produce([{ topic: 't', value: 'v30 ' }]);
      expect(await values()).toEqual([...all(offset), '30:v30']);
      expect((await run(['log', 'check', directory, '--deep'])).code).toBe(0);
      expect((await repair('-y')).out).toBe('t:0: ok, nothing to repair\n');
    });
  });

  it('several bad places, of every kind, in one go', async () => {
    await withPartition(async ({ directory, values, repair }) => {
      change(join(directory, `${SEGMENT}.log`), (bytes) => {
        bytes.writeUInt8(9, positionOf(bytes, 2) + 16);
        bytes.writeUInt8(1, positionOf(bytes, 5) + 6);
        bytes.fill(0xee, positionOf(bytes, 8) + 4, positionOf(bytes, 9) + 70);
      });
      change(join(directory, `${SEGMENT}.index`), (bytes) => bytes.writeInt32BE(77, 4));
      change(join(directory, '00000000000000000012.timeindex'), (bytes) => bytes.writeUInt8(1, 3));
      change(join(directory, 'leader-epoch-checkpoint'), (bytes) => bytes.writeUInt8(0x39, 2));
      change(join(directory, 'partition.metadata'), (bytes) => bytes.writeUInt8(0x39, 9));
      change(join(directory, 'klog.end'), (bytes) => bytes.writeUInt8(bytes[1030]! ^ 1, 1030));
      const metadata = readFileSync(join(directory, 'partition.metadata'));
      const { code, err } = await repair('-y');
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(await values()).toEqual(all(2, 5, 8, 9));
      expect(readFileSync(join(directory, 'partition.metadata.damaged-0'))).toEqual(metadata);
      expect(asideIn(directory)).toHaveLength(5);
      expect((await run(['log', 'check', directory, '--deep'])).code).toBe(0);
    });
  });

  it('bytes that were safe are gone: a gap, and no offset is given out twice', async () => {
    for (const take of [(file: string) => truncateSync(file, 5000), (file: string) => rmSync(file)]) {
      await withPartition(async ({ log, directory, values, repair }) => {
        take(join(directory, '00000000000000000024.log'));
        const { code } = await repair('-y');
        expect(code).toBe(0);
        expect((await values()).slice(0, 24)).toEqual(all().slice(0, 24));
        await log.produce([{ topic: 't', value: 'v30 ' }]);
        const read = await values();
        expect(read.slice(0, 24)).toEqual(all().slice(0, 24));
        expect(read.at(-1)).toBe('30:v30');
      });
    }
  });

  it('a segment in the middle that is gone becomes a gap', async () => {
    await withPartition(async ({ directory, values, repair }) => {
      rmSync(join(directory, '00000000000000000012.log'));
      await expect(values()).rejects.toThrow();
      expect((await repair('-y')).code).toBe(0);
      expect(await values()).toEqual([...all().slice(0, 12), ...all().slice(24)]);
      expect((await run(['log', 'check', directory, '--deep'])).code).toBe(0);
    });
  });

  it.each([
    ['the first segment', [0]],
    ['the first two', [0, 12]],
    ['all but klog.end', [0, 12, 24]],
  ])('%s gone: the log begins behind, and goes on where it ended', async (_, bases) => {
    await withPartition(async ({ log, directory, values, repair }) => {
      for (const base of bases) {
        const name = String(base).padStart(20, '0');
        for (const file of readdirSync(directory)) if (file.startsWith(name)) rmSync(join(directory, file));
      }
      await expect(values()).rejects.toThrow();
      const { code, out } = await repair('-y');
      expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/repaired: ok\n$/) });
      const left = all().slice(bases.length * 12);
      expect(await values()).toEqual(left);
      await log.produce([{ topic: 't', value: 'v30 ' }]);
      expect(await values()).toEqual([...left, '30:v30']);
      expect((await run(['log', 'check', directory, '--deep'])).code).toBe(0);
    });
  });

  it('nothing that S says is left, and damage in the last segment: what is good behind it stays', async () => {
    await withPartition(async ({ directory, values, repair }) => {
      change(join(directory, 'klog.end'), (bytes) => bytes.fill(0x55, 1024, 2048));
      change(join(directory, '00000000000000000024.log'), (bytes) => bytes.writeUInt8(0, positionOf(bytes, 2) + 500));
      expect((await repair('-y')).code).toBe(0);
      expect(await values()).toEqual(all(26));
    });
  });

  it('a torn tail alone is settled', async () => {
    await withPartition(async ({ directory, values, repair }) => {
      const file = join(directory, '00000000000000000024.log');
      const good = readFileSync(file);
      writeFileSync(file, Buffer.concat([good, good.subarray(0, 99)]));
      const { code, out } = await repair('-y');
      expect(code).toBe(0);
      expect(out).toMatch(/no bytes go aside/);
      expect(await values()).toEqual(all());
      expect(existsSync(`${file}.cut-${good.length}`)).toBe(true);
    });
  });

  it("a topic's own file cannot be made anew: it says so, and does not send to itself", async () => {
    await withPartition(async ({ log, repair }) => {
      const file = join(log.directory, 'topics', 't.json');
      writeFileSync(file, '{');
      const { code, err } = await repair('-y');
      expect({ code, err }).toEqual({
        code: 7,
        err: `klog: ${file} is damaged: it is not JSON (t:0). It can be restored from a backup; the records are not in it.\n`,
      });
      const doctor = await log.run('doctor --json');
      expect(doctor.out).not.toMatch(/log repair|is damaged: \S+ is damaged/);
    });
  });

  it('asks at a terminal, naming the partition and its place', async () => {
    await withPartition(async ({ log, directory }) => {
      change(join(directory, `${SEGMENT}.log`), (bytes) => bytes.writeUInt8(0, 900));
      const options = { env: { KLOG_DIR: log.directory }, terminal: true, answer: false };
      const { code, context } = await run('log repair t:0', options);
      expect(code).toBe(2);
      expect(context.questions).toEqual([`Repair t:0 in ${directory}?`]);
      expect(asideIn(directory)).toEqual([]);
    });
  });

  it('is not begun while another upkeep works on it: 8', async () => {
    await withPartition(async ({ directory }) => {
      change(join(directory, `${SEGMENT}.log`), (bytes) => bytes.writeUInt8(0, 900));
      const { PartitionLocks } = await import('../../../src/storage/partition-locks.js');
      const file = await nodeFileSystem.open(join(directory, 'klog.end'), 'write');
      const other = new PartitionLocks(file, 0);
      expect(other.upkeep.tryAcquire()).toBe(true);
      const held = await nodeFileSystem.open(join(directory, 'klog.end'), 'write');
      await expect(new PartitionLocks(held, 20).upkeep.acquire()).rejects.toMatchObject({ code: 'KLOG_LOCKED' });
      await held.close();
      await file.close();
    });
  });
});

describe("a stopped broker's partition", () => {
  async function withBrokers<T>(use: (partition: string, data: string) => Promise<T>): Promise<T> {
    return withLog(async (log) => {
      mkdirSync(log.directory);
      const source = join(FIXTURES, 'segments', 'transactions', 'txn-topic-0');
      const partition = join(log.directory, 'txn-topic-0');
      cpSync(source, partition, { recursive: true });
      writeFileSync(join(log.directory, '.lock'), '');
      return use(partition, log.directory);
    });
  }

  it('keeps what is good, with its transaction index, and nothing of klog is left in it', async () => {
    await withBrokers(async (partition) => {
      const file = join(partition, `${SEGMENT}.log`);
      const before = readFileSync(file);
      const position = positionOf(before, 1);
      change(file, (bytes) => bytes.writeUInt8(bytes[position + 70]! ^ 1, position + 70));
      truncateSync(join(partition, `${SEGMENT}.txnindex`), 0);
      expect((await run(['log', 'repair', partition, '-y'])).code).toBe(0);
      expect((await run(['log', 'check', partition, '--deep'])).code).toBe(0);
      expect(readFileSync(file).length).toBe(before.length - (positionOf(before, 2) - position));
      expect(readFileSync(join(partition, `${SEGMENT}.txnindex`)).length).toBeGreaterThan(0);
      expect(readdirSync(partition).filter((name) => /klog|swap|cleaned/.test(name))).toEqual([]);
      expect(asideIn(partition).map((name) => basename(name))).toEqual([`${SEGMENT}.log.damaged-${position}`]);
    });
  });

  it('is refused while a broker holds it: 8', async () => {
    await withBrokers(async (partition, data) => {
      truncateSync(join(partition, `${SEGMENT}.txnindex`), 0);
      const lock = await nodeFileSystem.open(join(data, '.lock'), 'write');
      expect(lock.tryLock({ start: 0, length: 0 })).toBe(true);
      const { code, err } = await run(['log', 'repair', partition, '-y']);
      expect(code).toBe(8);
      expect(err).toMatch(/a broker runs on this directory/);
      await lock.close();
    });
  });
});
