/**
 * Snappy as Kafka uses it: the stream format of xerial's snappy-java, neither a raw snappy block nor snappy's own
 * framing format.
 *
 *   at  size  field
 *    0     8  82 53 4e 41 50 50 59 00   magic
 *    8     4  i32 1                     version
 *   12     4  i32 1                     lowest compatible version
 *   16        chunks: i32 length (big-endian) | raw snappy block of at most 32 KiB of input
 *
 * Chunks go on to the end of the data. The header may occur again between chunks (streams put one after the other);
 * its first four bytes are negative as a length, hence cannot be taken for one. Data without the magic is one raw
 * snappy block: some clients write that. The versions are not looked at: no other layout ever existed.
 *
 * A raw block begins with its uncompressed length as an unsigned varint (32 bits).
 */
import type { Codec } from '../compression.js';
import { asBuffer, beyondLimit, corrupt, detailOf } from './codec-errors.js';

type Snappy = typeof import('snappy');

const MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
const HEADER_BYTES = 16;
const LENGTH_BYTES = 4;
const BLOCK_BYTES = 32 * 1024;

/** Without it each result is an external buffer: measured five times slower. */
const COPY = { copyOutputData: true } as const;

export async function snappyCodec(): Promise<Codec> {
  const module = await import('snappy');
  const snappy: Snappy = module.default ?? module;
  return {
    type: 'snappy',
    id: 2,
    compress: (source) => compress(snappy, source),
    decompress: (source, maxBytes) => decompress(snappy, source, maxBytes),
  };
}

function compress(snappy: Snappy, source: Uint8Array): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.set(MAGIC, 0);
  header.writeInt32BE(1, 8);
  header.writeInt32BE(1, 12);
  const parts: Uint8Array[] = [header];
  for (let position = 0; position < source.length; position += BLOCK_BYTES) {
    const block = snappy.compressSync(source.subarray(position, position + BLOCK_BYTES), COPY);
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeInt32BE(block.length, 0);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

function decompress(snappy: Snappy, source: Uint8Array, maxBytes: number): Uint8Array {
  const bytes = asBuffer(source);
  if (!startsWithMagic(bytes, 0)) {
    checkLimit(declaredLength(bytes, 0, bytes.length), maxBytes);
    return decompressBlock(snappy, bytes);
  }
  // First pass: only lengths, so that a lie or a bomb is met before anything is allocated.
  let total = 0;
  for (let chunk = nextChunk(bytes, 0); chunk >= 0; ) {
    const end = chunk + bytes.readInt32BE(chunk - LENGTH_BYTES);
    total += declaredLength(bytes, chunk, end);
    checkLimit(total, maxBytes);
    chunk = nextChunk(bytes, end);
  }
  const result = Buffer.allocUnsafe(total);
  let filled = 0;
  for (let chunk = nextChunk(bytes, 0); chunk >= 0; ) {
    const end = chunk + bytes.readInt32BE(chunk - LENGTH_BYTES);
    const block = decompressBlock(snappy, bytes.subarray(chunk, end));
    // The package holds each block to its declared length: together they are `total`.
    result.set(block, filled);
    filled += block.length;
    chunk = nextChunk(bytes, end);
  }
  return result;
}

/** Position of the block (behind its length) of the chunk at `position`, headers skipped; -1 at the end. */
function nextChunk(bytes: Buffer, position: number): number {
  let at = position;
  while (startsWithMagic(bytes, at)) at += HEADER_BYTES;
  if (at === bytes.length) return -1;
  if (at + LENGTH_BYTES > bytes.length) throw corrupt('snappy', `cut off at byte ${position}`);
  const length = bytes.readInt32BE(at);
  if (length <= 0 || at + LENGTH_BYTES + length > bytes.length) {
    throw corrupt('snappy', `chunk length ${length} at byte ${at} of ${bytes.length}`);
  }
  return at + LENGTH_BYTES;
}

function startsWithMagic(bytes: Buffer, position: number): boolean {
  if (position + MAGIC.length > bytes.length) return false;
  for (let i = 0; i < MAGIC.length; i++) {
    if (bytes[position + i] !== MAGIC[i]) return false;
  }
  return true;
}

/** The uncompressed length at the head of the raw block in [start, end). */
function declaredLength(bytes: Uint8Array, start: number, end: number): number {
  let length = 0;
  for (let i = 0; i < 5 && start + i < end; i++) {
    const byte = bytes[start + i]!;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw corrupt('snappy', `no uncompressed length at byte ${start}`);
}

function checkLimit(length: number, maxBytes: number): void {
  if (length > maxBytes) throw beyondLimit('snappy', maxBytes);
}

function decompressBlock(snappy: Snappy, block: Buffer): Uint8Array {
  try {
    return snappy.uncompressSync(block, { asBuffer: true, ...COPY }) as Buffer;
  } catch (cause) {
    throw corrupt('snappy', detailOf(cause), cause);
  }
}
