import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodeKernel, MAX_PARTITIONS } from '../../../src/format/kernel/encode-kernel.js';
import { partitionForKey } from '../../../src/format/murmur2.js';
import { RecordBatchBuilder } from '../../../src/format/record-batch-builder.js';
import { runs } from '../../support/properties.js';

const NEWLINE = 0x0a;
const BASE = 1_700_000_000_000;
const PLENTY = 1024 * 1024;

/** A batch that has a record already, as the kernel wants it. */
function begun(records = 1): RecordBatchBuilder {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < records; i++) builder.appendValue(Buffer.from('0'), 0, 1, BASE);
  return builder;
}

/** All that the kernel takes, in as many calls as it needs, added to the builders. */
function encodeAll(kernel: EncodeKernel, builders: readonly RecordBatchBuilder[], input: Buffer, timestamp: number) {
  let start = 0;
  for (;;) {
    for (const [region, builder] of builders.entries()) {
      kernel.openRegion(region, builder.recordCount, timestamp - BASE, PLENTY);
    }
    const lines = kernel.encode(input, start, input.length);
    for (const [region, builder] of builders.entries()) {
      const encoded = kernel.encoded(region);
      if (encoded === undefined) continue;
      builder.appendEncoded(kernel.memory, encoded.start, encoded.end, encoded.count, timestamp);
    }
    start = kernel.position;
    if (lines === 0) return start;
  }
}

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 80 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom('', '=', '==', '=>=>', '\r') },
  { weight: 1, arbitrary: fc.integer({ min: 60, max: 9000 }).map((length) => 'x'.repeat(length)) },
);
const text = piece.map((found) => found.replaceAll('\n', ' '));

describe('the kernel encodes as the builder does', () => {
  it('values, at any offset delta and timestamp', () => {
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 60 }),
        fc.constantFrom(1, 60, 8190),
        fc.constantFrom(0, 63, 64, 8191),
        (lines, before, later) => {
          const input = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          const [builder, expected] = [begun(before), begun(before)];
          expect(encodeAll(new EncodeKernel(NEWLINE, undefined, 1), [builder], input, BASE + later)).toBe(input.length);
          for (const line of lines) {
            const bytes = Buffer.from(line);
            expected.appendValue(bytes, 0, bytes.length, BASE + later);
          }
          expect(Buffer.from(builder.build()).equals(expected.build())).toBe(true);
        },
      ),
      { numRuns: runs(150) },
    );
  });

  it('keys and values, each key in its partition', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, text), { maxLength: 60 }),
        fc.constantFrom('=', '=>', '\t\t\t', '0123456789abcdef'),
        fc.integer({ min: 1, max: MAX_PARTITIONS }),
        (pairs, separator, partitions) => {
          const records = pairs.map(([key, value]) => {
            const line = Buffer.from(`${key}${separator}${value}`);
            return { line, keyEnd: line.indexOf(separator) };
          });
          const input = Buffer.concat(records.flatMap(({ line }) => [line, Buffer.of(NEWLINE)]));
          const make = () => Array.from({ length: partitions }, () => begun());
          const [builders, expected] = [make(), make()];
          const kernel = new EncodeKernel(NEWLINE, Buffer.from(separator), partitions);
          expect(encodeAll(kernel, builders, input, BASE)).toBe(input.length);
          for (const { line, keyEnd } of records) {
            const partition = partitionForKey(line, 0, keyEnd, partitions);
            expected[partition]!.append(line, 0, keyEnd, line, keyEnd + separator.length, line.length, BASE, null);
          }
          for (const [i, builder] of builders.entries()) {
            expect(Buffer.from(builder.build()).equals(expected[i]!.build())).toBe(true);
          }
        },
      ),
      { numRuns: runs(150) },
    );
  });

  it('the largest offset delta of three bytes, and none beyond', () => {
    const kernel = new EncodeKernel(NEWLINE, undefined, 1);
    kernel.openRegion(0, 0xf_fffe, 0, PLENTY);
    expect(kernel.encode(Buffer.from('a\nb\nc\n'), 0, 6)).toBe(2);
    const { start, end, count } = kernel.encoded(0)!;
    expect({ count, bytes: kernel.memory.toString('hex', start, end) }).toEqual({
      count: 2,
      bytes: `${'120000fcff7f010261'}00${'120000feff7f010262'}00`,
    });
  });
});

describe('the kernel stops before a line', () => {
  const taken = (input: string, separator?: string, maxBytes = PLENTY) => {
    const kernel = new EncodeKernel(NEWLINE, separator === undefined ? undefined : Buffer.from(separator), 2);
    for (const region of separator === undefined ? [0] : [0, 1]) kernel.openRegion(region, 1, 0, maxBytes);
    const bytes = Buffer.from(input);
    const lines = kernel.encode(bytes, 0, bytes.length);
    return { lines, rest: input.slice(kernel.position) };
  };

  it('that has no end', () => {
    expect(taken('a\nb\nc')).toEqual({ lines: 2, rest: 'c' });
    expect(taken('abc')).toEqual({ lines: 0, rest: 'abc' });
    expect(taken('')).toEqual({ lines: 0, rest: '' });
  });

  it('that has no separator, or only the beginning of one', () => {
    expect(taken('k=>v\nk=\nx', '=>')).toEqual({ lines: 1, rest: 'k=\nx' });
    expect(taken('k=>v\n=\n>v\n', '=>')).toEqual({ lines: 1, rest: '=\n>v\n' });
  });

  it('for which there is no room', () => {
    const { lines, rest } = taken('aaaa\nbbbb\ncccc\n', undefined, 40);
    expect({ lines, rest }).toEqual({ lines: 2, rest: 'cccc\n' });
    expect(taken('a\n', undefined, 0).lines).toBe(0);
    expect(taken('a\n', undefined, -5).lines).toBe(0);
  });

  it('that is longer than its window', () => {
    const long = 'x'.repeat(300_000);
    expect(taken(`a\n${long}\nb\n`)).toEqual({ lines: 1, rest: `${long}\nb\n` });
  });

  it('of a partition that is closed', () => {
    const kernel = new EncodeKernel(NEWLINE, Buffer.from('='), 2);
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    const closed = partitionForKey(Buffer.from('c'), 0, 1, 2);
    kernel.openRegion(1 - closed, 1, 0, PLENTY);
    kernel.closeRegion(closed);
    const before = keys.findIndex((key) => partitionForKey(Buffer.from(key), 0, 1, 2) === closed);
    const input = Buffer.from(keys.map((key) => `${key}=1\n`).join(''));
    expect(kernel.encode(input, 0, input.length)).toBe(before);
    expect(kernel.encoded(closed)).toBeUndefined();
  });

  it('of a time before the batch, or long after it', () => {
    for (const delta of [-1, 8192, Number.NaN]) {
      const kernel = new EncodeKernel(NEWLINE, undefined, 1);
      kernel.openRegion(0, 1, delta, PLENTY);
      expect(kernel.encode(Buffer.from('a\n'), 0, 2)).toBe(0);
    }
  });
});
