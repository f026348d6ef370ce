import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpectedBytes } from '../../../src/cli/expect/expected-bytes.js';
import { runs } from '../../support/properties.js';

/** Few letters and many newlines, so that texts often begin alike. */
const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 8 });

function linesOf(bytes: string): string[] {
  const lines = bytes.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

describe('expected bytes', () => {
  it('find the first line that differs, however the pieces are cut', () =>
    fc.assert(
      fc.property(
        text,
        fc.array(
          text.filter((piece) => piece !== ''),
          { maxLength: 5 },
        ),
        (expected, pieces) => {
          const compared = new ExpectedBytes(Buffer.from(expected));
          let found = '';
          let difference: ReturnType<ExpectedBytes['take']>;
          for (const piece of pieces) {
            found += piece;
            difference = compared.take(Buffer.from(piece));
            if (difference !== undefined) break;
          }
          const isPrefix =
            expected.startsWith(found) || (expected !== '' && !expected.endsWith('\n') && found === `${expected}\n`);
          if (difference === undefined) {
            expect(isPrefix).toBe(true);
            expect(compared.isDone).toBe(found.length >= expected.length);
          } else {
            const index = difference.line - 1;
            const [want, got] = [linesOf(expected), linesOf(found)];
            expect(want.slice(0, index)).toEqual(got.slice(0, index));
            expect(difference.expected).toBe(want[index]);
            expect(difference.found).toBe(got[index]);
          }
        },
      ),
      {
        numRuns: runs(2000),
        examples: [
          ['a', ['a\n', 'b']],
          ['a', ['a', '\n', '\n']],
          ['', ['\n']],
          ['a', ['a\nb']],
        ],
      },
    ));

  it('tell what is missing', () => {
    const compared = new ExpectedBytes(Buffer.from('a\nbc\n'));
    expect(compared.rest).toEqual({ line: 1, expected: 'a' });
    compared.take(Buffer.from('a\nb'));
    expect(compared.isDone).toBe(false);
    expect(compared.rest).toEqual({ line: 2, expected: 'bc' });
    compared.take(Buffer.from('c\n'));
    expect(compared.isDone).toBe(true);
  });

  it('show no more of a line than fits', () => {
    const compared = new ExpectedBytes(Buffer.from('x'.repeat(1000)));
    expect(compared.take(Buffer.from('y'))?.expected).toBe(`${'x'.repeat(200)}…`);
  });
});
