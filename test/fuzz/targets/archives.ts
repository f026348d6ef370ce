/** Archives of `klog export`, which come from anywhere. */
import { ARCHIVE_HEAD_SIZE, SECTION_HEAD_SIZE, SECTION_TAIL_SIZE } from '../../../src/archive/archive-format.js';
import { readArchive } from '../../../src/archive/archive-reader.js';
import { ArchiveWriter } from '../../../src/archive/archive-writer.js';
import { loadCodec } from '../../../src/format/compression.js';
import { crc32c } from '../../../src/format/crc32c.js';
import { buildBatch } from '../../support/build-batch.js';
import { expectKlogErrorFrom } from '../expect-klog-error.js';
import type { FuzzRandom } from '../fuzz-random.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateBytes, setNumber } from '../mutate-bytes.js';
import { mutateLog } from '../mutate-log.js';
import { mutateText } from '../mutate-text.js';

/** Head, body and checksum of one section. */
type SectionBytes = Buffer;

async function buildArchive(compressed: boolean): Promise<Buffer> {
  const parts: Buffer[] = [];
  const sink = (bytes: Uint8Array): void => void parts.push(Buffer.from(bytes));
  const writer = new ArchiveWriter(sink, compressed ? await loadCodec('zstd') : undefined);
  await writer.begin({ klog: '0.1.0', createdAt: '2026-01-01T00:00:00.000Z' });
  const range = { startOffset: 0, endOffset: 100 };
  const configs = { 'retention.ms': '5' };
  await writer.topic({ topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', configs, partitions: [range, range] });
  await writer.partition('orders', 0, range);
  await writer.batches(buildBatch(['a', 'b', 'x'.repeat(300)]));
  await writer.partition('orders', 1, range);
  await writer.batches(buildBatch(['c', 'd']));
  await writer.end();
  return Buffer.concat(parts);
}

function sectionsOf(archive: Buffer): SectionBytes[] {
  const sections: SectionBytes[] = [];
  for (let at = ARCHIVE_HEAD_SIZE; at < archive.length; ) {
    const size = SECTION_HEAD_SIZE + archive.readUInt32BE(at + 8) + SECTION_TAIL_SIZE;
    sections.push(archive.subarray(at, at + size));
    at += size;
  }
  return sections;
}

/** Damage that gets past the checksums. */
function mutateArchive(archive: Buffer, random: FuzzRandom): Buffer {
  if (random.chance(0.1)) return mutateBytes(archive, random);
  const sections = sectionsOf(archive);
  for (let left = 1 + random.below(2); left > 0; left--) {
    const at = random.below(sections.length);
    const kind = random.below(10);
    if (kind === 0) sections.splice(at, 0, sections[at]!);
    else if (kind === 1 && sections.length > 1) sections.splice(at, 1);
    else if (kind === 2) sections.push(sections.splice(at, 1)[0]!);
    else sections[at] = mutateSection(sections[at]!, random);
  }
  if (random.chance(0.7)) fixDigest(sections);
  return Buffer.concat([archive.subarray(0, ARCHIVE_HEAD_SIZE), ...sections]);
}

function mutateSection(section: SectionBytes, random: FuzzRandom): SectionBytes {
  const head = Buffer.from(section.subarray(0, SECTION_HEAD_SIZE));
  const kind = head.toString('latin1', 0, 4);
  let body: Buffer = Buffer.from(section.subarray(SECTION_HEAD_SIZE, section.length - SECTION_TAIL_SIZE));
  const change = random.below(6);
  if (change === 0) {
    // Lengths that lie.
    setNumber(head, random.pick([8, 12]), 4, random.number());
    return withChecksums(head, body);
  }
  if (change === 1) head[random.below(8)] = random.below(256);
  else if (kind === 'RECS' && head[4] === 0) body = mutateLog(body, random);
  else if (head[4] === 0) body = Buffer.from(mutateText(body.toString(), random, [body.toString()]));
  else body = mutateBytes(body, random);
  if (head[4] === 0) head.writeUInt32BE(body.length, 12);
  head.writeUInt32BE(body.length, 8);
  return withChecksums(head, body);
}

function withChecksums(head: Buffer, body: Buffer): SectionBytes {
  head.writeUInt32BE(crc32c(head, 0, 16), 16);
  const tail = Buffer.alloc(SECTION_TAIL_SIZE);
  tail.writeUInt32BE(crc32c(body, 0, body.length));
  return Buffer.concat([head, body, tail]);
}

/** As its writer would: else nothing but the last section is ever in doubt. */
function fixDigest(sections: SectionBytes[]): void {
  const last = sections.at(-1);
  if (last === undefined || last.toString('latin1', 0, 4) !== 'DONE' || last[4] !== 0) return;
  let digest = 0;
  for (const section of sections.slice(0, -1)) {
    digest = crc32c(section, 0, SECTION_HEAD_SIZE, digest);
    digest = crc32c(section, section.length - SECTION_TAIL_SIZE, section.length, digest);
  }
  const text = last.toString('utf8', SECTION_HEAD_SIZE, last.length - SECTION_TAIL_SIZE);
  const body = Buffer.from(
    text.replace(/"digest":\d+/, `"digest":${digest}`).replace(/"sections":\d+/, `"sections":${sections.length - 1}`),
  );
  const head = Buffer.from(last.subarray(0, SECTION_HEAD_SIZE));
  head.writeUInt32BE(body.length, 8);
  head.writeUInt32BE(body.length, 12);
  sections[sections.length - 1] = withChecksums(head, body);
}

export async function archives(): Promise<FuzzTarget> {
  const bases = [await buildArchive(false), await buildArchive(true)];
  return {
    name: 'archives',
    weight: 40,
    async run(random) {
      const bytes = mutateArchive(random.pick(bases), random);
      await expectKlogErrorFrom(async () => {
        let parts = 0;
        for await (const _ of readArchive(inPieces(bytes, random), 'fuzz.klog')) {
          if (++parts > 10_000) throw new Error('an archive without an end');
        }
      });
    },
  };
}

async function* inPieces(bytes: Buffer, random: FuzzRandom): AsyncGenerator<Uint8Array> {
  const isWhole = random.chance(0.7);
  for (let at = 0; at < bytes.length; ) {
    const size = isWhole ? bytes.length : 1 + random.below(60);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
