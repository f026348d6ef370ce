import { describe, expect, it } from 'vitest';
import { createPartitioner, type RangePartitioner, STICKY } from '../../src/clients/partitioner.js';
import { partitionForKey } from '../../src/format/murmur2.js';

const bytes = Buffer.from('--key--value--');

function choose(partitioner: RangePartitioner, count: number, keyEnd = 5): number {
  return partitioner.choose(keyEnd < 0 ? null : bytes, 2, keyEnd, bytes, 7, 12, count);
}

describe('createPartitioner', () => {
  it('murmur2 looks at the range of the key only, and at an empty one too', () => {
    const partitioner = createPartitioner('murmur2', () => 0);
    expect(choose(partitioner, 97)).toBe(partitionForKey(Buffer.from('key'), 0, 3, 97));
    expect(choose(partitioner, 97, 2)).toBe(partitionForKey(Buffer.alloc(0), 0, 0, 97));
    expect(choose(partitioner, 97, -1)).toBe(STICKY);
  });

  it('sticky ignores keys', () => {
    expect(
      choose(
        createPartitioner('sticky', () => 0),
        97,
      ),
    ).toBe(STICKY);
  });

  it('round-robin begins at 0, and each producer of a topic counts for itself', () => {
    const first = createPartitioner('round-robin', () => 0);
    const second = createPartitioner('round-robin', () => 0);
    expect([1, 2, 3, 4].map(() => choose(first, 3))).toEqual([0, 1, 2, 0]);
    expect(choose(second, 3)).toBe(0);
  });

  it('random uses the randomness it was given, and stays in range at its edges', () => {
    const numbers = [0, 0.34, 1 - Number.EPSILON / 2, 1];
    const partitioner = createPartitioner('random', () => numbers.shift()!);
    expect([1, 2, 3, 4].map(() => choose(partitioner, 3))).toEqual([0, 1, 2, 2]);
  });

  it('gives a function key and value, and holds it to its answers', () => {
    const seen: unknown[] = [];
    const partitioner = createPartitioner(
      (key, value, count) => {
        seen.push(key && Buffer.from(key).toString(), value && Buffer.from(value).toString(), count);
        return 2;
      },
      () => 0,
    );
    expect(choose(partitioner, 3)).toBe(2);
    expect(choose(partitioner, 3, -1)).toBe(2);
    expect(seen).toEqual(['key', 'value', 3, null, 'value', 3]);
    for (const answer of [-2, 3, 0.5, Number.NaN]) {
      expect(() =>
        choose(
          createPartitioner(
            () => answer,
            () => 0,
          ),
          3,
        ),
      ).toThrow(TypeError);
    }
  });

  it('refuses a name it does not know', () => {
    expect(() => createPartitioner('murmur3' as 'murmur2', () => 0)).toThrow('one of murmur2, sticky');
  });
});
