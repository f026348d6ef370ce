import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DelimitedLines, type LineSink } from '../../../src/cli/produce/delimited-lines.js';
import { runs } from '../../support/properties.js';

/** Keeps copies of what it is handed, and asks to wait after every n-th line. */
class KeptLines implements LineSink {
  readonly lines: Buffer[] = [];
  readonly tooLongLines: { bytes: Buffer; length: number; limit: number }[] = [];
  readonly #parts: Buffer[] = [];
  readonly #stopEvery: number;

  constructor(stopEvery = Number.POSITIVE_INFINITY) {
    this.#stopEvery = stopEvery;
  }

  line(bytes: Buffer, start: number, end: number): boolean {
    this.lines.push(Buffer.from(bytes.subarray(start, end)));
    return this.lines.length % this.#stopEvery !== 0;
  }

  tooLongPart(bytes: Buffer, start: number, end: number): void {
    this.#parts.push(Buffer.from(bytes.subarray(start, end)));
  }

  tooLong(length: number, limit: number): void {
    this.tooLongLines.push({ bytes: Buffer.concat(this.#parts.splice(0)), length, limit });
  }

  async ready(): Promise<void> {}
}

/** The same, taking so many lines at a time in turn. */
class ManyLines extends KeptLines {
  readonly #takes: readonly number[];
  #calls = 0;

  constructor(takes: readonly number[], stopEvery: number) {
    super(stopEvery);
    this.#takes = takes;
  }

  readonly appender = {
    position: 0,
    append: (bytes: Buffer, start: number, end: number): number => {
      const wanted = this.#takes[this.#calls++ % this.#takes.length]!;
      this.appender.position = start;
      for (let taken = 0; taken < wanted; taken++) {
        const stop = bytes.indexOf(0x0a, this.appender.position);
        if (stop < 0 || stop >= end) return taken;
        this.lines.push(Buffer.from(bytes.subarray(this.appender.position, stop)));
        this.appender.position = stop + 1;
      }
      return wanted;
    },
  };
}

function feed(lines: DelimitedLines, chunks: readonly Uint8Array[]): void {
  for (const bytes of chunks) {
    const chunk = Buffer.from(bytes);
    let position = lines.scan(chunk, 0);
    while (lines.isFull && position < chunk.length) position = lines.scan(chunk, position);
    expect(position).toBe(chunk.length);
    // Whoever keeps a view instead of a copy is found out.
    chunk.fill(0xee);
  }
  lines.end();
}

/** What the input means, the slow way. */
function split(bytes: Buffer, delimiter: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let start = 0;
  for (let at = bytes.indexOf(delimiter); at >= 0; at = bytes.indexOf(delimiter, start)) {
    found.push(bytes.subarray(start, at));
    start = at + delimiter.length;
  }
  if (start < bytes.length) found.push(bytes.subarray(start));
  return found;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let start = 0;
  for (let i = 0; start < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    chunks.push(bytes.subarray(start, start + size));
    start += size;
  }
  return chunks;
}

/** Few different bytes, so that delimiters, and beginnings of them, are everywhere. */
const fewBytes = fc.array(fc.constantFrom(0, 10, 13, 97), { maxLength: 120 }).map((bytes) => Buffer.from(bytes));
const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
const delimiters = fc
  .oneof(
    fc.constantFrom([10], [0], [13, 10], [97, 97], [97, 10, 97]),
    fc.array(fc.constantFrom(0, 10, 13, 97), { minLength: 1, maxLength: 4 }),
  )
  .map((bytes) => Buffer.from(bytes));

describe('DelimitedLines', () => {
  it('hands out the same bytes whatever the chunks are, and wherever it was made to wait', () => {
    fc.assert(
      fc.property(
        fc.oneof(fewBytes, anyBytes),
        delimiters,
        sizes,
        fc.integer({ min: 1, max: 5 }),
        (bytes, delimiter, chunkSizes, stopEvery) => {
          const sink = new KeptLines(stopEvery);
          const lines = new DelimitedLines(delimiter, sink);
          feed(lines, cut(bytes, chunkSizes));
          expect(sink.lines).toEqual(split(bytes, delimiter));
          expect(lines.lineNumber).toBe(sink.lines.length);
        },
      ),
      { numRuns: runs(500) },
    );
  });

  it('is the same where the sink takes some lines many at a time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(400), { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(60), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        (lengths, takes, stopEvery) => {
          const text = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(lengths[i % lengths.length]!, '.')).join(
            '\n',
          );
          const sink = new ManyLines(takes, stopEvery);
          const lines = new DelimitedLines(Buffer.from('\n'), sink);
          feed(lines, cut(Buffer.from(text), [30_000, 9000]));
          expect(sink.lines.join('\n')).toBe(text);
          expect(lines.lineNumber).toBe(300);
        },
      ),
    );
  });

  it('passes lines beyond the limit through in parts, and tells their size', () => {
    fc.assert(
      fc.property(
        fewBytes,
        delimiters,
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
        (bytes, delimiter, chunkSizes) => {
          const sink = new KeptLines();
          const lines = new DelimitedLines(delimiter, sink);
          lines.maxLineBytes = 10;
          feed(lines, cut(bytes, chunkSizes));
          for (const { bytes: parts, length, limit } of sink.tooLongLines) {
            expect(parts).toHaveLength(length);
            expect(limit).toBe(10);
          }
          const all = split(bytes, delimiter);
          const kept = all.filter((line) => line.length <= 10);
          // A line of a little more than the limit may still be handed out when it was never carried whole.
          expect(sink.tooLongLines.every((one) => one.length > 10 - delimiter.length)).toBe(true);
          expect(sink.lines.length + sink.tooLongLines.length).toBe(all.length);
          const short = sink.lines.filter((line) => line.length <= 10);
          expect(short.length + sink.tooLongLines.filter((one) => one.length <= 10).length).toBe(kept.length);
        },
      ),
    );
  });

  it('counts "a⏎" as one line, "⏎" as an empty one and nothing as none', () => {
    const linesOf = (text: string) => {
      const sink = new KeptLines();
      feed(new DelimitedLines(Buffer.from('\n'), sink), text === '' ? [] : [Buffer.from(text)]);
      return sink.lines.map(String);
    };
    expect(linesOf('a\n')).toEqual(['a']);
    expect(linesOf('\n')).toEqual(['']);
    expect(linesOf('a\n\nb')).toEqual(['a', '', 'b']);
    expect(linesOf('')).toEqual([]);
  });

  it.each([
    { name: 'in the middle of a chunk', chunks: ['aa\nbb\ncc\n'], byte: 3 },
    { name: 'at the start of a chunk', chunks: ['aa\n', 'bb\ncc\n'], byte: 3 },
    { name: 'in the chunk before', chunks: ['aa\nb', 'b\ncc\n'], byte: 3 },
    { name: 'two chunks before', chunks: ['x', 'y\nb', '', 'b', '\ncc\n'], byte: 3 },
  ])('says where a line that is refused began: $name', ({ chunks, byte }) => {
    const sink = new KeptLines();
    const lines = new DelimitedLines(Buffer.from('\n'), {
      line: (bytes, start, end) => {
        if (bytes.toString('latin1', start, end) === 'bb') throw new Error('refused');
        return sink.line(bytes, start, end);
      },
      tooLongPart: () => {},
      tooLong: () => {},
      ready: async () => {},
    });
    expect(() =>
      feed(
        lines,
        chunks.map((chunk) => Buffer.from(chunk)),
      ),
    ).toThrow('refused');
    expect(lines.lineNumber).toBe(2);
    expect(lines.lineOffset).toBe(byte);
  });

  it('names the line that is given up before its end came', () => {
    const sink = new KeptLines();
    sink.tooLongPart = () => {
      throw new Error('endless');
    };
    const lines = new DelimitedLines(Buffer.from('\n'), sink);
    lines.maxLineBytes = 10;
    expect(() => feed(lines, [Buffer.from('ok\nlong'), Buffer.from('er than ten')])).toThrow('endless');
    expect(lines).toMatchObject({ lineNumber: 2, lineOffset: 3 });
  });

  it('does not hold a line that is too long', () => {
    const sink = new KeptLines();
    let passed = 0;
    sink.tooLongPart = (_bytes, start, end) => {
      passed += end - start;
    };
    const lines = new DelimitedLines(Buffer.from('\n'), sink);
    lines.maxLineBytes = 1000;
    const chunk = Buffer.alloc(64 * 1024, 0x61);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1000; i++) lines.scan(chunk, 0);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    lines.scan(Buffer.from('\nshort\n'), 0);
    expect(passed).toBe(64_000 * 1024);
    expect(sink.tooLongLines).toMatchObject([{ length: 64_000 * 1024 }]);
    expect(sink.lines.map(String)).toEqual(['short']);
  });
});
