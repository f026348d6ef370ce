/** Bytes of `.log` files through the walk, the headers, the cursor and the codecs. */

import { nextBatch } from '../../../src/format/batch-walk.js';
import { COMPRESSION_TYPES, codecIfLoaded, loadCodec } from '../../../src/format/compression.js';
import { crc32c } from '../../../src/format/crc32c.js';
import { RecordBatch } from '../../../src/format/record-batch.js';
import { codecNeeded, openCursor, RecordCursor } from '../../../src/format/record-cursor.js';
import { fixtureNames, readFixture } from '../../format/kafka-fixtures.js';
import { expectKlogError } from '../expect-klog-error.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateBytes } from '../mutate-bytes.js';
import { mutateLog, splitBatches } from '../mutate-log.js';

const FOLDERS = ['batches', 'legacy', 'python', 'captured', 'corrupt'];
/** Seeds are small so that a change hits something. */
const LARGEST_SEED = 16 * 1024;
const MAX_DECOMPRESSED_BYTES = 1024 * 1024;
/** Zeros that become a few bytes. */
const BOMB_BYTES = 4 * MAX_DECOMPRESSED_BYTES;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
/** What one input may cost: an endless cursor would be one. */
const MOST_RECORDS = 2_000_000;

export function logSeeds(): Buffer[] {
  return FOLDERS.flatMap((folder) => fixtureNames(folder).map((name) => readFixture(name).bytes)).filter(
    (bytes) => bytes.length <= LARGEST_SEED,
  );
}

export async function recordBatches(): Promise<FuzzTarget> {
  for (const type of COMPRESSION_TYPES) await loadCodec(type);
  const logs = logSeeds();
  const cursor = new RecordCursor();
  const header = new RecordBatch();
  return {
    name: 'record batches',
    weight: 200,
    run(random) {
      const log = mutateLog(random.pick(logs), random);
      let position = 0;
      for (;;) {
        const { status, size, magic } = nextBatch(log, position, log.length);
        if (status !== 'batch') return;
        if (magic === 2) expectKlogError(() => readHeader(header.reset(log, position), log, position));
        expectKlogError(() => readRecords(cursor, log, position));
        position += size;
      }
    },
  };
}

function readHeader(batch: RecordBatch, log: Buffer, position: number): void {
  // The only thing that stands between damage and a reader: held against a sum made here.
  const isRight =
    crc32c(log, position + ATTRIBUTES_AT, position + batch.sizeInBytes) === log.readUInt32BE(position + CRC_AT);
  if (batch.isValid() !== isRight)
    throw new Error(`a batch with a ${isRight ? 'right' : 'wrong'} CRC is said not to be`);
  for (const read of HEADER_READERS) expectKlogError(() => read(batch));
}

const HEADER_READERS: readonly ((batch: RecordBatch) => unknown)[] = [
  (batch) => batch.baseOffset,
  (batch) => batch.lastOffset,
  (batch) => batch.nextOffset,
  (batch) => batch.maxTimestamp,
  (batch) => batch.baseTimestamp,
  (batch) => batch.producerId,
  (batch) => batch.lastSequence,
  (batch) => batch.compressionType,
  (batch) => batch.recordCount,
];

function readRecords(cursor: RecordCursor, log: Buffer, position: number): void {
  if (codecNeeded(log, position) !== undefined) throw new Error('every codec is loaded');
  openCursor(cursor, log, position, { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES });
  let records = 0;
  while (cursor.next()) {
    if (++records > MOST_RECORDS) throw new Error('a batch without an end');
    mustLieInside(cursor);
    cursor.key();
    cursor.value();
    cursor.headers();
    if (!Number.isSafeInteger(cursor.offset)) throw new Error(`the offset is ${cursor.offset}`);
  }
}

function mustLieInside({ buffer, keyStart, keyEnd, valueStart, valueEnd }: RecordCursor): void {
  const isInside = (start: number, end: number): boolean => start === -1 || (start <= end && end <= buffer.length);
  if (!isInside(keyStart, keyEnd) || !isInside(valueStart, valueEnd)) {
    throw new Error(
      `key [${keyStart}, ${keyEnd}) or value [${valueStart}, ${valueEnd}) outside of ${buffer.length} bytes`,
    );
  }
}

/** Compressed bytes themselves, which a batch's CRC does not protect from whoever writes it. */
export async function codecs(): Promise<FuzzTarget> {
  const types = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
  for (const type of types) await loadCodec(type);
  const plain = [
    Buffer.alloc(BOMB_BYTES),
    Buffer.alloc(3000, 'abcabcabd'),
    Buffer.from(Array.from({ length: 700 }, (_, i) => (i * i * 31) & 0xff)),
  ];
  const sources = types.map((type) => {
    const codec = codecIfLoaded(type)!;
    const fromFixtures = logSeeds()
      .flatMap(splitBatches)
      .filter((batch) => batch.length > 61 && batch[16] === 2 && (batch[22]! & 7) === codec.id)
      .map((batch) => batch.subarray(61));
    return { codec, frames: [...plain.map((bytes) => Buffer.from(codec.compress(bytes))), ...fromFixtures] };
  });
  return {
    name: 'codecs',
    weight: 80,
    run(random) {
      const { codec, frames } = random.pick(sources);
      const frame = random.pick(frames);
      const bytes = random.chance(0.1) ? frame : mutateBytes(frame, random);
      expectKlogError(() => {
        const out = codec.decompress(bytes, MAX_DECOMPRESSED_BYTES);
        if (out.length > MAX_DECOMPRESSED_BYTES) throw new Error(`${codec.type} gave ${out.length} bytes`);
      });
    },
  };
}
