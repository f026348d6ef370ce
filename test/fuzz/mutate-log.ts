/**
 * Damage that gets past the first check: batches are changed as what they are, and lengths and CRCs made right again.
 */
import { crc32 } from 'node:zlib';
import { nextBatch } from '../../src/format/batch-walk.js';
import { crc32c } from '../../src/format/crc32c.js';
import { writeUnsignedVarint } from '../../src/format/varint.js';
import type { FuzzRandom } from './fuzz-random.js';
import { mutateBytes, setNumber } from './mutate-bytes.js';

/** Position and size of every field of a v2 batch header. */
const HEADER_FIELDS: readonly (readonly [at: number, size: number])[] = [
  [0, 8],
  [8, 4],
  [12, 4],
  [16, 1],
  [17, 4],
  [21, 2],
  [23, 4],
  [27, 8],
  [35, 8],
  [43, 8],
  [51, 2],
  [53, 4],
  [57, 4],
];
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const HEADER_SIZE = 61;
const LEGACY_CRC_AT = 12;

/** `crc32` is Node 20.15's; where it is missing legacy messages keep their old one. */
const legacyCrc = crc32 as typeof crc32 | undefined;

export function splitBatches(log: Uint8Array): Buffer[] {
  const buffer = Buffer.from(log);
  const batches: Buffer[] = [];
  let position = 0;
  for (;;) {
    const { status, size } = nextBatch(buffer, position, buffer.length);
    if (status !== 'batch') break;
    batches.push(buffer.subarray(position, position + size));
    position += size;
  }
  if (position < buffer.length) batches.push(buffer.subarray(position));
  return batches;
}

export function mutateLog(log: Uint8Array, random: FuzzRandom): Buffer {
  if (random.chance(0.1)) return mutateBytes(log, random);
  const batches = splitBatches(log);
  if (batches.length === 0) return mutateBytes(log, random);
  for (let left = 1 + random.below(2); left > 0; left--) {
    const at = random.below(batches.length);
    const batch = batches[at]!;
    const kind = random.below(10);
    if (kind === 0) batches.splice(at, 0, batch);
    else if (kind === 1 && batches.length > 1) batches.splice(at, 1);
    else if (kind === 2) batches.push(batches.splice(at, 1)[0]!);
    else batches[at] = mutateBatch(batch, random);
  }
  return Buffer.concat(batches);
}

/** One batch, changed; mostly its length and CRC are right. */
export function mutateBatch(source: Uint8Array, random: FuzzRandom): Buffer {
  let batch: Buffer = Buffer.from(source);
  if (batch.length < HEADER_SIZE || random.chance(0.05)) return mutateBytes(batch, random);
  let keepsLength = false;
  const kind = random.below(8);
  if (kind <= 2) {
    const [at, size] = random.pick(HEADER_FIELDS);
    setNumber(batch, at, size, random.number());
    keepsLength = at === LENGTH_AT;
  } else if (kind === 3) {
    const codec = random.below(8);
    batch[ATTRIBUTES_AT + 1] = (batch[ATTRIBUTES_AT + 1]! & ~7) | codec;
  } else if (kind === 4) batch = setVarint(batch, random);
  else batch = Buffer.concat([batch.subarray(0, HEADER_SIZE), mutateBytes(batch.subarray(HEADER_SIZE), random)]);
  if (!keepsLength || random.chance(0.2)) setNumber(batch, LENGTH_AT, 4, batch.length - 12);
  if (!random.chance(0.05)) fixCrc(batch);
  return batch;
}

/** Another varint somewhere in the records: lengths, deltas and counts are varints. */
function setVarint(batch: Buffer, random: FuzzRandom): Buffer {
  const at = HEADER_SIZE + random.below(batch.length - HEADER_SIZE + 1);
  const bytes = Buffer.alloc(12);
  let size: number;
  if (random.chance(0.2)) size = bytes.fill(0xff, 0, 5 + random.below(7)).indexOf(0) + 1;
  else size = writeUnsignedVarint(bytes, 0, (Math.abs(random.number()) % 2 ** 32) >>> 0);
  let end = at;
  while (end < batch.length && batch[end]! >= 0x80) end++;
  return Buffer.concat([batch.subarray(0, at), bytes.subarray(0, size), batch.subarray(end + 1)]);
}

export function fixCrc(batch: Buffer): void {
  if (batch.length < HEADER_SIZE) return;
  if (batch[MAGIC_AT]! >= 2) batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT, batch.length), CRC_AT);
  else if (legacyCrc !== undefined) batch.writeUInt32BE(legacyCrc(batch.subarray(MAGIC_AT)), LEGACY_CRC_AT);
}
