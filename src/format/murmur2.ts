/**
 * The hash by which Kafka's clients choose the partition of a key: murmur2 with 32 bits, seed 0x9747b28c, four
 * little-endian bytes at a time.
 */
const M = 0x5bd1e995;
const SEED = 0x9747b28c;

/** Java's result: signed, 32 bits. An empty range is hashed too (275646681). */
export function murmur2(buffer: Uint8Array, start: number, end: number): number {
  let h = SEED ^ (end - start);
  let i = start;
  for (const last = end - 4; i <= last; i += 4) {
    let k = buffer[i]! | (buffer[i + 1]! << 8) | (buffer[i + 2]! << 16) | (buffer[i + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  if (i < end) {
    if (end - i > 2) h ^= buffer[i + 2]! << 16;
    if (end - i > 1) h ^= buffer[i + 1]! << 8;
    h = Math.imul(h ^ buffer[i]!, M);
  }
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

/** The partition of a key, null keys excepted: they have none. Kafka: `BuiltInPartitioner.partitionForKey`. */
export function partitionForKey(buffer: Uint8Array, start: number, end: number, partitionCount: number): number {
  return (murmur2(buffer, start, end) & 0x7fffffff) % partitionCount;
}
