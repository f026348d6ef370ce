import { describe, expect, it } from 'vitest';
import { BlockOutput } from '../../src/format/compression/block-output.js';

describe('BlockOutput', () => {
  it('hands a single block through, whatever empty ones come with it', () => {
    const output = new BlockOutput(100);
    const block = Uint8Array.of(1, 2, 3);
    output.append(new Uint8Array(0));
    output.append(block);
    output.append(new Uint8Array(0));
    expect(output.from(0).buffer).toBe(block.buffer);
    expect(output.from(0)).toEqual(block);
    expect([output.length, output.room]).toEqual([3, 97]);
  });

  it('puts many blocks together in order, up to the limit, and leaves them alone', () => {
    const output = new BlockOutput(1000);
    const blocks = Array.from({ length: 100 }, (_, i) => new Uint8Array(10).fill(i));
    for (const block of blocks) output.append(block);
    expect(Buffer.concat(blocks).equals(output.from(0))).toBe(true);
    expect(output.from(990)).toEqual(Buffer.alloc(10, 99));
    expect(blocks[0]).toEqual(new Uint8Array(10));
    expect([output.length, output.room]).toEqual([1000, 0]);
  });

  it('never has a buffer larger than the limit', () => {
    const output = new BlockOutput(25);
    for (let i = 0; i < 5; i++) {
      output.append(new Uint8Array(5));
      expect(output.from(0).buffer.byteLength).toBeLessThanOrEqual(25);
    }
  });

  it('is empty before anything is appended', () => {
    expect(new BlockOutput(0).from(0)).toHaveLength(0);
  });
});
