/** Lengths that lie and bytes that swell, under a limit of memory that believing them would break. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadCodec } from '../../src/format/compression.js';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { openClient } from '../../src/index.js';
import { setNumber } from '../fuzz/mutate-bytes.js';
import { fixCrc } from '../fuzz/mutate-log.js';
import { buildBatch } from '../support/build-batch.js';
import { KLOG, shell } from '../support/klog-process.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

const MIB = 1024 * 1024;
const CLAIMS = [0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 32 - 1, 2 ** 53 - 1, 2 ** 62, -(2 ** 63)];
/** Length, count and delta fields: of the batch, and of the one record in it. */
const BATCH_FIELDS = [
  [8, 4],
  [23, 4],
  [57, 4],
] as const;
/** Varints of the first record: length, timestamp delta, offset delta, key length, value length. */
const RECORD_FIELDS = [61, 63, 64, 65, 66];
const LARGEST_VARINT = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]);
const ENDLESS_VARINT = Buffer.alloc(10, 0xff);

/** A limit of data memory below 2 GiB, in bytes, under which Node itself starts: 24 needs more than twice what 20 does. */
function leastData(): number {
  const starts = (limit: number) => spawnSync('prlimit', [`--data=${limit}`, process.execPath, '-e', '0']).status === 0;
  return [256, 512, 1024].map((mib) => mib * MIB).find(starts)!;
}

function batches(): Buffer[] {
  const base = Buffer.from(buildBatch(['some value']));
  const made: Buffer[] = [];
  for (const [at, size] of BATCH_FIELDS) {
    for (const claim of CLAIMS) {
      const batch = Buffer.from(base);
      setNumber(batch, at, size, claim);
      made.push(batch);
    }
  }
  for (const at of RECORD_FIELDS) {
    for (const varint of [LARGEST_VARINT, ENDLESS_VARINT, Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f])]) {
      const batch = Buffer.concat([base.subarray(0, at), varint, base.subarray(at + 1)]);
      batch.writeInt32BE(batch.length - 12, 8);
      made.push(batch);
    }
  }
  for (const batch of made) fixCrc(batch);
  return made;
}

describe('lengths', () => {
  it('of batches and records are held against the bytes there are before anything is allocated', () => {
    const before = process.memoryUsage().arrayBuffers;
    const cursor = new RecordCursor();
    for (const batch of batches()) {
      let records = 0;
      try {
        openCursor(cursor, batch, 0);
        while (cursor.next()) records++;
      } catch (error) {
        expect(error).toMatchObject({ name: 'KlogError' });
      }
      expect(records).toBeLessThan(3);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MIB);
  });

  const canLimit = spawnSync('prlimit', ['--version']).status === 0;
  it.skipIf(!canLimit)(
    'in every file of a partition: consume and log dump end with an error under a limit of memory (needs prlimit)',
    async () => {
      await inTemporaryDirectory(async (work) => {
        const directory = join(work, '.klog');
        {
          await using client = await openClient({ directory, create: true });
          await client.admin().createTopic({ topic: 't' });
          await using producer = client.producer();
          await producer.sendAll([{ topic: 't', value: 'v' }]);
        }
        const partition = join(directory, 'log', 't-0');
        const log = join(partition, `${'0'.repeat(20)}.log`);
        const good = readFileSync(log);
        const limit = leastData();
        for (const claim of [2 ** 31 - 1, -1]) {
          const bytes = Buffer.from(good);
          bytes.writeInt32BE(claim, 8);
          writeFileSync(log, bytes);
          const commands = '"$0" "$1" consume t; echo $?; "$0" "$1" log dump t > /dev/null; echo $?';
          const line = `prlimit --data=${limit} bash -c '${commands}'`;
          const { out, err } = await shell(`${line} "${process.execPath}" "${KLOG}"`, {
            cwd: work,
            env: { HOME: work },
          });
          expect(out).toBe('7\n7\n');
          expect(err).not.toMatch(/allocation|heap|RangeError/i);
        }
        // Whatever else there is may say anything, too.
        writeFileSync(log, good);
        for (const name of readdirSync(partition)) {
          if (name.endsWith('.log')) continue;
          const path = join(partition, name);
          const before = readFileSync(path);
          writeFileSync(path, Buffer.alloc(before.length + 64, 0xff));
          await using client = await openClient({ directory });
          const values: string[] = [];
          for await (const { value } of client.consumer({ topics: ['t'] })) values.push(String(value));
          expect(values, name).toEqual(['v']);
          writeFileSync(path, before);
        }
      });
    },
  );
});

describe('bytes that swell', () => {
  const LIMIT = 4 * MIB;

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s: 64 MiB of zeros are refused at the limit', async (type) => {
    const codec = await loadCodec(type);
    const builder = new RecordBatchBuilder({ codec });
    const zeros = Buffer.alloc(64 * MIB);
    builder.appendValue(zeros, 0, zeros.length, 0);
    const batch = Buffer.from(builder.build({}));
    expect(batch.length).toBeLessThan(4 * MIB);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => openCursor(new RecordCursor(), batch, 0, { maxDecompressedBytes: LIMIT })).toThrow(
      expect.objectContaining({ code: 'CORRUPT_MESSAGE', message: expect.stringContaining(String(LIMIT)) }),
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * LIMIT);
  });

  it('gzip: many members, one behind the other, count together', async () => {
    const codec = await loadCodec('gzip');
    const member = gzipSync(Buffer.alloc(MIB));
    const many = Buffer.concat(Array.from({ length: 64 }, () => member));
    expect(() => codec.decompress(many, LIMIT)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
  });

  it('zstd: many frames, one behind the other, count together', async () => {
    const codec = await loadCodec('zstd');
    const frame = Buffer.from(codec.compress(Buffer.alloc(MIB)));
    const many = Buffer.concat(Array.from({ length: 64 }, () => frame));
    expect(() => codec.decompress(many, LIMIT)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
  });

  it('snappy: a length that lies, in a block and in the whole, is not believed', async () => {
    const codec = await loadCodec('snappy');
    // Raw: the claim is a varint at the start, here 2^32 - 1.
    const raw = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61]);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => codec.decompress(raw, LIMIT)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
    const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    for (const claim of [0x7fffffff, -1]) {
      const length = Buffer.alloc(4);
      length.writeInt32BE(claim);
      const framed = Buffer.concat([magic, length, raw]);
      expect(() => codec.decompress(framed, LIMIT)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(LIMIT);
  });
});
