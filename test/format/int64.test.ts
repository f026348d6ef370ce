import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readInt16, readInt32, readInt64, writeInt16, writeInt32, writeInt64 } from '../../src/format/int64.js';

const buffer = Buffer.alloc(10, 0xee);

describe('64-bit integers', () => {
  it('are written and read as two’s complement, big-endian, like BigInt does it', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        writeInt64(buffer, 1, n);
        expect(buffer.readBigInt64BE(1)).toBe(BigInt(n));
        expect(readInt64(buffer, 1)).toBe(n + 0);
      }),
    );
  });

  it('are exact or refused, whatever the 64 bits are', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.integer({ min: 0, max: 62 }),
        (n, shift) => {
          const value = n >> BigInt(shift);
          buffer.writeBigInt64BE(value, 1);
          if (Number.isSafeInteger(Number(value))) expect(BigInt(readInt64(buffer, 1))).toBe(value);
          else expect(() => readInt64(buffer, 1)).toThrow(String(value));
        },
      ),
    );
  });

  it.each([2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)])(
    'refuses %d and names the field',
    (n) => {
      buffer.writeBigInt64BE(n, 1);
      const call = () => readInt64(buffer, 1, 'base offset');
      expect(call).toThrow(`The base offset at position 1 is ${n}`);
      expect(call).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }));
    },
  );

  it.each([2n ** 53n - 1n, -(2n ** 53n) + 1n, 0n, -1n])('reads %d', (n) => {
    buffer.writeBigInt64BE(n, 1);
    expect(readInt64(buffer, 1)).toBe(Number(n));
  });

  it.each([2 ** 53, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses to write %d', (n) => {
    expect(() => writeInt64(buffer, 0, n, 'producer id')).toThrow('producer id');
  });
});

it('16- and 32-bit integers keep their sign', () => {
  for (const n of [0, -1, 1, 32767, -32768]) {
    writeInt16(buffer, 3, n);
    expect(buffer.readInt16BE(3)).toBe(n);
    expect(readInt16(buffer, 3)).toBe(n);
  }
  for (const n of [0, -1, 1, 2147483647, -2147483648]) {
    writeInt32(buffer, 3, n);
    expect(buffer.readInt32BE(3)).toBe(n);
    expect(readInt32(buffer, 3)).toBe(n);
  }
});
