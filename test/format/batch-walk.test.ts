import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextBatch, WalkResult } from '../../src/format/batch-walk.js';
import { fixtureNames, readFixture } from './kafka-fixtures.js';

/** Sizes of the batches from 0 on, and what ended them. */
function walk(bytes: Uint8Array, end = bytes.length): { sizes: number[]; last: WalkResult } {
  const sizes: number[] = [];
  const found = new WalkResult();
  for (let position = 0; nextBatch(bytes, position, end, found).status === 'batch'; position += found.size) {
    sizes.push(found.size);
  }
  return { sizes, last: found };
}

/** v0, v1 and v2 one behind the other, as a log that was upgraded twice has them. */
const mixed = Buffer.concat(
  ['legacy/v0-none', 'legacy/v1-gzip', 'batches/v2-txn-commit-abort', 'batches/v2-mixed-zstd'].map(
    (name) => readFixture(name).bytes,
  ),
);

describe('the end of the bytes', () => {
  it('any truncation leaves a prefix of the batches and never looks corrupt', () => {
    const whole = walk(mixed);
    expect(whole.last.status).toBe('end');
    for (let end = 0; end <= mixed.length; end++) {
      const { sizes, last } = walk(mixed, end);
      expect(sizes).toEqual(whole.sizes.slice(0, sizes.length));
      expect(last.status).toBe(last.position === end ? 'end' : 'partial');
    }
  });

  it('a partial batch says how many bytes it needs, as far as they are known', () => {
    const size = walk(mixed).sizes[0]!;
    expect(nextBatch(mixed, 0, 16)).toMatchObject({ status: 'partial', size: 17 });
    expect(nextBatch(mixed, 0, 17)).toMatchObject({ status: 'partial', size });
    expect(nextBatch(mixed, 0, size - 1)).toMatchObject({ status: 'partial', size });
    expect(nextBatch(mixed, 0, size)).toMatchObject({ status: 'batch', size, magic: 0, position: 0 });
    expect(nextBatch(mixed, size, size)).toMatchObject({ status: 'end', size: 0 });
  });
});

describe('what cannot be a batch', () => {
  function headed(length: number, magic: number): Buffer {
    const bytes = Buffer.alloc(200);
    bytes.writeInt32BE(length, 8);
    bytes[16] = magic;
    return bytes;
  }

  it.each([0, 13, -1, -2147483648])('a length of %d', (length) => {
    const found = nextBatch(headed(length, 2), 0, 200);
    expect(found).toMatchObject({ status: 'corrupt', size: 0 });
    expect(found.problem).toContain(String(length));
  });

  it.each([3, 9, 127, 128, 255])('magic %d', (magic) => {
    expect(nextBatch(headed(100, magic), 0, 200)).toMatchObject({ status: 'corrupt' });
  });

  it.each([
    [2, 48],
    [1, 21],
    [0, 13],
  ])('magic %d with %d bytes behind its length, one less than its smallest', (magic, length) => {
    expect(nextBatch(headed(length, magic), 0, 200).status).toBe('corrupt');
    expect(nextBatch(headed(length + 1, magic), 0, 200)).toMatchObject({ status: 'batch', size: length + 13, magic });
  });

  it('the result forgets it at the next look', () => {
    const found = nextBatch(headed(0, 2), 0, 200);
    expect(nextBatch(mixed, 0, mixed.length, found)).toMatchObject({ status: 'batch', problem: '' });
  });
});

it.each(fixtureNames('corrupt'))('stops where Kafka stops: %s', (name) => {
  const { bytes, lines } = readFixture(name);
  const { last } = walk(bytes);
  expect(lines.at(-1)).toMatchObject({
    validBytes: last.position,
    error: last.status === 'corrupt' ? 'CorruptRecordException' : null,
  });
});

it('takes random bytes without throwing or leaving them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(16), (bytes, position) => {
      const found = nextBatch(bytes, position, bytes.length);
      if (found.status === 'batch') expect(position + found.size).toBeLessThanOrEqual(bytes.length);
    }),
  );
});
