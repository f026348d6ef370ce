import { describe, expect, it } from 'vitest';
import { murmur2, partitionForKey } from '../../src/format/murmur2.js';
import { readValues } from './kafka-fixtures.js';

interface Murmur2Vector {
  readonly keyHex: string;
  readonly hash: number;
  readonly partitionOf: Readonly<Record<string, number>>;
}

const { vectors } = readValues<{ vectors: readonly Murmur2Vector[] }>('murmur2');

describe("Kafka's partition of a key", () => {
  it.each(vectors)('$keyHex', ({ keyHex, hash, partitionOf }) => {
    // In the middle of other bytes, since keys are ranges.
    const buffer = Buffer.from(`ffee${keyHex}dd`, 'hex');
    expect(murmur2(buffer, 2, buffer.length - 1)).toBe(hash);
    for (const [count, partition] of Object.entries(partitionOf)) {
      expect(partitionForKey(buffer, 2, buffer.length - 1, Number(count))).toBe(partition);
    }
  });

  it('masks the sign away, where abs would give another partition', () => {
    const { keyHex, hash } = vectors.find(
      (vector) => vector.hash < 0 && Math.abs(vector.hash) % 7 !== (vector.hash & 0x7fffffff) % 7,
    )!;
    const key = Buffer.from(keyHex, 'hex');
    expect(partitionForKey(key, 0, key.length, 7)).toBe((hash & 0x7fffffff) % 7);
  });
});
