import { expect, it } from 'vitest';
import { ByteCopier } from '../../src/format/byte-copy.js';

const source = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

it('copies exactly the range, at every length, from a new buffer and from the one before', () => {
  const target = new Uint8Array(1000);
  const copier = new ByteCopier(target);
  const other = source.slice();
  for (let length = 0; length < 450; length++) {
    // The third copy from one buffer goes the fast way; each second round begins with another buffer.
    for (const from of length % 2 === 0 ? [source, source, source] : [other, source, other]) {
      target.fill(0xee);
      copier.copy(from, 5, 5 + length, 9);
      expect(Buffer.compare(target.subarray(9, 9 + length), source.subarray(5, 5 + length))).toBe(0);
      expect([target[8], target[9 + length]]).toEqual([0xee, 0xee]);
    }
  }
});

it('minds where a view begins in its memory, in source and target', () => {
  const memory = new Uint8Array(600).fill(0xee);
  const copier = new ByteCopier(memory.subarray(100, 500));
  const view = source.subarray(300);
  for (const length of [3, 50, 150, 250]) {
    copier.copy(view, 1, 1 + length, 2);
    copier.copy(view, 1, 1 + length, 2);
    expect(memory.subarray(102, 102 + length)).toEqual(source.subarray(301, 301 + length));
  }
  expect(memory[101]).toBe(0xee);
});

it('copies into a new target after the old one', () => {
  const copier = new ByteCopier(new Uint8Array(10));
  const target = new Uint8Array(100);
  copier.setTarget(target);
  copier.copy(source, 0, 80, 20);
  copier.release();
  copier.copy(source, 0, 20, 0);
  expect(target).toEqual(Uint8Array.from([...source.subarray(0, 20), ...source.subarray(0, 80)]));
});
