import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputBuffer } from '../../../src/cli/record-format/output-buffer.js';
import { runs } from '../../support/properties.js';
import { cursorOver } from './support.js';

/** Bytes at an odd place of larger memory. */
function sourceOf(length: number) {
  const memory = Uint8Array.from({ length: length + 5 }, (_, i) => (i * 7 + 1) & 0xff);
  const buffer = memory.subarray(3, 3 + length);
  return { buffer, words: new DataView(memory.buffer, 3, length) };
}

describe('OutputBuffer.writeRange', () => {
  it('writes just these bytes, wherever they lie and however many they are, growing when it must', () => {
    const range = fc.tuple(fc.nat(40), fc.oneof(fc.nat(20), fc.nat(600)));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 6 }), (ranges) => {
        const out = new OutputBuffer(8);
        const expected: number[] = [];
        for (const [start, count] of ranges) {
          // Up to the last byte of the source.
          const source = sourceOf(start + count);
          out.writeRange(source, start, start + count);
          expected.push(...source.buffer.subarray(start));
        }
        expect([...out.view()]).toEqual(expected);
      }),
      { numRuns: runs(200) },
    );
  });

  it('leaves what lies behind as it was', () => {
    const out = new OutputBuffer(64);
    out.buffer.fill(0xee);
    out.writeRange(sourceOf(9), 2, 9);
    expect([...out.buffer.subarray(7)]).toEqual(Array.from({ length: 57 }, () => 0xee));
  });

  it('takes the bytes of the batch that a cursor is on', () => {
    const cursor = cursorOver([{ value: 'the first batch' }]);
    const out = new OutputBuffer();
    const write = () => {
      cursor.next();
      out.writeRange(cursor, cursor.valueStart, cursor.valueEnd);
    };
    write();
    cursor.open(cursorOver([{ value: 'another one' }]).buffer, 0, 1000);
    write();
    expect(out.view().toString()).toBe('the first batchanother one');
    cursor.release();
    expect(cursor.words.byteLength).toBe(0);
  });
});
