import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32c, crc32cInJavaScript } from '../../src/format/crc32c.js';
import { readValues } from './kafka-fixtures.js';

const { vectors } = readValues<{ vectors: readonly { readonly hex: string; readonly crc32c: number }[] }>('crc');

it.each(vectors)('sums $hex', ({ hex, crc32c: expected }) => {
  const bytes = Buffer.from(hex, 'hex');
  expect(crc32c(bytes, 0, bytes.length)).toBe(expected);
  expect(crc32cInJavaScript(bytes, 0, bytes.length)).toBe(expected);
});

/** Bit by bit, as the polynomial says. */
function slowly(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

it('agrees with the definition at every length and start, with and without the addon', () => {
  const bytes = Uint8Array.from({ length: 700 }, (_, i) => (i * 167 + (i >> 3)) & 0xff);
  for (let length = 0; length < 600; length += length < 70 ? 1 : 37) {
    for (const start of [0, 1, 7, 16]) {
      const expected = slowly(bytes.subarray(start, start + length));
      expect(crc32c(bytes, start, start + length)).toBe(expected);
      expect(crc32cInJavaScript(bytes, start, start + length)).toBe(expected);
    }
  }
});

it('goes on from the sum of what stands before, across the native boundary', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 31) & 0xff);
  const whole = crc32cInJavaScript(bytes, 0, 1000);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), (cut) => {
      expect(crc32c(bytes, cut, 1000, crc32c(bytes, 0, cut))).toBe(whole);
    }),
  );
});

it('sums a view into a larger buffer, not the buffer', () => {
  const bytes = Buffer.alloc(2000, 'abc').subarray(100, 1900);
  expect(crc32c(bytes, 3, 1500)).toBe(crc32cInJavaScript(Uint8Array.from(bytes), 3, 1500));
});
