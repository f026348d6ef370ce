import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARCHIVE_HEAD_SIZE, SECTION_HEAD_SIZE } from '../../src/archive/archive-format.js';
import { type ArchivePart, readArchive } from '../../src/archive/archive-reader.js';
import { ArchiveWriter } from '../../src/archive/archive-writer.js';
import { loadCodec } from '../../src/format/compression.js';
import { crc32c } from '../../src/format/crc32c.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { buildBatch } from '../support/build-batch.js';
import { runs } from '../support/properties.js';

const META = { klog: '1.2.3', createdAt: '2024-05-01T00:00:00.000Z' };
const TOPIC = {
  topic: 'orders',
  topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
  configs: { 'retention.ms': '5' },
  partitions: [
    { startOffset: 3, endOffset: 40 },
    { startOffset: 0, endOffset: 0 },
    { startOffset: 7, endOffset: 9 },
  ],
};
const place = (partition: number) => TOPIC.partitions[partition]!;

function batchAt(offset: number, ...texts: string[]): Buffer {
  const bytes = Buffer.from(buildBatch(texts));
  new RecordBatch().reset(bytes, 0).setBaseOffset(offset);
  return bytes;
}

async function written(write: (writer: ArchiveWriter) => Promise<void>, codec?: 'zstd'): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sink = (bytes: Uint8Array) => void chunks.push(Buffer.from(bytes));
  await write(new ArchiveWriter(sink, codec && (await loadCodec(codec))));
  return Buffer.concat(chunks);
}

const FIRST = Buffer.concat([batchAt(3, 'a', 'b'), batchAt(20, 'c')]);
const SECOND = batchAt(30, 'd'.repeat(500));
const THIRD = batchAt(7, 'e', 'f');

async function whole(writer: ArchiveWriter): Promise<void> {
  await writer.begin(META);
  await writer.topic(TOPIC);
  await writer.partition('orders', 0, place(0));
  await writer.batches(FIRST);
  await writer.batches(SECOND);
  await writer.partition('orders', 2, place(2));
  await writer.batches(THIRD);
  await writer.end();
}

async function* inChunks(bytes: Buffer, size = 1 << 20): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size?: number): Promise<ArchivePart[]> {
  const parts: ArchivePart[] = [];
  for await (const part of readArchive(inChunks(bytes, size), 'a.klog')) parts.push(part);
  return parts;
}

/** Positions where sections begin, and their kinds. */
function sections(bytes: Buffer): { readonly at: number; readonly end: number; readonly kind: string }[] {
  const found: { at: number; end: number; kind: string }[] = [];
  for (let at = ARCHIVE_HEAD_SIZE; at < bytes.length; ) {
    const end = at + SECTION_HEAD_SIZE + bytes.readUInt32BE(at + 8) + 4;
    found.push({ at, end, kind: bytes.toString('latin1', at, at + 4) });
    at = end;
  }
  return found;
}

describe('an archive', () => {
  it.each([[undefined], ['zstd']] as const)('brings back what was written, codec %s', async (codec) => {
    const bytes = await written(whole, codec);
    for (const size of [1, 7, 64, 1 << 20]) {
      expect(await read(bytes, size)).toMatchObject([
        { kind: 'topics', topics: [TOPIC] },
        { kind: 'batches', topic: 'orders', partition: 0, bytes: FIRST, records: 3 },
        { kind: 'batches', topic: 'orders', partition: 0, bytes: SECOND, records: 1 },
        { kind: 'batches', topic: 'orders', partition: 2, bytes: THIRD, records: 2 },
        { kind: 'end', totals: { sections: 7, topics: 1, batches: 4, records: 6 } },
      ]);
    }
  });

  it('is smaller when compressed, and keeps what gains nothing as it is', async () => {
    const plain = await written(whole);
    const small = await written(whole, 'zstd');
    expect(small.length).toBeLessThan(plain.length - 400);
    expect(plain.includes(SECOND)).toBe(true);
    // Compressed already: bytes without a pattern.
    const noise = createHash('shake256', { outputLength: 3000 }).update('x').digest('base64');
    const compressed = Buffer.from(buildBatch([noise], { codec: await loadCodec('gzip'), baseOffset: 3 }));
    const bytes = await written(async (writer) => {
      await writer.begin(META);
      await writer.topic(TOPIC);
      await writer.partition('orders', 0, place(0));
      await writer.batches(compressed);
      await writer.end();
    }, 'zstd');
    const [, , , batches] = sections(bytes);
    expect(bytes.subarray(batches!.at + SECTION_HEAD_SIZE, batches!.end - 4)).toEqual(compressed);
  });

  it('has what groups have committed, in parts if that is much', async () => {
    const offsets = Array.from({ length: 300 }, () => {
      return { topic: 'orders', partition: 2, offset: 9, metadata: 'm'.repeat(5000) };
    });
    const small = { group: 'g', offsets: [{ topic: 'orders', partition: 0, offset: 0, metadata: '' }] };
    const bytes = await written(async (writer) => {
      await writer.begin(META);
      await writer.topic(TOPIC);
      await writer.group(small);
      await writer.group({ group: 'large', offsets });
      await writer.end();
    });
    const groups = (await read(bytes)).flatMap((part) => (part.kind === 'group' ? [part.group] : []));
    expect(groups[0]).toEqual(small);
    expect(groups.slice(1).map(({ group }) => group)).toEqual(['large', 'large']);
    expect(groups.slice(1).flatMap((part) => part.offsets)).toEqual(offsets);
  });

  it.each([
    ['beyond the end of its partition', { topic: 'orders', partition: 2, offset: 10, metadata: '' }],
    ['of a partition that is not in it', { topic: 'orders', partition: 3, offset: 0, metadata: '' }],
    ['of a topic that is not in it', { topic: 'other', partition: 0, offset: 0, metadata: '' }],
  ])('has no offset of a group %s', async (_, offset) => {
    const bytes = await written(async (writer) => {
      await writer.begin(META);
      await writer.topic(TOPIC);
      await writer.group({ group: 'g', offsets: [offset] });
      await writer.end();
    });
    await expect(read(bytes)).rejects.toMatchObject({ code: 'KLOG_BAD_INPUT' });
  });

  it('may have no topics', async () => {
    const bytes = await written(async (writer) => {
      await writer.begin(META);
      await writer.end();
    });
    expect(await read(bytes)).toMatchObject([{ kind: 'topics', topics: [] }, { kind: 'end' }]);
  });

  it('takes no batches that are damaged, out of order or outside of their partition', async () => {
    const damaged = Buffer.from(THIRD);
    damaged[70]! ^= 1;
    for (const [bytes, problem] of [
      [damaged, /checksum/],
      [THIRD.subarray(0, 50), /cut short/],
      [batchAt(6, 'x'), /offsets 6 to 6/],
      [batchAt(8, 'x', 'y'), /offsets 8 to 9/],
      [Buffer.concat([batchAt(8, 'x'), batchAt(7, 'y')]), /offsets 7 to 7/],
    ] as const) {
      const writing = written(async (writer) => {
        await writer.begin(META);
        await writer.topic(TOPIC);
        await writer.partition('orders', 2, place(2));
        await writer.batches(bytes);
      });
      await expect(writing).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE', message: expect.stringMatching(problem) });
    }
  });
});

describe('a damaged archive', () => {
  it('is noticed whatever byte of it is changed, and where', async () => {
    const bytes = await written(whole);
    const starts = sections(bytes);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1 << (at % 8);
      const error = await read(damaged).then(
        () => undefined,
        (failure: unknown) => failure,
      );
      expect(error, `byte ${at}`).toHaveProperty('code', 'KLOG_BAD_INPUT');
      if (at < ARCHIVE_HEAD_SIZE) continue;
      const { position } = (error as { place: { position: number } }).place;
      const section = starts.findLast((one) => one.at <= at)!;
      expect(position, `byte ${at}`).toBe(section.at);
    }
  });

  it.each([[undefined], ['zstd']] as const)('is noticed wherever it is cut off, codec %s', async (codec) => {
    const bytes = await written(whole, codec);
    for (let length = 0; length < bytes.length; length++) {
      await expect(read(bytes.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({
        code: 'KLOG_BAD_INPUT',
      });
    }
    await expect(read(bytes.subarray(0, bytes.length - 1))).rejects.toMatchObject({
      message: expect.stringContaining(`ends at byte ${bytes.length - 1}`),
    });
  });

  it('is noticed when a section is missing, doubled or exchanged though each is whole', async () => {
    const bytes = await written(whole);
    const found = sections(bytes);
    const part = (index: number) => bytes.subarray(found[index]!.at, found[index]!.end);
    const head = bytes.subarray(0, ARCHIVE_HEAD_SIZE);
    const build = (order: readonly number[]) => Buffer.concat([head, ...order.map(part)]);
    const order = found.map((_, index) => index);
    expect(build(order)).toEqual(bytes);
    for (const index of order) {
      await expect(read(build(order.filter((one) => one !== index))), `without ${index}`).rejects.toThrow('a.klog');
      await expect(
        read(build(order.flatMap((one) => (one === index ? [one, one] : [one])))),
        `${index} twice`,
      ).rejects.toThrow('a.klog');
      if (index === 0) continue;
      const swapped = [...order];
      [swapped[index], swapped[index - 1]] = [index - 1, index];
      await expect(read(build(swapped)), `${index - 1} and ${index}`).rejects.toThrow('a.klog');
    }
  });

  it('is noticed when something follows', async () => {
    const bytes = await written(whole);
    await expect(read(Buffer.concat([bytes, Buffer.from('x')]))).rejects.toMatchObject({
      place: { position: bytes.length },
    });
  });

  it('is noticed in the bytes of a section head that are kept free, the last one too, though its checksum is right', async () => {
    const bytes = await written(whole);
    for (const { at } of sections(bytes)) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(1, at + 5);
      damaged.writeUInt32BE(crc32c(damaged, at, at + 16), at + 16);
      await expect(read(damaged)).rejects.toMatchObject({ code: 'KLOG_BAD_INPUT', place: { position: at } });
    }
  });

  it('never makes memory of a length that lies, nor fails in another way', async () => {
    const bytes = await written(whole, 'zstd');
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 24 }), async (at, patch) => {
        const damaged = Buffer.from(bytes);
        damaged.set(patch.subarray(0, damaged.length - at), at);
        // Heads that are whole again, so that what they say is looked at.
        for (const section of sections(bytes)) {
          damaged.writeUInt32BE(crc32c(damaged, section.at, section.at + 16), section.at + 16);
        }
        const outcome = await read(damaged).catch((error: unknown) => error);
        if (!Array.isArray(outcome)) expect(outcome).toHaveProperty('code', 'KLOG_BAD_INPUT');
        else expect(damaged).toEqual(bytes);
      }),
      { numRuns: runs(300) },
    );
  });
});

describe('an archive of another version', () => {
  it('is refused when it is newer', async () => {
    const bytes = await written(whole);
    bytes.writeUInt16BE(2, 8);
    bytes.writeUInt32BE(crc32c(bytes, 0, 12), 12);
    await expect(read(bytes)).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
  });

  it('may have sections to be passed over, and none that must be known', async () => {
    for (const [kind, isKnown] of [
      ['newO', true],
      ['NEWO', false],
    ] as const) {
      const bytes = await written(async (writer) => {
        await writer.begin(META);
        await writer.end();
      });
      const [meta, done] = sections(bytes);
      const extra = Buffer.from(bytes.subarray(meta!.at, meta!.end));
      extra.write(kind, 0, 'latin1');
      extra.writeUInt32BE(crc32c(extra, 0, 16), 16);
      // The end counts it in.
      const digestOf = (section: Buffer, before: number) => {
        const tail = section.subarray(-4);
        return crc32c(tail, 0, 4, crc32c(section, 0, SECTION_HEAD_SIZE, before));
      };
      const metaBytes = bytes.subarray(meta!.at, meta!.end);
      const digest = digestOf(extra, digestOf(metaBytes, 0));
      const zero = { topics: 0, batches: 0, records: 0, recordBytes: 0 };
      const body = Buffer.from(JSON.stringify({ sections: 2, ...zero, digest }));
      const head = Buffer.from(bytes.subarray(done!.at, done!.at + SECTION_HEAD_SIZE));
      head.writeUInt32BE(body.length, 8);
      head.writeUInt32BE(body.length, 12);
      head.writeUInt32BE(crc32c(head, 0, 16), 16);
      const tail = Buffer.alloc(4);
      tail.writeUInt32BE(crc32c(body, 0, body.length));
      const extended = Buffer.concat([bytes.subarray(0, meta!.end), extra, head, body, tail]);
      if (isKnown) expect(await read(extended)).toContainEqual({ kind: 'unknown', section: 'newO' });
      else await expect(read(extended)).rejects.toThrow(/unknown kind "NEWO"/);
    }
  });
});
