import { describe, expect, it } from 'vitest';
import { FilePayloads, MonotonicPayloads, type Payloads, RandomPayloads } from '../../../src/cli/perf/payloads.js';

function values(payloads: Payloads, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    payloads.next(index);
    return payloads.buffer.toString('latin1', payloads.start, payloads.end);
  });
}

describe('payloads', () => {
  it('of a size are capital letters, all different, the same in each run', () => {
    const some = values(new RandomPayloads(20), 5000);
    expect(some.every((value) => /^[A-Z]{20}$/.test(value))).toBe(true);
    expect(new Set(some).size).toBe(5000);
    expect(values(new RandomPayloads(20), 5000)).toEqual(some);
  });

  it('may be empty, and larger than the block they are cut from', () => {
    expect(values(new RandomPayloads(0), 2)).toEqual(['', '']);
    expect(values(new RandomPayloads(3_000_000), 2).map(({ length }) => length)).toEqual([3_000_000, 3_000_000]);
  });

  it('count up', () => {
    expect(values(new MonotonicPayloads(), 11).at(-1)).toBe('10');
    const payloads = new MonotonicPayloads();
    payloads.next(123_456_789_012);
    expect(payloads.buffer.toString('latin1', payloads.start)).toBe('123456789012');
  });

  it('of a file come in turn, empty ones too, and nothing behind the last delimiter is none', () => {
    const file = (text: string, delimiter = '\n') => new FilePayloads(Buffer.from(text), Buffer.from(delimiter));
    expect(values(file('a\n\nbc\n'), 4)).toEqual(['a', '', 'bc', 'a']);
    expect(values(file('a\nb'), 3)).toEqual(['a', 'b', 'a']);
    expect(values(file('a--b--', '--'), 2)).toEqual(['a', 'b']);
    expect(values(file('one'), 2)).toEqual(['one', 'one']);
  });
});
